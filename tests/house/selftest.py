#!/usr/bin/env python3
"""tests/house/selftest.py - holds house.py itself: it must see each fault that is planted in a copy of the tree, and
name the place. What the tree is judged by without a fault is the test house.floors."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


class House(unittest.TestCase):
    """A small house of four floors, with the table of the real one's form; the last tests take the real tree."""

    TABLE = ("| folder | what it holds |\n|---|---|\n| `tools/fitrelu` | the program |\n| `tools/console` | messages |\n"
             "| `host/solver` | the API |\n| `host/base` | errors |\n")
    FILES = {
        "docs/design.md": TABLE,
        "include/fitrelu.h": "",
        "tools/fitrelu/main.c": '#include <stdio.h>\n#include "base/status.h"\n#include "fitrelu.h"\n',
        "tools/console/message.h": '#include "fitrelu.h"\n',
        "host/solver/solver.c": '#include "solver/solver.h"\n#include "fitrelu_version.h"\n',
        "host/solver/solver.h": '#include "base/status.h"\n',
        "host/base/status.h": '#include "fitrelu.h"\n#include "kernels/rules/qsgd.h"\n',
        "host/base/status.c": '#include "base/status.h"\n',
        "kernels/encode.cu": '#include "kernels/encode.cuh"\n',
        "kernels/encode.cuh": '#include "kernels/rules/qsgd.h"\n',
        "kernels/rules/qsgd.h": "",
    }

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="fitrelu-house-")
        self.addCleanup(shutil.rmtree, self.root)

    def write(self, path, text):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def build(self):
        for path, text in self.FILES.items():
            self.write(path, text)

    def look(self):
        done = subprocess.run([sys.executable, "-B", os.path.join(HERE, "house.py"), self.root],
                              stdout=subprocess.PIPE, universal_newlines=True)
        return done.returncode, done.stdout

    def holds(self):
        code, printed = self.look()
        self.assertEqual(code, 0, printed)

    def sees(self, start, *words):
        """One fault, whose line starts so and has these words."""
        code, printed = self.look()
        self.assertEqual(code, 1, printed)
        lines = printed.splitlines()
        self.assertIn(" 1 faults", lines[-1], printed)
        self.assertTrue(lines[0].startswith(start), printed)
        for word in words:
            self.assertIn(word, lines[0])

    def test_a_sound_house_stands(self):
        self.build()
        self.holds()

    def test_upward_within_host(self):
        self.build()
        self.write("host/base/status.c", '#include "base/status.h"\n\n#include "solver/place.h"\n')
        self.write("host/solver/place.h", "")
        self.sees("host/base/status.c:3: upward", "host/base", "host/solver")

    def test_upward_from_host_to_tools(self):
        self.build()
        self.write("host/base/clock.c", '  #  include "console/message.h"\n')
        self.sees("host/base/clock.c:1: upward", "tools/console")

    def test_upward_within_tools(self):
        self.build()
        self.write("tools/fitrelu/report.h", "")
        self.write("tools/console/stage.c", '#include "fitrelu/report.h"\n')
        self.sees("tools/console/stage.c:1: upward", "tools/fitrelu")

    def test_upward_in_angle_brackets(self):
        self.build()
        self.write("host/solver/place.h", "")
        self.write("host/base/clock.c", "#include <solver/place.h>\n")
        self.sees("host/base/clock.c:1: upward")

    def test_upward_from_rules_to_kernels(self):
        self.build()
        self.write("kernels/rules/bf16.h", '#include "../launch.cuh"\n')
        self.write("kernels/launch.cuh", "")
        self.sees("kernels/rules/bf16.h:1: upward")

    def test_the_public_header_includes_nothing_of_the_house(self):
        self.build()
        self.write("include/fitrelu.h", '#include "base/clock.h"\n')
        self.write("host/base/clock.h", "")
        self.sees("include/fitrelu.h:1: upward")

    def test_kernels_include_nothing_of_host(self):
        self.build()
        self.write("kernels/norm.cu", '#include "base/status.h"\n')
        self.sees("kernels/norm.cu:1: kernels", "host/base")

    def test_a_circle_of_files(self):
        self.build()
        self.write("host/base/clock.h", '#include "base/lines.h"\n')
        self.write("host/base/lines.c", '#include "base/clock.h"\n')
        self.write("host/base/lines.h", "")
        self.sees("host/base/clock.h:1: circle", "files host/base/clock, host/base/lines", "host/base/lines.c:1")

    def test_a_circle_of_folders(self):
        self.build()
        self.write("host/solver/a.c", '#include "solver/cpu/a.h"\n')
        self.write("host/solver/cpu/a.h", "")
        self.write("host/solver/cpu/b.c", '#include "solver/solver.h"\n')
        self.sees("host/solver/a.c:1: circle", "folders host/solver, host/solver/cpu")

    def test_an_include_without_its_folder(self):
        self.build()
        self.write("host/base/clock.c", '#include "status.h"\n')
        self.sees("host/base/clock.c:1: no folder", '"status.h" should read "base/status.h"')

    def test_an_include_by_way_of_another_folder(self):
        self.build()
        self.write("host/solver/place.c", '#include "../base/status.h"\n')
        self.sees("host/solver/place.c:1: no folder", '"base/status.h"')

    def test_comments_are_no_includes(self):
        self.build()
        self.write("host/base/clock.c", '/* #include "status.h"\n#include "solver/solver.h"\n*/ // #include "status.h"\n')
        self.holds()

    def test_a_folder_without_a_floor_and_a_floor_without_a_folder(self):
        self.build()
        self.write("host/cellar/wine.c", "")
        self.sees("host/cellar: table")
        self.write("docs/design.md", self.TABLE + "| `host/cellar` | wine |\n| `host/attic` | dust |\n")
        self.sees("docs/design.md: table", "host/attic")

    def test_a_crowded_folder(self):
        self.build()
        for number in range(28):
            self.write(f"host/base/file{number}.c", "")
        self.holds()
        self.write("host/base/one_more.c", "")
        self.sees("host/base: crowded: 31 files")

    def test_a_long_file(self):
        self.build()
        self.write("kernels/rules/qsgd.h", "\n" * 500)
        self.holds()
        self.write("kernels/rules/qsgd.h", "\n" * 501)
        self.sees("kernels/rules/qsgd.h: long: 501 lines")

    def test_an_upward_include_planted_in_this_tree(self):
        for folder in ("include", "tools", "host", "kernels"):
            shutil.copytree(os.path.join(ROOT, folder), os.path.join(self.root, folder))
        os.mkdir(os.path.join(self.root, "docs"))
        shutil.copy(os.path.join(ROOT, "docs", "design.md"), os.path.join(self.root, "docs"))
        planted = r"(?m)^host/base/clock\.c:\d+: upward: host/base includes \"fit/fit\.h\" of host/fit"
        self.assertNotRegex(self.look()[1], planted)
        with open(os.path.join(self.root, "host/base/clock.c"), "a", encoding="utf-8") as file:
            file.write('#include "fit/fit.h"\n')
        code, printed = self.look()
        self.assertEqual(code, 1, printed)
        self.assertRegex(printed, planted)


if __name__ == "__main__":
    unittest.main()

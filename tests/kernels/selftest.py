#!/usr/bin/env python3
"""tests/kernels/selftest.py - holds resources.py itself, with an nvcc and a cuobjdump that print what they are told: it
must see a spill, a narrower load and a kernel that came or went. What the kernels take is the test kernels.resources."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
NAME = "_ZN7fitrelu41_GLOBAL__N__02fee79a_9_encode_cu_a5dc15a013encode_kernelIfEEvPKT_"  # encode_kernel<float>

PTXAS = """ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '{name}' for 'sm_90'
ptxas info    : Function properties for {name}
    {stack} bytes stack frame, {stores} bytes spill stores, {loads} bytes spill loads
ptxas info    : Used {registers} registers, used 1 barriers, 144 bytes smem
"""
SASS = """
\tcode for sm_90
\t\tFunction : {name}
        /*0090*/   {wide} R4, desc[UR4][R2.64] ;
        /*00a0*/   LDG.E R8, desc[UR4][R6.64] ;
        /*00b0*/   {wide} R12, desc[UR4][R2.64+0x10] ;
"""


class Resources(unittest.TestCase):
    """A tree of one kernel, whose figures each test changes."""

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="fitrelu-kernels-")
        self.addCleanup(shutil.rmtree, self.root)
        os.makedirs(os.path.join(self.root, "kernels"))
        self.write("kernels/encode.cu", "")
        self.figures = {"name": NAME, "stack": 0, "stores": 0, "loads": 0, "registers": 32, "wide": "LDG.E.128.CONSTANT"}
        self.version = "13.0.88"
        code, printed = self.look("--update")
        self.assertEqual(code, 0, printed)

    def write(self, path, text):
        path = os.path.join(self.root, path)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def table(self):
        with open(os.path.join(self.root, "table.txt"), encoding="utf-8") as file:
            return file.read()

    def tool(self, name, script):
        path = self.write(name, "#!/bin/sh\n" + script)
        os.chmod(path, 0o755)
        return path

    def look(self, *more):
        """Exit code and print, by tools that print the figures of now."""
        self.write("ptxas.txt", PTXAS.format(**self.figures))
        self.write("sass.txt", SASS.format(**self.figures))
        nvcc = self.tool("nvcc", 'case $1 in\n  --version) echo "Cuda compilation tools, release 13.0, V%s" ;;\n'
                         "  *) cat %s/ptxas.txt >&2 ;;\nesac\n" % (self.version, self.root))
        cuobjdump = self.tool("cuobjdump", "cat %s/sass.txt\n" % self.root)
        done = subprocess.run([sys.executable, "-B", os.path.join(HERE, "resources.py"), "--root", self.root, "--table",
                               os.path.join(self.root, "table.txt"), "--nvcc", nvcc, "--cuobjdump", cuobjdump] + list(more),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
        return done.returncode, done.stdout

    def sees(self, *words):
        code, printed = self.look()
        self.assertEqual(code, 1, printed)
        self.assertIn("1 differences", printed)
        for word in words:
            self.assertIn(word, printed.splitlines()[0])

    def test_what_has_not_changed_passes(self):
        code, printed = self.look()
        self.assertEqual((code, printed), (0, "1 kernels, 0 differences\n"))

    def test_the_table_is_for_people(self):
        line = self.table().splitlines()[-1]
        self.assertEqual([cell.strip() for cell in line.split("|")],
                         ["encode.cu", "encode_kernel<float>", "32", "0", "0+0", "144", "16x2"])

    def test_a_spill(self):
        self.figures.update(stores=28, loads=36)
        self.sees("encode.cu: encode_kernel<float>: spilled 28+36, in the table 0+0")

    def test_local_memory(self):
        self.figures.update(stack=16)
        self.sees("stack 16, in the table 0")

    def test_more_registers_and_fewer(self):
        for registers in (33, 31):
            self.figures.update(registers=registers)
            self.sees("registers %d, in the table 32" % registers)

    def test_a_narrower_load(self):
        self.figures.update(wide="LDG.E.64")
        self.sees("loads 8x2, in the table 16x2")

    def test_fewer_wide_loads(self):
        self.write("table.txt", self.table().replace("16x2", "16x3"))
        self.sees("loads 16x2, in the table 16x3")

    def test_another_kernel(self):
        self.figures.update(name=NAME.replace("IfEE", "IdEE"))
        code, printed = self.look()
        self.assertEqual(code, 1, printed)
        self.assertIn("encode.cu: encode_kernel<double> is not in the table", printed)
        self.assertIn("encode.cu: encode_kernel<float> is in the table and not in kernels/", printed)

    def test_update_takes_the_change(self):
        self.figures.update(stores=28, loads=36)
        self.assertEqual(self.look("--update")[0], 0)
        self.assertEqual(self.look()[0], 0)

    def test_another_nvcc_is_no_failure(self):
        self.version = "12.4.131"
        code, printed = self.look()
        self.assertEqual((code, printed), (77, "skipped: the table is of nvcc 13.0.88, and here is 12.4.131\n"))

    def test_no_nvcc_is_no_failure(self):
        code, printed = self.look("--nvcc", os.path.join(self.root, "nowhere"))
        self.assertEqual((code, printed), (77, "skipped: nvcc is not here\n"))

    def test_an_error_of_nvcc_is_shown(self):
        self.write("table.txt", "# nvcc 13.0.88, sm_90\n")
        nvcc = self.tool("broken", 'case $1 in --version) echo "release 13.0, V13.0.88" ;; *) echo "error: no" && exit 2 ;; esac\n')
        code, printed = self.look("--nvcc", nvcc)
        self.assertEqual(code, 1, printed)
        self.assertIn("error: no", printed)


if __name__ == "__main__":
    unittest.main()

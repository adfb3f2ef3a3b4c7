"""What tests/docs/run and tools/check do with made-up input: comparison, --update's rewriting, counting of tests."""
import importlib.machinery
import importlib.util
import os
import subprocess
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
loader = importlib.machinery.SourceFileLoader("docs_run", os.path.join(HERE, "run"))
run = importlib.util.module_from_spec(importlib.util.spec_from_loader("docs_run", loader))
loader.exec_module(run)


def agree(expected, printed):
    return run.align(expected.split("\n"), printed.split("\n"), run.same_line) is not None


class Comparison(unittest.TestCase):
    def test_numbers_agree_to_a_thousandth(self):
        self.assertTrue(agree("loss            4.62889", "loss  4.629"))
        self.assertFalse(agree("loss            7.19653", "loss            4.62889"))
        self.assertFalse(agree("active rows     66.7 %", "active rows     75.0 %"))
        self.assertTrue(agree("0", "0"))
        self.assertFalse(agree("0", "1e-9"))
        self.assertFalse(agree("loss 4.6", "loss nan"))

    def test_text_must_be_the_same(self):
        self.assertFalse(agree("method SGD, batch 12", "method QSGD, batch 12"))
        self.assertFalse(agree("one", "one\ntwo"))
        self.assertFalse(agree("precision f64", "precision f32"))

    def test_times_rates_and_versions_are_not_compared(self):
        self.assertTrue(agree("took 1.5 s at 12 MB/s", "took 980 ms at 3 GB/s"))
        self.assertTrue(agree("fitrelu version 0.1.0", "fitrelu version 0.2.0"))
        self.assertFalse(agree("12 steps", "13 steps"))

    def test_dots_stand_for_text_and_for_lines(self):
        self.assertTrue(agree("a ... c", "a bb c"))
        self.assertTrue(agree("...\nloss 4\n...", "x\ny\nloss 4\nz"))
        self.assertFalse(agree("...\nloss 4\n...", "x\nloss 5\ny"))

    def test_update_keeps_the_dots(self):
        self.assertEqual(run.updated(["...", "loss 7", "..."], ["x", "loss 4", "y"]), ["...", "loss 4", "..."])
        self.assertEqual(run.updated(["loss 7"], ["other", "lines"]), ["other", "lines"])
        self.assertEqual(run.updated(["loss 4.0001"], ["loss 4"]), ["loss 4.0001"])


class Pages(unittest.TestCase):
    def test_commands_of_a_block(self):
        lines = ["$ one \\", "    two", "out", "$ three"]
        self.assertEqual(list(run.commands(lines, 0, 4)), [("one two", 2, 3), ("three", 4, 4)])

    def test_a_path_that_is_not_there_is_found(self):
        with tempfile.NamedTemporaryFile("w", suffix=".md", dir=HERE) as page:
            page.write("`tests/docs/run` `host/none.c` [a](run) [b](none.md) [c](#no)\n# yes\n")
            page.flush()
            faults = list(run.check_paths(os.path.relpath(page.name, run.ROOT)))
        self.assertEqual([fault.split(": ")[1] for fault in faults],
                         ["there is no host/none.c", "the link none.md leads nowhere",
                          "the page of #no has no such heading"])


class Counting(unittest.TestCase):
    LOG = """    Start 1: good
1/7 Test #1: good .............................   Passed    0.00 sec
2/7 Test #2: bad ..............................***Failed    0.00 sec
1/1 is what the test printed (Skipped)
3/7 Test #4: off ..............................***Not Run (Disabled)   0.00 sec
4/7 Test #5: lost .............................***Not Run   0.00 sec
5/7 Test #3: skip .............................***Skipped   0.00 sec
6/7 Test #6: late .............................***Timeout   1.00 sec
7/7 Test #7: a long name that ends without dots ...   Passed    0.10 sec

40% tests passed, 3 tests failed out of 6
"""

    def test_skipped_tests_are_not_passed_ones(self):
        with tempfile.NamedTemporaryFile("w") as log:
            log.write(self.LOG)
            log.flush()
            printed = subprocess.run(["bash", "-c", '. tools/build_env.sh && count_tests "$1"', "count", log.name],
                                     cwd=run.ROOT, stdout=subprocess.PIPE, universal_newlines=True, check=True).stdout
        self.assertEqual(printed, "2 3 2\n")


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""tests/gpu/check_gpu_test.py - holds tools/check_gpu itself, with a card, a build and programs that only pretend: its
JSON is whole whatever fails, the stages come in their order, and their limits leave ten minutes."""
import json
import os
import re
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(ROOT, "tools", "check_gpu")

# Each tool notes that it was called. A build makes three programs, which are scripts that say what the real ones say.
TOOLS = {
    "nvidia-smi": 'case "$*" in *compute_cap*) echo 9.0 ;; *name*) echo "Pretended Card" ;; *) echo "GPU 0: 580.1" ;; esac',
    "timeout": 'shift; echo "limit $1" >> "$HERE/limits"; shift; [ "$1" != "$STOPS" ] || exit 124; exec "$@"',
    "cmake": """[ "$1" = --build ] || { mkdir -p "$HERE/build"; echo "FITRELU_NCCL_LIBRARY:FILEPATH=/x" > "$HERE/build/CMakeCache.txt"; exit 0; }
mkdir -p "$HERE/build/bin"
printf '#!/bin/sh\\necho gpu_tests >> "$HERE/calls"\\n%s\\necho "[==========] 3 tests from 1 test suite ran. (1 ms total)"\\necho "[  PASSED  ] 3 tests."\\n' "$TESTS" > "$HERE/build/bin/gpu_tests"
printf '#!/bin/sh\\necho fitrelu >> "$HERE/calls"\\necho "{}"\\n' > "$HERE/build/bin/fitrelu"
printf '#!/bin/sh\\necho bench_gpu >> "$HERE/calls"\\n' > "$HERE/build/bin/bench_gpu"
chmod +x "$HERE"/build/bin/*""",
    "compute-sanitizer": 'echo "$2" >> "$HERE/calls"',
    "python3": "exit 1",
}


class CheckGpu(unittest.TestCase):
    def run_with(self, tests=":", stops=""):
        with tempfile.TemporaryDirectory(prefix="fitrelu-check-gpu-") as here:
            for name, script in TOOLS.items():
                path = os.path.join(here, "tools", name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as file:
                    file.write("#!/bin/sh\n" + script + "\n")
                os.chmod(path, 0o755)
            environment = dict(os.environ, HERE=here, TESTS=tests, STOPS=stops.replace("HERE", here),
                               PATH=os.path.join(here, "tools") + os.pathsep + os.environ["PATH"])
            done = subprocess.run(["bash", SCRIPT, "--output", here + "/results", "--build", here + "/build"],
                                  env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
            with open(here + "/results/gpu_check.json", encoding="utf-8") as file:
                found = json.load(file)
            calls = open(here + "/calls", encoding="utf-8").read().split() if os.path.exists(here + "/calls") else []
            limits = [int(limit) for limit in re.findall(r"limit (\d+)", open(here + "/limits", encoding="utf-8").read())]
            return done, found, calls, limits

    def test_all_is_well(self):
        done, found, calls, limits = self.run_with()
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(calls, ["gpu_tests", "fitrelu", "bench_gpu", "memcheck", "initcheck", "racecheck", "synccheck"])
        self.assertEqual((found["device"], found["tests"], found["tests_run"], found["tests_passed"]),
                         ("Pretended Card", "passed", 3, 3))
        self.assertLess(sum(limits) + 60, 600, "with PyTorch, which is not here")

    def test_a_crash_of_the_tests_leaves_the_rest(self):
        done, found, calls, _ = self.run_with(tests="kill -11 $$")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual((found["tests"], found["tests_run"], found["suite"]), ("failed", None, "passed"))
        self.assertIn("synccheck", calls)

    def test_a_stage_that_takes_too_long_is_stopped(self):
        done, found, calls, _ = self.run_with(stops="HERE/build/bin/bench_gpu")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual((found["suite"], found["memcheck"]), ("stopped", "passed"))

    def test_a_build_that_fails_is_told(self):
        done, found, calls, _ = self.run_with(stops="cmake")
        self.assertEqual((done.returncode, found["configure"], calls), (1, "stopped", []))


if __name__ == "__main__":
    unittest.main()

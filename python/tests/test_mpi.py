"""comm=: by mpirun, where mpi4py and the module with MPI are there."""
import importlib.util
import os
import shutil
import subprocess
import sys

import pytest

HERE = os.path.dirname(__file__)


def test_three_ranks_make_the_fit_of_one():
    if not importlib.util.find_spec("mpi4py") or not shutil.which("mpirun"):
        pytest.skip("mpi4py or mpirun is not there")
    if not importlib.util.find_spec("fitrelu._core_mpi"):
        pytest.skip("fitrelu was built without MPI")
    root = ["--allow-run-as-root"] if os.geteuid() == 0 else []
    ran = subprocess.run(["mpirun", *root, "--oversubscribe", "-np", "3", sys.executable, os.path.join(HERE, "mpi_fit.py")],
                         capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0 and "all is well" in ran.stdout, ran.stdout + ran.stderr


def test_a_build_without_mpi_says_so():
    code = "import sys; sys.modules['fitrelu._core_mpi'] = None\nimport fitrelu\n" \
           "try: fitrelu.fit([[1.0]], [1.0], comm=object())\nexcept fitrelu.DeviceError as error: print(error)\n"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stdout.startswith("comm needs MPI, and this fitrelu was built without it"), ran.stderr

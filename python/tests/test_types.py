"""The hints hold, as mypy reads them."""
import os
import subprocess
import sys

import pytest

PACKAGE = os.path.join(os.path.dirname(__file__), "..", "fitrelu")


def test_mypy_finds_nothing(tmp_path):
    pytest.importorskip("mypy")
    ran = subprocess.run([sys.executable, "-m", "mypy", "--ignore-missing-imports", "--cache-dir", tmp_path, PACKAGE],
                         capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout


def test_what_is_public_is_there():
    import fitrelu

    assert all(hasattr(fitrelu, name) for name in fitrelu.__all__)
    assert os.path.exists(os.path.join(os.path.dirname(fitrelu.__file__), "py.typed"))

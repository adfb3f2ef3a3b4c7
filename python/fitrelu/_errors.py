"""What can fail, by its cause. The program's exit codes stand for the same causes."""
import builtins
import re
from typing import Any

from ._core import ffi  # of whichever module an fr_error is: its text is read alike


class FitreluError(Exception):
    """The base of all; itself: input or output failed, or memory ran out.

    ``rank``, ``device`` and ``step`` say where it failed, or are None.
    """

    code = 1
    rank = device = step = None


class UsageError(FitreluError, ValueError):
    """A parameter is out of its range or contradicts another."""

    code = 2


class DivergedError(FitreluError, ArithmeticError):
    """The weights grew without bound, or no row is active in the end; ``fit`` holds what is known of the fit."""

    code = 4
    fit: Any = None


class DataError(FitreluError, ValueError):
    """The data cannot be fitted, or read as what they claim to be."""

    code = 5


class CheckpointError(FitreluError, ValueError):
    """A checkpoint is damaged or belongs to another fit."""

    code = 6


class DeviceError(FitreluError, RuntimeError):
    """A GPU, NCCL or MPI failed or is not there."""

    code = 7


class TimeoutError(FitreluError, builtins.TimeoutError):
    """A rank stopped answering."""

    code = 8


class Interrupted(KeyboardInterrupt):
    """Ctrl-C stopped a fit; ``fit`` holds what was found so far, or None."""

    fit: Any = None


KINDS = {kind.code: kind for kind in (UsageError, DataError, CheckpointError, DeviceError, TimeoutError)}


def in_python(line):
    """A line of the program, its options as the parameters that they are here: --step-size -> step_size."""
    return re.sub(r"--([a-z][a-z-]*[a-z])", lambda option: option[1].replace("-", "_"), line)


def failure(code, error):
    """The exception for a status of the library and its fr_error."""
    line = ffi.string(error.message).decode(errors="replace")
    made = KINDS.get(code, FitreluError)(in_python(line) or "the library failed without saying why")
    for name in ("rank", "device", "step"):
        value = getattr(error, name)
        setattr(made, name, value if value >= 0 else None)
    return made


def check(status, error):
    if status != 0:
        raise failure(status, error)

"""A fit by the ranks of a communicator of mpi4py. Loaded by the first `comm=`."""
import contextlib
from typing import Any, Iterator

from ._errors import DeviceError, check
from ._fit import listen

try:
    from . import _core_mpi as core
except ImportError as cause:
    raise DeviceError("comm needs MPI, and this fitrelu was built without it: install MPI, then fitrelu again from its "
                      "sources (pip install --no-binary :all: fitrelu, or pip install . in a clone)") from cause

listen(core)


@contextlib.contextmanager
def world_of(comm: Any) -> Iterator[Any]:
    """A fr_world of the communicator's ranks; all of them enter and leave together."""
    made, error = core.ffi.new("fr_world **"), core.ffi.new("fr_error *")
    check(core.lib.fr_world_from_mpi(comm.py2f(), made, error), error)
    try:
        yield made[0]
    except BaseException:
        if core.lib.fr_world_agreed(made[0]):
            core.lib.fr_world_leave(made[0])
        raise
    core.lib.fr_world_leave(made[0])

"""Run by mpirun -np 3: a fit over a communicator is the fit of one process with as many workers, to the bit."""
import sys

import numpy as np
from mpi4py import MPI

import fitrelu

COMM = MPI.COMM_WORLD
X = np.random.default_rng(2).normal(size=(900, 6))
Y = np.maximum(0, X @ [1, 2, 3, -1, -2, 0.5]) + 0.1 * np.random.default_rng(3).normal(size=900)


def expect(true, what):
    if not true:
        print(f"rank {COMM.rank}: {what}", flush=True)
        COMM.Abort(1)


def fails(kind, words, **options):
    try:
        fitrelu.fit(X, Y, comm=COMM, **options)
    except kind as error:
        expect(words in str(error), f"{words!r} is not in {error}")
    else:
        expect(False, f"no {kind.__name__}")


assert "fitrelu._core_mpi" not in sys.modules
for options in (dict(levels=7, batch=60, iterations=40), dict(levels=15, batch="full", collective="two-phase", iterations=20), {}):
    alone = fitrelu.fit(X, Y, workers=3, **options)
    together = fitrelu.fit(X, Y, workers=3, comm=COMM, **options)
    expect(np.array_equal(alone.coef, together.coef) or not options, f"other weights with {options}")
    expect(np.allclose(alone.coef, together.coef), f"other weights with {options}")
    expect(together.result["place"]["ranks"] == COMM.size == 3, "ranks")
    expect((len(together.history["loss"]) > 0) == (COMM.rank == 0), "the history is rank 0's")

half = COMM.Split(COMM.rank == 0)  # a communicator of its own
found = fitrelu.fit(X, Y, comm=half, levels=7, batch=60, iterations=40)
expect(found.result["place"]["ranks"] == half.size, "ranks of a part")

found = fitrelu.fit(X, Y, comm=COMM, batch=60, iterations=10**7, callback=lambda report: COMM.rank == 1 and report.iteration > 50)
expect(found.status == "interrupted", "one rank stops all")
fails(fitrelu.UsageError, "batch 50 is not divisible by workers 3", batch=50)
fails(fitrelu.UsageError, "differs from rank 0", seed=COMM.rank)
planted = fitrelu.fit(samples=600, features=12, comm=COMM)
expect(planted.result["relative_error"] < 1e-6, "a planted problem")
if COMM.rank == 0:
    print("all is well")

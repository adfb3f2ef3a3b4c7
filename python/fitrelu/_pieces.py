"""The parts of a fit by themselves: quantizer, theorems, planted data, plans, experiments."""
import os
from typing import Any, Dict, NamedTuple, Optional

import numpy as np

from . import _arrays
from ._core import ffi, lib
from ._errors import UsageError, check
from ._program import ask

SCALES = {"l2": lib.FR_SCALE_L2, "max": lib.FR_SCALE_MAX}


def _scale_of(scale: str) -> int:
    if scale not in SCALES:
        raise UsageError(f"scale: found {scale!r}, expected l2 or max")
    return SCALES[scale]


def _within(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high or value != int(value):
        raise UsageError(f"{name}: found {value!r}, expected a whole number from {low} to {high}")
    return int(value)


# --------------------------------------------------------------------------------------------------- quantizer

class Quantized(NamedTuple):
    """Levels of -s..s, and the number N of which they are multiples: entry i stands for N levels[i] / s."""

    levels: np.ndarray
    norm: float


def quantize(v: Any, levels: int, *, scale: str = "l2", seed: int = 1, step: int = 0, worker: int = 0) -> Quantized:
    """Rounds a vector to s levels and a sign, at random and without bias: Q_s of section 2.2 of the paper.

    N is the norm of v (``scale="l2"``) or its largest entry (``"max"``). The draws depend on seed, step, worker and the
    place in the vector alone.

    >>> from fitrelu import quantize, dequantize
    >>> quantize([3, -4, 0], 5)
    Quantized(levels=array([ 3, -4,  0], dtype=int8), norm=5.0)
    """
    v = np.ascontiguousarray(v, dtype=np.float64)
    if v.ndim != 1 or v.size == 0 or not np.isfinite(v).all():
        raise UsageError(f"v has the shape {v.shape}, expected a vector of finite numbers")
    s, chosen, out = _within("levels", levels, 1, 127), _scale_of(scale), np.empty(v.size, dtype=np.int8)
    norm = lib.fr_quantize(_arrays.numbers(v), v.size, s, chosen, _within("seed", seed, 0, 2**64 - 1),
                           _within("step", step, 0, 2**64 - 1), _within("worker", worker, 0, 2**32 - 1),
                           ffi.cast("int8_t *", out.ctypes.data))
    return Quantized(out, norm)


def dequantize(quantized: Quantized, levels: int) -> np.ndarray:
    """What the levels stand for.

    >>> dequantize(quantize([3, -4, 0], 5), 5)
    array([ 3., -4.,  0.])
    """
    return quantized.norm / _within("levels", levels, 1, 127) * np.asarray(quantized.levels, dtype=np.float64)


def allreduce_width(workers: int, levels: int) -> int:
    """The bits that a coordinate takes in an all-reduce which adds the levels of so many workers exactly.

    >>> from fitrelu import allreduce_width
    >>> allreduce_width(4, 31), allreduce_width(8, 127)
    (8, 16)
    """
    bits = lib.fr_allreduce_bits(_within("workers", workers, 1, 2**31 - 1), _within("levels", levels, 1, 127))
    if bits == 0:
        raise UsageError(f"{workers} workers of {levels} levels add up to more than a field of 16 bits holds")
    return bits


# ------------------------------------------------------------------------------------------------------ theory

class Theory(NamedTuple):
    """What Theorems 3.1 (levels=0) and 3.2 say of steps near the solution."""

    variance: float  #: of the quantizer, relative: Lemma 6.3's bound
    constant: float  #: C
    step_size: float  #: 3 / (4 C)
    rate: float  #: of the squared distance, a step: 1 - 9 / (16 C)
    iterations: float  #: until it has fallen by epsilon with probability 1 - delta2


def theory(features: int, batch: float, levels: int = 0, *, epsilon: float = 1e-6, delta2: float = 0.5) -> Theory:
    """
    >>> from fitrelu import theory
    >>> round(theory(1000, 800).rate, 4), round(theory(1000, 800, levels=31).rate, 4)
    (0.9561, 0.9795)
    """
    d, s = _within("features", features, 1, 10**15), _within("levels", levels, 0, 127)
    if not batch > 0:
        raise UsageError(f"batch: found {batch!r}, expected a number above 0")
    rate = lib.fr_theory_rate(d, batch, s)
    return Theory(lib.fr_theory_lemma_variance(d, s), lib.fr_theory_constant(d, batch, s),
                  lib.fr_theory_step_size(d, batch, s), rate, lib.fr_theory_iterations(rate, epsilon, delta2))


# ---------------------------------------------------------------------------------------------- planted problems

class Planted(NamedTuple):
    """Rows, their labels, and the weights that made them."""

    X: np.ndarray
    y: np.ndarray
    w: np.ndarray


def generate(samples: int, features: int, *, noise: float = 0.0, seed: int = 1, precision: str = "f64") -> Planted:
    """A planted problem: x ~ N(0, 1), w ~ N(200, 3), y = max(0, <w, x>) + noise N(0, 1).

    The same values as ``fitrelu generate`` and ``fitrelu fit`` make of the same numbers.

    >>> from fitrelu import generate
    >>> X, y, w = generate(1000, 5)
    >>> bool(np.allclose(y, np.maximum(0, X @ w)))
    True
    """
    if precision not in _arrays.PRECISIONS:
        raise UsageError(f"precision: found {precision!r}, expected f64 or f32")
    n, d = _within("samples", samples, 1, 10**15), _within("features", features, 1, 10**15)
    made, error = ffi.new("fr_dataset **"), ffi.new("fr_error *")
    recipe = ffi.new("fr_planted *", dict(samples=n, features=d, noise=noise, seed=_within("seed", seed, 0, 2**64 - 1)))
    kind = lib.FR_F32 if precision == "f32" else lib.FR_F64
    check(lib.fr_dataset_generate(recipe, kind, made, error), error)
    data = ffi.gc(made[0], lib.fr_dataset_free)
    X, y = np.empty((n, d), dtype=_arrays.PRECISIONS[precision]), np.empty(n, dtype=_arrays.PRECISIONS[precision])
    check(lib.fr_dataset_rows(data, 0, n, ffi.cast("void *", X.ctypes.data), ffi.cast("void *", y.ctypes.data), error), error)
    w = np.frombuffer(ffi.buffer(lib.fr_dataset_planted(data), 8 * d), dtype=np.float64).copy()
    return Planted(X, y, w)


# ------------------------------------------------------------------------------------------- plans, experiments

def plan(**options: Any) -> Dict[str, Any]:
    """What a fit would cost on given links, and whether quantization pays: ``fitrelu plan --json``.

    >>> from fitrelu import plan
    >>> plan(samples="50K", features="4K", workers=40, bandwidth="100M")["job"]["batch"]
    3200
    """
    return ask("plan", [], options)


def experiment(name: str, output: Optional[os.PathLike] = None, *, quiet: bool = True, **options: Any) -> Dict[str, Any]:
    """An experiment of the paper, or of fitrelu's own: ``fitrelu experiment NAME --json``.

    What it writes goes into the folder `output`. An interrupted one goes on from there when it is called again.
    """
    if output is not None:
        options["output"] = output
    return ask("experiment", [name], options, quiet=quiet)

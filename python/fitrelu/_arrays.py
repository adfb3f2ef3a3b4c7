"""Rows of any library as the C library reads them: float32 or float64, the values of a row side by side.

What lies so is borrowed, whatever the distance between rows; all else is copied once. Tables come as Arrow's C stream
(``__arrow_c_stream__``) and keep their columns apart: they are copied straight from the buffers of their columns.
"""
import ctypes
import re
from typing import Any, Dict, List, NamedTuple, Optional

import numpy as np

from . import _core
from ._core import ffi, lib
from ._errors import DataError, UsageError, check

PRECISIONS: Dict[str, Any] = {"f32": np.dtype(np.float32), "f64": np.dtype(np.float64)}


class Rows(NamedTuple):
    values: np.ndarray  # n x d
    names: Optional[List[str]]  # of the columns


def _names_of(X: Any) -> Optional[List[str]]:
    names = list(getattr(X, "columns", ()))
    return names if names and all(isinstance(name, str) and name for name in names) else None


# --------------------------------------------------------------------------------------------------- tables

_pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_of.restype, _pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]

#: What pandas writes beside the columns where its index is no range.
INDEX = re.compile(r"__index_level_\d+__")


def _table_of(X: Any):
    """A stream of X, or None. pandas has streams where pyarrow is there; else it is read as an array."""
    if isinstance(X, np.ndarray) or not hasattr(X, "__arrow_c_stream__") or len(getattr(X, "shape", (0, 0))) != 2:
        return None
    try:
        return X.__arrow_c_stream__()
    except ImportError:
        return None


def _rows_of_table(capsule: Any, precision: Optional[str]) -> "Rows":
    made, error = ffi.new("arrow_table **"), ffi.new("fr_error *")
    stream = ffi.cast("void *", _pointer_of(capsule, b"arrow_array_stream"))
    check(lib.arrow_table_open(stream, made, error), error)
    table = ffi.gc(made[0], lib.arrow_table_close)
    n, d = lib.arrow_table_rows(table), lib.arrow_table_columns(table)
    precision = precision or ("f32" if lib.arrow_table_is_single(table) else "f64")
    values = np.empty((n, d), dtype=PRECISIONS[precision])
    at = ffi.cast("void *", values.ctypes.data)
    check(lib.arrow_table_fill(table, lib.FR_F32 if precision == "f32" else lib.FR_F64, at, error), error)
    names = [ffi.string(lib.arrow_table_name(table, j)).decode() for j in range(d)]
    kept = [j for j, name in enumerate(names) if not INDEX.fullmatch(name)]
    if len(kept) < d:
        values, names = np.ascontiguousarray(values[:, kept]), [names[j] for j in kept]
    return Rows(_checked(values), names if all(names) else None)


# --------------------------------------------------------------------------------------------------- arrays

def _array_of(X: Any) -> np.ndarray:
    if isinstance(X, np.ndarray):
        return X
    if hasattr(X, "__dlpack__") and not hasattr(X, "__array_interface__"):
        return np.from_dlpack(X)
    return np.asarray(X)


def _lies_well(values: np.ndarray) -> bool:
    size, (n, d) = values.itemsize, values.shape
    side_by_side = d == 1 or values.strides[1] == size
    apart = n == 1 or (values.strides[0] % size == 0 and values.strides[0] >= d * size)
    return side_by_side and apart and values.flags.aligned and values.dtype.isnative


def _checked(values: np.ndarray) -> np.ndarray:
    if values.ndim != 2 or 0 in values.shape:
        raise DataError(f"X has the shape {values.shape}, expected (rows, features) with at least one of each")
    return values


def as_rows(X: Any, precision: Optional[str] = None) -> Rows:
    """The rows in float64 ("f64") or float32 ("f32"); None: float32 where they are that already."""
    if precision is not None and precision not in PRECISIONS:
        raise UsageError(f"precision: found {precision!r}, expected f64 or f32")
    table = _table_of(X)
    if table is not None:
        return _rows_of_table(table, precision)
    names, values = _names_of(X), _checked(_array_of(X))
    if values.dtype.kind not in "biuf":
        try:
            values = values.astype(np.float64)
        except (TypeError, ValueError) as cause:
            raise DataError(f"X holds {values.dtype}, expected numbers") from cause
    if precision is None:
        precision = "f32" if values.dtype.kind == "f" and values.itemsize <= 4 else "f64"
    values = values.astype(PRECISIONS[precision], copy=False)
    return Rows(values if _lies_well(values) else np.ascontiguousarray(values), names)


def as_vector(y: Any, rows: int, name: str) -> np.ndarray:
    """One float64 a row."""
    values = np.ascontiguousarray(_array_of(y), dtype=np.float64)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.shape != (rows,):
        raise DataError(f"{name} has the shape {values.shape}, expected ({rows},): a number for each row of X")
    return np.ascontiguousarray(values)


def numbers(vector: Optional[np.ndarray]):
    """double *, of memory that the caller keeps."""
    return ffi.NULL if vector is None else ffi.cast("double *", vector.ctypes.data)


def strings(texts):
    """char **, and what must be kept with it."""
    kept = [ffi.new("char[]", text.encode()) for text in texts]
    return ffi.new("char *[]", kept), kept


def dataset(rows: Rows, labels: Optional[np.ndarray] = None, weights: Optional[np.ndarray] = None, core: Any = _core):
    """A fr_dataset that borrows the rows, for the caller to free before they are. core: the module that will use it."""
    ffi, lib = core.ffi, core.lib
    values, made, error = rows.values, ffi.new("fr_dataset **"), ffi.new("fr_error *")
    n, d = values.shape
    stride = values.strides[0] // values.itemsize if n > 1 else d
    precision = lib.FR_F32 if values.dtype == PRECISIONS["f32"] else lib.FR_F64
    at = ffi.cast("void *", values.ctypes.data)
    check(lib.fr_dataset_borrow(n, d, at, stride, precision, numbers(labels), made, error), error)
    try:
        if weights is not None:
            check(lib.fr_dataset_set_weights(made[0], numbers(weights), error), error)
        if rows.names:
            names, _kept = strings(rows.names)
            check(lib.fr_dataset_set_names(made[0], names, ffi.NULL, error), error)
    except BaseException:
        lib.fr_dataset_free(made[0])
        raise
    return made[0]

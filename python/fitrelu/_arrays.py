"""Rows of any library as the C library reads them: float32 or float64, the values of a row side by side.

What lies so is borrowed, whatever the distance between rows; all else is copied once.
"""
from typing import Any, List, NamedTuple, Optional

import numpy as np

from ._core import ffi, lib
from ._errors import DataError, UsageError, check

PRECISIONS = {"f32": np.dtype(np.float32), "f64": np.dtype(np.float64)}


class Rows(NamedTuple):
    values: np.ndarray  # n x d
    names: Optional[List[str]]  # of the columns


def _names_of(X: Any) -> Optional[List[str]]:
    names = getattr(X, "column_names", None)  # pyarrow
    names = list(getattr(X, "columns", ()) if names is None else names)
    return names if names and all(isinstance(name, str) and name for name in names) else None


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


def as_rows(X: Any, precision: Optional[str] = None) -> Rows:
    """The rows in float64 ("f64") or float32 ("f32"); None: float32 where they are that already."""
    if precision is not None and precision not in PRECISIONS:
        raise UsageError(f"precision: found {precision!r}, expected f64 or f32")
    names, values = _names_of(X), _array_of(X)
    if values.ndim != 2 or 0 in values.shape:
        raise DataError(f"X has the shape {values.shape}, expected (rows, features) with at least one of each")
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


def dataset(rows: Rows, labels: Optional[np.ndarray] = None, weights: Optional[np.ndarray] = None):
    """A fr_dataset that borrows the rows, for the caller to free before they are."""
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

"""Fits one rectified linear unit, y = max(0, <w, x>), by SGD and quantized SGD.

`fit` is the program's `fitrelu fit` for arrays and tables; `ReLURegressor` is the same as an estimator of scikit-learn.
The parts of a fit are there by themselves: `quantize`, `dequantize`, `allreduce_width`, `theory`, `generate`, `plan` and
`experiment`.
"""
from typing import TYPE_CHECKING, Any

from ._core import ffi as _ffi
from ._core import lib as _lib
from ._errors import (CheckpointError, DataError, DeviceError, DivergedError, FitreluError, Interrupted, TimeoutError,
                      UsageError)
from ._fit import Fit, Report, fit
from ._pieces import (Planted, Quantized, Theory, allreduce_width, dequantize, experiment, generate, plan, quantize,
                      theory)

if TYPE_CHECKING:
    from ._regressor import ReLURegressor

__version__ = _ffi.string(_lib.fr_version()).decode()
__all__ = ["CheckpointError", "DataError", "DeviceError", "DivergedError", "Fit", "FitreluError", "Interrupted", "Planted",
           "Quantized", "ReLURegressor", "Report", "Theory", "TimeoutError", "UsageError", "allreduce_width", "dequantize",
           "experiment", "fit", "generate", "plan", "quantize", "theory"]


def __getattr__(name: str) -> Any:
    """scikit-learn is loaded with the estimator."""
    if name != "ReLURegressor":
        raise AttributeError(f"module 'fitrelu' has no attribute {name!r}")
    from ._regressor import ReLURegressor

    return ReLURegressor

"""ReLURegressor: the fit as scikit-learn's estimators are."""
import inspect
import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from . import _arrays, _fit
from ._errors import DivergedError, Interrupted
from ._options import described

try:  # scikit-learn 1.6 and later
    from sklearn.utils.validation import validate_data
except ImportError:

    def validate_data(estimator, *arrays, **how):
        return estimator._validate_data(*arrays, **how)


DTYPES = [np.float64, np.float32]


class ReLURegressor(RegressorMixin, BaseEstimator):
    """Fits y = max(0, <w, x> + b) by SGD and quantized SGD.

    >>> import numpy as np
    >>> from fitrelu import ReLURegressor
    >>> X = np.random.default_rng(0).normal(size=(1000, 3))
    >>> y = np.maximum(0, X @ [1, 2, 3] - 0.5)
    >>> unit = ReLURegressor(intercept=True).fit(X, y)
    >>> np.round(unit.coef_, 6), round(unit.intercept_, 6)
    (array([1., 2., 3.]), -0.5)

    Attributes
    ----------
    coef_ : array of shape (n_features_in_,)
    intercept_ : float
    n_iter_ : int
        steps made, over all starts
    loss_curve_ : array
        the mean squared error at each report
    result_ : dict
        the object that ``fitrelu fit --json`` would print
    n_features_in_, feature_names_in_

    Parameters
    ----------
    warm_start
        begin the next fit where the last one ended
    """

    def __init__(self, *, intercept=False, standardize=False, condition=True, batch=None, workers=None, iterations=None,
                 step_size=None, schedule=None, average=None, init=None, levels=None, bits=None, scale=None, collective=None,
                 wire=None, broadcast=None, precision=None, storage=None, tolerance=None, ensemble=None, seed=1,
                 device=None, gpus=None, threads=None, timeout=None, no_graphs=False, report_every=None, warm_start=False):
        self.intercept = intercept
        self.standardize = standardize
        self.condition = condition
        self.batch = batch
        self.workers = workers
        self.iterations = iterations
        self.step_size = step_size
        self.schedule = schedule
        self.average = average
        self.init = init
        self.levels = levels
        self.bits = bits
        self.scale = scale
        self.collective = collective
        self.wire = wire
        self.broadcast = broadcast
        self.precision = precision
        self.storage = storage
        self.tolerance = tolerance
        self.ensemble = ensemble
        self.seed = seed
        self.device = device
        self.gpus = gpus
        self.threads = threads
        self.timeout = timeout
        self.no_graphs = no_graphs
        self.report_every = report_every
        self.warm_start = warm_start

    # A unit of a linear model cut at 0 predicts no negative label, and some of scikit-learn's checks have many.
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags

    def _more_tags(self):  # scikit-learn before 1.6
        return {"poor_score": True}

    # --------------------------------------------------------------------------------------------------- fit

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "ReLURegressor":
        """Fits to the rows of X, by their weights where these are given; returns self."""
        X, y = validate_data(self, X, y, dtype=DTYPES, y_numeric=True)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        return self._fit(X, y, sample_weight, self._options(), self._start())

    def _options(self):
        return {name: value for name, value in self.get_params(deep=False).items() if name not in ("init", "warm_start")}

    def _start(self):
        """Weights to start from, or a word."""
        if self.warm_start and hasattr(self, "coef_"):
            return np.append(self.coef_, self.intercept_)
        return self.init

    def _fit(self, X, y, sample_weight, options, start):
        if isinstance(start, str):
            options["init"], start = start, None
        rows = _arrays.as_rows(X, self.precision)
        rows = rows._replace(names=[str(name) for name in getattr(self, "feature_names_in_", ())] or None)
        weights = None if sample_weight is None else _arrays.as_vector(sample_weight, len(rows.values), "sample_weight")
        labels = _arrays.as_vector(y, len(rows.values), "y")
        try:
            found = _fit.run(rows, labels, weights, options, init=start, advises=False)
        except Interrupted as stop:
            if stop.fit is not None and stop.fit.coef is not None:
                self._keep(stop.fit)
            raise
        if found.coef is None:
            error = DivergedError("no row is active in the end, though other starts have a lower loss; try init='auto'"
                                  if found.status == "dead" else
                                  f"the weights grew without bound at steps of size {found.result['step_size']:.4g}; try "
                                  "step_size='auto'")
            error.fit = found
            raise error
        self._keep(found)
        self._warn(found)
        return self

    def _keep(self, found):
        self.coef_, self.intercept_ = found.coef, found.intercept
        self.n_iter_ = found.result["iterations"]
        self.loss_curve_ = found.history["loss"]
        self.result_ = found.result

    def _warn(self, found):
        for note in found.notes:
            warnings.warn(note, UserWarning, stacklevel=4)
        if self.tolerance and found.status == "iterations":
            warnings.warn(f"tolerance={self.tolerance} was not reached in {self.n_iter_} steps", ConvergenceWarning, stacklevel=4)
        elif self.iterations is None and self.batch in (None, "full") and self.step_size in (None, "auto") and \
                self.ensemble in (None, 1) and found.status == "iterations" and not found.result["converged"]:
            warnings.warn(f"the loss still fell after {self.n_iter_} steps; iterations=N makes more", ConvergenceWarning,
                          stacklevel=4)

    # ----------------------------------------------------------------------------------------------- predict

    def predict(self, X: Any) -> np.ndarray:
        """max(0, X coef_ + intercept_)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=DTYPES, reset=False)
        return _fit.predict(self.coef_, self.intercept_, X)

    def save(self, path: Any) -> None:
        """Writes the model for ``fitrelu predict``."""
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None)
        _fit.save(path, self.coef_, self.intercept_, None if names is None else [str(name) for name in names])


PARAMETERS = [name for name in inspect.signature(ReLURegressor).parameters if name != "warm_start"]
ReLURegressor.__doc__ = (ReLURegressor.__doc__ or "").rstrip() + "\n" + described(PARAMETERS, "    ") + "\n    "

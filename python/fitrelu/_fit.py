"""fit(): one fit, with its history and its result as `fitrelu fit --json` has it."""
import contextlib
import json
import os
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from . import _arrays, _core
from ._core import ffi, lib
from ._errors import DataError, Interrupted, UsageError, check, failure, in_python
from ._options import OPTIONS, described, written


class Report(NamedTuple):
    """Where a fit stands."""

    iteration: int  #: steps done
    iterations: int  #: steps planned
    seconds: float  #: since the first step
    loss: float  #: mean squared error over all rows
    relative_error: float  #: of the weights, where the planted ones are known; else nan
    bytes_sent: float  #: by one worker


Callback = Callable[[Report], Any]


class Fit:
    """What a fit found.

    Attributes
    ----------
    result : dict
        The object that the program prints with ``--json``.
    history : dict of arrays
        ``iteration``, ``seconds``, ``loss``, ``relative_error`` and ``bytes_sent``, an entry a report.
    coef : array or None
        A weight for each feature; None of a planted problem and where the fit diverged.
    intercept : float
    notes : list of str
        What the program would have remarked.
    borrowed : bool
        The rows of X were read where they lie, and not copied.
    """

    def __init__(self, result: Dict[str, Any], history: Dict[str, np.ndarray], coef: Optional[np.ndarray], intercept: float,
                 names: Optional[List[str]], borrowed: bool) -> None:
        self.result, self.history, self.coef, self.intercept = result, history, coef, intercept
        self.names, self.borrowed = names, borrowed
        self.notes: List[str] = [in_python(note) for note in result.get("notes", ())]

    @property
    def status(self) -> str:
        return self.result["status"]

    @property
    def loss(self) -> float:
        return self.result["loss"]

    def predict(self, X: Any) -> np.ndarray:
        """max(0, X coef + intercept), a row at a time, without a copy of X."""
        return predict(self._known(), self.intercept, X)

    def save(self, path: Any) -> None:
        """Writes the model for ``fitrelu predict``."""
        save(path, self._known(), self.intercept, self.names)

    def _known(self) -> np.ndarray:
        if self.coef is None:
            raise UsageError("this fit has no weights: it was of a planted problem, or it diverged")
        return self.coef

    def __repr__(self) -> str:
        return f"<fitrelu.Fit: {self.status} after {self.result['iterations']} steps, loss {self.loss!r}>"


# ---------------------------------------------------------------------------------------------------- watching

class _Watch:
    """What the library calls while it fits. An exception in here stops the fit and is raised behind it."""

    def __init__(self, callback: Optional[Callback]) -> None:
        self.callback = callback
        self.reports: List[Tuple[int, float, float, float, float]] = []
        self.raised: Optional[BaseException] = None

    def report(self, seen) -> int:
        self.reports.append((seen.iteration, seen.seconds, seen.loss, seen.relative_error, seen.bytes_sent))
        return self.progress(seen)

    def progress(self, seen) -> int:
        if self.raised is not None:
            return 1
        if self.callback is None:
            return 0
        return bool(self.callback(Report(seen.iteration, seen.iterations, seen.seconds, seen.loss, seen.relative_error,
                                         seen.bytes_sent)))

    def history(self) -> Dict[str, np.ndarray]:
        names = ("iteration", "seconds", "loss", "relative_error", "bytes_sent")
        columns = zip(*self.reports) if self.reports else ((),) * len(names)
        return {name: np.array(column, dtype=np.int64 if name == "iteration" else np.float64)
                for name, column in zip(names, columns)}


def _keep_raised(kind: Any, raised: BaseException, trace: Any) -> int:
    """Of cffi: what left a call below, wherever in it. A signal comes as an exception as soon as Python runs, which is at the
    first step of the call."""
    watch = ffi.from_handle(trace.tb_frame.f_locals["user"])
    watch.raised = watch.raised or raised
    return 1


def _report(seen: Any, user: Any) -> int:
    return ffi.from_handle(user).report(seen)


def _progress(seen: Any, user: Any) -> int:
    return ffi.from_handle(user).progress(seen)


def listen(core: Any) -> None:
    """The module's fits call back here."""
    core.ffi.def_extern("fitrelu_report", error=1, onerror=_keep_raised)(_report)
    core.ffi.def_extern("fitrelu_progress", error=1, onerror=_keep_raised)(_progress)


listen(_core)


def _bar() -> Callback:
    """A bar of tqdm where that is there, else nothing."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return lambda report: None
    bar = tqdm(unit="step")

    def show(report: Report) -> None:
        bar.total = report.iterations
        bar.update(max(0, report.iteration - bar.n))
        bar.set_postfix(loss=f"{report.loss:.4g}", refresh=False)

    show.close = bar.close  # type: ignore[attr-defined]
    return show


# ------------------------------------------------------------------------------------------------------ forks

_fitted_here = False  # OpenMP's threads are there
_forked = False


def _after_fork() -> None:
    global _forked
    _forked = _fitted_here


os.register_at_fork(after_in_child=_after_fork)


def _refuse_fork() -> None:
    """GNU's OpenMP waits for ever in a child for the threads that its parent had."""
    global _fitted_here
    if _forked:
        raise UsageError("this process was forked from one that had fitted already, and would wait for threads that are not "
                         "here; start processes by multiprocessing's 'spawn' or 'forkserver', or by joblib's 'loky'")
    _fitted_here = True


# -------------------------------------------------------------------------------------------------------- fit

def _start_of(init: Any, features: int):
    """Weights, and perhaps an intercept behind them, to start from."""
    weights = np.asarray(init, dtype=np.float64).ravel()
    if weights.shape not in ((features,), (features + 1,)):
        raise DataError(f"init holds {weights.size} numbers, expected {features} weights, or with an intercept {features + 1}")
    return np.ascontiguousarray(weights[:features]), float(weights[features]) if weights.size > features else 0.0


def _outcome(call, watch: _Watch, names, lib: Any) -> Optional[Fit]:
    """None where nothing was found."""
    if call.json == ffi.NULL:
        return None
    coef, intercept = None, 0.0
    if call.model != ffi.NULL:
        d = lib.fr_model_features(call.model)
        coef = np.frombuffer(ffi.buffer(lib.fr_model_weights(call.model), 8 * d), dtype=np.float64).copy()
        intercept = lib.fr_model_intercept(call.model)
    result = json.loads(ffi.string(call.json).decode())
    return Fit(result, watch.history(), coef, intercept, names, bool(call.borrows))


def run(rows: Optional[_arrays.Rows], y, weights, options: Dict[str, Any], *, init=None, callback: Optional[Callback] = None,
        advises: bool = True, world: Any = ffi.NULL, core: Any = _core) -> Fit:
    """fit() of what is checked. Rows None: of a planted problem or of a file, as the options say. world is of core's MPI."""
    _refuse_fork()
    ffi, lib = core.ffi, core.lib
    pairs = written(options)
    names, kept_names = _arrays.strings([name for name, _ in pairs])
    texts, kept_texts = _arrays.strings([text for _, text in pairs])
    watch = _Watch(callback)
    user = ffi.new_handle(watch)
    start, intercept = _start_of(init, rows.values.shape[1]) if rows and init is not None else (None, 0.0)
    data = _arrays.dataset(rows, y, weights, core) if rows else ffi.NULL
    call = ffi.new("fit_call *", dict(option_count=len(pairs), names=names, texts=texts, data=data,
                                      start=_arrays.numbers(start), start_intercept=intercept, advises=advises,
                                      report=lib.fitrelu_report, progress=lib.fitrelu_progress, user=user, world=world))
    try:
        lib.fit_call_run(call)
        code, error = call.code, call.error
        found = _outcome(call, watch, rows.names if rows else None, lib)
    finally:
        lib.fit_call_free(call)
    if isinstance(watch.raised, KeyboardInterrupt):
        stop = Interrupted(*watch.raised.args)
        stop.fit = found
        raise stop from None
    if watch.raised is not None:
        raise watch.raised
    if code != 0:
        raise failure(code, error)
    assert found is not None
    return found


def fit(X: Any = None, y: Any = None, *, sample_weight: Any = None, init: Any = None, callback: Optional[Callback] = None,
        progress: bool = False, comm: Any = None, **options: Any) -> Fit:
    """Fits y = max(0, <w, x>) to the rows of X.

    X may be an array of NumPy or of anything that shows one (``__array_interface__``, ``__dlpack__``), or a table of
    pandas, polars or pyarrow. float32 and float64 whose rows have their values side by side are not copied, unless the
    fit changes the columns: see ``condition``. Without X the options say what is fitted: a planted problem (``samples``,
    ``features``, ``noise``) or a file (``data``).

    >>> import numpy as np, fitrelu
    >>> X = np.random.default_rng(0).normal(size=(1000, 5))
    >>> found = fitrelu.fit(X, np.maximum(0, X @ [1, 2, 3, 4, 5]))
    >>> np.round(found.coef, 6)
    array([1., 2., 3., 4., 5.])

    Parameters
    ----------
    sample_weight
        a weight of 0 or more for each row
    init
        where to start: a word (see below), a file, or the weights themselves, with an intercept behind them where there
        is one
    callback
        called with a `Report` at each report and about ten times a second; a true result stops the fit. An exception
        stops it too, and is raised behind it. Ctrl-C raises `Interrupted`, which holds what was found so far
    progress
        show a bar, where tqdm is there
    comm
        a communicator of mpi4py whose ranks make the fit together, each with the same arguments. Each keeps all rows, of
        which it uses its share: a file, or an array that is mapped from one, need not fit into memory as often
    """
    if X is None and (y is not None or sample_weight is not None):
        raise UsageError("y and sample_weight go with X")
    if X is not None and y is None:
        raise UsageError("X needs y, a number for each row")
    if X is None and init is not None and not isinstance(init, (str, os.PathLike)):
        raise UsageError("weights to start from go with X")
    rows = _arrays.as_rows(X, options.get("precision")) if X is not None else None
    n = len(rows.values) if rows else 0
    labels = _arrays.as_vector(y, n, "y") if rows else None
    weights = _arrays.as_vector(sample_weight, n, "sample_weight") if sample_weight is not None else None
    if isinstance(init, (str, os.PathLike)):
        options["init"], init = init, None
    bar = _bar() if progress else None

    def both(report: Report) -> Any:
        if bar:
            bar(report)
        return callback(report) if callback else None

    with contextlib.ExitStack() as stack:
        how: Dict[str, Any] = {}
        if bar:
            stack.callback(getattr(bar, "close", lambda: None))
        if comm is not None:
            from . import _mpi

            how = dict(core=_mpi.core, world=stack.enter_context(_mpi.world_of(comm)))
        return run(rows, labels, weights, options, init=init, callback=both if bar or callback else None, **how)


fit.__doc__ = (fit.__doc__ or "").rstrip() + "\n" + described(OPTIONS, "    ") + "\n"


# ------------------------------------------------------------------------------------------------- predictions

def _model(coef, intercept: float, names=None):
    weights = np.ascontiguousarray(coef, dtype=np.float64)
    made, error = ffi.new("fr_model **"), ffi.new("fr_error *")
    texts, kept = _arrays.strings(names or ())
    check(lib.fr_model_from_weights(weights.size, _arrays.numbers(weights), intercept, texts if names else ffi.NULL,
                                    ffi.NULL, made, error), error)
    return ffi.gc(made[0], lib.fr_model_free)


def predict(coef, intercept: float, X: Any) -> np.ndarray:
    _refuse_fork()
    rows, error = _arrays.as_rows(X), ffi.new("fr_error *")
    out = np.empty(len(rows.values))
    data = ffi.gc(_arrays.dataset(_arrays.Rows(rows.values, None)), lib.fr_dataset_free)
    check(lib.fr_model_predict(_model(coef, intercept), data, _arrays.numbers(out), error), error)
    return out


def save(path, coef, intercept: float, names=None) -> None:
    error = ffi.new("fr_error *")
    check(lib.fr_model_write(_model(coef, intercept, names), os.fsencode(path), error), error)

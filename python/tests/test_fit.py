"""fitrelu.fit: results, what stops it, copies."""
import json
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import fitrelu
from fitrelu._program import PROGRAM

WEIGHTS = np.array([1.0, 2.0, -3.0, 4.0, 0.5])


def problem(n=600, noise=0.2):
    random = np.random.default_rng(5)
    X = random.normal(size=(n, 5))
    return X, np.maximum(0, X @ WEIGHTS) + noise * random.normal(size=n)


def program(*arguments):
    ran = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def without_times(result):
    result = json.loads(json.dumps(result))
    del result["seconds"]
    result["data"].pop("source")
    result["notes"] = [note.replace("--", "") for note in result["notes"]]
    return result


@pytest.mark.parametrize("options", [{}, {"intercept": True}, {"batch": 30, "workers": 3, "bits": 4, "iterations": 50},
                                     {"standardize": True, "condition": False}, {"precision": "f32"}, {"init": "zero"}])
def test_result_is_what_the_program_prints(tmp_path, options):
    X, y = problem()
    np.savez(tmp_path / "rows.npz", X=X, y=y)
    words = ["--" + name + ("" if value is True else "=" + {False: "no"}.get(value, str(value)))
             for name, value in options.items()]
    told = json.loads(program("fit", "--data", tmp_path / "rows.npz", "--json", "--quiet", *words))
    assert without_times(fitrelu.fit(X, y, **options).result) == without_times(told)


def test_planted_problems_and_files(tmp_path):
    found = fitrelu.fit(samples=500, features=20)
    assert found.result["relative_error"] < 1e-9 and len(found.coef) == 20
    program("generate", "--samples", 300, "--features", 6, "--noise", 1, "--output", tmp_path / "rows.npz")
    held = fitrelu.fit(data=tmp_path / "rows.npz", holdout=0.25)
    assert held.result["holdout"]["rows"] == 300 - held.result["data"]["samples"]


def test_history_goes_with_the_result():
    X, y = problem()
    found = fitrelu.fit(X, y, iterations=8, batch="full", report_every=2)
    assert list(found.history["iteration"]) == [0, 2, 4, 6, 8]
    assert found.history["loss"][-1] == pytest.approx(found.loss, rel=1e-9)
    assert np.all(np.diff(found.history["seconds"]) >= 0)


def test_a_callback_stops_the_fit():
    X, y = problem()
    seen = []
    found = fitrelu.fit(X, y, batch=20, iterations=10**7, callback=lambda report: seen.append(report) or report.iteration > 100)
    assert found.status == "interrupted" and 100 < found.result["iterations"] < 10**7
    assert seen[0].iterations == 10**7 and np.isfinite(seen[-1].loss)


def test_an_exception_in_a_callback_is_raised():
    X, y = problem()

    def fail(report):
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        fitrelu.fit(X, y, callback=fail)


def test_an_interrupt_leaves_what_was_found():
    X, y = problem()

    def strike(report):
        if report.iteration > 10:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as caught:
        fitrelu.fit(X, y, batch=20, iterations=10**7, callback=strike)
    assert caught.value.fit.status == "interrupted"
    np.testing.assert_allclose(caught.value.fit.coef, WEIGHTS, atol=1)


INTERRUPTED = """
import signal
import numpy as np, fitrelu
signal.signal(signal.SIGINT, signal.default_int_handler)
X = np.random.default_rng(0).normal(size=(2000, 20))
y = np.maximum(0, X[:, 0] + X[:, 1])
said = []
def tell(report):
    if not said:
        said.append(1)
        print("go", flush=True)
for time in range(5):
    try:
        said.clear()
        fitrelu.fit(X, y, batch=100, iterations=10**9, callback=tell)
    except KeyboardInterrupt as stop:
        assert stop.fit.status == "interrupted" and stop.fit.coef.shape == (20,)
        print("stopped", flush=True)
"""


def test_a_signal_from_outside_stops_a_fit_without_a_word():
    """It comes between two calls of Python, mostly, and is noticed in the next."""
    ran = subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in ran.stdout:
        if line == "go\n":
            ran.send_signal(signal.SIGINT)
        assert line in ("go\n", "stopped\n")
    assert ran.wait() == 0 and ran.stderr.read() == ""


def test_the_lock_is_released_while_a_fit_runs():
    X, y = problem()
    other, stop = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: (other.set(), stop.wait()))

    def look(report):
        if not thread.is_alive():
            thread.start()
        return other.is_set()

    assert fitrelu.fit(X, y, batch=20, iterations=10**8, callback=look).status == "interrupted"
    stop.set()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_of_a_process_that_has_fitted_is_refused():
    X, y = problem()
    fitrelu.fit(X, y)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            fitrelu.fit(X, y)
        except fitrelu.UsageError as error:
            os.write(write, str(error).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert b"forked" in os.read(read, 1000)


# ------------------------------------------------------------------------------------------------------ copies

@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_are_read_where_they_lie(dtype):
    X, y = problem()
    wide = np.full((600, 8), np.nan, dtype=dtype)
    wide[:, :5] = X
    wide.setflags(write=False)
    of_a_copy = fitrelu.fit(wide[:, :5].copy(), y, condition=False)
    found = fitrelu.fit(wide[:, :5], y, condition=False)
    assert found.borrowed and of_a_copy.borrowed
    np.testing.assert_array_equal(found.coef, of_a_copy.coef)
    every_other = fitrelu.fit(wide[::2, :5], y[::2], condition=False)
    assert every_other.borrowed
    np.testing.assert_array_equal(every_other.coef, fitrelu.fit(wide[::2, :5].copy(), y[::2], condition=False).coef)


@pytest.mark.parametrize("options", [{}, {"intercept": True, "condition": False}, {"standardize": True}])
def test_columns_that_change_are_copied(options):
    X, y = problem()
    X.setflags(write=False)
    before = X.copy()
    assert not fitrelu.fit(X, y, **options).borrowed
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("change", [np.asfortranarray, lambda X: X.astype(">f8"), lambda X: X[:, ::-1][:, ::-1], lambda X: X[::-1],
                                    lambda X: X.astype(object), lambda X: X.tolist()])
def test_other_layouts_give_the_same_fit(change):
    X, y = problem()
    other = change(X)
    if isinstance(other, np.ndarray) and other[0, 0] != X[0, 0]:
        X, y = X[::-1].copy(), y[::-1]
    np.testing.assert_array_equal(fitrelu.fit(other, y).coef, fitrelu.fit(X, y).coef)


def test_integers_are_float64():
    X = np.arange(60).reshape(30, 2) % 7
    assert fitrelu.fit(X, X[:, 0]).result["method"]["precision"] == "f64"


@pytest.mark.parametrize("X, y, words", [
    (np.ones(4), np.ones(4), r"shape \(4,\)"), (np.ones((0, 3)), np.ones(0), "at least one"),
    (np.ones((4, 2)), np.ones(5), r"y has the shape \(5,\), expected \(4,\)"),
    (np.array([[1, 2], [3, np.nan]]), np.ones(2), r"X\[1,1\] is nan"), (np.array([["a"]]), np.ones(1), "expected numbers"),
])
def test_what_cannot_be_fitted_is_told(X, y, words):
    with pytest.raises(fitrelu.DataError, match=words):
        fitrelu.fit(X, y)


def test_parameters_that_are_none():
    X, y = problem()
    with pytest.raises(TypeError, match="no option 'bath'"):
        fitrelu.fit(X, y, bath=3)
    with pytest.raises(TypeError, match="intercept is 'yes', expected True or False"):
        fitrelu.fit(X, y, intercept="yes")
    with pytest.raises(fitrelu.UsageError, match="data and rows in memory"):
        fitrelu.fit(X, y, data="rows.csv")
    with pytest.raises(fitrelu.UsageError, match="X needs y"):
        fitrelu.fit(X)


MEMORY = """
import resource, sys
import numpy as np, fitrelu
n, d = 60000, 1000  # 240 MB
X = np.empty((n, d), dtype=np.float32)
random = np.random.default_rng(1)
for i in range(0, n, 1000):
    X[i:i + 1000] = random.standard_normal((1000, d), dtype=np.float32)
y = np.maximum(0, X[:, 0] + X[:, 1])
fitrelu.fit(X[:100], y[:100], condition=False, iterations=1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = fitrelu.fit(X, y, condition=False, batch=1000, iterations=20)
fitrelu.fit(X, y, condition=False, batch="full", iterations=2).predict(X)
assert found.borrowed
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def test_a_fit_of_borrowed_rows_takes_little_memory():
    ran = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert float(ran.stdout) < 20, "MB added to rows of 240"

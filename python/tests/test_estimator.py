"""ReLURegressor as scikit-learn wants an estimator, and what is its own."""
import pickle
import warnings

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks

import fitrelu
from fitrelu import ReLURegressor
from fitrelu._options import OPTIONS
from fitrelu._regressor import PARAMETERS

WEIGHTS = np.array([3.0, -2.0, 0.0, 1.0])


def problem(n=800, noise=0.1, seed=1):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 4))
    return X, np.maximum(0, X @ WEIGHTS + 0.5) + noise * random.normal(size=n)


def checks():
    if hasattr(estimator_checks, "estimator_checks_generator"):
        return list(estimator_checks.estimator_checks_generator(ReLURegressor()))
    return list(estimator_checks.check_estimator(ReLURegressor(), generate_only=True))


def name_of(pair):
    check = pair[1]
    return getattr(check, "func", check).__name__


@pytest.mark.parametrize("pair", checks(), ids=name_of)
def test_check_estimator(pair):
    """Each of check_estimator's checks; none is expected to fail."""
    estimator, check = pair
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def test_parameters_are_the_options_of_a_fit():
    of_a_fit = {name for name, option in OPTIONS.items() if option.group in ("Method", "Place")}
    assert set(PARAMETERS) == of_a_fit | {"intercept", "standardize", "condition", "seed", "report_every"}
    for name in PARAMETERS:
        assert f"    {name}\n" in ReLURegressor.__doc__


def test_finds_the_unit():
    X, y = problem()
    unit = ReLURegressor(intercept=True).fit(X, y)
    np.testing.assert_allclose(unit.coef_, WEIGHTS, atol=0.02)
    assert abs(unit.intercept_ - 0.5) < 0.02
    np.testing.assert_allclose(unit.predict(X), np.maximum(0, X @ unit.coef_ + unit.intercept_), atol=1e-12)
    assert unit.loss_curve_[-1] == pytest.approx(unit.result_["loss"], rel=1) and unit.n_iter_ == unit.result_["iterations"]


def test_pipeline_grid_and_cross_validation():
    X, y = problem()
    chain = make_pipeline(StandardScaler(), ReLURegressor(intercept=True, threads=1))
    grid = GridSearchCV(chain, {"reluregressor__levels": [None, 15]}, cv=3, n_jobs=2)
    assert grid.fit(X, y).best_score_ > 0.99
    assert cross_val_score(chain, X, y, cv=3).min() > 0.99


def test_fits_of_several_threads_are_independent():
    X, y = problem()
    alone = [ReLURegressor(seed=seed, threads=1, init="random", batch=20, iterations=50).fit(X, y).coef_ for seed in range(4)]
    jobs = (joblib.delayed(lambda seed: ReLURegressor(seed=seed, threads=1, init="random", batch=20, iterations=50).fit(X, y))(s)
            for s in range(4))
    for unit, coef in zip(joblib.Parallel(n_jobs=4, backend="threading")(jobs), alone):
        np.testing.assert_array_equal(unit.coef_, coef)


def test_clone_and_pickle():
    X, y = problem()
    unit = ReLURegressor(intercept=True, seed=3).fit(X, y)
    assert clone(unit).get_params() == unit.get_params()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(unit)).predict(X), unit.predict(X))
    with pytest.raises(NotFittedError):
        ReLURegressor().predict(X)


def test_weights_of_rows():
    X, y = problem(400)
    times = np.arange(len(y)) % 3
    weighted = ReLURegressor(intercept=True).fit(X, y, sample_weight=times)
    repeated = ReLURegressor(intercept=True).fit(X.repeat(times, axis=0), y.repeat(times))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-6)
    with pytest.raises(fitrelu.DataError, match="u\\[3\\] is -1"):
        fitrelu.fit(X, y, sample_weight=np.where(np.arange(len(y)) == 3, -1, 1))


def test_warm_start_begins_where_the_last_fit_ended():
    X, y = problem()
    unit = ReLURegressor(intercept=True, warm_start=True, iterations=5, batch="full").fit(X, y)
    first = unit.loss_curve_
    unit.fit(X, y)
    assert unit.loss_curve_[0] == pytest.approx(first[-1], rel=1e-6)
    assert unit.loss_curve_[-1] <= first[-1]


def test_float32_stays_float32():
    X, y = problem()
    unit = ReLURegressor().fit(X.astype(np.float32), y)
    assert unit.result_["method"]["precision"] == "f32"
    assert ReLURegressor(precision="f64").fit(X.astype(np.float32), y).result_["method"]["precision"] == "f64"


def test_warnings_and_exceptions_by_cause():
    X, y = problem()
    with pytest.warns(ConvergenceWarning, match="tolerance=1e-12 was not reached"):
        ReLURegressor(tolerance=1e-12, iterations=3).fit(X, y)
    with pytest.warns(UserWarning, match="column 2 of the features is a combination of others"):
        ReLURegressor().fit(X[:, [0, 0, 1]], y)
    with pytest.raises(fitrelu.DivergedError, match="grew without bound") as caught:
        ReLURegressor(step_size=50.0, iterations=5000).fit(X, y)
    assert caught.value.fit.status == "diverged"
    with pytest.raises(fitrelu.UsageError, match="^bits: found \"9\", expected a whole number from 1 to 7"):
        ReLURegressor(bits=9).fit(X, y)
    with pytest.raises(fitrelu.UsageError, match="^scale max needs levels or bits"):
        ReLURegressor(scale="max").fit(X, y)
    with pytest.raises(fitrelu.DataError, match="none of the 800 labels is above 0"):
        ReLURegressor().fit(X, -y - 10)


def test_names_of_columns_go_into_the_model(tmp_path):
    pandas = pytest.importorskip("pandas")
    X, y = problem()
    unit = ReLURegressor(intercept=True).fit(pandas.DataFrame(X, columns=list("abcd")), y)
    assert list(unit.feature_names_in_) == list("abcd")
    assert unit.result_["model"]["names"] == list("abcd")
    unit.save(tmp_path / "model")
    assert (tmp_path / "model").read_bytes()[:8] == b"FRELUMOD"



"""Quantizer, theorems, planted data, plans and experiments by themselves."""
import json
import math
import subprocess

import numpy as np
import pytest

import fitrelu
from fitrelu._program import PROGRAM


@pytest.mark.parametrize("scale", ["l2", "max"])
def test_the_quantizer_is_unbiased(scale):
    v = np.random.default_rng(0).normal(size=40)
    norm = np.linalg.norm(v) if scale == "l2" else np.abs(v).max()
    total = np.zeros(40)
    for step in range(2000):
        made = fitrelu.quantize(v, 7, scale=scale, step=step)
        assert made.norm == pytest.approx(norm) and np.abs(made.levels).max() <= 7
        total += fitrelu.dequantize(made, 7)
    np.testing.assert_allclose(total / 2000, v, atol=6 * norm / 7 / 2 / math.sqrt(2000))


def test_draws_depend_on_seed_step_and_worker_alone():
    v = np.linspace(-1, 1, 50)
    first = fitrelu.quantize(v, 3, seed=5, step=2, worker=1).levels
    np.testing.assert_array_equal(first, fitrelu.quantize(v, 3, seed=5, step=2, worker=1).levels)
    for other in (dict(seed=6, step=2, worker=1), dict(seed=5, step=3, worker=1), dict(seed=5, step=2, worker=0)):
        assert (first != fitrelu.quantize(v, 3, **other).levels).any()
    np.testing.assert_array_equal(fitrelu.quantize(np.zeros(3), 3).levels, 0)


@pytest.mark.parametrize("workers, levels, bits", [(1, 7, 4), (1, 8, 8), (4, 31, 8), (8, 127, 16), (258, 127, 16)])
def test_width_of_an_allreduce(workers, levels, bits):
    assert fitrelu.allreduce_width(workers, levels) == bits and 2 * workers * levels < 2**bits
    with pytest.raises(fitrelu.UsageError, match="more than a field"):
        fitrelu.allreduce_width(259, 127)


def test_theorems():
    near = fitrelu.theory(100, 80)
    assert near.step_size == pytest.approx(3 / (4 * near.constant)) and near.rate == pytest.approx(1 - 9 / (16 * near.constant))
    assert near.variance == 0 and fitrelu.theory(100, 80, 3).variance == pytest.approx(math.sqrt(100) / 3)
    assert near.iterations == pytest.approx((math.log(2e6) + math.log(2)) / (1 - near.rate))


@pytest.mark.parametrize("precision", ["f64", "f32"])
def test_planted_data_are_those_of_the_program(tmp_path, precision):
    made = fitrelu.generate(70, 9, noise=2, seed=4, precision=precision)
    subprocess.run([PROGRAM, "generate", "-n70", "-d9", "--noise=2", "--seed=4", f"--precision={precision}", "--quiet",
                    "--output", tmp_path / "made.npz"], check=True, stdout=subprocess.DEVNULL)
    with np.load(tmp_path / "made.npz") as told:
        for mine, name in zip(made, ("X", "y", "w_star")):
            np.testing.assert_array_equal(mine, told[name])
            assert mine.dtype == told[name].dtype


def test_a_plan_is_the_programs():
    options = dict(samples="50K", features=4000, workers=40, bandwidth="100M")
    told = subprocess.run([PROGRAM, "plan", "--json", "--samples=50K", "--features=4000", "--workers=40", "--bandwidth=100M"],
                          capture_output=True, text=True, check=True).stdout
    assert fitrelu.plan(**options) == json.loads(told)
    with pytest.raises(fitrelu.UsageError, match="workers: found \"0\""):
        fitrelu.plan(workers=0)
    with pytest.raises(fitrelu.UsageError, match="unknown option bandwith"):
        fitrelu.plan(bandwith=3)


def test_an_experiment_writes_and_returns_its_result(tmp_path):
    found = fitrelu.experiment("lemmas", tmp_path / "out", samples=200, features=20, seeds=1, no_pictures=True)
    assert found["program"] == "fitrelu" and any((tmp_path / "out").iterdir())
    with pytest.raises(fitrelu.UsageError, match="fig9"):
        fitrelu.experiment("fig9", tmp_path / "out")


@pytest.mark.parametrize("call, words", [
    (lambda: fitrelu.quantize([1, 2], 200), "levels: found 200"), (lambda: fitrelu.quantize([1, np.nan], 3), "finite"),
    (lambda: fitrelu.quantize([1.0], 3, scale="l1"), "l2 or max"), (lambda: fitrelu.generate(0, 3), "samples: found 0"),
    (lambda: fitrelu.generate(3, 3, noise=-1), "noise is -1"), (lambda: fitrelu.theory(3, 0), "batch"),
])
def test_what_is_out_of_range_is_refused(call, words):
    with pytest.raises(fitrelu.UsageError, match=words):
        call()

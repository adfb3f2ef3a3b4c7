"""Times a whole fit of a file, from the command to the model, in fitrelu and by SciPy's L-BFGS on the same loss (1.1).

Both read the same NPZ file and begin with nothing else; the systems take turns, and each figure is the best of its rounds.
L-BFGS starts from the gradient step (2/n) X^T y and runs until it no longer finds a lower loss; that is what somebody
without fitrelu would write, and it gets no decorrelated columns.
"""
import json
import os
import subprocess
import tempfile
import time

import numpy

# Rows, features, correlation of neighbouring columns.
FITS = [(20000, 1000, 0.9), (200000, 200, 0.9), (100000, 1000, 0.0)]


def make(path, n, d, correlation):
    """Rows of an autoregressive sequence, a planted unit, labels with noise of a tenth of their size."""
    random = numpy.random.default_rng(5)
    x = random.standard_normal((n, d))
    for j in range(1, d if correlation else 0):
        x[:, j] = correlation * x[:, j - 1] + numpy.sqrt(1 - correlation**2) * x[:, j]
    y = numpy.maximum(0, x @ random.standard_normal(d))
    numpy.savez(path, X=x, y=y + 0.1 * numpy.std(y) * random.standard_normal(n))


def ours(program, path, folder):
    start = time.perf_counter()
    command = [program, "fit", "--data", path, "--model", os.path.join(folder, "model"), "--json", "--quiet"]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return time.perf_counter() - start, result["loss"]


def scipys(path):
    from scipy.optimize import minimize

    start = time.perf_counter()
    with numpy.load(path) as file:
        x, y = file["X"], file["y"]

    def loss(w):
        p = x @ w
        residual = numpy.where(p > 0, p, 0) - y
        return residual @ residual / len(y), 2 / len(y) * ((residual * (p > 0)) @ x)

    found = minimize(loss, 2 / len(y) * (y @ x), jac=True, method="L-BFGS-B",
                     options={"maxiter": 5000, "maxfun": 10000, "ftol": 1e-12, "gtol": 1e-9})
    return time.perf_counter() - start, found.fun


def measure(program, rounds):
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rows.npz")
        for n, d, correlation in FITS:
            make(path, n, d, correlation)
            both = [(ours(program, path, folder), scipys(path)) for _ in range(rounds)]
            (seconds, loss), (scipy_seconds, scipy_loss) = (min(column) for column in zip(*both))
            rows.append({"samples": n, "features": d, "correlation": correlation, "seconds": seconds, "loss": loss,
                         "scipy_seconds": scipy_seconds, "scipy_loss": scipy_loss})
            show(rows[-1])
    return rows


def show(row):
    print(f"n = {row['samples']}, d = {row['features']}, correlation {row['correlation']}: "
          f"fitrelu {row['seconds']:.2f} s, L-BFGS {row['scipy_seconds']:.2f} s, "
          f"{row['scipy_seconds'] / row['seconds']:.1f} times as fast, loss off by {row['loss'] / row['scipy_loss'] - 1:+.1e}",
          flush=True)

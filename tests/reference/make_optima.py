#!/usr/bin/python3
"""Ordinary data sets, and the lowest loss (1.1) that SciPy finds on them: writes realdata_optima.inc.

    /usr/bin/python3 tests/reference/make_optima.py        (NumPy and SciPy; about a minute)

Nothing is downloaded. Every set is a formula over splitmix64 (integer arithmetic, the same bits anywhere), written
once here and once in tests/unit/realdata_sets.h; the table holds sums of X and y by which the test checks that both
built the same data. (1.1) is not convex, so its least value is sought from many starts: least squares on the rows of
positive label, on all rows, on random small subsets of rows, random directions at several sizes, and zero's gradient;
each descends by L-BFGS in a basis where X^T X is the identity, and ends with least squares on the rows that are
active until those no longer change. The lowest loss over all starts is the table's; beside it stands the share of
starts that came within 1 % of it, which says how rugged the set is.
"""
import os
import sys

import numpy as np
from scipy.optimize import minimize

HERE = os.path.dirname(os.path.abspath(__file__))
STARTS = 150


def splitmix(key):
    z = key + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


class Source:
    """Uniform and normal variates by (set, stream, row)."""

    def __init__(self, number, samples):
        self.number, self.rows = number, np.arange(samples, dtype=np.uint64)

    def uniform(self, stream):
        key = np.uint64(self.number << 40 | stream << 24) + self.rows
        return ((splitmix(key) >> np.uint64(11)).astype(float) + 0.5) * 2.0 ** -53

    def normal(self, stream):
        radius = np.sqrt(-2 * np.log(self.uniform(2 * stream + 4096)))
        return radius * np.cos(6.283185307179586 * self.uniform(2 * stream + 4097))

    def student3(self, stream):
        z = [self.normal(4 * stream + 1024 + k) for k in range(4)]
        return z[0] / np.sqrt((z[1] * z[1] + z[2] * z[2] + z[3] * z[3]) / 3)

    def poisson(self, stream, mean):
        """By inversion: the number of factors of the cumulated probability below a uniform variate."""
        u, p = self.uniform(stream), np.exp(-mean)
        total, count = p.copy(), np.zeros(len(u))
        for k in range(1, 1000):
            above = u > total
            if not above.any():
                break
            count[above] += 1
            p = p * mean / k
            total = total + p
        return count


def relu(z):
    return np.maximum(0, z)


def noisy(s):
    x = [s.normal(j) for j in range(10)]
    z = sum(2 * np.cos(1 + j) * x[j] for j in range(10))
    return x, relu(z) + 0.7 * s.normal(100)


def scales(s):
    x = [10.0 ** (j - 3) * s.normal(j) for j in range(8)]
    z = sum((1 + j % 3) * (-1) ** j * 10.0 ** (3 - j) * x[j] for j in range(8))
    return x, relu(z) + 0.5 * s.normal(100)


def years(s):
    year, month = np.floor(1990 + 31 * s.uniform(0)), np.floor(1 + 12 * s.uniform(1))
    heat, damp = 15 + 8 * s.normal(2), 0.6 + 0.15 * s.normal(3)
    z = 1.5 * (year - 2005) - 0.5 * (month - 6) + 2 * (heat - 12) - 40 * (damp - 0.5)
    return [year, month, heat, damp], relu(z) + 6 * s.normal(100)


def correlated(s):
    common = s.normal(50)
    x = [common + 0.1 * s.normal(j) for j in range(12)]
    z = sum(3 * np.sin(2 + 3 * j) * x[j] for j in range(12)) + 2 * common
    return x, relu(z) + 0.5 * s.normal(100)


def positive(s):
    x = [(1 + j) * s.uniform(j) for j in range(6)]
    z = 5 + sum((1 - 0.3 * j) * x[j] for j in range(6))
    return x, np.maximum(0.1, z + 0.8 * s.normal(100))


def heavy(s):
    x = [s.student3(j) for j in range(10)]
    z = sum(np.cos(2 + 2 * j) * x[j] for j in range(10))
    return x, relu(z) + s.student3(100)


def few(s):
    x = [s.normal(j) for j in range(7)] + [1 + 0 * s.normal(7)]
    w = [np.sin(1 + j) for j in range(7)]
    z = sum(w[j] * x[j] for j in range(7)) - 1.28 * np.sqrt(sum(v * v for v in w))
    return x, relu(z) + 0.1 * s.normal(100)


def small(s):
    x = [0.5 + s.normal(j) for j in range(10)]
    z = sum(np.cos(3 * j) * x[j] for j in range(10))
    return x, relu(z) + 0.6 * s.normal(100)


def large(s):
    x = [s.normal(0)]
    for j in range(1, 30):
        x.append(0.7 * x[j - 1] + np.sqrt(0.51) * s.normal(j))
    x = [0.5 + v for v in x]
    z = sum(np.cos(0.7 * j * j) * x[j] for j in range(30))
    return x, relu(z) + 1.5 * s.normal(100)


def counts(s):
    hour, work, season = np.floor(24 * s.uniform(0)), np.floor(7 * s.uniform(1) / 5), np.floor(4 * s.uniform(2))
    heat = 10 + 8 * (season - 1.5) * (season - 1.5 < 1) + 5 * s.normal(3)
    damp, wind = 20 + 80 * s.uniform(4), -8 * np.log(s.uniform(5))
    z = 1.2 * heat + 1.5 * hour - 0.35 * damp - 0.5 * wind + 6 * season - 4 * work + 5
    busy = 6 * np.cos(6.283185307179586 * (hour - 17) / 12)
    return [hour, work, season, heat, damp, wind], s.poisson(100, relu(z + busy) + 0.5)


def categories(s):
    x = []
    for group, size in enumerate((4, 7, 3)):
        level = np.floor(size * s.uniform(group) * s.uniform(group) ** 0.5)
        x += [1.0 * (level == k) for k in range(size)]
    x += [s.normal(20), 100 * s.uniform(21), 1 + 0 * s.normal(22)]
    z = sum(2 * np.cos(5 * j) * x[j] for j in range(14)) + 1.5 * x[14] + 0.03 * x[15] - 1
    return x, relu(z) + 0.6 * s.normal(100)


def rare(s):
    """Words of a text: forty features that are mostly zero, down to one row in a hundred."""
    x = [(s.uniform(j) < 0.01 + 0.3 / (1 + j)) * np.floor(1 + 3 * s.uniform(50 + j)) for j in range(40)]
    z = sum(2 * np.cos(1 + 3 * j) * x[j] for j in range(40)) + 0.5
    return x, relu(z) + 0.5 * s.normal(100)


def incomes(s):
    """Prices and incomes: log-normal features, errors in proportion."""
    x = [1000 * np.exp(s.normal(j)) for j in range(6)]
    z = sum((1 - 0.4 * j) * x[j] for j in range(6)) + 1000
    return x, relu(z) * np.exp(0.4 * s.normal(100))


def powers(s):
    """A polynomial of degree 4 in one feature, 1 to 5, beside two others."""
    t = 1 + 4 * s.uniform(0)
    x = [t, t * t, t ** 3, t ** 4, s.normal(1), s.uniform(2)]
    z = 8 * (t - 2) * (t - 3.5) * (t - 4) + 2 * t + x[4] - 2 * x[5]
    return x, relu(z) + s.normal(100)


def wide(s):
    """With 400 rows (rugged) it has many local minima: few starts come within 1 % of the best."""
    x = [0.3 + s.normal(j) for j in range(100)]
    z = sum(np.cos(j * j) * x[j] for j in range(100))
    return x, relu(z) + 2 * s.normal(200)


def calendar(s):
    """Three columns far from zero, without a constant one: year, pressure and day's number."""
    year, pressure = np.floor(1990 + 31 * s.uniform(0)), 1013 + 8 * s.normal(1)
    day, heat = 365 * (year - 1970) + np.floor(365 * s.uniform(2)), 15 + 8 * s.normal(3)
    z = 2 * (year - 2005) - 1.2 * (pressure - 1013) + 1.5 * (heat - 15) + 10
    return [year, pressure, day, heat], relu(z) + 5 * s.normal(100)


SETS = [("noisy", noisy, 2000), ("scales", scales, 1000), ("years", years, 800), ("correlated", correlated, 1500),
        ("positive", positive, 600), ("heavy", heavy, 2000), ("few", few, 1500), ("small", small, 40),
        ("large", large, 5000), ("counts", counts, 1200), ("categories", categories, 1000),
        ("rare", rare, 3000), ("incomes", incomes, 1000), ("powers", powers, 1000), ("wide", wide, 1000),
        ("calendar", calendar, 1000), ("rugged", wide, 400)]


def build(number):
    x, y = SETS[number][1](Source(number + 1, SETS[number][2]))
    return np.stack(x, axis=1), y


def loss_and_gradient(w, x, y):
    z = x @ w
    r = np.maximum(0, z) - y
    return np.mean(r * r), x.T @ (2 * r * (z > 0)) / len(y)


def polish(w, x, y):
    """Least squares on the active rows until they stay the same, as long as the loss falls."""
    best = loss_and_gradient(w, x, y)[0]
    for _ in range(50):
        active = x @ w > 0
        if active.sum() == 0:
            break
        step = np.linalg.lstsq(x[active], y[active], rcond=None)[0] - w
        for size in (1, 0.5, 0.25, 0.1, 0.02):
            loss = loss_and_gradient(w + size * step, x, y)[0]
            if loss < best * (1 - 1e-14):
                break
        else:
            break
        w, best = w + size * step, loss
    return w, best


def starts(x, y, rng):
    n, d = x.shape
    yield np.linalg.lstsq(x[y > 0], y[y > 0], rcond=None)[0]
    yield np.linalg.lstsq(x, y, rcond=None)[0]
    yield 2 * x.T @ y / n
    size = np.sqrt(2 * np.mean(y * y))
    for k in range(STARTS):
        if k % 3 == 0:
            yield rng.normal(size=d) * size * 10.0 ** rng.uniform(-2, 0.5)
        elif k % 3 == 1:
            rows = rng.choice(np.flatnonzero(y > 0), min(n // 3, rng.integers(d, 6 * d)), replace=False)
            yield np.linalg.lstsq(x[rows], y[rows], rcond=1e-6)[0]
        else:
            rows = rng.choice(n, min(n // 2, rng.integers(2 * d, 12 * d)), replace=False)
            yield np.linalg.lstsq(x[rows], y[rows], rcond=1e-6)[0]


def best_loss(x, y, number):
    scaled = x / np.sqrt(np.mean(x * x, axis=0))
    u, values, _ = np.linalg.svd(scaled, full_matrices=False)
    basis = u[:, values > 1e-9 * values[0]] * np.sqrt(len(y))
    rng = np.random.default_rng(number)
    found = []
    for w in starts(basis, y, rng):
        w = minimize(loss_and_gradient, w, (basis, y), jac=True, method="L-BFGS-B",
                     options={"maxiter": 1000, "ftol": 1e-13, "gtol": 1e-10}).x
        found.append(polish(w, basis, y)[1])
    found = np.array(found)
    return found.min(), np.mean(found < 1.01 * found.min()), values[0] / values[basis.shape[1] - 1]


def main():
    out = open(os.path.join(HERE, "realdata_optima.inc"), "w") if len(sys.argv) < 2 else sys.stdout
    out.write("/* Written by tests/reference/make_optima.py: name, number, n, d, sum of X, sum of y, and the lowest\n"
              " * loss without and with an intercept. */\n")
    for number, (name, _, _) in enumerate(SETS):
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        x, y = build(number)
        plain = best_loss(x, y, number)
        shifted = best_loss(np.hstack([x, np.ones((len(y), 1))]), y, number)
        out.write('{"%s", %d, %d, %d, %.15g, %.15g, %.15g, %.15g},\n' % (
            name, number + 1, x.shape[0], x.shape[1], x.sum(), y.sum(), plain[0], shifted[0]))
        out.flush()
        print("%-11s n %5d d %3d y>0 %.2f  loss %.6g  starts that find it %.2f  condition %.3g   with intercept: "
              "%.6g %.2f %.3g" % (name, *x.shape, np.mean(y > 0), *plain, *shifted), file=sys.stderr)


if __name__ == "__main__":
    main()

"""Times fits of arrays in memory from Python: fitrelu beside what people have at hand, on the same data.

    fitrelu            fitrelu.fit(X, y)
    L-BFGS             SciPy's L-BFGS-B on the same loss (1.1), from the gradient step (2/n) X^T y
    PyTorch            the same loss, full batches, Adam with the columns scaled, until the loss falls by less than 1e-9 in 50 steps
    SGDRegressor       a line by SGD on the squared error, columns scaled (scikit-learn); its predictions are cut at 0
    TweedieRegressor   power 1.5 and a log link, columns scaled (scikit-learn), on labels cut at 0

All begin with the array and end with weights; the loss is the mean squared error of each one's own predictions. They take
turns, and each figure is the best of its rounds. Run by the Python that has the package: bench/peers.py --python.
"""
import time
import warnings

import numpy

# Rows, features, correlation of neighbouring columns.
SIZES = [(20000, 100, 0.5), (200000, 100, 0.9), (20000, 1000, 0.9)]


def make(n, d, correlation):
    """As peers_fit.make."""
    random = numpy.random.default_rng(5)
    x = random.standard_normal((n, d))
    for j in range(1, d):
        x[:, j] = correlation * x[:, j - 1] + numpy.sqrt(1 - correlation**2) * x[:, j]
    y = numpy.maximum(0, x @ random.standard_normal(d))
    return x, y + 0.1 * numpy.std(y) * random.standard_normal(n)


def relu_loss(x, y, w):
    return numpy.mean((numpy.maximum(0, x @ w) - y) ** 2)


def ours(x, y):
    import fitrelu

    return relu_loss(x, y, fitrelu.fit(x, y).coef)


def scipys(x, y):
    from scipy.optimize import minimize

    def loss(w):
        p = x @ w
        residual = numpy.where(p > 0, p, 0) - y
        return residual @ residual / len(y), 2 / len(y) * ((residual * (p > 0)) @ x)

    return minimize(loss, 2 / len(y) * (y @ x), jac=True, method="L-BFGS-B",
                    options={"maxiter": 5000, "maxfun": 10000, "ftol": 1e-12, "gtol": 1e-9}).fun


def torchs(x, y):
    import torch

    scale = x.std(axis=0)
    rows, labels = torch.from_numpy(x / scale), torch.from_numpy(y)
    weights = (2 / len(y) * (labels @ rows)).requires_grad_(True)
    adam = torch.optim.Adam([weights], lr=0.02)
    best = numpy.inf
    for step in range(5000):
        adam.zero_grad()
        loss = ((torch.relu(rows @ weights) - labels) ** 2).mean()
        loss.backward()
        adam.step()
        if step % 50 == 49:
            if loss.item() > best * (1 - 1e-9):
                break
            best = min(best, loss.item())
    return relu_loss(x / scale, y, weights.detach().numpy())


def scikits(kind, x, y):
    from sklearn.linear_model import SGDRegressor, TweedieRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    peer = SGDRegressor() if kind == "SGDRegressor" else TweedieRegressor(power=1.5, alpha=0, link="log", max_iter=1000)
    chain = make_pipeline(StandardScaler(), peer).fit(x, y if kind == "SGDRegressor" else numpy.maximum(0, y))
    return numpy.mean((numpy.maximum(0, chain.predict(x)) - y) ** 2)


PEERS = {"fitrelu": ours, "L-BFGS": scipys, "PyTorch": torchs, "SGDRegressor": lambda x, y: scikits("SGDRegressor", x, y),
         "TweedieRegressor": lambda x, y: scikits("TweedieRegressor", x, y)}


def timed(peer, x, y):
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loss = peer(x, y)
    return time.perf_counter() - start, loss


def measure(rounds):
    rows = []
    for n, d, correlation in SIZES:
        x, y = make(n, d, correlation)
        best = {}
        for _ in range(rounds):
            for name, peer in PEERS.items():
                try:
                    best[name] = min(best.get(name, (numpy.inf,)), timed(peer, x, y))
                except ImportError:
                    pass  # not there
        rows.append({"samples": n, "features": d, "correlation": correlation, "variance": float(numpy.var(y)),
                     "peers": {name: {"seconds": seconds, "loss": float(loss)} for name, (seconds, loss) in best.items()}})
        show(rows[-1])
    return rows


def show(row):
    print(f"\nn = {row['samples']}, d = {row['features']}, correlation {row['correlation']}")
    for name, found in row["peers"].items():
        print(f"{name:18}{found['seconds']:10.3f} s   loss {found['loss']:.6g}, "
              f"{found['loss'] / row['variance']:.2%} of the labels' variance", flush=True)

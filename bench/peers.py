#!/usr/bin/env python3
"""Times one step of SGD (2.1) and one encoding Q_s in fitrelu, NumPy and PyTorch, side by side in one run.

The step is the whole of it: m indices drawn with replacement, the rows gathered, the gradient of (1.1), the update.
fitrelu's times come from bench_cpu (build it first); each figure is the best of several rounds, the systems taking
turns, so that a noisy machine is noisy for all.

usage: bench/peers.py [--bench build/check/bin/bench_cpu] [--rounds 5] [--output results.json]
       bench/peers.py --fit [--program build/check/bin/fitrelu] [--rounds 5] [--output results.json]
       bench/peers.py --python [--rounds 5] [--output results.json]

With --fit, whole fits of files beside SciPy's L-BFGS (peers_fit.py); with --python, fits of arrays from Python beside
SciPy, PyTorch and scikit-learn (peers_python.py).
"""
import argparse
import json
import platform
import subprocess
import sys
import time

import numpy

import peers_fit
import peers_python

try:
    import torch
except ImportError:
    torch = None

SIZES = [(1000, 800), (4000, 800)]
ROW_BYTES = 400_000_000  # as bench_cpu
LEVELS = 127


def best_time(action, seconds=0.3):
    """Best mean over batches of ten calls."""
    action()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(10):
            action()
        best = min(best, (time.perf_counter() - start) / 10)
    return best


class NumpyPeer:
    name = "NumPy " + numpy.__version__

    def __init__(self, d, m):
        self.random = numpy.random.default_rng(1)
        self.n, self.m = ROW_BYTES // (4 * d), m
        self.x = self.random.standard_normal((self.n, d), dtype=numpy.float32)
        self.w = numpy.full(d, 200, numpy.float32)
        self.y = numpy.maximum(self.x @ self.w, 0)
        self.v = self.random.standard_normal(d, dtype=numpy.float32)

    def step(self):
        index = self.random.integers(0, self.n, self.m)
        rows = self.x[index]
        p = rows @ self.w
        c = (numpy.maximum(p, 0) - self.y[index]) * (1 + numpy.sign(p))
        self.w -= 1e-12 / self.m * (c @ rows)

    def encode(self):
        norm = numpy.linalg.norm(self.v)
        u = numpy.abs(self.v) * (LEVELS / norm)
        h = numpy.floor(u)
        h += self.random.random(len(u), dtype=numpy.float32) < u - h
        return (numpy.sign(self.v) * h).astype(numpy.int8), norm


class TorchPeer:
    name = "PyTorch " + (torch.__version__ if torch else "")

    def __init__(self, d, m):
        self.n, self.m = ROW_BYTES // (4 * d), m
        self.x = torch.randn(self.n, d)
        self.w = torch.full((d,), 200.0)
        self.y = torch.relu(self.x @ self.w)
        self.v = torch.randn(d)

    def step(self):
        with torch.no_grad():
            index = torch.randint(0, self.n, (self.m,))
            rows = self.x[index]
            p = rows @ self.w
            c = (torch.relu(p) - self.y[index]) * (1 + torch.sign(p))
            self.w -= 1e-12 / self.m * (c @ rows)

    def encode(self):
        with torch.no_grad():
            norm = torch.linalg.norm(self.v)
            u = torch.abs(self.v) * (LEVELS / norm)
            h = torch.floor(u)
            h += (torch.rand(len(u)) < u - h).float()
            return (torch.sign(self.v) * h).to(torch.int8), norm


def ours(bench, d, m):
    """Microseconds of fitrelu's step and encoding, and its gradient's share of the read bandwidth, from one run."""
    pattern = f"^read|^(step/f32/{d}/{m}/1/0|encode/f32/{d}|gradient/f32/{d}/{m})/"
    command = [bench, f"--benchmark_filter={pattern}", "--benchmark_format=json", "--benchmark_min_time=0.3"]
    runs = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["benchmarks"]
    found = {run["name"].split("/")[0]: run for run in runs}
    return found["step"]["real_time"], found["encode"]["real_time"], found["gradient"]["of_read"]


def measure(bench, d, m, rounds):
    peers = [peer(d, m) for peer in (NumpyPeer, TorchPeer if torch else None) if peer]
    times = {}
    share = 0
    for _ in range(rounds):
        step, encode, of_read = ours(bench, d, m)
        share = max(share, of_read)
        times.setdefault("fitrelu", []).append((step, encode))
        for peer in peers:
            times.setdefault(peer.name, []).append((best_time(peer.step) * 1e6, best_time(peer.encode) * 1e6))
    best = {name: [min(column) for column in zip(*rows)] for name, rows in times.items()}
    return {"d": d, "m": m, "gradient_of_read": share, "microseconds": best}


def show(result):
    best = result["microseconds"]
    others = [times for name, times in best.items() if name != "fitrelu"]
    print(f"\nd = {result['d']}, m = {result['m']}, float32; gradient at {result['gradient_of_read']:.0%} of the read "
          "bandwidth")
    print(f"{'':18}{'step, us':>12}{'encode, us':>12}")
    for name, (step, encode) in best.items():
        print(f"{name:18}{step:12.1f}{encode:12.2f}")
    for at, what in enumerate(("step", "encode")):
        ratio = min(times[at] for times in others) / best["fitrelu"][at]
        print(f"{what}: {ratio:.1f} times as fast as the best of the others")


def write(path, results):
    if path:
        with open(path, "w", encoding="ascii") as file:
            json.dump({"machine": platform.platform(), "results": results}, file, indent=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="build/check/bin/bench_cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--python", action="store_true")
    parser.add_argument("--program", default="build/check/bin/fitrelu")
    arguments = parser.parse_args()
    if arguments.fit:
        write(arguments.output, peers_fit.measure(arguments.program, arguments.rounds))
        return
    if arguments.python:
        write(arguments.output, peers_python.measure(arguments.rounds))
        return
    if torch is None:
        print("PyTorch is not installed: NumPy alone is measured", file=sys.stderr)
    results = [measure(arguments.bench, d, m, arguments.rounds) for d, m in SIZES]
    for result in results:
        show(result)
    write(arguments.output, results)


if __name__ == "__main__":
    main()

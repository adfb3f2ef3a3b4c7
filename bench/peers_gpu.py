#!/usr/bin/env python3
"""Times one iteration of SGD (2.1) in PyTorch on a GPU: eager, as a CUDA graph, and by torch.compile.

The iteration is that of bench_gpu: m indices drawn with replacement, the rows gathered, the gradient of (1.1), the
update, float32 without TF32; sizes as there. Each figure is over many steps ended by a wait, p50 and p99 over repeats. The
output is written anew after each figure, so that one that crashes or takes too long costs none of those before.

usage: bench/peers_gpu.py [--output results.json] [--repeats 20] [--steps 200] [--device cuda]
Exit code 77 where PyTorch or the GPU is missing. --device cpu runs eager and compiled at a tiny size, to try the script.
"""
import argparse
import datetime
import json
import math
import os
import sys
import time

PROBLEMS = [(10_000, 1000, 800), (1_000_000, 4000, 800)]
TINY = [(200, 40, 16)]
STEP_SIZE = 1e-12


def percentile(values, percent):
    """Nearest rank, as bench/gpu/statistics.h."""
    ordered = sorted(values)
    return ordered[max(1, math.ceil(percent / 100 * len(ordered))) - 1]


class Problem:
    def __init__(self, torch, device, n, d, m):
        self.torch, self.n, self.m = torch, n, m
        self.x = torch.randn(n, d, device=device)
        self.w = torch.full((d,), 200.0, device=device)
        self.y = torch.relu(self.x @ self.w)

    def step(self):
        torch = self.torch
        index = torch.randint(0, self.n, (self.m,), device=self.x.device)
        rows = self.x[index]
        p = rows @ self.w
        c = (torch.relu(p) - self.y[index]) * (1 + torch.sign(p))
        self.w.sub_(c @ rows, alpha=STEP_SIZE / self.m)


def graphed(torch, problem):
    """A step as a CUDA graph; its random numbers move on from replay to replay."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            problem.step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        problem.step()
    return graph.replay


def measure(step, wait, repeats, steps):
    seconds = []
    for turn in range(repeats + 1):
        start = time.perf_counter()
        for _ in range(steps):
            step()
        wait()
        if turn > 0:
            seconds.append((time.perf_counter() - start) / steps)
    return {"p50_us": 1e6 * percentile(seconds, 50), "p99_us": 1e6 * percentile(seconds, 99),
            "least_us": 1e6 * min(seconds), "count": len(seconds)}


def ways(torch, problem, on_gpu):
    """Name and step of each way; a way that fails to start is told, not hidden."""
    yield "eager", lambda: problem.step
    if on_gpu:
        yield "graph", lambda: graphed(torch, problem)
    yield "compiled", lambda: torch.compile(problem.step, mode="max-autotune-no-cudagraphs")


def write(report, path):
    """Whole or not at all."""
    if not path:
        return
    with open(path + ".part", "w", encoding="ascii") as file:
        json.dump(report, file, indent=1)
    os.replace(path + ".part", path)


def run(torch, arguments, report):
    on_gpu = arguments.device == "cuda"
    wait = torch.cuda.synchronize if on_gpu else (lambda: None)
    results = report["iteration"] = []
    for n, d, m in PROBLEMS if on_gpu else TINY:
        problem = Problem(torch, arguments.device, n, d, m)
        result = {"samples": n, "features": d, "batch": m}
        results.append(result)
        with torch.no_grad():
            for name, make in ways(torch, problem, on_gpu):
                try:
                    step = make()
                    for _ in range(3):
                        step()
                    result[name] = measure(step, wait, arguments.repeats, arguments.steps)
                except Exception as error:  # compilers fail in many ways; the others are still worth having
                    result[name] = {"failed": (str(error).splitlines() or [type(error).__name__])[0]}
                write(report, arguments.output)
        print(f"n = {n}, d = {d}, m = {m}: " + ", ".join(
            f"{name} {value['p50_us']:.1f} us" for name, value in result.items()
            if isinstance(value, dict) and "p50_us" in value))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    arguments = parser.parse_args()
    try:
        import torch
    except ImportError:
        print("peers_gpu: PyTorch is not installed", file=sys.stderr)
        return 77
    if arguments.device == "cuda" and not torch.cuda.is_available():
        print("peers_gpu: PyTorch sees no GPU", file=sys.stderr)
        return 77
    torch.backends.cuda.matmul.allow_tf32 = False
    report = {"benchmark": "peers_gpu", "pytorch": torch.__version__,
              "device": torch.cuda.get_device_name() if arguments.device == "cuda" else "cpu",
              "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")}
    run(torch, arguments, report)
    return 0


if __name__ == "__main__":
    sys.exit(main())

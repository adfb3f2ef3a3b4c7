#!/usr/bin/env python3
"""The program of the paper's section 4 (Table 2) in plain NumPy and mpi4py: what fitrelu is compared with.

Rank 0 is the master and holds no data; the other K ranks are workers with n/K planted rows each. In every iteration the
model w goes down in float64, each worker computes the gradient of (1.1) over all its rows and sends it up with isend,
the master receives with irecv, averages and takes a step of 1/2. `sgd` sends float64; `qsgd` int8 levels and a norm,
Q_s of [1] with s = 127. `tree` sends the model with Bcast, `star` with one isend to each worker.

Waiting is Waitall and Bcast, which poll without a pause (Open MPI yields the processor where mpi_yield_when_idle is
set), or with --poll a test every so many seconds and sleep between, with Ibcast for Bcast.

Printed by rank 0, as JSON, in seconds an iteration: the total; the master's time in sending the model (`down`; the
kernel takes messages before they are delivered, so this ends early), in waiting for gradients (`wait`: the rest of the
way down, the workers' computation and the way up) and in its own arithmetic (`compute`); the workers' mean time in
arithmetic; and `communication`, the total less both times of arithmetic, as in the paper's table.

usage: tools/cluster --hosts 41 --rate 25mbit -- /usr/bin/python3 bench/table2_numpy.py --scheme qsgd --down tree
"""
import argparse
import json
import time

import numpy
from mpi4py import MPI

STEP = 0.5  # below 2 / (largest eigenvalue of X^T X / n over active rows, twice): at n = 5 d that is 0.75
clock = time.perf_counter


def arguments_of():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=20000)
    parser.add_argument("--features", type=int, default=4000)
    parser.add_argument("--iterations", type=int, default=300)
    parser.add_argument("--scheme", choices=("sgd", "qsgd"), default="sgd")
    parser.add_argument("--down", choices=("tree", "star"), default="tree")
    parser.add_argument("--levels", type=int, default=127)
    parser.add_argument("--poll", type=float, default=0, help="seconds between tests of a request; 0: busy waiting")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


class Exchange:
    """Model down and gradients up between rank 0 and the others, with one way of waiting."""

    def __init__(self, comm, down, poll):
        self.comm, self.down, self.poll = comm, down, poll
        self.workers = range(1, comm.size)

    def wait(self, requests):
        if not self.poll:
            MPI.Request.Waitall(requests)
            return
        while not MPI.Request.Testall(requests):
            time.sleep(self.poll)

    def model(self, w):
        if self.down == "star":
            if self.comm.rank == 0:
                self.wait([self.comm.Isend(w, dest=k, tag=1) for k in self.workers])
            else:
                self.wait([self.comm.Irecv(w, source=0, tag=1)])
        elif self.poll:
            self.wait([self.comm.Ibcast(w, root=0)])
        else:
            self.comm.Bcast(w, root=0)

    def send(self, message):
        self.wait([self.comm.Isend(message, dest=0, tag=2)])

    def receive(self, rows):
        self.wait([self.comm.Irecv(rows[k - 1], source=k, tag=2) for k in self.workers])


class Float64:
    """A gradient as it is: 8 d bytes."""

    def __init__(self, d, _levels):
        self.shape, self.dtype = d, numpy.float64

    @staticmethod
    def encode(gradient, _random):
        return gradient

    @staticmethod
    def mean(rows):
        return rows.mean(axis=0)


class Int8:
    """Q_s: d int8 levels after the 8 bytes of the l2 norm."""

    def __init__(self, d, levels):
        self.shape, self.dtype, self.levels = d + 8, numpy.int8, levels

    def encode(self, gradient, random):
        message = numpy.zeros(self.shape, numpy.int8)
        norm = numpy.linalg.norm(gradient)
        message[:8].view(numpy.float64)[0] = norm
        if norm > 0:
            size = numpy.abs(gradient) * (self.levels / norm)
            low = numpy.floor(size)
            low += random.random(len(size)) < size - low
            message[8:] = numpy.copysign(numpy.minimum(low, self.levels), gradient)
        return message

    def mean(self, rows):
        norms = rows[:, :8].copy().view(numpy.float64)[:, 0]
        return (norms / (self.levels * len(rows))) @ rows[:, 8:].astype(numpy.float64)


def master(exchange, code, target, iterations):
    w = numpy.zeros(len(target))
    rows = numpy.zeros((exchange.comm.size - 1, code.shape), code.dtype)
    seconds = {"down": 0.0, "wait": 0.0, "compute": 0.0}
    exchange.comm.Barrier()
    begin = clock()
    for _ in range(iterations):
        start = clock()
        exchange.model(w)
        sent = clock()
        exchange.receive(rows)
        received = clock()
        w -= STEP * code.mean(rows)
        seconds["down"] += sent - start
        seconds["wait"] += received - sent
        seconds["compute"] += clock() - received
    total = clock() - begin
    return total, seconds, numpy.linalg.norm(w - target) / numpy.linalg.norm(target)


def worker(exchange, code, target, count, iterations, random):
    x = random.standard_normal((count, len(target)))
    y = numpy.maximum(x @ target, 0)
    w = numpy.zeros(len(target))
    seconds = 0.0
    exchange.comm.Barrier()
    for _ in range(iterations):
        exchange.model(w)
        start = clock()
        p = x @ w
        gradient = ((numpy.maximum(p, 0) - y) * (1 + numpy.sign(p))) @ x / count
        message = code.encode(gradient, random)
        seconds += clock() - start
        exchange.send(message)
    return seconds


def main():
    options = arguments_of()
    comm = MPI.COMM_WORLD
    workers = comm.size - 1
    if workers < 1 or options.samples % workers:
        raise SystemExit(f"{options.samples} samples over {workers} workers: needs two ranks and equal parts")
    target = numpy.random.default_rng(options.seed).normal(200, 3**0.5, options.features)
    exchange = Exchange(comm, options.down, options.poll)
    code = {"sgd": Float64, "qsgd": Int8}[options.scheme](options.features, options.levels)
    if comm.rank:
        random = numpy.random.default_rng([options.seed, comm.rank])
        busy = worker(exchange, code, target, options.samples // workers, options.iterations, random)
        comm.reduce(busy, root=0)
        return
    total, seconds, error = master(exchange, code, target, options.iterations)
    busy = comm.reduce(0.0, root=0) / workers
    step = {name: value / options.iterations for name, value in seconds.items()}
    print(json.dumps({
        "program": "NumPy " + numpy.__version__, "options": vars(options), "workers": workers,
        "bytes_up": code.shape * numpy.dtype(code.dtype).itemsize, "bytes_down": 8 * options.features,
        "relative_error": float(error),
        "seconds_per_iteration": {
            "total": total / options.iterations, "communication": (total - busy) / options.iterations - step["compute"],
            "master": step, "workers_compute": busy / options.iterations}}))


if __name__ == "__main__":
    main()

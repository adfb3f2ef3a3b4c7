#!/usr/bin/env python3
"""tests/gpu/peers_gpu_test.py - bench/peers_gpu.py without PyTorch: what it has measured is written before the next way begins."""
import argparse
import contextlib
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
import peers_gpu  # noqa: E402


class Torch:
    """As much of it as a run asks for."""
    no_grad = staticmethod(contextlib.nullcontext)


class Crash(BaseException):
    """What no way survives."""


class PeersGpu(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.output = os.path.join(self.folder.name, "peers.json")
        self.kept = peers_gpu.Problem, peers_gpu.ways
        peers_gpu.Problem = lambda *unused: None

    def tearDown(self):
        peers_gpu.Problem, peers_gpu.ways = self.kept
        self.folder.cleanup()

    def run_ways(self, *makers):
        peers_gpu.ways = lambda *unused: iter(makers)
        arguments = argparse.Namespace(device="cpu", repeats=2, steps=3, output=self.output)
        peers_gpu.run(Torch, arguments, {"benchmark": "peers_gpu"})

    def written(self):
        with open(self.output, encoding="ascii") as file:
            return json.load(file)["iteration"][0]

    def test_a_figure_is_written_before_the_next_way_begins(self):
        def crash():
            self.assertEqual(self.written()["eager"]["count"], 2)
            raise Crash()
        with self.assertRaises(Crash):
            self.run_ways(("eager", lambda: lambda: None), ("compiled", crash))
        self.assertEqual(sorted(self.written()), ["batch", "eager", "features", "samples"])
        self.assertEqual(os.listdir(self.folder.name), ["peers.json"])

    def test_a_way_that_fails_is_told_and_the_next_one_measured(self):
        def fail():
            raise RuntimeError("no compiler\nand more")
        self.run_ways(("eager", fail), ("compiled", lambda: lambda: None))
        self.assertEqual(self.written()["eager"], {"failed": "no compiler"})
        self.assertEqual(self.written()["compiled"]["count"], 2)


if __name__ == "__main__":
    unittest.main()

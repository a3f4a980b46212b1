#!/usr/bin/env python3
"""Prints a cost graph (proto3 JSON of adamec.v1.CostGraph) that looks like a large CNN.

A chain of stages: residual blocks, inception-like branches and plain convolutions, every one made
of convolution, normalisation, activation and addition or concatenation atoms. Two tiers, where the
edge is faster by a factor that differs per operator, as measured hardware does.

    make_cost_graph.py --atoms 1000 --seed 1 > costs.json
    adamec-plan --costs costs.json --format json
"""

import argparse
import json
import random
import sys

# operator: milliseconds per million elements on the device, and how much faster the edge is.
OPERATORS = {
    "conv2d": (24.0, 4.0),
    "batch_norm": (1.6, 1.2),
    "relu": (0.7, 0.8),
    "add": (0.9, 0.8),
    "cat": (0.8, 0.7),
    "pool": (1.8, 1.0),
}


class Model:
    def __init__(self, rng, atoms):
        self.rng = rng
        self.limit = atoms
        self.tensors = [{"id": "x", "bytes": 602112}]
        self.atoms = []

    def full(self):
        return len(self.atoms) >= self.limit

    def add(self, operator, inputs, elements, weight_bytes=0):
        """Appends an atom and returns (its output tensor, elements)."""
        name = f"layer{len(self.atoms)}.{operator}"
        per_million, ratio = OPERATORS[operator]
        noise = self.rng.uniform(0.6, 1.6)
        device_ms = 0.004 + per_million * elements / 1e6 * noise
        edge_ms = 0.002 + device_ms / (ratio * self.rng.uniform(0.1, 1.3))
        self.tensors.append({"id": name + ":0", "bytes": 4 * elements})
        atom = {
            "id": name,
            "inputs": inputs,
            "outputs": [name + ":0"],
            "latency_ms": [round(device_ms, 6), round(edge_ms, 6)],
            "activation_bytes": 4 * elements,
        }
        if weight_bytes:
            atom["weight_bytes"] = weight_bytes
        self.atoms.append(atom)
        return name + ":0"

    def conv(self, source, elements):
        out = self.add("conv2d", [source], elements, self.rng.randrange(4096, 262144, 4))
        if not self.full():
            out = self.add("batch_norm", [out], elements, 2048)
        if not self.full():
            out = self.add("relu", [out], elements)
        return out


def residual(model, source, elements):
    out = model.conv(source, elements)
    if not model.full():
        out = model.conv(out, elements)
    return out if model.full() else model.add("add", [source, out], elements)


def inception(model, source, elements):
    branches = []
    for depth in (1, 2, 3):
        out = source
        for _ in range(depth):
            if not model.full():
                out = model.conv(out, elements // 3 + 1)
        if out != source:
            branches.append(out)
    return branches[0] if model.full() else model.add("cat", branches, elements)


def build(atoms, seed):
    rng = random.Random(seed)
    model = Model(rng, atoms)
    out = "x"
    elements = 400000
    while not model.full():
        kind = rng.choice((residual, residual, inception, Model.conv))
        out = kind(model, out, elements)
        if rng.random() < 0.25 and not model.full():
            elements = max(elements * 3 // 5, 2000)
            out = model.add("pool", [out], elements)
    # Whatever nobody consumes is a result.
    consumed = {tensor for atom in model.atoms for tensor in atom["inputs"]}
    results = [t["id"] for t in model.tensors if t["id"] not in consumed]
    return {
        "name": f"generated-{atoms}-{seed}",
        "tiers": [{"name": "device"}, {"name": "edge"}],
        "links": [
            {"from": "device", "to": "edge", "bytes_per_second": 125e6, "latency_ms": 0.5},
            {"from": "edge", "to": "device", "bytes_per_second": 250e6, "latency_ms": 0.5},
        ],
        "tensors": model.tensors,
        "atoms": model.atoms,
        "inputs": [{"tensor": "x", "tier": "device"}],
        "outputs": [{"tensor": tensor, "tier": "device"} for tensor in results],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--atoms", type=int, default=1000, help="number of atoms (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="random seed (default 1)")
    parser.add_argument("--latency-ms", type=float, help="latency of both links instead of 0.5 ms")
    arguments = parser.parse_args()
    if arguments.atoms < 1:
        parser.error("--atoms must be at least 1")
    graph = build(arguments.atoms, arguments.seed)
    if arguments.latency_ms is not None:
        for link in graph["links"]:
            link["latency_ms"] = arguments.latency_ms
    json.dump(graph, sys.stdout)
    print()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Turns PipeEdge's published profiles (models.yml, device_types.yml, devices.yml) into a cost graph.

Every host is a tier, every layer an atom in a chain. As PipeEdge counts: a host has the bandwidth
and memory of its type, a link the smaller of two bandwidths, Mbit and MB are powers of 1024, and a
tensor is a batch of float32. Hosts whose type has no profile of the model run nothing. The input
lies on the first host that can run the model. PipeEdge's latencies are zero.

    tests/bench/pipeedge_costs.py tests/data/pipeedge google/vit-base-patch16-224 > costs.json
    adamec-plan --costs costs.json --objective throughput
"""

import argparse
import json
import pathlib
import sys

import yaml

MEGA = 1024 * 1024
FLOAT_BYTES = 4


def scaled(values: list, layers: int) -> list:
    """The profile repeated until it has that many layers, for measuring growth."""
    return (values * (layers // len(values) + 1))[:layers]


def cost_graph(folder: pathlib.Path, model: str, batch: int = 8, layers: int = 0,
               hosts: int = 0, memory: bool = True) -> dict:
    read = lambda name: yaml.safe_load((folder / name).read_text())
    models, types, devices = read("models.yml"), read("device_types.yml"), read("devices.yml")
    profile = models[model]
    layers = layers or profile["layers"]
    tiers = []
    for name, of_type in devices.items():
        kind = types.get(name, {})
        found = [p["time_s"] for p in (kind.get("model_profiles") or {}).get(model, [])
                 if p["batch_size"] == batch and p["dtype"] == "torch.float32"]
        for host in of_type:
            tiers.append((host, kind, found[0] if found else None))
    tiers.sort(key=lambda tier: tier[2] is None)
    tiers = tiers[:hosts or len(tiers)]
    links = []
    for a, kind_a, _ in tiers:
        for b, kind_b, _ in tiers:
            rate = min(kind_a.get("bw_Mbps", 0), kind_b.get("bw_Mbps", 0))
            if a != b and rate > 0:
                links.append({"from": a, "to": b, "bytes_per_second": rate * MEGA / 8})
    able = [host for host, _, times in tiers if times]
    out = [n * FLOAT_BYTES * batch for n in scaled(profile["parameters_out"], layers)]
    weights = [int(m * MEGA) for m in scaled(profile["mem_MB"], layers)]
    columns = [scaled(times, layers) if times else [0] * layers for _, _, times in tiers]
    atoms = []
    for i in range(layers):
        atoms.append({"id": f"layer{i + 1}", "inputs": ["input" if i == 0 else f"t{i}"],
                      "outputs": [f"t{i + 1}"], "weight_bytes": weights[i],
                      "latency_ms": [1e3 * column[i] for column in columns], "tiers": able})
    return {
        "name": model,
        "tiers": [{"name": host, "memory_bytes": kind.get("mem_MB", 0) * MEGA * memory}
                  for host, kind, _ in tiers],
        "links": links,
        "tensors": [{"id": "input", "bytes": profile["parameters_in"] * FLOAT_BYTES * batch}]
                   + [{"id": f"t{i + 1}", "bytes": out[i]} for i in range(layers)],
        "atoms": atoms,
        "inputs": [{"tensor": "input", "tier": able[0]}],
        "outputs": [{"tensor": f"t{layers}"}],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("model")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--layers", type=int, default=0, help="repeat the profile to this many")
    parser.add_argument("--hosts", type=int, default=0, help="only the first ones (0: all)")
    parser.add_argument("--no-memory", action="store_true", help="memory is unlimited")
    options = parser.parse_args()
    json.dump(cost_graph(options.folder, options.model, options.batch, options.layers,
                         options.hosts, not options.no_memory), sys.stdout)
    print()


if __name__ == "__main__":
    main()

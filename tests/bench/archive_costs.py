#!/usr/bin/env python3
"""Turns an archive of atoms into a cost graph with times from a plain model of operations and bytes,
so that planning can be measured on real networks without profiling a machine.

An atom on a device of 10 GMAC/s and 4 GB/s takes macs / 10e9 + bytes / 4e9 seconds plus 5 us for the
call, bytes being those of its inputs, outputs and weights; the edge is faster by a factor. A load L
on the device leaves it 1 - L of its speed. These are round numbers for a small phone core; they
are not measurements.

    archive_costs.py resnet18.atoms --mbit 20 --load 0.5 --edge-speed 10 > costs.json
"""

import argparse
import json
import sys
import zipfile

MACS_PER_MS = 10e6
BYTES_PER_MS = 4e6
CALL_MS = 0.005

# Numbers of fields and values in lib/adamec/proto/adamec/v1/archive.proto.
ROLE_INPUT, ROLE_WEIGHT = 1, 3
VALUE_TENSOR, VALUE_LISTS = 1, (7, 8, 9)


def fields(data: bytes):
    """(number, value) of a protobuf message: varints as int, lengths as bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        elif key & 7 == 2:
            size = varint()
            yield key >> 3, data[at:at + size]
            at += size
        else:  # 64 or 32 bits: nothing here needs them
            at += 8 if key & 7 == 1 else 4


def tensors_in(value: bytes) -> list:
    """Ids of the tensors in a manifest's Value."""
    found = []
    for number, content in fields(value):
        if number == VALUE_TENSOR:
            found.append(content.decode())
        elif number in VALUE_LISTS:
            for kind, item in fields(content):
                if kind == 1:
                    found += tensors_in(item)
    return found


def read_manifest(path: str) -> dict:
    with zipfile.ZipFile(path) as archive:
        manifest = archive.read("manifest.pb")
    result = {"name": "", "tensors": {}, "atoms": [], "results": []}
    for number, value in fields(manifest):
        if number == 2:
            result["name"] = value.decode()
        elif number == 9:
            result["results"] = tensors_in(value)
        elif number == 10:
            tensor = dict(fields(value))
            result["tensors"][tensor[1].decode()] = (tensor.get(3, 0), tensor[4])
        elif number == 11:
            items = list(fields(value))
            one = dict(items)
            result["atoms"].append({
                "id": one[1].decode(), "inputs": [v.decode() for n, v in items if n == 4],
                "outputs": [v.decode() for n, v in items if n == 5], "weights": one.get(6, 0),
                "macs": one.get(7, 0), "activation": one.get(8, 0)})
    return result


def atom_costs(manifest: dict, load: float, edge_speed: float) -> list:
    tensors = manifest["tensors"]
    atoms = []
    for atom in manifest["atoms"]:
        flowing = [t for t in atom["inputs"] if tensors[t][1] != ROLE_WEIGHT]
        weights = atom["weights"] + sum(
            tensors[t][0] for t in atom["inputs"] if tensors[t][1] == ROLE_WEIGHT)
        moved = weights + sum(tensors[t][0] for t in flowing + atom["outputs"])
        alone = atom["macs"] / MACS_PER_MS + moved / BYTES_PER_MS + CALL_MS
        atoms.append({"id": atom["id"], "inputs": flowing, "outputs": atom["outputs"],
                      "weight_bytes": weights, "activation_bytes": atom["activation"],
                      "latency_ms": [alone / (1 - load), alone / edge_speed]})
    return atoms


def cost_graph(manifest: dict, mbit: float = 20, load: float = 0, edge_speed: float = 10,
               latency_ms: float = 5, memory_bytes: int = 0) -> dict:
    """Two tiers; the link back to the device is twice as fast as the one from it."""
    tensors = {name: size for name, (size, role) in manifest["tensors"].items()
               if role != ROLE_WEIGHT}
    rate = mbit * 1e6 / 8
    return {
        "name": manifest["name"],
        "tiers": [{"name": "device", "memory_bytes": memory_bytes, "power_watts": 3},
                  {"name": "edge", "power_watts": 60}],
        "links": [{"from": "device", "to": "edge", "bytes_per_second": rate,
                   "latency_ms": latency_ms, "joules_per_byte": 1e-7},
                  {"from": "edge", "to": "device", "bytes_per_second": 2 * rate,
                   "latency_ms": latency_ms, "joules_per_byte": 5e-8}],
        "tensors": [{"id": name, "bytes": size} for name, size in tensors.items()],
        "atoms": atom_costs(manifest, load, edge_speed),
        "inputs": [{"tensor": name, "tier": "device"}
                   for name, (_, role) in manifest["tensors"].items() if role == ROLE_INPUT],
        "outputs": [{"tensor": name, "tier": "device"}
                    for name in dict.fromkeys(manifest["results"]) if name in tensors],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archive")
    parser.add_argument("--mbit", type=float, default=20, help="bandwidth up (default 20 Mbit/s)")
    parser.add_argument("--load", type=float, default=0, help="of the device, 0 to 0.99")
    parser.add_argument("--edge-speed", type=float, default=10, help="times the device's")
    parser.add_argument("--memory", type=int, default=0, help="bytes on the device; 0: unlimited")
    options = parser.parse_args()
    json.dump(cost_graph(read_manifest(options.archive), options.mbit, options.load,
                         options.edge_speed, memory_bytes=options.memory), sys.stdout)
    print()


if __name__ == "__main__":
    main()

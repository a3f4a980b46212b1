#!/usr/bin/python3
"""Times atlases over 0.1-1000 Mbit/s, and compares them with single plans; see scripts/bench."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from figures import report
from timing import interleaved_medians, wall_seconds

HERE = pathlib.Path(__file__).resolve().parent
# Seed, and how much slower the device is than make_cost_graph.py makes it.
GRAPHS = [(1, 1), (2, 1), (3, 1), (1, 4), (2, 4), (3, 4), (1, 20), (2, 20)]


def cost_graph(folder: pathlib.Path, seed: int, slower: float) -> str:
    text = subprocess.run([sys.executable, str(HERE / "make_cost_graph.py"), "--atoms", "1000",
                           "--seed", str(seed)], stdout=subprocess.PIPE, check=True).stdout
    graph = json.loads(text)
    for atom in graph["atoms"]:
        atom["latency_ms"][0] *= slower
    graph["atlas"] = {"ranges": [{"quantity": "BANDWIDTH", "low": 0.1e6 / 8, "high": 1000e6 / 8}]}
    path = folder / f"costs{seed}x{slower}.json"
    path.write_text(json.dumps(graph))
    return str(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", required=True, metavar="ADAMEC-PLAN")
    parser.add_argument("--measure", required=True, metavar="MEASURE-ATLAS")
    parser.add_argument("--points", type=int, default=10000)
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        files = [cost_graph(pathlib.Path(folder), *graph) for graph in GRAPHS]
        for number, path in enumerate(files):
            # The first graph is compared at all points, the others at a twentieth of them.
            points = options.points if number == 0 else max(options.points // 20, 2)
            out = subprocess.run([options.measure, path, str(points)], stdout=subprocess.PIPE,
                                 check=True, text=True).stdout
            results.append({key: float(value) for key, value in map(str.split, out.splitlines())})
        command = [options.plan, "--costs", files[0], "--atlas", "--format", "pb", "-q", "-o",
                   str(pathlib.Path(folder) / "atlas.pb")]
        (process,) = interleaved_medians([lambda: wall_seconds(command)], 21)
    slowest = max(results, key=lambda result: result["atlas_ms"])
    plans = ", ".join(f"{result['plans']:.0f}" for result in results)
    report("atlas of 1000 atoms over 0.1-1000 Mbit/s, ms", slowest["atlas_ms"],
           f"slowest of {len(results)} graphs with {plans} plans, "
           f"{slowest['searches']:.0f} single plans searched; whole process of the first "
           f"{1e3 * process:.1f} ms", at_most=50)
    report("points where an atlas differs from a single plan",
           sum(result["differ"] for result in results),
           f"of {sum(result['points'] for result in results):.0f}, "
           f"{results[0]['points']:.0f} on one graph; largest difference "
           f"{max(result['worst'] for result in results):.1e}, "
           f"gap {max(result['gap'] for result in results):g}", digits="g", at_most=0)
    report("look-up, ns", max(result["lookup_ns"] for result in results), "no allocation",
           at_most=1000)


if __name__ == "__main__":
    main()

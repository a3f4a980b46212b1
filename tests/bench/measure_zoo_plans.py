#!/usr/bin/python3
"""Plans the zoo's archives under many contexts and memory budgets, and PipeEdge's profiles; prints
each figure beside its target. See scripts/bench.

Times come from operations and bytes (archive_costs.py), not from measurements. Archives are taken
from --archives, PipeEdge's profiles from tests/data/pipeedge.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import archive_costs
import pipeedge_costs
from figures import record, report

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASELINES = ("device-only", "edge-only", "neurosurgeon", "dads", "greedy")
NONE_BETTER = 1 + 1e-9


def plan(command: str, graph: dict, *options: str):
    """(plan or None, seconds of the whole process)."""
    text = json.dumps(graph)
    start = time.perf_counter()
    done = subprocess.run([command, "--costs", "-", "--format", "json", "-q", *options],
                          input=text, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode not in (0, 3):
        sys.exit(f"{graph['name']}: exit code {done.returncode}: {done.stderr.strip()}")
    return (json.loads(done.stdout) if done.returncode == 0 else None), seconds


def memory_budgets(command: str, archives: list) -> None:
    cases = unproven = 0
    slowest = (0.0, "")
    for path in archives:
        manifest = archive_costs.read_manifest(path)
        graph = archive_costs.cost_graph(manifest, load=0.5, edge_speed=4)
        most = (sum(atom["weight_bytes"] for atom in graph["atoms"])
                + max(atom["activation_bytes"] for atom in graph["atoms"]))
        for budget in range(1, 21):
            graph["tiers"][0]["memory_bytes"] = most * budget // 21 + 1
            found, seconds = plan(command, graph)
            cases += 1
            unproven += found is not None and found["gap"] > 0
            slowest = max(slowest, (seconds, path.name))
    report("plans with a gap, zoo x 20 memory budgets on the device", unproven,
           f"{cases} cases on {len(archives)} archives", digits="d", at_most=0)
    report("slowest of them, whole process, seconds", slowest[0], slowest[1], at_most=1)


def contexts(command: str, archives: list) -> None:
    """Ours against every baseline over bandwidths, loads and edges."""
    saved = {name: [] for name in BASELINES}
    table = {}
    unproven = 0
    for path in archives:
        manifest = archive_costs.read_manifest(path)
        for mbit in (1, 5, 20, 100):
            for load in (0, 0.5, 0.9):
                for speed in (4, 10):
                    graph = archive_costs.cost_graph(manifest, mbit, load, speed)
                    found, _ = plan(command, graph, "--compare")
                    unproven += found["gap"] > 0
                    for name in BASELINES:
                        latency = found["baselines"][name]
                        share = 100 * (1 - found["latency_ms"] / latency)
                        saved[name].append(share)
                        table.setdefault((mbit, load, speed), {}).setdefault(name, []).append(share)
    print("\nwhat ours saves of each baseline's latency: mean (max) in % over "
          f"{len(archives)} archives; {unproven} plans without proof")
    print(f"{'Mbit/s':>6} {'load':>5} {'edge':>5} " + "".join(f"{n:>19}" for n in BASELINES))
    line = lambda shares: f"{statistics.mean(shares):9.1f} ({max(shares):6.1f})".rjust(19)
    for (mbit, load, speed), row in table.items():
        for name, shares in row.items():
            record(f"saved of {name}'s latency at {mbit} Mbit/s, load {load}, edge {speed}x, %",
                   statistics.mean(shares), f"mean of {len(shares)} archives, most {max(shares):.1f}")
        print(f"{mbit:6} {load:5} {speed:4}x " + "".join(line(row[name]) for name in BASELINES))
    for name, shares in saved.items():
        record(f"saved of {name}'s latency, %", statistics.mean(shares),
               f"mean of {len(shares)} plans, most {max(shares):.1f}")
    print(f"{'all':>18} " + "".join(line(saved[name]) for name in BASELINES), flush=True)
    worst = min(min(shares) for shares in saved.values())
    report("most that any baseline is faster than ours, %", max(0.0, -worst), "same cost",
           digits=".2g", at_most=1e-6)


def pipeedge(command: str, solve: str, folder: pathlib.Path) -> None:
    for size, theirs in (("base", 9.5), ("large", 15.0)):
        graph = pipeedge_costs.cost_graph(folder, f"google/vit-{size}-patch16-224")
        found, _ = plan(command, graph, "--objective", "throughput")
        stages = ", ".join(f"{s['tier']}: {s['atoms'][0][5:]}-{s['atoms'][-1][5:]}"
                           for s in found["stages"])
        report(f"PipeEdge ViT-{size}: slowest stage, ms", found["slowest_ms"], f"layers {stages}",
               digits=".1f")
        solve_time(f"pipeline of ViT-{size} on 8 hosts, ms", solve, graph, theirs / 10, "--pipeline")
    graph = pipeedge_costs.cost_graph(folder, "google/vit-base-patch16-224", layers=1600, hosts=2,
                                      memory=False)
    solve_time("pipeline of 1600 layers on 2 hosts, ms", solve, graph, 50, "--pipeline")


def solve_time(what: str, solve: str, graph: dict, limit: float, *options: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(graph, file)
        file.flush()
        done = subprocess.run([solve, file.name, *options], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{what}: {done.stderr.strip()}")
    report(what, float(done.stdout), "median of 101 in one process", at_most=limit)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", required=True, metavar="ADAMEC-PLAN")
    parser.add_argument("--solve", required=True, metavar="MEASURE_SOLVE")
    parser.add_argument("--archives", metavar="FOLDER", default="", help="of the zoo (cut_zoo.py)")
    parser.add_argument("--forms", default="traced", help="traced, scripted or both")
    options = parser.parse_args()
    made = subprocess.run([sys.executable, str(ROOT / "tests/bench/make_cost_graph.py")],
                          capture_output=True, text=True, check=True)
    solve_time("one minimum cut, 1000 atoms, ms", options.solve, json.loads(made.stdout), 1)
    pipeedge(options.plan, options.solve, ROOT / "tests" / "data" / "pipeedge")
    archives = sorted(path for form in options.forms.split(",")
                      for path in pathlib.Path(options.archives or "/nowhere").glob(f"*.{form}.atoms"))
    if not archives:
        print("zoo: skipped, --archives names no folder with archives")
        return
    memory_budgets(options.plan, archives)
    contexts(options.plan, archives)


if __name__ == "__main__":
    main()

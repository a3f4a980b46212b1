#!/usr/bin/python3
"""Measures what adamec-split makes of models: how finely scripted ones are cut, how many operators
it takes on, its memory, and what running atom by atom costs; see scripts/bench."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from figures import record, report
from measure_split import CACHE, ROOT, split_command
from timing import interleaved_medians, wall_seconds

MAKE_CHAIN = pathlib.Path(__file__).with_name("make_chain.py")
CNNS = ["alexnet", "vgg16", "resnet18", "resnet50", "googlenet", "inception_v3", "mobilenet_v2",
        "mobilenet_v3_small", "squeezenet1_1", "densenet121", "shufflenet_v2_x1_0",
        "efficientnet_b0"]

# What people do anyway with a model, in a fresh process: seconds without the import of PyTorch, and
# by how much the memory grew while it ran once.
REFERENCE = """
import resource, sys, time, torch
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
x = torch.randn([int(size) for size in sys.argv[2].split(",")])
start = time.perf_counter()
model = torch.jit.load(sys.argv[1])
loaded = peak()
with torch.no_grad():
    model(x)
forward = peak() - loaded
model.save(sys.argv[3])
print(time.perf_counter() - start, forward)
"""


def atoms_of(split: str, model: pathlib.Path, inputs: list) -> list:
    command = [split, str(model), *(word for spec in inputs for word in ("--input", spec)), "-q",
               "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr.strip())
    return json.loads(done.stdout)["atoms"]


def measure_scripted(split: str, zoo: dict) -> None:
    for name in ("vit_b_16", "swin_t"):
        traced, scripted = (atoms_of(split, CACHE / f"{name}.{form}.pt", zoo[name]["inputs"])
                            for form in ("traced", "scripted"))
        branches = sum(op["name"] in ("prim::If", "prim::Loop")
                       for atom in scripted for op in atom["operators"])
        report(f"scripted {name}: branches and loops left", branches, "of prim::If, prim::Loop",
               digits="d", at_most=0)
        report(f"scripted {name}: atoms / traced model's", len(scripted) / len(traced),
               f"{len(scripted)} / {len(traced)}", at_most=1.1)


def measure_corpus(split: str) -> None:
    model = ROOT.parent / "shared" / "corpus" / "silero_vad.jit"
    if not model.exists():
        print(f"silero_vad: not measured, {model.name} is not beside the checkout")
        return
    atoms = atoms_of(split, model, ["float32[1,512]", "int=16000"])
    report("silero_vad: atoms", len(atoms), digits="d", at_least=20)


def peak_bytes(command: list) -> int:
    """The most memory the process had."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {child.returncode}")
    return usage.ru_maxrss * 1024


def measure_largest(split: str, zoo: dict, folder: str, rounds: int) -> None:
    model = CACHE / "vgg16.traced.pt"
    inputs = zoo["vgg16"]["inputs"]
    shape = inputs[0].partition("[")[2].rstrip("]")
    command = split_command(split, model, inputs, f"{folder}/vgg16.atoms")
    growth = []

    def reference() -> float:
        done = subprocess.run([sys.executable, "-c", REFERENCE, str(model), shape,
                               f"{folder}/vgg16.pt"], stdout=subprocess.PIPE, text=True, check=True)
        seconds, forward = done.stdout.split()
        growth.append(int(forward))
        return float(seconds)

    whole, start, usual = interleaved_medians(
        [lambda: wall_seconds(command), lambda: wall_seconds([split, "--version"]), reference],
        rounds)
    report("adamec-split of VGG16 / load, forward and save in PyTorch", (whole - start) / usual,
           f"{whole - start:.2f} s (without {start:.2f} s until LibTorch is loaded) / {usual:.2f} s, "
           f"medians of {rounds} interleaved runs; whole process: {whole / usual:.2f}", at_most=3)
    forward = statistics.median(growth)
    limit = 2.5 * model.stat().st_size + forward
    peak, library = peak_bytes(command), peak_bytes([split, "--version"])
    report("peak memory of adamec-split of VGG16 / (2.5 x the file + one forward)", peak / limit,
           f"{peak / 2**20:.0f} MiB ({library / 2**20:.0f} MiB of it LibTorch itself) / (2.5 x "
           f"{model.stat().st_size / 2**20:.0f} MiB + {forward / 2**20:.0f} MiB)", at_most=1)


def measure_running(split: str, runner: str, zoo: dict, folder: str, rounds: int) -> None:
    print(f"\n{'model':24} {'atoms':>6} {'whole':>10} {'atom by atom':>13} {'one block':>10}"
          "   (medians of ratios within a round; in brackets: of the fastest runs)")
    by_atom, as_block = [], []
    for name in CNNS:
        model, archive = CACHE / f"{name}.traced.pt", f"{folder}/model.atoms"
        inputs = zoo[name]["inputs"]
        wall_seconds(split_command(split, model, inputs, archive))
        done = subprocess.run([runner, str(model), archive, str(rounds), *inputs],
                              stdout=subprocess.PIPE, text=True, check=True)
        row = json.loads(done.stdout)
        record(f"{name}: atoms", row["atoms"])
        record(f"{name}: the whole model, ms", row["whole_ms"])
        record(f"{name}: all atoms one by one / the whole frozen model", row["atoms_ratio"])
        record(f"{name}: all atoms as one block / the whole frozen model", row["block_ratio"])
        by_atom.append(row["atoms_ratio"])
        as_block.append(row["block_ratio"])
        print(f"{name:24} {row['atoms']:6} {row['whole_ms']:7.1f} ms "
              f"{row['atoms_ratio']:6.3f} ({row['atoms_fastest']:.3f}) "
              f"{row['block_ratio']:6.3f} ({row['block_fastest']:.3f})", flush=True)
    detail = f"median of {len(CNNS)} CNNs, one thread, {rounds} interleaved rounds; largest "
    report("all atoms one by one / the whole frozen model", statistics.median(by_atom),
           detail + f"{max(by_atom):.3f}", digits=".3f", at_most=1.05)
    report("all atoms as one block / the whole frozen model", statistics.median(as_block),
           detail + f"{max(as_block):.3f}", digits=".3f", at_most=1.01)


def measure_growth(split: str, folder: str, rounds: int) -> None:
    sizes = (500, 1000, 2000, 3000, 4000)
    commands = []
    for size in sizes:
        model = pathlib.Path(folder) / f"chain{size}.pt"
        subprocess.run([sys.executable, str(MAKE_CHAIN), str(size), str(model)], check=True)
        commands.append(split_command(split, model, ["float32[1,16,8,8]"], f"{folder}/chain.atoms"))
    commands.append([split, "--version"])
    wall, cpu = ([[] for _ in commands] for _ in range(2))
    for _ in range(rounds):
        for place, command in enumerate(commands):
            before = os.times()
            wall[place].append(wall_seconds(command))
            after = os.times()
            cpu[place].append(after.children_user + after.children_system
                              - before.children_user - before.children_system)
    # The fastest run is the one that other processes disturbed least.
    *seconds, start = (min(values) for values in wall)
    *work, library = (min(values) for values in cpu)
    for size, elapsed, busy in zip(sizes, seconds, work):
        record(f"{size} operators, cut and verified, s", elapsed - start)
        record(f"{size} operators, CPU time per operator, ms", 1e3 * (busy - library) / size)
        print(f"{size} operators: {elapsed - start:.2f} s; {busy - library:.2f} s of CPU, "
              f"{1e3 * (busy - library) / size:.2f} ms per operator", flush=True)
    report("a model of 3,000 operators, cut and verified, in seconds", seconds[3],
           f"whole process, {start:.2f} s of it until LibTorch is loaded; fastest of {rounds} runs",
           at_most=5)
    report("CPU time per operator, 4,000 / 500 operators",
           (work[4] - library) / 4000 / ((work[0] - library) / 500), "1 is linear growth",
           at_most=1.25)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", required=True, metavar="ADAMEC-SPLIT")
    parser.add_argument("--runner", required=True, metavar="MEASURE_ATOMS")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", action="append",
                        choices=["scripted", "corpus", "largest", "running", "growth"])
    options = parser.parse_args()
    zoo = {entry["name"]: entry
           for entry in json.loads((ROOT / "models" / "zoo.json").read_text())["models"]}
    wanted = options.only or ["scripted", "corpus", "largest", "running", "growth"]
    with tempfile.TemporaryDirectory() as folder:
        if "scripted" in wanted:
            measure_scripted(options.split, zoo)
        if "corpus" in wanted:
            measure_corpus(options.split)
        if "largest" in wanted:
            measure_largest(options.split, zoo, folder, options.rounds)
        if "growth" in wanted:
            measure_growth(options.split, folder, options.rounds)
        if "running" in wanted:
            measure_running(options.split, options.runner, zoo, folder, 8 * options.rounds)


if __name__ == "__main__":
    main()

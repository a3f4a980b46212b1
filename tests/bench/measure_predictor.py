#!/usr/bin/python3
"""Splits, profiles and predicts the zoo; prints each figure beside its target and the share of
measurements that repeat, above which no predictor gets. See scripts/bench."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from cut_zoo import cut_zoo
from figures import record, report

# Networks that are also measured under load, which takes three times as long.
LOADED = ["resnet18", "mobilenet_v2", "squeezenet1_1", "googlenet", "shufflenet_v2_x1_0"]
UNDER_LOAD = ("--threads", "1,2", "--cpu-load", "0,0.5,0.9")
# Another device: the same machine without its wide vector instructions.
NARROW = {"ONEDNN_MAX_CPU_ISA": "SSE41", "ATEN_CPU_CAPABILITY": "default",
          "OPENBLAS_CORETYPE": "Nehalem"}
# Debian's oneDNN corrupts memory on some quantised convolutions where it uses AMX (floats do not).
WITHOUT_AMX = {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"}
SEEDS = (1, 2, 3)
# Configurations near those of the zoo, to learn from: they do not count in any figure.
SYNTHETIC = ("conv2d:1500", "conv1d:40", "linear:250", "matmul:60", "attention:90",
             "multi_head_attention:80", "softmax:60", "recurrent:40", "quantised:400",
             "elementwise:360", "reduction:40", "resize:40", "copy:160", "pool:240", "norm:200")


class Bench:
    def __init__(self, bin_folder: pathlib.Path, folder: pathlib.Path) -> None:
        self.bin = bin_folder
        self.folder = folder

    def run(self, *command, environment: dict = {}) -> str:
        done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True,
                              env={**WITHOUT_AMX, **os.environ, **environment})
        if done.returncode != 0:
            sys.exit(f"{command[0]}: exit code {done.returncode}: {done.stderr.strip()}")
        sys.stderr.write(done.stderr)  # warnings: what could not be measured
        return done.stdout

    def split(self) -> list:
        return cut_zoo(self.bin / "adamec-split", self.folder)

    def profile(self, archives: list, name: str, *options, environment: dict = {}) -> pathlib.Path:
        samples = self.folder / name
        self.run(self.bin / "adamec-profile", *archives, *options, "--resume", "-q", "-o", samples,
                 environment=environment)
        return samples

    def train(self, samples: list, *options) -> dict:
        return json.loads(self.run(self.bin / "adamec-train", "-q", "--json", *samples, *options))


def synthetic(kinds: tuple) -> list:
    return [word for kind in kinds for word in ("--synthesize", kind)]


def rows_of(result: dict) -> dict:
    return {row["group"]: row for row in result["validation"]}


def within(what: str, rows: list, target: float, more: str = "") -> None:
    """Within 10 %, the mean over seeds, beside the ceiling."""
    if not rows:
        return print(f"{what}: not measured")
    value = statistics.mean(row["within_10_percent"] for row in rows)
    ceiling = rows[0]["repeat_within_10_percent"]
    report(what, value, f"measurements repeat: {ceiling or 0:.1f} %; count {rows[0]['count']}, "
           f"MAPE {statistics.mean(row['mape_percent'] for row in rows):.1f} %{more}", digits=".3g",
           at_least=target)


def mape(what: str, row: dict, target: float) -> None:
    if row is None:
        return print(f"{what}: not measured")
    report(what, row["mape_percent"], f"count {row['count']}; measurements repeat within "
           f"{row['repeat_mape_percent'] or 0:.1f} % on average", digits=".3g", at_most=target)


def latencies(bench: Bench, samples: pathlib.Path) -> dict:
    """In steps of the core, as trainers compare them: the undisturbed time, under load the mean. Of
    (subject, signature, threads, load)."""
    exported = json.loads(bench.run(bench.bin / "adamec-profile", "--report", "--json", samples))
    result = {}
    for sample in exported["samples"]:
        context = sample["context"]
        load = context["cpu_load"]
        key = (sample["subject"], sample["signature"], context["threads"], load)
        result[key] = sample["mean_us" if load else "steady_us"] * sample["core_speed"]
    return result


def repeatability(bench: Bench, first: list, again: list) -> None:
    """How well whole runs of the tool repeat, which is more than what the visits of one run differ:
    above what any predictor can reach."""
    before, after = ({key: steps for samples in files for key, steps in latencies(bench, samples).items()}
                     for files in (first, again))
    groups = {}
    for key in sorted(before.keys() & after.keys()):
        subject, _, threads, load = key
        groups.setdefault((subject, threads, load), []).append(after[key] / before[key])
    for (subject, threads, load), ratios in groups.items():
        errors = [abs(ratio - 1) for ratio in ratios]
        report(f"measured again by another run, {subject.lower()}s, {threads} threads, "
               f"load {load:g}, % within 10 %", 100 * statistics.mean(error <= 0.1 for error in errors),
               f"differ by {100 * statistics.mean(errors):.1f} % on average, median ratio "
               f"{statistics.median(ratios):.3f}; count {len(ratios)}", digits=".1f")


def accuracy(bench: Bench, zoo: pathlib.Path, loaded: list) -> None:
    runs = [rows_of(bench.train([zoo], "--validate", "config", "--seed", seed)) for seed in SEEDS]
    pick = lambda group: [run[group] for run in runs if group in run]
    within("atoms, configurations left out, 1 thread, within 10 %", pick("1 thread"), 90)
    within("atoms, configurations left out, all threads, within 10 %", pick("all"), 80)
    parts = rows_of(bench.train([zoo], "--validate", "block"))
    within("blocks, 1 thread, within 10 %", [parts["blocks, 1 thread"]], 90,
           "; the blocks of a model left out, its atoms measured")
    within("blocks, every part left out, too, within 10 %", pick("blocks, 1 thread"), 90)
    within("whole models, 1 thread, within 10 %", [parts["models, 1 thread"]], 95,
           "; left out, their atoms measured")
    mape("whole models, 1 thread, MAPE", parts["models, 1 thread"], 5)
    html = bench.folder / "report.html"
    models = rows_of(bench.train([zoo], "--validate", "model", "--html", html))
    within("whole models, all their atoms left out, too, within 10 %",
           [models[g] for g in ["models, 1 thread"] if g in models], 95)
    mape("whole models, all their atoms left out, too, MAPE", models.get("models, 1 thread"), 5)
    print(f"  report: {html}")
    coverage = statistics.mean(row["p95_coverage_percent"] for row in pick("all"))
    report("measured below p95, %", coverage, digits=".3g", at_least=93, at_most=97)
    under_load = rows_of(bench.train([zoo, *loaded], "--validate", "block"))
    for group, row in under_load.items():
        if group.startswith("models, ") and "load" in group:
            mape(f"whole {group}, MAPE", row, 8)


def transfer(bench: Bench, zoo: pathlib.Path, narrow: pathlib.Path) -> None:
    base = bench.folder / "base.predictor"
    bench.run(bench.bin / "adamec-train", "-q", zoo, "-o", base)
    result = bench.train([narrow], "--base", base, "-o", bench.folder / "adapted.predictor")
    rows = {"adapted": result["validation"][-1], **result["transfer"]}
    for name, row in rows.items():
        record(f"transfer, {name.replace('_', ' ')}, % within 10 %", row["within_10_percent"],
               f"MAPE {row['mape_percent']:.1f} %")
    text = "; ".join(f"{name.replace('_', ' ')} {rows[name]['within_10_percent']:.0f} %, MAPE "
                     f"{rows[name]['mape_percent']:.1f} %"
                     for name in ("adapted", "unadapted", "from_scratch"))
    print(f"transfer from {rows['adapted']['count']} samples, left out, within 10 %: {text}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="archives and samples")
    parser.add_argument("--samples", type=pathlib.Path,
                        help="take these of the zoo, and measure nothing")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    bench = Bench(arguments.bin, arguments.folder)

    speed = json.loads(bench.run(arguments.bin / "predict_speed"))
    report(f"training on {speed['samples']} samples, CPU s", speed["train_s"],
           f"with cross-validation, wall {speed['train_and_validate_s']:.2f} s", at_most=2)
    report("one atom predicted, CPU us", speed["one_atom_us"], at_most=4)
    report(f"{speed['atoms']} atoms in 100 contexts, CPU s", speed["many_s"], digits=".3f",
           at_most=0.2)
    if arguments.samples:
        return accuracy(bench, arguments.samples, [])

    archives = bench.split()
    resnet = [archive for archive in archives if archive.name.startswith("resnet50.")]
    if resnet:
        timed = arguments.folder / "resnet50.samples"
        timed.unlink(missing_ok=True)
        start = time.perf_counter()
        bench.profile(resnet, timed.name)
        took = time.perf_counter() - start
        report("profiling ResNet-50 for one context, s", took, at_most=60)
    zoo = bench.profile(archives, "zoo.samples", "--threads", "1,2", "--budget", "36min",
                        *synthetic(SYNTHETIC))
    some = [archive for archive in archives if archive.name.split(".")[0] in LOADED]
    loaded = bench.profile(some, "loaded.samples", "--budget", "20min", *UNDER_LOAD)
    # Once more, later: whole runs differ by more than the visits of one. Under load, where they
    # differ most, what counts is the mean of both.
    again = bench.profile(archives, "again.samples", "--only", "*:*", "--budget", "6min")
    models = bench.profile(some, "again-loaded.samples", "--only", "*model:*", "--budget", "8min",
                           *UNDER_LOAD)
    narrow = bench.profile(archives, "narrow.samples", "--atoms-only", "--shard", "1/20",
                           environment=NARROW)
    accuracy(bench, zoo, [loaded, models])
    repeatability(bench, [zoo], [loaded, again])
    repeatability(bench, [loaded], [models])
    transfer(bench, zoo, narrow)


if __name__ == "__main__":
    main()

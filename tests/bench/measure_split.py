#!/usr/bin/python3
"""Times adamec-split against PyTorch and weighs the archives of the zoo; see scripts/bench."""

import argparse
import glob
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import zipfile

from figures import record, report
from timing import interleaved_medians, wall_seconds

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("ADAMEC_ZOO", ROOT / "models" / "cache"))
# Where Debian has the operators of torchvision, which detection models need.
LIBRARIES = {"torchvision": "/usr/lib/python3/dist-packages/torchvision/_C.*.so"}

# What people do anyway with a model: load it, run it once, save it. Timed inside a fresh process,
# as adamec-split is one; the import of PyTorch is left out.
REFERENCE = """
import sys, time, torch
x = torch.randn([int(size) for size in sys.argv[2].split(",")])
start = time.perf_counter()
model = torch.jit.load(sys.argv[1])
with torch.no_grad():
    model(x)
model.save(sys.argv[3])
print(time.perf_counter() - start)
"""


def weight_bytes(model: pathlib.Path) -> int:
    """Of the tensors in the file, packed weights included, each memory once."""
    with zipfile.ZipFile(model) as records:
        return sum(record.file_size for record in records.infolist()
                   if re.search(r"/(data|constants)/\d+$", record.filename))


def ask_python(program: str, *arguments: str) -> str:
    return subprocess.run([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE,
                          text=True, check=True).stdout


def split_command(split: str, model: pathlib.Path, inputs: list, archive: str,
                  library: str = "") -> list:
    libraries = glob.glob(LIBRARIES[library]) if library else []
    return [split, str(model), *(word for spec in inputs for word in ("--input", spec)),
            *(word for path in libraries for word in ("--load-library", path)), "-q", "-o", archive]


def measure_time(split: str, zoo: list, folder: str, rounds: int) -> None:
    entry = next(entry for entry in zoo if entry["name"] == "resnet50")
    model = CACHE / "resnet50.traced.pt"
    shape = entry["inputs"][0].partition("[")[2].rstrip("]")
    command = split_command(split, model, entry["inputs"], f"{folder}/resnet50.atoms")
    # The reference leaves out the start of Python and the import of PyTorch, so the start of the
    # process and the loading of LibTorch are taken off on our side; the whole process is shown too.
    whole, start, reference = interleaved_medians(
        [lambda: wall_seconds(command),
         lambda: wall_seconds([split, "--version"]),
         lambda: float(ask_python(REFERENCE, str(model), shape, f"{folder}/resnet50.pt"))], rounds)
    report("adamec-split of ResNet-50 / load, forward and save in PyTorch",
           (whole - start) / reference,
           f"{whole - start:.2f} s (cut and verified; without {start:.2f} s until LibTorch is "
           f"loaded) / {reference:.2f} s (in a fresh process, import not counted), medians of "
           f"{rounds} interleaved runs; whole process: {whole / reference:.2f}", at_most=3)


def measure_size(split: str, zoo: list, folder: str, forms: list) -> None:
    print(f"\n{'model':40} {'atoms':>6} {'weights':>12} {'archive':>12} {'of limit':>9} {'split':>8}")
    worst, failed, files = (0.0, ""), [], 0
    for entry in zoo:
        for form in (form for form in entry["forms"] if form in forms):
            committed = ROOT / "models" / f"{entry['name']}.{form}.pt"
            model = committed if entry.get("committed") else CACHE / committed.name
            files += 1
            archive = pathlib.Path(folder) / "model.atoms"
            start = time.perf_counter()
            command = split_command(split, model, entry["inputs"], str(archive),
                                    entry.get("library", ""))
            done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
            seconds = time.perf_counter() - start
            if done.returncode != 0:
                failed.append(model.name)
                print(f"{model.stem:40} {done.stderr.strip()}", flush=True)
                continue
            with zipfile.ZipFile(archive) as records:
                atoms = sum(name.startswith("atoms/") for name in records.namelist())
            if entry.get("library"):  # PyTorch would need it, too
                print(f"{model.stem:40} {atoms:6} {'':12} {archive.stat().st_size:12} {'':9} "
                      f"{seconds:6.1f} s", flush=True)
                continue
            weights = weight_bytes(model)
            share = archive.stat().st_size / (1.01 * weights + 4000 * atoms)
            worst = max(worst, (share, model.stem))
            record(f"{model.stem}: atoms", atoms)
            record(f"{model.stem}: archive, bytes", archive.stat().st_size, f"{weights} of weights")
            record(f"{model.stem}: adamec-split, s", seconds)
            print(f"{model.stem:40} {atoms:6} {weights:12} {archive.stat().st_size:12} "
                  f"{share:9.3f} {seconds:6.1f} s", flush=True)
            archive.unlink()
    if worst[1]:
        report("archive / (1.01 x the weights' bytes + 4 KB per atom)", worst[0],
               f"the largest of the zoo, {worst[1]}", digits=".3f", at_most=1)
    record("files of the zoo cut and bit-identical", files - len(failed), at_least=files)
    print(f"cut and bit-identical: {files - len(failed)} of {files} files"
          + (f"; not {', '.join(failed)}" if failed else ""))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", required=True, metavar="ADAMEC-SPLIT")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--forms", default="traced,scripted")
    options = parser.parse_args()
    zoo = json.loads((ROOT / "models" / "zoo.json").read_text())["models"]
    with tempfile.TemporaryDirectory() as folder:
        measure_time(options.split, zoo, folder, options.rounds)
        measure_size(options.split, zoo, folder, options.forms.split(","))


if __name__ == "__main__":
    main()

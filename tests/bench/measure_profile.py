#!/usr/bin/python3
"""Times adamec-profile on ResNet-50 in one context, as a whole process; see scripts/bench."""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile

from figures import report
from timing import wall_seconds

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("ADAMEC_ZOO", ROOT / "models" / "cache"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", required=True, metavar="ADAMEC-SPLIT")
    parser.add_argument("--profile", required=True, metavar="ADAMEC-PROFILE")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        archive, samples = f"{folder}/resnet50.atoms", f"{folder}/host.samples"
        wall_seconds([options.split, str(CACHE / "resnet50.traced.pt"), "--input",
                      "float32[1,3,224,224]", "-q", "-o", archive])
        seconds = wall_seconds([options.profile, archive, "-q", "-o", samples])
        exported = subprocess.run([options.profile, "--report", samples, "--json"],
                                  stdout=subprocess.PIPE, check=True).stdout
        measured = json.loads(exported)["samples"]
    atoms = sum(sample["subject"] == "ATOM" for sample in measured)
    agree = sum(abs(sample["even_steady_us"] - sample["odd_steady_us"]) <= 0.1 * sample["steady_us"]
                for sample in measured)
    report("profiling ResNet-50 for one context, seconds", seconds,
           f"{atoms} configurations of atoms, {len(measured) - atoms} blocks and whole models; "
           f"times repeat within 10 % for {100 * agree / len(measured):.0f} %", at_most=60)


if __name__ == "__main__":
    main()

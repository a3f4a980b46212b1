#!/usr/bin/python3
"""Cuts the traced networks of the zoo, those that are not cut yet, for other measurements."""

import argparse
import json
import pathlib
import subprocess
import sys

from measure_split import CACHE, ROOT, split_command


def cut_zoo(split: pathlib.Path, folder: pathlib.Path) -> list:
    """The archives, in the order of the zoo."""
    archives = []
    for entry in json.loads((ROOT / "models" / "zoo.json").read_text())["models"]:
        model = CACHE / f"{entry['name']}.traced.pt"
        archive = folder / f"{entry['name']}.traced.atoms"
        if model.exists() and not archive.exists():
            command = split_command(split, model, entry["inputs"], str(archive),
                                    entry.get("library", ""))
            done = subprocess.run([str(word) for word in command], stderr=subprocess.PIPE, text=True)
            if done.returncode != 0:
                sys.exit(f"{model}: exit code {done.returncode}: {done.stderr.strip()}")
        if archive.exists():
            archives.append(archive)
    return archives


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", type=pathlib.Path, required=True, metavar="ADAMEC-SPLIT")
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    cut_zoo(options.split, options.folder)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What measuring scripts share to say what they measured: a line on standard output, and, where
ADAMEC_FIGURES names a file, the same as a line of JSON there.

    figures.py LINES --commit ID -o FIGURES.json   joins the lines of all scripts; see
                                                  scripts/bench --json
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys

SCHEMA = 1  # of the JSON file; grows when a reader of the last one would misunderstand it


def record(name: str, value: float, detail: str = "", **target: float) -> None:
    """Keeps a figure for the JSON file and prints nothing: for the cells of tables. The target is
    at_most, at_least or both, or none."""
    path = os.environ.get("ADAMEC_FIGURES")
    if not path:
        return
    figure = {"script": pathlib.Path(sys.argv[0]).name, "name": name, "value": value}
    if target:
        figure |= {"target": target, "met": met(value, **target)}
    if detail:
        figure["detail"] = detail
    with open(path, "a", encoding="utf8") as file:
        file.write(json.dumps(figure) + "\n")


def met(value: float, at_most: float = float("inf"), at_least: float = float("-inf")) -> bool:
    return at_least <= value <= at_most


def report(name: str, value: float, detail: str = "", digits: str = ".2f", **target: float) -> None:
    """One figure beside its target: at_most, at_least or both; or none."""
    record(name, value, detail, **target)
    text = f"{name}: {value:{digits}}"
    if target:
        limits = (f"{target['at_least']:g} to {target['at_most']:g}" if len(target) == 2 else
                  "".join(f"{key.replace('_', ' ')} {limit:g}" for key, limit in target.items()))
        text += f" (target: {limits}, {'met' if met(value, **target) else 'MISSED'})"
    print(text + (f"; {detail}" if detail else ""), flush=True)


def first_line(path: str, key: str) -> str:
    """What /proc says after "key :", or nothing."""
    try:
        for line in open(path, encoding="utf8"):
            if line.split(":")[0].strip() == key:
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return ""


def host() -> dict:
    release = platform.freedesktop_os_release() if hasattr(platform, "freedesktop_os_release") else {}
    return {
        "cpu": first_line("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": 1024 * int(first_line("/proc/meminfo", "MemTotal").split()[0]),
        "load_average": os.getloadavg()[0],
        "system": release.get("PRETTY_NAME", ""),
        "kernel": platform.release(),
        "compiler": subprocess.run(["c++", "--version"], stdout=subprocess.PIPE,
                                   text=True).stdout.split("\n")[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Joins the figures of a run of scripts/bench.")
    parser.add_argument("lines", type=pathlib.Path, help="what ADAMEC_FIGURES named")
    parser.add_argument("--commit", default="", help="what was measured")
    parser.add_argument("--libtorch", default="", help="version; empty: the distribution's")
    parser.add_argument("-o", type=pathlib.Path, required=True, metavar="FIGURES.json")
    options = parser.parse_args()
    figures = [json.loads(line) for line in options.lines.read_text(encoding="utf8").splitlines()]
    document = {
        "schema": SCHEMA,
        "context": {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                    "commit": options.commit, "libtorch": options.libtorch or "distribution's",
                    "host": host()},
        "figures": figures,
    }
    partial = options.o.with_name(options.o.name + ".part")
    partial.write_text(json.dumps(document, indent=1) + "\n", encoding="utf8")
    partial.rename(options.o)


if __name__ == "__main__":
    main()

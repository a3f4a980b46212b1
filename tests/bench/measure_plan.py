#!/usr/bin/python3
"""Times adamec-plan as a whole process on cost graphs; see scripts/bench."""

import argparse
import pathlib
import subprocess
import sys
import tempfile

from figures import report
from timing import interleaved_medians, wall_seconds

HERE = pathlib.Path(__file__).resolve().parent


def cost_graph(folder: pathlib.Path, atoms: int) -> str:
    path = folder / f"costs{atoms}.json"
    with path.open("w") as output:
        subprocess.run([sys.executable, str(HERE / "make_cost_graph.py"), "--atoms", str(atoms),
                        "--seed", "1"], stdout=output, check=True)
    return str(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", required=True, metavar="ADAMEC-PLAN")
    parser.add_argument("--rounds", type=int, default=31)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        def planning(atoms: int):
            command = [options.plan, "--costs", cost_graph(pathlib.Path(folder), atoms),
                       "--format", "json", "-q"]
            return lambda: wall_seconds(command)

        python, small, large = interleaved_medians(
            [lambda: wall_seconds([sys.executable, "-c", "pass"]), planning(1000),
             planning(10000)], options.rounds)
        largest = wall_seconds([options.plan, "--costs", cost_graph(pathlib.Path(folder), 100000),
                                "--format", "json", "-q"])
    rounds = f"medians of {options.rounds} interleaved whole processes"
    report("adamec-plan with 1000 atoms / start of Python", small / python,
           f"{1e3 * small:.1f} ms / {1e3 * python:.1f} ms, {rounds}", at_most=2)
    report("adamec-plan with 10,000 atoms / with 1000", large / small,
           f"{1e3 * large:.1f} ms / {1e3 * small:.1f} ms, {rounds}", at_most=15)
    report("adamec-plan with 1000 atoms, ms", 1e3 * small, rounds, at_most=10)
    report("adamec-plan with 100,000 atoms, seconds", largest,
           f"one whole process; {largest / large:.1f} times 10,000 atoms", at_most=2)


if __name__ == "__main__":
    main()

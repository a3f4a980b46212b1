"""What the measuring scripts share: interleaved runs, medians, lines of figures."""

import os
import statistics
import subprocess
import sys
import time


def wall_seconds(command: list) -> float:
    """Runs a whole process, its standard output thrown away. Ends the script when it fails."""
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr.strip()}")
    return seconds


def interleaved_medians(measurements: list, rounds: int) -> list:
    """Calls each function (returning seconds) once per round, in turn: the machine's slow and fast
    moments fall on all of them. What one has written but left to the system to put on the disk is
    there before the next begins. The first round warms up and is not counted."""
    seconds = [[] for _ in measurements]
    for turn in range(rounds + 1):
        for place, measure in enumerate(measurements):
            os.sync()
            value = measure()
            if turn > 0:
                seconds[place].append(value)
    return [statistics.median(values) for values in seconds]

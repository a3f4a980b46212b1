#!/usr/bin/env python3
"""Tests of figures.py: what a measuring script reports is what scripts/bench --json writes."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

FIGURES = pathlib.Path(__file__).resolve().parent / "figures.py"
SCRIPT = """
from figures import record, report
report("start, ms", 4.25, "median of 3", at_most=5)
report("atoms", 19, digits="d", at_least=20)
report("covered, %", 95, at_least=93, at_most=97)
report("slowest stage, ms", 3354.29)
record("a cell of a table", 0.5)
"""
PRINTED = """\
start, ms: 4.25 (target: at most 5, met); median of 3
atoms: 19 (target: at least 20, MISSED)
covered, %: 95.00 (target: 93 to 97, met)
slowest stage, ms: 3354.29
"""


class Figures(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def measure(self, **environment) -> str:
        script = self.path / "measure_something.py"
        script.write_text(SCRIPT)
        return subprocess.run([sys.executable, str(script)], stdout=subprocess.PIPE, text=True,
                              check=True, env={"PYTHONPATH": str(FIGURES.parent),
                                               "PYTHONDONTWRITEBYTECODE": "1", **environment}).stdout

    def test_prints_each_figure_beside_its_target(self):
        self.assertEqual(self.measure(), PRINTED)

    def test_json_has_commit_host_and_every_figure(self):
        lines, document = self.path / "lines", self.path / "figures.json"
        self.assertEqual(self.measure(ADAMEC_FIGURES=str(lines)), PRINTED)
        subprocess.run([sys.executable, str(FIGURES), str(lines), "--commit", "abc", "-o",
                        str(document)], check=True)
        written = json.loads(document.read_text())
        self.assertEqual(written["schema"], 1)
        self.assertEqual(written["context"]["commit"], "abc")
        self.assertGreater(written["context"]["host"]["cores"], 0)
        self.assertGreater(written["context"]["host"]["memory_bytes"], 0)
        self.assertEqual(written["figures"], [
            {"script": "measure_something.py", "name": "start, ms", "value": 4.25,
             "target": {"at_most": 5}, "met": True, "detail": "median of 3"},
            {"script": "measure_something.py", "name": "atoms", "value": 19,
             "target": {"at_least": 20}, "met": False},
            {"script": "measure_something.py", "name": "covered, %", "value": 95,
             "target": {"at_least": 93, "at_most": 97}, "met": True},
            {"script": "measure_something.py", "name": "slowest stage, ms", "value": 3354.29},
            {"script": "measure_something.py", "name": "a cell of a table", "value": 0.5},
        ])


if __name__ == "__main__":
    unittest.main()

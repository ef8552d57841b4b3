#!/usr/bin/env python3
"""Builds and runs the example client of a language against a real rondo-server, as its README says.

    languages_test.py BIN_DIR go|typescript|java [unittest arguments]

Exit code 77: this machine lacks a tool of the language; which, is said. The builds fetch packages from its registry.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from running_server import RunningServer

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else ROOT / "build/release/bin"
LANGUAGE = sys.argv.pop(1) if len(sys.argv) > 1 else "go"

# What the READMEs ask for: a command that prints a version, and the least that will do.
TOOLS = {
    "go": [("go version", (1, 24)), ("protoc --version", (3, 15))],
    "typescript": [("node --version", (20,)), ("npm --version", (9,))],
    "java": [("javac -version", (17,)), ("mvn --version", (3, 8))],
}
MADE_BY_A_BUILD = shutil.ignore_patterns("bin", "build", "generated", "node_modules", "rondov1", "target")


def missing_tool(language):
    for command, wanted in TOOLS[language]:
        least = "%s: wanted %s or newer" % (command, ".".join(map(str, wanted)))
        if shutil.which(command.split()[0]) is None:
            return least
        said = subprocess.run(command.split(), capture_output=True, text=True, check=False, cwd="/")
        version = re.search(r"\d+(\.\d+)*", re.sub(r"\x1b\[\d*m", "", said.stdout))  # Maven writes in bold
        if version is None or tuple(map(int, version.group().split("."))) < wanted:
            return "%s; it says %r" % (least, said.stdout + said.stderr)
    return None


def weather(first, last):
    """The rows of the demo's table from one date to another, under its header."""
    header, *rows = (ROOT / "deploy/demo/seattle-weather.csv").read_text().splitlines()
    return "\n".join([header, *(row for row in rows if first <= row.split(",")[0] <= last)]) + "\n"


class ExampleTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        # A copy, so that the tree stays clean; where it lies to proto/ is as in the tree.
        shutil.copytree(ROOT / "proto", pathlib.Path(folder.name) / "proto")
        cls.example = pathlib.Path(folder.name) / "client/examples" / LANGUAGE
        shutil.copytree(ROOT / "client/examples" / LANGUAGE, cls.example, ignore=MADE_BY_A_BUILD)
        server = RunningServer(BIN)
        cls.addClassCleanup(server.stop)
        cls.environment = dict(os.environ, RONDO_SERVER=server.address)

    def rondo(self, *arguments, **options):
        return subprocess.run([BIN / "rondo", *arguments], env=self.environment, capture_output=True, text=True,
                              check=True, timeout=60, **options).stdout.splitlines()

    def run_example(self, *arguments):
        return subprocess.run([self.example / "run.sh", *arguments], env=self.environment, capture_output=True,
                              text=True, check=False, timeout=600)

    def test_it_prints_what_rondo_predicts_and_ends_its_session(self):
        done = self.run_example()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        table = self.rondo("predict", "seattle", "--input=-", input=weather("2015-01-01", "2015-01-03"))
        expected = [[float(value) for value in row.split(",")[1:]] for row in table[1:]]
        lines = [re.match(r"day (\d): tomorrow (.*)", line).groups() for line in done.stdout.splitlines()]
        self.assertEqual([day for day, _ in lines], ["1", "2", "3"])
        for (day, printed), values in zip(lines, expected, strict=True):
            for shown, value in zip(re.findall(r"[-+.\de]+", printed), values, strict=True):
                self.assertAlmostEqual(float(shown), value, delta=1e-5, msg=f"day {day}")
        self.assertEqual(len(self.rondo("sessions", "list")), 1)  # the header

    def test_an_unknown_model_ends_it_with_the_reason(self):
        done = self.run_example("nosuch")
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertRegex(done.stderr, r'(?i)not_?found.*no model "nosuch"')


if __name__ == "__main__":
    lacking = missing_tool(LANGUAGE)
    if lacking:
        print(f"skipped: {lacking}")
        sys.exit(77)
    unittest.main()

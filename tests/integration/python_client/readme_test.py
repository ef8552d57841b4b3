"""The example of client/python/README.md as pasted, and the example program."""

import os
import pathlib
import re
import struct
import subprocess
import sys
import unittest

from server_process import ROOT, SEATTLE, ServerProcess

FOLDER = pathlib.Path(os.environ["RONDO_TEST_FOLDER"])


class ReadmeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = ServerProcess(repository=SEATTLE)
        cls.addClassCleanup(cls.server.close)

    def python(self, *arguments):
        environment = {**os.environ, "RONDO_SERVER": self.server.address, "MPLCONFIGDIR": str(FOLDER)}
        environment.pop("PYTHONPATH")
        done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=120,
                              cwd=FOLDER, env=environment)  # fmt: skip
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_every_example_of_the_readme_works_as_pasted(self):
        examples = re.findall(r"```python\n(.*?)```", (ROOT / "client/python/README.md").read_text(), re.DOTALL)
        self.assertGreaterEqual(len(examples), 1)
        self.assertLessEqual(len(examples[0].splitlines()), 15)
        for example in examples:
            self.assertNotEqual(self.python("-c", example), "")

    def test_the_live_forecast_is_drawn(self):
        picture = FOLDER / "forecast.png"
        printed = self.python(ROOT / "client/python/examples/live_forecast.py", "--output", picture)
        self.assertIn("mean absolute error", printed)
        content = picture.read_bytes()
        self.assertEqual(content[:8], b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", content[16:24])
        self.assertGreater(min(width, height), 400)

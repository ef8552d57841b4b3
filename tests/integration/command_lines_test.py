#!/usr/bin/env python3
"""What the programs say to a wrong command line, to --help and to --version.

usage: command_lines_test.py BIN, the folder with the built programs
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

BIN = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else None

# A command line that says everything a program needs; nothing answers at the address.
COMPLETE = {
    "rondo-server": ["--model=no-such-file.safetensors"],
    "rondo": ["--server=127.0.0.1:1", "predict", "seattle", "--input=-"],
    "rondo-train": ["--data=no-such-file.csv", "--target=x", "--output=no-such-folder/1"],
    "rondo-load": ["--server=127.0.0.1:1", "--model=m"],
    "rondo-convert": ["no-such-file.onnx"],
}

# What is wrong, the program, what is said after the program's name, its arguments.
ADDED, INSTEAD = "beside what the program needs", "alone"
WRONG = [
    ("unknown flag", "rondo-server", ADDED, ["--max_sesions=5"], "unknown flag '--max_sesions': .*'--max_sessions'"),
    ("unknown flag", "rondo", ADDED, ["--inptu=-"], "unknown flag '--inptu': .*'--input'"),
    ("unknown flag", "rondo-train", ADDED, ["--epoch=5"], "unknown flag '--epoch': .*'--epochs'"),
    ("unknown flag", "rondo-load", ADDED, ["--steams=5"], "unknown flag '--steams': .*'--streams'"),
    ("unknown flag", "rondo-convert", ADDED, ["--chekc=x"], "unknown flag '--chekc': .*'--check'"),
    ("wrong value", "rondo-convert", ADDED, ["--dimension=samples"], "--dimension=samples: wanted NAME=N"),
    ("out of bounds", "rondo-convert", ADDED, ["--dimension=samples=0"], "--dimension=samples=0: wanted NAME=N, .*1 to"),
    ("value missing", "rondo-convert", ADDED, ["--check", "--name=x"], "--check has no value: wanted"),
    ("missing required", "rondo-convert", INSTEAD, [], "no file: wanted the file to convert"),
    ("stray argument", "rondo-convert", ADDED, ["b.onnx"], "two files, 'no-such-file.onnx' and 'b.onnx': wanted one"),
    ("wrong value", "rondo-server", ADDED, ["--max_streams=none"],
     "--max_streams=none: wanted a whole number, 1 to 1000000"),
    ("wrong value", "rondo-server", ADDED, ["--durability=always"], "--durability=always: wanted interval or every_reply"),
    ("wrong value", "rondo-server", ADDED, ["--deterministic=maybe"], "--deterministic=maybe: wanted true or false"),
    ("wrong value", "rondo", ADDED, ["--timeout=soon"], "--timeout=soon: wanted a duration"),
    ("wrong value", "rondo-train", ADDED, ["--cell=elman"], "--cell=elman: wanted lstm, gru or rnn"),
    ("wrong value", "rondo-train", ADDED, ["--learning_rate=fast"], "--learning_rate=fast: wanted a number"),
    ("wrong value", "rondo-load", ADDED, ["--rate=much"], "--rate=much: wanted a number, 0 to 1000000"),
    ("wrong value", "rondo-load", ADDED, ["--duration=10"], "--duration=10: wanted a duration"),
    ("wrong value", "rondo-server", ADDED, ["--weights=f16"], "--weights=f16: wanted model, f32, bf16 or int8"),
    ("wrong value", "rondo-load", ADDED,
     ["--protocol=open_inference", "--input_tensor=x", "--output_tensor=y", "--input_shape=1,0"],
     "--input_shape=1,0: wanted whole numbers with commas between"),
    ("missing required", "rondo-load", ADDED, ["--protocol=open_inference", "--input_tensor=x"],
     "--input_tensor, --input_shape, --output_tensor: wanted all three or none"),
    ("out of bounds", "rondo-server", ADDED, ["--loops=500"], "--loops=500: wanted a whole number, 1 to 256, or 0"),
    ("out of bounds", "rondo-server", ADDED, ["--idle_timeout=200h"],
     "--idle_timeout=200h: wanted at most --max_idle_timeout=168h"),
    ("out of bounds", "rondo", INSTEAD, ["forecast", "m", "--session=a", "--horizon=0"],
     "--horizon=0: wanted a whole number, 1 to"),
    ("out of bounds", "rondo-train", ADDED, ["--dropout=2"], "--dropout=2: wanted a number, 0 to 0.9"),
    ("out of bounds", "rondo-train", ADDED, ["--search=-1"], "--search=-1: wanted a whole number, 0 to 100000"),
    ("out of bounds", "rondo-train", ADDED, ["--search_time=-1s"], "--search_time=-1s: wanted a duration"),
    ("two that exclude each other", "rondo-train", ADDED, ["--search=2", "--resume"], "--resume: wanted no --search"),
    ("out of bounds", "rondo-load", ADDED, ["--streams=0"], "--streams=0: wanted a whole number, 1 to 100000"),
    ("missing required", "rondo-server", INSTEAD, [], "neither --model nor .*: wanted exactly one of --model=FILE"),
    ("missing required", "rondo", INSTEAD, ["predict", "seattle"], "--input is missing: wanted --input=FILE"),
    ("missing required", "rondo", INSTEAD, [], "no command: wanted one of models, predict"),
    ("missing required", "rondo", INSTEAD, ["predict", "--input=-"], "MODEL is missing: wanted 'rondo predict MODEL"),
    ("missing required", "rondo-train", INSTEAD, ["--data=x.csv", "--target=x"], "--output is missing: wanted the folder"),
    ("missing required", "rondo-train", INSTEAD, ["--data=x.csv", "--output=x"], "--target is missing: wanted the columns"),
    ("missing required", "rondo-load", INSTEAD, [], "--model is missing: wanted --model=NAME"),
    ("stray argument", "rondo-server", ADDED, ["weather"], "'weather' is no option: wanted --NAME=VALUE, as --model=weather"),
    ("stray argument", "rondo", ADDED, ["weather"], "'weather' is one word too many: wanted 'rondo predict MODEL"),
    ("stray argument", "rondo-train", ADDED, ["weather"], "'weather' is no option: wanted --NAME=VALUE"),
    ("stray argument", "rondo-load", ADDED, ["weather"], "'weather' is no option: wanted --NAME=VALUE"),
    ("value missing", "rondo-server", ADDED, ["--max_streams"], "--max_streams has no value: wanted a whole number"),
    ("value missing", "rondo", ADDED, ["--session"], "--session has no value: wanted ID"),
    ("value missing", "rondo-train", ADDED, ["--epochs", "--resume"], "--epochs has no value: wanted a whole number"),
    ("value missing", "rondo-load", ADDED, ["--rate"], "--rate has no value: wanted a number"),
    ("no such file of flags", "rondo-server", ADDED, ["--flagfile=/no/such"], "--flagfile=/no/such: wanted a file"),
    ("no such file of flags", "rondo-train", ADDED, ["--config=/no/such"], "--config=/no/such: wanted a file"),
    ("a line break", "rondo-load", ADDED, ["--streams=1\n2"], r"--streams=1\?2: wanted a whole number"),
]


class CommandLinesTest(unittest.TestCase):
    def run_program(self, program, *arguments):
        with tempfile.TemporaryDirectory() as folder:  # a program that would start after all writes nothing elsewhere
            return subprocess.run([BIN.resolve() / program, *arguments], capture_output=True, text=True, timeout=60,
                                  stdin=subprocess.DEVNULL, cwd=folder)

    def test_a_wrong_command_line_is_exit_code_2_and_one_line(self):
        for what, program, where, arguments, said in WRONG:
            with self.subTest(what, program=program, arguments=arguments):
                done = self.run_program(program, *(COMPLETE[program] if where == ADDED else []), *arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                self.assertRegex(done.stderr, f"^{program}: {said}")

    def test_each_kind_of_mistake_is_tried_with_each_program(self):
        tried = {(what, program) for what, program, *_ in WRONG}
        for what in ("unknown flag", "wrong value", "out of bounds", "missing required", "stray argument",
                     "value missing"):
            for program in COMPLETE:
                self.assertIn((what, program), tried)

    def test_a_complete_command_line_fails_for_what_is_not_there(self):
        for program, arguments in COMPLETE.items():
            with self.subTest(program):
                self.assertEqual(self.run_program(program, *arguments).returncode, 1)

    def test_help_groups_the_flags_in_lines_that_fit_and_shows_no_path_of_the_build(self):
        for program, commands in (("rondo-server", [[]]), ("rondo-train", [[]]), ("rondo-load", [[]]), ("rondo-convert", [[]]),
                                  ("rondo-echo", [[]]), ("rondo", [[], ["predict"], ["sessions", "import"]])):
            for command in commands:
                with self.subTest(program, command=command):
                    done = self.run_program(program, *command, "--help")
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    self.assertLessEqual(max(map(len, done.stdout.splitlines())), 100)
                    self.assertNotRegex(done.stdout, r"\.cc|\.\./|" + re.escape(os.getcwd()))
                    self.assertRegex(done.stdout, r"\n\n[A-Z][^\n]*:\n  --\w+")

    def test_version_names_the_program(self):
        for program in COMPLETE:
            done = self.run_program(program, "--version")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertRegex(done.stdout, rf"^{program} \d+\.\d+")


if __name__ == "__main__":
    unittest.main()

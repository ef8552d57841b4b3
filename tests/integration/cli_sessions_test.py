#!/usr/bin/env python3
"""Runs the real `rondo` against a real `rondo-server`: what it does with sessions and their states.

    cli_sessions_test.py BIN_DIR [unittest arguments]
"""

import os
import pathlib
import pty
import subprocess
import tempfile
import unittest

from command_line_case import CommandLineCase


class CliSessionsTest(CommandLineCase):
    def test_a_session_continues(self):
        self.assertEqual(self.answer("predict", "sum", "--input=-", "--session=go", stdin="x\n1\n2\n"), "sum\n1\n3\n")
        self.assertEqual(self.answer("predict", "sum", "--input=-", "--session=go", stdin="x\n4\n"), "sum\n7\n")
        shown = self.answer("sessions", "show", "go").splitlines()
        self.assertTrue(shown[1].startswith("go,sum,1,3,"), shown)
        self.assertEqual(self.answer("sessions", "delete", "go"), "")
        self.assertIn("NOT_FOUND", self.refusal("sessions", "show", "go"))

    def test_many_sessions_are_deleted_by_prefix(self):
        self.answer("sessions", "delete_many", "--all")  # those of other tests
        for session in ("pump-1", "pump-2", "fan"):
            self.answer("predict", "sum", "--input=-", f"--session={session}", stdin="x\n1\n")
        self.assertEqual(self.answer("sessions", "delete_many", "--prefix=pump-"), "deleted\n2\n")
        self.assertEqual(self.sessions(), ["fan"])
        self.assertIn("neither prefix nor model is given", self.refusal("sessions", "delete_many"))
        self.assertEqual(self.answer("sessions", "delete_many", "--all"), "deleted\n1\n")

    def test_a_stream_begins_a_session_that_has_ended_only_when_told_to(self):
        stream = ("stream", "sum", "--session=over")
        self.assertEqual(self.answer(*stream, "--idle_timeout=90s", stdin="x\n1\n"), "sum\n1\n")
        self.assertEqual(self.answer("sessions", "show", "over").splitlines()[1].split(",")[-1], "90")
        code, out, err = self.rondo(*stream, "--idle_timeout=2h", stdin="x\n2\n")
        self.assertEqual((code, out), (0, "sum\n3\n"))
        self.assertIn("session 'over' lives, and keeps its idle timeout of 1m30s", err)
        self.answer("sessions", "delete", "over")
        err = self.refusal(*stream, stdin="x\n1\n", code=3)
        self.assertIn("session 'over' ended: deleted by its owner; --anew begins it again, at zero state", err)
        code, out, err = self.rondo(*stream, "--anew", stdin="x\n4\n")
        self.assertEqual((code, out), (0, "sum\n4\n"))
        self.assertIn("it begins anew at zero state", err)
        self.answer("sessions", "delete", "over")

    def test_sessions_are_listed_by_model(self):
        self.answer("predict", "sum", "--input=-", "--session=s", stdin="x\n1\n")
        self.answer("predict", "two", "--input=-", "--session=t", stdin="x,y\n1,1\n")
        listed = self.answer("sessions", "list", "--model=two").splitlines()
        self.assertEqual([row.split(",")[0] for row in listed], ["session", "t"])
        self.answer("sessions", "delete", "s")
        self.answer("sessions", "delete", "t")

    def test_a_session_of_another_model_is_refused(self):
        self.answer("predict", "sum", "--input=-", "--session=mine", stdin="x\n1\n")
        err = self.refusal("predict", "two", "--input=-", "--session=mine", stdin="x,y\n1,1\n")
        self.assertIn("belongs to model 'sum'", err)
        self.answer("sessions", "delete", "mine")

    def test_a_session_goes_into_a_file_and_comes_out_again(self):
        self.answer("predict", "sum", "--input=-", "--session=from", stdin="x\n1\n2\n")
        with tempfile.TemporaryDirectory() as folder:
            state = pathlib.Path(folder) / "state"
            self.assertEqual(self.answer("sessions", "export", "from", "--output=%s" % state), "")
            self.answer("predict", "sum", "--input=-", "--session=from", stdin="x\n100\n")
            imported = self.answer("sessions", "import", str(state), "--session=to").splitlines()
            self.assertEqual(imported[0], "session,model,version,position,idle_seconds,idle_timeout_seconds")
            self.assertTrue(imported[1].startswith("to,sum,1,2,"), imported)
            self.assertIn("ALREADY_EXISTS", self.refusal("sessions", "import", str(state)))
            self.answer("sessions", "delete", "from")
            self.assertIn("from,sum,1,2,", self.answer("sessions", "import", str(state)))
            # Over itself, atomically: a link stays a link, and nothing else is left in the folder.
            link = pathlib.Path(folder) / "link"
            link.symlink_to("state")
            self.answer("predict", "sum", "--input=-", "--session=from", stdin="x\n7\n")
            before = state.read_bytes()
            self.answer("sessions", "export", "from", "--output=%s" % link)
            self.assertTrue(link.is_symlink())
            self.assertNotEqual(state.read_bytes(), before)
            self.assertIn("NOT_FOUND", self.refusal("sessions", "export", "nobody", "--output=%s" % state))
            self.assertNotEqual(state.read_bytes(), b"")
            self.assertEqual(sorted(os.listdir(folder)), ["link", "state"])
            damaged = bytearray(state.read_bytes())
            damaged[100] ^= 1
            state.write_bytes(damaged)
            self.assertIn("DATA_LOSS", self.refusal("sessions", "import", str(state), "--session=bad"))
            self.assertIn("cannot write", self.refusal("sessions", "export", "to", "--output=%s/no/x" % folder))
            self.assertIn("cannot open", self.refusal("sessions", "import", "%s/no" % folder))
        self.assertEqual(self.answer("predict", "sum", "--input=-", "--session=to", stdin="x\n4\n"), "sum\n7\n")
        self.answer("sessions", "delete", "from")
        self.answer("sessions", "delete", "to")

    def test_a_session_goes_through_a_pipe(self):
        self.answer("predict", "sum", "--input=-", "--session=piped", stdin="x\n5\n")
        done = subprocess.run(self.command("sessions", "export", "piped", "--output=-"), capture_output=True,
                              timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        done = subprocess.run(self.command("sessions", "import", "-", "--session=out"), input=done.stdout,
                              capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(self.answer("predict", "sum", "--input=-", "--session=out", stdin="x\n1\n"), "sum\n6\n")
        self.answer("sessions", "export", "piped", "--output=/dev/null")
        self.assertTrue(pathlib.Path("/dev/null").is_char_device())
        self.answer("sessions", "delete", "piped")
        self.answer("sessions", "delete", "out")

    def test_a_state_does_not_go_to_a_terminal(self):
        controller, terminal = pty.openpty()
        done = subprocess.run(self.command("sessions", "export", "any", "--output=-"), stdout=terminal,
                              stderr=subprocess.PIPE, text=True, timeout=60)
        os.close(terminal)
        os.close(controller)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is a terminal", done.stderr)

    def test_a_fork_goes_its_own_way(self):
        self.answer("predict", "sum", "--input=-", "--session=trunk", stdin="x\n5\n")
        self.assertIn("branch,sum,1,1,", self.answer("sessions", "fork", "trunk", "--as=branch"))
        self.assertEqual(self.answer("predict", "sum", "--input=-", "--session=branch", stdin="x\n1\n"), "sum\n6\n")
        self.assertEqual(self.answer("predict", "sum", "--input=-", "--session=trunk", stdin="x\n2\n"), "sum\n7\n")
        self.assertIn("ALREADY_EXISTS", self.refusal("sessions", "fork", "trunk", "--as=branch"))
        unnamed = self.answer("sessions", "fork", "trunk").splitlines()[1].split(",")[0]
        self.assertEqual(len(unnamed), 32)
        for session in ("trunk", "branch", unnamed):
            self.answer("sessions", "delete", session)

    def test_a_bad_row_says_how_far_the_session_came(self):
        err = self.refusal("predict", "sum", "--input=-", "--session=half", stdin="x\n" + "1\n" * 300 + "one\n")
        self.assertIn("row 301, column 'x': 'one'", err)
        self.assertIn("rows 1 to 256 have run; session 'half' is at 256", err)
        self.answer("sessions", "delete", "half")

    def test_a_bad_row_in_a_long_table_leaves_no_session(self):
        self.refusal("predict", "sum", "--input=-", stdin="x\n" + "1\n" * 300 + "one\n")
        self.assertEqual(self.sessions(), [])

    def test_the_position_is_remarked_on_a_terminal_only(self):
        for expected in ("session 'tty' starts at 0", "session 'tty' continues at 1"):
            controller, terminal = pty.openpty()
            done = subprocess.run(self.command("stream", "sum", "--session=tty"), input="x\n1\n", stderr=terminal,
                                  stdout=subprocess.PIPE, text=True, timeout=60)
            os.close(terminal)
            self.assertEqual(done.returncode, 0)
            self.assertIn(expected, os.read(controller, 4096).decode())
            os.close(controller)
        self.answer("sessions", "delete", "tty")

    def test_forecast_feeds_back_and_does_not_move_the_session(self):
        self.answer("predict", "sum", "--input=-", "--session=fc", stdin="x\n3\n")
        for _ in range(2):
            self.assertEqual(self.answer("forecast", "sum", "--session=fc", "--horizon=4"),
                             "step,sum\n1,3\n2,6\n3,12\n4,24\n")
        self.answer("sessions", "delete", "fc")
        self.assertIn("NOT_FOUND", self.refusal("forecast", "sum", "--session=fc", "--horizon=4"))

    def test_generate_moves_a_session_only_if_it_is_told_to(self):
        greedy = ("--session=gen", "--temperature=0", "--max_tokens=2")
        self.assertEqual(self.answer("generate", "verse", "--move", "--prompt=a", *greedy), "bc")
        for _ in range(2):
            self.assertEqual(self.answer("generate", "verse", *greedy), "d\n")
        self.assertEqual(self.answer("generate", "verse", "--move", *greedy), "d\n")
        self.assertIn("gen,verse,1,5,", self.answer("sessions", "show", "gen"))
        self.answer("sessions", "delete", "gen")


if __name__ == "__main__":
    unittest.main()

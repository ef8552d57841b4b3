#!/usr/bin/env python3
"""Runs the real `rondo` against a real `rondo-server`.

    cli_test.py BIN_DIR [unittest arguments]

Its models are small enough to know every answer: an RNN with relu and weights of one answers the running sum of its
inputs, as h = relu(x + h).
"""

import contextlib
import os
import pathlib
import pty
import signal
import subprocess
import sys
import tempfile
import unittest

from running_server import RunningServer
from small_models import write_chain_model, write_model, write_sum_model

BIN = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else pathlib.Path("build/release/bin")


def write_letters_model(repository):
    """Two tokens, and a probability of one half for each."""
    write_model(repository, "letters", {
        "format": 1, "cell": "rnn", "activation": "relu", "inputs": {"tokens": 2}, "head": "softmax",
        "outputs": [{"name": "a"}, {"name": "b"}],
    }, {
        "embedding.weight": ([2, 1], [0.0, 0.0]),
        "rnn.weight_ih_l0": ([1, 1], [1.0]),
        "rnn.weight_hh_l0": ([1, 1], [1.0]),
        "rnn.bias_ih_l0": ([1], [0.0]),
        "rnn.bias_hh_l0": ([1], [0.0]),
        "head.weight": ([2, 1], [0.0, 0.0]),
        "head.bias": ([2], [0.0, 0.0]),
    })


class CliTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        repository = pathlib.Path(cls.folder.name)
        write_sum_model(repository, "sum", ["x"])
        write_sum_model(repository, "two", ["x", "y"])
        write_sum_model(repository, "clock", ["x"], calendar=["hour"])
        write_sum_model(repository, "far", ["x"], horizon=2)
        write_letters_model(repository)
        write_chain_model(repository, "verse", "abcd\n")
        broken = repository / "broken" / "1"
        broken.mkdir(parents=True)
        (broken / "model.safetensors").write_text("nonsense")
        cls.server = RunningServer(BIN, repository=repository)
        cls.address = cls.server.address

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.folder.cleanup()

    def command(self, *arguments):
        return [BIN / "rondo", "--server=" + self.address, *arguments]

    def rondo(self, *arguments, stdin=""):
        """(exit code, stdout, stderr)"""
        done = subprocess.run(self.command(*arguments), input=stdin, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def answer(self, *arguments, stdin=""):
        code, out, err = self.rondo(*arguments, stdin=stdin)
        self.assertEqual((code, err), (0, ""))
        return out

    def refusal(self, *arguments, stdin="", code=1):
        got, _, err = self.rondo(*arguments, stdin=stdin)
        self.assertEqual(got, code, err)
        return err

    def sessions(self):
        return [line.split(",")[0] for line in self.answer("sessions", "list").splitlines()[1:]]

    def test_models_are_listed(self):
        rows = self.answer("models").splitlines()
        self.assertTrue(rows[0].startswith("model,version,cell,"))
        self.assertTrue(rows[0].endswith(",kernel,deterministic,quantiles,state,reason"))
        self.assertEqual([row.split(",")[0] for row in rows[1:]], ["broken", "clock", "far", "letters", "sum", "two", "verse"])
        self.assertRegex(rows[1], r'^broken,1,,0,0,,,0,,,,,unavailable,"?model ""broken"" version 1: ')
        self.assertIn("clock,1,rnn,1,1,x time,sum,1,linear,", rows[2])
        self.assertRegex(rows[2], r",linear,[^,]+,(yes|no),,ready,$")

    def test_the_elements_of_a_network_are_listed(self):
        rows = self.answer("models", "--graph=sum").splitlines()
        self.assertEqual(rows[0], "element,type,of,channels,length,parameters,state,kernel,attributes")
        self.assertEqual([row.split(",")[:3] for row in rows[1:]],
                         [["encoder", "standardise", "input"], ["rnn_l0", "rnn", "encoder"], ["head", "dense", "rnn_l0"]])
        self.assertIn('""activation"":""relu""', rows[2])
        self.assertRegex(rows[1], ",rondo/plain,")
        self.assertRegex(rows[2], ",(rondo|onednn)/[a-z0-9_:]+,")
        self.assertRegex(rows[3], ",rondo/[a-z0-9]+,")
        self.assertIn("no_such", self.refusal("models", "--graph=no_such"))

    def test_the_server_can_come_from_the_environment(self):
        done = subprocess.run([BIN / "rondo", "models"], env={**os.environ, "RONDO_SERVER": self.address},
                              capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0)

    def test_a_row_in_is_a_row_out(self):
        out = self.answer("predict", "two", "--input=-", stdin="y,name,x\n1,a,0.1\n2,b,3\n")
        self.assertEqual(out, "sum\n1.1\n6.1\n")
        self.assertEqual(self.sessions(), [])

    def test_a_table_of_a_header_only_has_no_predictions(self):
        self.assertEqual(self.answer("predict", "sum", "--input=-", stdin="x\n"), "sum\n")

    def test_a_long_table_equals_the_whole_sequence_and_leaves_no_session(self):
        for rows in (255, 256, 257, 1000):
            with tempfile.NamedTemporaryFile("w", suffix=".csv") as table:
                table.write("x\n" + "1\n" * rows)
                table.flush()
                out = self.answer("predict", "sum", "--input=" + table.name)
            self.assertEqual(out.split(), ["sum"] + [str(n) for n in range(1, rows + 1)])
            self.assertEqual(self.sessions(), [])

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

    def test_times_go_first_and_are_kept_as_they_are(self):
        table = "x,date\n1,2015-01-31\n2,2015-02-01T00:00:00+01:00\n"
        expected = "date,sum\n2015-01-31,1\n2015-02-01T00:00:00+01:00,3\n"
        self.assertEqual(self.answer("predict", "clock", "--input=-", stdin=table), expected)
        self.assertEqual(self.answer("predict", "sum", "--input=-", stdin=table), expected)

    def test_a_model_with_a_calendar_needs_times(self):
        self.assertIn("--time=COLUMN", self.refusal("predict", "clock", "--input=-", stdin="x\n1\n"))
        err = self.refusal("predict", "clock", "--input=-", "--time=day", stdin="day,x\nyesterday,1\n")
        self.assertIn("row 1, column 'day': 'yesterday' is not a time", err)

    def test_a_horizon_names_its_columns(self):
        self.assertEqual(self.answer("predict", "far", "--input=-", stdin="x\n2\n"), "sum+1,sum+2\n2,2\n")

    def test_a_token_model_answers_probabilities(self):
        self.assertEqual(self.answer("predict", "letters", "--input=-", stdin="letter\n0\n1\n"), "a,b\n0.5,0.5\n0.5,0.5\n")
        self.assertIn("row 1, column 'token': '2' is not a token id",
                      self.refusal("predict", "letters", "--input=-", stdin="token\n2\n"))

    def test_bad_tables_are_refused_by_name(self):
        for table, message in (("", "stdin is empty"), ("y\n1\n", "column 'x' is missing; the header has: y"),
                               ("x\n1\ntwo\n", "row 2, column 'x': 'two' is not a finite number"),
                               ("x,y\n1\n", "row 1 has 1 cells; the header has 2"),
                               ("x\n\"1\n", "row 1 ends inside a quoted cell")):
            self.assertIn(message, self.refusal("predict", "sum", "--input=-", stdin=table))
        self.assertIn("cannot open '/no/such'", self.refusal("predict", "sum", "--input=/no/such"))
        self.assertEqual(self.sessions(), [])

    def test_a_bad_row_says_how_far_the_session_came(self):
        err = self.refusal("predict", "sum", "--input=-", "--session=half", stdin="x\n" + "1\n" * 300 + "one\n")
        self.assertIn("row 301, column 'x': 'one'", err)
        self.assertIn("rows 1 to 256 have run; session 'half' is at 256", err)
        self.answer("sessions", "delete", "half")

    def test_a_bad_row_in_a_long_table_leaves_no_session(self):
        self.refusal("predict", "sum", "--input=-", stdin="x\n" + "1\n" * 300 + "one\n")
        self.assertEqual(self.sessions(), [])

    def test_an_unknown_model_is_refused(self):
        self.assertIn("NOT_FOUND", self.refusal("predict", "product", "--input=-", stdin="x\n1\n"))

    def test_nobody_listening_is_an_error_that_names_the_server(self):
        done = subprocess.run([BIN / "rondo", "--server=127.0.0.1:1", "--timeout=2s", "models"], capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("rondo: server 127.0.0.1:1: ", done.stderr)

    def test_wrong_usage_is_exit_code_2(self):
        self.assertIn("did you mean 'predict'?", self.refusal("perdict", code=2))
        self.assertIn("did you mean '--input'?", self.refusal("predict", "sum", "--inptu=-", code=2))
        self.assertIn("--session is missing", self.refusal("stream", "sum", code=2))
        self.assertIn("--timeout", self.refusal("--timeout=soon", "models", code=2))

    def test_help_needs_no_server(self):
        for words in (["--help"], ["predict", "--help"], ["help", "stream"], ["sessions", "list", "-h"]):
            done = subprocess.run([BIN / "rondo", *words], capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("usage: rondo", done.stdout)

    def test_stream_answers_each_row_at_once(self):
        stream = subprocess.Popen(self.command("stream", "sum", "--session=live"), stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1)
        stream.stdin.write("x\n")
        self.assertEqual(stream.stdout.readline(), "sum\n")
        for n in range(1, 6):
            stream.stdin.write("%d\n" % n)
            self.assertEqual(stream.stdout.readline(), "%d\n" % (n * (n + 1) // 2))
        out, err = stream.communicate(timeout=60)
        self.assertEqual((stream.returncode, out, err), (0, "", ""))
        self.assertEqual(self.answer("stream", "sum", "--session=live", stdin="x\n10"), "sum\n25\n")
        self.answer("sessions", "delete", "live")

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

    def test_a_label_is_the_most_probable_class(self):
        out = self.answer("predict", "verse", "--input=-", "--label", stdin="token\n0\n4\n")
        rows = [line.split(",") for line in out.splitlines()]
        self.assertEqual([row[0] for row in rows], ["label", "y1", "y0"])
        self.assertGreater(float(rows[1][1]), 0.99)
        self.assertIn("sum' has a linear head", self.refusal("predict", "sum", "--input=-", "--label", stdin="x\n1\n"))

    def test_each_line_is_a_text_of_its_own(self):
        lines = "".join("abcd"[i % 4] + "\n" for i in range(600))
        out = self.answer("predict", "verse", "--input=-", "--text", "--label", stdin="ab\n\n" + lines)
        rows = [line.split(",")[:2] for line in out.splitlines()]
        self.assertEqual(rows[:4], [["text", "label"], ["ab", "y2"], ["a", "y1"], ["b", "y2"]])
        self.assertEqual(len(rows), 602)
        self.assertIn("line 2: the model has no token for the text at byte 1",
                      self.refusal("predict", "verse", "--input=-", "--text", stdin="ab\naxb\n"))
        self.assertIn("no vocabulary", self.refusal("predict", "sum", "--input=-", "--text", stdin="1\n"))

    def test_generate_writes_the_text_that_follows(self):
        greedy = ("--temperature=0", "--max_tokens=6")
        self.assertEqual(self.answer("generate", "verse", "--prompt=ab", *greedy), "cd\nabc")
        self.assertEqual(self.answer("generate", "verse", "--prompt=ab", "--stop=d", *greedy), "cd")
        self.assertEqual(self.answer("generate", "verse", "--prompt_file=-", *greedy, stdin="c"), "d\nabcd")
        tokens = ("--max_tokens=3", "--top_k=1")
        self.assertEqual(self.answer("generate", "letters", "--prompt=1,0", *tokens), "0\n0\n0\n")
        self.assertEqual(self.answer("generate", "letters", "--prompt=1", "--max_tokens=20", "--seed=4"),
                         self.answer("generate", "letters", "--prompt=1", "--max_tokens=20", "--seed=4"))

    def test_generate_finds_the_most_probable_texts_also_after_another_models_session(self):
        beams = ["--beams=2", "--max_tokens=2"]
        header, best, second = self.answer("generate", "verse", "--prompt=ab", *beams).splitlines()
        self.assertEqual(header, "log_probability,score,stopped,text")
        self.assertRegex(best, r"^-0\.00\d+,-0\.00\d+,no,cd$")
        self.assertRegex(second, r"^-8\.\d+,-8\.\d+,no,")
        numbers = self.answer("generate", "letters", "--prompt=1", *beams).splitlines()
        self.assertEqual([row.rsplit(",", 1)[1] for row in numbers[1:]], ["0 0", "0 1"])
        self.answer("predict", "verse", "--input=-", "--session=read", stdin="token\n2\n")
        follows = ["generate", "verse", "--initial_session=read", "--prompt=a"]
        self.assertEqual(self.answer(*follows, "--max_tokens=3", "--temperature=0"), "bcd")
        self.assertIn("has to fit element 'attention'",
                      self.refusal(*follows, "--max_tokens=3", "--elements=attention"))
        self.assertIn("samples nothing", self.refusal(*follows, *beams, "--top_k=3"))
        self.assertRegex(self.answer("sessions", "create", "verse", "--session=begun", "--initial_session=read"),
                         r"\nbegun,verse,1,0,")
        self.assertIn("rnn_l0", self.refusal("sessions", "create", "letters", "--initial_session=read"))
        self.assertIn("wanted --initial_session", self.refusal("sessions", "create", "verse", "--elements=rnn_l0"))

    def test_generate_moves_a_session_only_if_it_is_told_to(self):
        greedy = ("--session=gen", "--temperature=0", "--max_tokens=2")
        self.assertEqual(self.answer("generate", "verse", "--move", "--prompt=a", *greedy), "bc")
        for _ in range(2):
            self.assertEqual(self.answer("generate", "verse", *greedy), "d\n")
        self.assertEqual(self.answer("generate", "verse", "--move", *greedy), "d\n")
        self.assertIn("gen,verse,1,5,", self.answer("sessions", "show", "gen"))
        self.answer("sessions", "delete", "gen")

    def test_generate_says_what_it_cannot_take(self):
        self.assertIn("no token for the text at byte 1: 'x'",
                      self.refusal("generate", "verse", "--prompt=ax", "--max_tokens=1"))
        self.assertIn("takes 0 tokens", self.refusal("generate", "sum", "--prompt=1", "--max_tokens=1"))
        self.assertIn("neither a session nor a prompt", self.refusal("generate", "verse", "--max_tokens=1"))
        self.assertIn("the prompt has 'x'", self.refusal("generate", "letters", "--prompt=x", "--max_tokens=1"))

    def test_forecast_takes_what_is_known(self):
        self.answer("predict", "two", "--input=-", "--session=kn", stdin="x,y\n1,1\n")
        self.assertIn("'y'", self.refusal("forecast", "two", "--session=kn", "--horizon=3"))
        known = "time,y\n2015-01-01,10\n2015-01-02,20\n"
        out = self.answer("forecast", "two", "--session=kn", "--horizon=3", "--known=-", stdin=known)
        self.assertEqual(out, "time,step,sum\n2015-01-01,1,2\n2015-01-02,2,14\n,3,48\n")
        err = self.refusal("forecast", "two", "--session=kn", "--horizon=4", "--known=-", stdin=known)
        self.assertIn("--known has 2 rows; --horizon=4 takes 3", err)
        err = self.refusal("forecast", "two", "--session=kn", "--horizon=2", "--known=-", stdin="z\n1\n")
        self.assertIn("column 'y' is missing", err)
        self.answer("sessions", "delete", "kn")

    def test_a_closed_output_ends_quietly(self):
        predict = subprocess.Popen(self.command("predict", "sum", "--input=-"), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        predict.stdout.close()
        with contextlib.suppress(BrokenPipeError), predict.stdin:
            predict.stdin.write("x\n" + "1\n" * 100000)
        self.assertEqual(predict.stderr.read(), "")
        predict.stderr.close()
        self.assertEqual(predict.wait(timeout=60), 0)
        self.assertEqual(self.sessions(), [])

    def test_ctrl_c_ends_quietly_and_leaves_no_session(self):
        predict = subprocess.Popen(self.command("predict", "sum", "--input=-"), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1)
        predict.stdin.write("x\n" + "1\n" * 300)
        predict.stdin.flush()
        for _ in range(257):
            predict.stdout.readline()
        self.assertEqual(len(self.sessions()), 1)
        predict.send_signal(signal.SIGINT)
        self.assertEqual(predict.wait(timeout=60), -signal.SIGINT)
        self.assertEqual(predict.stderr.read(), "")
        for pipe in (predict.stdin, predict.stdout, predict.stderr):
            pipe.close()
        self.assertEqual(self.sessions(), [])


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""Runs the real `rondo` against a real `rondo-server`: models, tables, texts, and what a user gets wrong.

    cli_test.py BIN_DIR [unittest arguments]
"""

import contextlib
import os
import signal
import subprocess
import tempfile
import unittest

from command_line_case import BIN, CommandLineCase


class CliTest(CommandLineCase):
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
        for table, message in (("", "stdin is empty"), ("y\n1\n", "the table has no column 'x'; its columns are y"),
                               ("x\n1\ntwo\n", "row 2, column 'x': 'two' is not a finite number"),
                               ("x,y\n1\n", "row 1 has 1 cells; the header has 2"),
                               ("x\n\"1\n", "row 1 ends inside a quoted cell")):
            self.assertIn(message, self.refusal("predict", "sum", "--input=-", stdin=table))
        self.assertIn("cannot open '/no/such'", self.refusal("predict", "sum", "--input=/no/such"))
        self.assertEqual(self.sessions(), [])

    def test_an_unknown_model_is_refused(self):
        self.assertIn("NOT_FOUND", self.refusal("predict", "product", "--input=-", stdin="x\n1\n"))

    def test_nobody_listening_is_an_error_that_names_the_server(self):
        done = subprocess.run([BIN / "rondo", "--server=127.0.0.1:1", "--timeout=2s", "models"], capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("rondo: server 127.0.0.1:1: ", done.stderr)
        self.assertIn("; wanted a rondo-server that runs there, or another address as --server=HOST:PORT", done.stderr)

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
        self.assertIn("the table has no column 'y'; its columns are z", err)
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

#!/usr/bin/env python3
"""A real OpenTelemetry Collector takes what rondo-server sends, with TLS and without, and prints it.

    collector_test.py BIN_DIR [unittest arguments]        exit 77: this machine lacks go, or the modules cannot be had

The first run builds the collector from its Go modules into build/tools, some minutes of CPU. What calls the server is from PyPI.
"""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

from fresh_venv import ROOT, run_in_fresh_venv

SKIPPED = 77
SOURCE = pathlib.Path(__file__).with_name("collector")
PROGRAM = ROOT / "build/tools/otel-collector"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def build_collector():
    if PROGRAM.exists():
        return
    if shutil.which("go") is None:
        print("skipped: no go here")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory() as folder:
        for file in ("main.go", "go.mod"):
            shutil.copy(SOURCE / file, folder)
        for command in (["go", "mod", "tidy"], ["go", "build", "-buildvcs=false", "-p=1", "-o", PROGRAM, "."]):
            done = subprocess.run(["nice", *command], cwd=folder, env={**os.environ, "CGO_ENABLED": "0"})
            if done.returncode != 0:
                print("skipped: the collector could not be built")
                sys.exit(SKIPPED)


build_collector()
run_in_fresh_venv(__file__, ["grpcio-tools"])

import grpc  # noqa: E402
from rondo.v1 import inference_pb2, inference_pb2_grpc  # noqa: E402
from running_server import RunningServer  # noqa: E402
from small_models import write_sum_model  # noqa: E402

BIN = pathlib.Path(sys.argv.pop(1))


class Collector:
    """Listens on a free port of the loopback. `tls`: of its receiver, as its configuration has it."""

    def __init__(self, folder, tls=""):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.endpoint = "localhost:%d" % free.getsockname()[1]
        config = folder / "collector.yaml"
        config.write_text(f"""
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "{self.endpoint}"{tls}}}}}}}}}
exporters: {{debug: {{verbosity: detailed}}}}
service:
  pipelines: {{traces: {{receivers: [otlp], exporters: [debug]}}}}
  telemetry: {{metrics: {{level: none}}}}
""")
        self._said = threading.Condition()
        self._text = ""
        self._process = subprocess.Popen([PROGRAM, f"--config=file:{config}"], stderr=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self._process.stderr:
            with self._said:
                self._text += line
                self._said.notify()
        with self._said:
            self._text += "\nthe collector has ended"
            self._said.notify()

    def await_text(self, pattern):
        """What it has printed, once the pattern is in it."""
        with self._said:
            if not self._said.wait_for(lambda: re.search(pattern, self._text) or "has ended" in self._text, timeout=60) \
                    or not re.search(pattern, self._text):
                raise AssertionError(f"the collector did not print {pattern}:\n{self._text}")
            return self._text

    def stop(self):
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        self._process.stderr.close()


def printed_spans(text):
    """[{"Name": ..., "Trace ID": ..., "attributes": {...}}] of what the collector prints."""
    spans = []
    for block in re.split(r"^Span #\d+$", text, flags=re.MULTILINE)[1:]:
        span = {name.strip(): value.strip() for name, value in re.findall(r"^    (\w[\w ]*?) *: (.*)$", block, re.MULTILINE)}
        span["attributes"] = dict(re.findall(r"^     -> ([\w.]+): (.*)$", block, re.MULTILINE))
        spans.append(span)
    return spans


def make_certificates(folder):
    """ca.pem, and collector.pem and collector.key that it has signed for localhost."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "1", "-subj", "/CN=test CA")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "collector.key", "-out", "collector.csr", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost")
    openssl("x509", "-req", "-in", "collector.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1",
            "-extfile", "names", "-out", "collector.pem")


class CollectorTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        write_sum_model(self.folder / "models", "sum", ["x"])

    def spans_of_calls(self, collector, *flags):
        """Of a call that is answered and one that is refused, both for the caller's span PARENT."""
        self.addCleanup(collector.stop)
        collector.await_text("Everything is ready")
        asked = inference_pb2.PredictRequest(
            model="sum", sequences=[inference_pb2.Sequence(session_id="s", position=0, values=[1, 2])])
        metadata = (("traceparent", f"00-{TRACE}-{PARENT}-01"), ("tracestate", "vendor=1"))
        with RunningServer(BIN, f"--otlp_endpoint={collector.endpoint}", *flags, repository=self.folder / "models") as server, \
                grpc.insecure_channel(server.address) as channel:
            stub = inference_pb2_grpc.InferenceStub(channel)
            stub.Predict(asked, metadata=metadata)
            asked.sequences[0].position = 9
            with self.assertRaises(grpc.RpcError):
                stub.Predict(asked, metadata=metadata)
            collector.await_text(r"(?s)Name +: rondo\.v1\.Inference/Predict.*Status code +: Error")
        return printed_spans(collector.await_text("service.name: Str"))

    def check(self, spans):
        answers = [span for span in spans if span["Name"] == "rondo.v1.Inference/Predict"]
        self.assertEqual([span["Status code"] for span in answers], ["Unset", "Error"])
        for answer in answers:
            self.assertEqual((answer["Trace ID"], answer["Parent ID"], answer["Kind"]), (TRACE, PARENT, "Server"))
            self.assertEqual(answer["attributes"]["rpc.system"], "Str(grpc)")
            self.assertEqual(answer["attributes"]["rondo.model"], "Str(sum)")
            self.assertLess(answer["Start time"], answer["End time"])
        self.assertEqual(answers[0]["attributes"]["rondo.timesteps"], "Int(2)")
        self.assertEqual(answers[1]["attributes"]["rpc.grpc.status_code"], "Int(9)")
        parts = {span["Name"]: span for span in spans if span["Parent ID"] == answers[0]["ID"]}
        self.assertLessEqual({"queue", "compute"}, parts.keys())
        for part in parts.values():
            self.assertEqual((part["Trace ID"], part["Kind"], part["Status code"]), (TRACE, "Internal", "Unset"))

    def test_it_prints_the_spans_of_an_answer_and_of_a_refusal(self):
        self.check(self.spans_of_calls(Collector(self.folder)))

    def test_likewise_with_tls(self):
        make_certificates(self.folder)
        tls = f", tls: {{cert_file: {self.folder}/collector.pem, key_file: {self.folder}/collector.key}}"
        self.check(self.spans_of_calls(Collector(self.folder, tls), f"--otlp_tls_ca={self.folder}/ca.pem"))


if __name__ == "__main__":
    unittest.main()

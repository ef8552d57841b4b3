#!/usr/bin/env python3
"""Unmodified tritonclient, from PyPI in a throw-away environment, against the real rondo-server.

    triton_client_test.py BIN_DIR [unittest arguments]

Its model is an RNN with relu and weights of one: it answers the running sum of its inputs, exactly. And the "after" code
of deploy/MIGRATING.md runs as it is written there, but for the server's address.
"""

import pathlib
import queue
import re
import socket
import subprocess
import sys
import tempfile
import unittest

from fresh_venv import run_in_fresh_venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The last whose wheel runs on Debian 12; it wants numpy 1, which has no wheel for the Python of Debian 13.
TRITONCLIENT = "2.51.0" if sys.version_info < (3, 13) else "2.60.0"
PACKAGES = ["tritonclient[grpc]==" + TRITONCLIENT, "grpcio-tools", "numpy", "onnx", "safetensors"]

run_in_fresh_venv(__file__, PACKAGES)

import grpc  # noqa: E402
import numpy  # noqa: E402
import tritonclient.grpc as triton  # noqa: E402
import tritonclient.grpc.aio as triton_aio  # noqa: E402
from rondo.v1 import inference_pb2, inference_pb2_grpc  # noqa: E402
from running_server import RunningServer  # noqa: E402
from small_models import write_sum_model  # noqa: E402

BIN = pathlib.Path(sys.argv.pop(1))


def inputs_of(rows):
    values = numpy.array(rows, dtype=numpy.float32)
    tensor = triton.InferInput("INPUT", list(values.shape), "FP32")
    tensor.set_data_from_numpy(values)
    return [tensor]


class MigratingTest(unittest.TestCase):
    def test_the_code_after_moving_runs(self):
        page = (ROOT / "deploy/MIGRATING.md").read_text()
        blocks = dict(re.findall(r"<!-- test: (\w+) -->\n```\w+\n(.*?)```", page, re.DOTALL))
        with tempfile.TemporaryDirectory() as folder:
            def run(name, address=""):
                code = blocks[name].replace("localhost:8001", address)
                return subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, stdout=subprocess.PIPE,
                                      text=True, timeout=60).stdout
            run("make_graph")
            subprocess.run(blocks["convert"].replace("rondo-convert", str(BIN / "rondo-convert")), shell=True, cwd=folder, check=True,
                           stdout=subprocess.PIPE)
            run("make_model")
            server = RunningServer(BIN, repository=folder + "/models")
            self.addCleanup(server.stop)
            self.assertEqual(run("triton", server.address), "0 (1, 1)\n1 (1, 1)\n2 (1, 1)\n")
            self.assertEqual(run("ovms", server.address), "1 (1, 1)\n0 (1, 1)\n2 (1, 1)\n")


class TwoServersTest(unittest.TestCase):
    def test_a_thousand_moves_between_live_servers_lose_and_double_nothing(self):
        """A sequence_id has no position: a server that went on with an older state would not be noticed but by the sum."""
        with tempfile.TemporaryDirectory() as folder:
            write_sum_model(pathlib.Path(folder) / "models", "sum", ["x", "y"], fed_back=())
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            redis = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder,
                                      "--appendonly", "yes", "--save", ""], stdout=subprocess.DEVNULL)
            self.addCleanup(redis.wait)
            self.addCleanup(redis.terminate)
            flags = ["--session_store=redis://127.0.0.1:%d" % port, "--durability=interval", "--sync_interval=1h"]
            servers = [RunningServer(BIN, *flags, repository=folder + "/models") for _ in range(2)]
            clients = [triton.InferenceServerClient(server.address) for server in servers]
            sums = [0] * 10
            for move in range(101):
                for i in range(len(sums)):
                    sums[i] += move + i
                    answer = clients[(move + i) % 2].infer("sum", inputs_of([[move, i]]), sequence_id=i + 1,
                                                           sequence_start=move == 0)
                    self.assertEqual(answer.as_numpy("OUTPUT"), sums[i])
            for client, server in zip(clients, servers):
                client.close()
                server.stop()


class TritonClientTest(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        write_sum_model(pathlib.Path(cls.folder.name), "sum", ["x", "y"], fed_back=())
        cls.server = RunningServer(BIN, repository=cls.folder.name)
        cls.address = cls.server.address

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.folder.cleanup()

    def setUp(self):
        self.client = triton.InferenceServerClient(self.address)
        self.addCleanup(self.client.close)

    def sum_of(self, rows, **arguments):
        return self.client.infer("sum", inputs_of(rows), **arguments).as_numpy("OUTPUT")

    def statistics(self):
        return self.client.get_inference_statistics("sum", "1").model_stats[0]

    def test_describes_the_server_and_the_model(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())
        self.assertTrue(self.client.is_model_ready("sum"))
        self.assertFalse(self.client.is_model_ready("none"))
        self.assertIn("sequence", self.client.get_server_metadata().extensions)
        metadata = self.client.get_model_metadata("sum")
        self.assertEqual(list(metadata.inputs[0].shape), [-1, 2])
        config = self.client.get_model_config("sum").config
        self.assertTrue(config.HasField("sequence_batching"))
        self.assertEqual(self.client.get_model_repository_index().models[0].state, "READY")

    def test_equals_the_native_api_to_the_bit(self):
        rows = numpy.random.default_rng(1).random((50, 2), dtype=numpy.float32)
        request = inference_pb2.PredictRequest(model="sum")
        request.sequences.add(values=rows.flatten().tolist())
        with grpc.insecure_channel(self.address) as channel:
            native = inference_pb2_grpc.InferenceStub(channel).Predict(request, timeout=20)
        expected = numpy.array(native.results[0].values, dtype=numpy.float32)
        self.assertEqual(self.sum_of(rows).tobytes(), expected.tobytes())

    def test_sequences_by_int_and_string_id(self):
        for sequence_id in (7, "seven"):
            self.assertEqual(self.sum_of([[1, 2]], sequence_id=sequence_id, sequence_start=True), 3)
            self.assertEqual(self.sum_of([[1, 1]], sequence_id=sequence_id), 5)
            self.assertEqual(self.sum_of([[4, 0]], sequence_id=sequence_id, sequence_start=True), 4)
            self.assertEqual(self.sum_of([[1, 0]], sequence_id=sequence_id, sequence_end=True), 5)
            with self.assertRaisesRegex(triton.InferenceServerException, "must specify the START flag"):
                self.sum_of([[1, 1]], sequence_id=sequence_id)
        self.assertEqual(self.sum_of([[1, 2]], sequence_id=7, sequence_start=True, sequence_end=True), 3)

    def test_errors_say_what_was_wanted(self):
        for rows, text in (([[1, 2, 3]], r"shape \[1,3\]; wanted \[timesteps,2\]"), ([[float("nan"), 1]], "finite")):
            with self.assertRaisesRegex(triton.InferenceServerException, text):
                self.sum_of(rows)
        with self.assertRaisesRegex(triton.InferenceServerException, "none"):
            self.client.infer("none", inputs_of([[1, 2]]))
        with self.assertRaisesRegex(triton.InferenceServerException, "OTHER"):
            self.sum_of([[1, 2]], outputs=[triton.InferRequestedOutput("OTHER")])

    def test_statistics_count_each_request(self):
        before = self.statistics()
        for _ in range(10):
            self.sum_of([[1, 2]])
        after = self.statistics()
        self.assertEqual(after.inference_count - before.inference_count, 10)
        for name in ("success", "queue", "compute_infer"):
            old, new = getattr(before.inference_stats, name), getattr(after.inference_stats, name)
            self.assertEqual(new.count - old.count, 10, name)
            self.assertGreater(new.ns, old.ns, name)

    def test_stream_answers_in_order_and_survives_an_error(self):
        replies = queue.Queue()
        self.client.start_stream(lambda result, error: replies.put((result, error)))
        self.client.async_stream_infer("sum", inputs_of([[1, 1]]), sequence_id=99)
        for step in range(50):
            self.client.async_stream_infer("sum", inputs_of([[1, 0]]), request_id=str(step), sequence_id=3,
                                           sequence_start=step == 0, sequence_end=step == 49)
        _, error = replies.get(timeout=20)
        self.assertIn("must specify the START flag", str(error))
        for step in range(50):
            result, error = replies.get(timeout=20)
            self.assertIsNone(error)
            self.assertEqual(result.get_response().id, str(step))
            self.assertEqual(result.as_numpy("OUTPUT"), step + 1)
        self.client.stop_stream()

    async def test_async_client_and_its_stream(self):
        async def requests():
            for step in range(5):
                yield {"model_name": "sum", "inputs": inputs_of([[2, 0]]), "sequence_id": "aio",
                       "sequence_start": step == 0, "sequence_end": step == 4}

        async with triton_aio.InferenceServerClient(self.address) as client:
            self.assertTrue(await client.is_server_live())
            result = await client.infer("sum", inputs_of([[1, 2], [3, 4]]))
            self.assertEqual(result.as_numpy("OUTPUT").tolist(), [[3], [10]])
            sums = []
            async for result, error in client.stream_infer(requests()):
                self.assertIsNone(error)
                sums.append(result.as_numpy("OUTPUT").item())
            self.assertEqual(sums, [2, 4, 6, 8, 10])


if __name__ == "__main__":
    unittest.main()

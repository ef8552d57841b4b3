#!/usr/bin/env python3
"""What rondo-server sends to a collector, as OpenTelemetry's own messages read it, for a caller with OpenTelemetry's own SDK; and
how its metrics name the traces, as Prometheus' own client library reads them.

    otlp_messages_test.py BIN_DIR [unittest arguments]

These are from PyPI, in a throw-away environment.
"""

import pathlib
import queue
import sys
import tempfile
import unittest
import urllib.request
from concurrent import futures

from fresh_venv import run_in_fresh_venv

PACKAGES = ["grpcio-tools", "opentelemetry-proto", "opentelemetry-sdk", "prometheus-client"]

run_in_fresh_venv(__file__, PACKAGES)

import grpc  # noqa: E402
from google.protobuf.unknown_fields import UnknownFieldSet  # noqa: E402
from opentelemetry import propagate  # noqa: E402
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc  # noqa: E402
from opentelemetry.proto.trace.v1 import trace_pb2  # noqa: E402
from opentelemetry.sdk.trace import TracerProvider  # noqa: E402
from prometheus_client.openmetrics import parser  # noqa: E402
from rondo.v1 import inference_pb2, inference_pb2_grpc  # noqa: E402
from running_server import RunningServer  # noqa: E402
from small_models import write_sum_model  # noqa: E402

BIN = pathlib.Path(sys.argv.pop(1))


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self):
        self.requests = queue.Queue()
        self._server = grpc.server(futures.ThreadPoolExecutor(1))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self._server)
        self.endpoint = "127.0.0.1:%d" % self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def Export(self, request, context):  # noqa: N802: gRPC's name
        self.requests.put(request)
        return trace_service_pb2.ExportTraceServiceResponse()

    def stop(self):
        self._server.stop(None)


def unknown_fields(message):
    """How many fields of the message, and of those in it, OpenTelemetry does not know."""
    count = len(UnknownFieldSet(message))
    for field, value in message.ListFields():
        if field.message_type is not None:
            values = value if hasattr(value, "__len__") else [value]
            count += sum(unknown_fields(each) for each in values)
    return count


def families_of(server):
    """The metrics, as OpenMetrics."""
    request = urllib.request.Request(f"http://{server.http_address}/metrics",
                                     headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    with urllib.request.urlopen(request) as answer:
        return list(parser.text_string_to_metric_families(answer.read().decode()))


def attributes_of(holder):
    return {a.key: a.value.int_value if a.value.HasField("int_value") else a.value.string_value
            for a in holder.attributes}


class OtlpMessagesTest(unittest.TestCase):
    def test_a_message_is_a_child_of_the_sdks_span(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        repository = pathlib.Path(folder.name)
        write_sum_model(repository, "sum", ["x"])
        collector = Collector()
        self.addCleanup(collector.stop)
        request = inference_pb2.PredictRequest(
            model="sum", sequences=[inference_pb2.Sequence(session_id="s", position=0, values=[1, 2])])
        with RunningServer(BIN, f"--otlp_endpoint={collector.endpoint}", repository=repository) as server, \
                grpc.insecure_channel(server.address) as channel:
            tracer = TracerProvider().get_tracer("test")
            with tracer.start_as_current_span("caller") as caller:
                headers = {}
                propagate.inject(headers)
                inference_pb2_grpc.InferenceStub(channel).Predict(request, metadata=tuple(headers.items()))
            sent = collector.requests.get(timeout=30)
            families = families_of(server)
        self.assertEqual(unknown_fields(sent), 0)
        (of_resource,) = sent.resource_spans
        resource = attributes_of(of_resource.resource)
        self.assertEqual(resource["service.name"], "rondo-server")
        self.assertEqual(set(resource), {"service.name", "service.version", "service.instance.id"})
        (of_scope,) = of_resource.scope_spans
        self.assertEqual(of_scope.scope.name, "rondo")
        answer = of_scope.spans[-1]
        parent = caller.get_span_context()
        self.assertEqual(answer.kind, trace_pb2.Span.SPAN_KIND_SERVER)
        self.assertEqual(answer.name, "rondo.v1.Inference/Predict")
        self.assertEqual(int.from_bytes(answer.trace_id, "big"), parent.trace_id)
        self.assertEqual(int.from_bytes(answer.parent_span_id, "big"), parent.span_id)
        self.assertEqual(attributes_of(answer), {
            "rpc.system": "grpc", "rpc.service": "rondo.v1.Inference", "rpc.method": "Predict",
            "rpc.grpc.status_code": 0, "rondo.model": "sum", "rondo.sequences": 1, "rondo.timesteps": 2})
        self.assertLess(answer.start_time_unix_nano, answer.end_time_unix_nano)
        self.assertLess(abs(answer.start_time_unix_nano - caller.start_time), 60e9)
        parts = of_scope.spans[:-1]
        self.assertLessEqual({"queue", "compute"}, {part.name for part in parts})
        for part in parts:
            self.assertEqual((part.trace_id, part.parent_span_id, part.kind),
                             (answer.trace_id, answer.span_id, trace_pb2.Span.SPAN_KIND_INTERNAL))
        buckets = [sample for family in families for sample in family.samples if sample.exemplar is not None]
        (bucket,) = buckets
        self.assertEqual((bucket.name, bucket.labels["method"]), ("rondo_request_duration_seconds_bucket", "Predict"))
        self.assertEqual(bucket.exemplar.labels, {"trace_id": answer.trace_id.hex()})
        self.assertLessEqual(bucket.exemplar.value, float(bucket.labels["le"]))
        self.assertLess(abs(float(bucket.exemplar.timestamp) - answer.end_time_unix_nano / 1e9), 60)
        self.assertLess(150, sum(len(family.samples) for family in families))


if __name__ == "__main__":
    unittest.main()

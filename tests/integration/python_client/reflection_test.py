"""A client that has no .proto of ours asks the server for them, as grpcurl does."""

import array
import base64
import unittest

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from server_process import ServerProcess


class ReflectionTest(unittest.TestCase):
    def test_the_native_services_are_listed_and_called(self):
        with ServerProcess() as server, grpc.insecure_channel(server.address) as channel:
            database = ProtoReflectionDescriptorDatabase(channel)
            services = set(database.get_services())
            wanted = {"rondo.v1.Inference", "rondo.v1.Models", "rondo.v1.Sessions", "grpc.health.v1.Health"}
            self.assertLessEqual(wanted, services)
            pool = descriptor_pool.DescriptorPool(database)  # its own: nothing of the package `rondo` is in it
            answer = self.call(channel, pool, "rondo.v1.Inference", "Predict", {
                "model": "sum", "sequences": [{"session_id": "reflected", "position": 0, "values": [1, 2]}],
            })  # fmt: skip
            self.assertEqual(answer, {"results": [{"next_position": "2", "values": [1.0, 3.0]}]})
            listed = self.call(channel, pool, "rondo.v1.Sessions", "ListSessions", {"model": "sum"})
            self.assertEqual([session["session_id"] for session in listed["sessions"]], ["reflected"])

    def test_the_open_inference_protocol_is_described_and_called(self):
        with ServerProcess() as server, grpc.insecure_channel(server.address) as channel:
            database = ProtoReflectionDescriptorDatabase(channel)
            service = "inference.GRPCInferenceService"
            self.assertIn(service, database.get_services())
            pool = descriptor_pool.DescriptorPool(database)
            ready = self.call(channel, pool, service, "ModelReady", {"name": "sum"})
            self.assertEqual(ready, {"ready": True})
            metadata = self.call(channel, pool, service, "ModelMetadata", {"name": "sum"})
            self.assertEqual([tensor["name"] for tensor in metadata["inputs"]], ["INPUT"])
            step = {
                "model_name": "sum", "id": "7",
                "inputs": [{"name": "INPUT", "datatype": "FP32", "shape": [2, 1], "contents": {"fp32_contents": [1, 2]}}],
                "parameters": {"sequence_id": {"string_param": "reflected"}, "sequence_start": {"bool_param": True}},
            }  # fmt: skip
            self.assertEqual(self.values(self.call(channel, pool, service, "ModelInfer", step)), [1.0, 3.0])
            step["parameters"]["sequence_start"]["bool_param"] = False
            answer = self.call(channel, pool, service, "ModelInfer", step)
            self.assertEqual(self.values(answer), [4.0, 6.0])
            self.assertEqual((answer["id"], answer["model_version"]), ("7", "1"))

    @staticmethod
    def values(answer):
        (raw,) = answer["raw_output_contents"]  # bytes are base64 in JSON
        return list(array.array("f", base64.b64decode(raw)))

    @staticmethod
    def call(channel, pool, service, method, request):
        found = pool.FindServiceByName(service).methods_by_name[method]
        kinds = [message_factory.GetMessageClass(kind) for kind in (found.input_type, found.output_type)]
        ask = channel.unary_unary(f"/{service}/{method}", kinds[0].SerializeToString, kinds[1].FromString)
        answer = ask(json_format.ParseDict(request, kinds[0]()), timeout=10)
        return json_format.MessageToDict(answer, preserving_proto_field_name=True)

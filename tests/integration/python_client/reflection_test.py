"""A client that has no .proto of ours asks the server for them, as grpcurl does."""

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

    @staticmethod
    def call(channel, pool, service, method, request):
        found = pool.FindServiceByName(service).methods_by_name[method]
        kinds = [message_factory.GetMessageClass(kind) for kind in (found.input_type, found.output_type)]
        ask = channel.unary_unary(f"/{service}/{method}", kinds[0].SerializeToString, kinds[1].FromString)
        answer = ask(json_format.ParseDict(request, kinds[0]()), timeout=10)
        return json_format.MessageToDict(answer, preserving_proto_field_name=True)

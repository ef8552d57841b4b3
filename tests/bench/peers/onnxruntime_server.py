#!/usr/bin/env python3
"""Serves one LSTM with onnxruntime behind grpc.aio, as most people write it: the peer that peers.sh measures Rondo against.

usage: onnxruntime_server.py PORT HIDDEN INPUTS [--batch]

It speaks inference.GRPCInferenceService's ModelStreamInfer and keeps the state of each sequence_id in a dictionary.
Without --batch each message is a run of the session of its own; with it the messages that wait are one run, as in the
loop that people write around an asyncio.Queue. onnxruntime has one thread. Needs onnx, onnxruntime, numpy and
tritonclient[grpc], whose generated messages it takes.
"""

import asyncio
import sys

import grpc
import numpy
from onnx import TensorProto, helper
from onnx_session import session_of
from tritonclient.grpc import service_pb2, service_pb2_grpc

MOST_ROWS = 64


def lstm(hidden, inputs):
    """x, h, c of any number of rows -> y (the head of one output), h, c."""
    random = numpy.random.default_rng(1)
    weights = {"W": random.uniform(-0.1, 0.1, (1, 4 * hidden, inputs)), "R": random.uniform(-0.1, 0.1, (1, 4 * hidden, hidden)),
               "B": random.uniform(-0.1, 0.1, (1, 8 * hidden)), "V": random.uniform(-0.1, 0.1, (hidden, 1)), "b": numpy.zeros(1)}
    tensor = lambda name, width: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "rows", width])  # noqa: E731
    nodes = [helper.make_node("LSTM", ["x", "W", "R", "B", "", "h", "c"], ["", "h_out", "c_out"], hidden_size=hidden),
             helper.make_node("MatMul", ["h_out", "V"], ["product"]), helper.make_node("Add", ["product", "b"], ["y"])]
    return session_of(nodes, [tensor("x", inputs), tensor("h", hidden), tensor("c", hidden)],
                      [tensor("y", 1), tensor("h_out", hidden), tensor("c_out", hidden)],
                      {name: value.astype(numpy.float32) for name, value in weights.items()})


class Server(service_pb2_grpc.GRPCInferenceServiceServicer):
    def __init__(self, hidden, inputs, batch):
        self.session, self.inputs, self.states = lstm(hidden, inputs), inputs, {}
        self.zeros = numpy.zeros((1, 1, hidden), numpy.float32)
        self.waiting = asyncio.Queue() if batch else None
        if batch:
            self.task = asyncio.create_task(self.run_batches())

    async def run_batches(self):
        while True:
            jobs = [await self.waiting.get()]
            while len(jobs) < MOST_ROWS and not self.waiting.empty():
                jobs.append(self.waiting.get_nowait())
            x, h, c = (numpy.concatenate([job[0][i] for job in jobs], axis=1) for i in range(3))
            y, h, c = self.session.run(None, {"x": x, "h": h, "c": c})
            for i, (_, future) in enumerate(jobs):
                future.set_result((y[:, i:i + 1], h[:, i:i + 1], c[:, i:i + 1]))

    async def step(self, x, h, c):
        if self.waiting is None:
            return self.session.run(None, {"x": x, "h": h, "c": c})
        future = asyncio.get_running_loop().create_future()
        self.waiting.put_nowait(((x, h, c), future))
        return await future

    async def ModelStreamInfer(self, requests, context):
        async for request in requests:
            sequence = request.parameters["sequence_id"].int64_param
            if request.parameters["sequence_start"].bool_param:
                self.states.pop(sequence, None)
            h, c = self.states.get(sequence, (self.zeros, self.zeros))
            x = numpy.frombuffer(request.raw_input_contents[0], numpy.float32).reshape(1, 1, self.inputs)
            y, h, c = await self.step(x, h, c)
            if request.parameters["sequence_end"].bool_param:
                self.states.pop(sequence, None)
            else:
                self.states[sequence] = h, c
            answer = service_pb2.ModelInferResponse(model_name=request.model_name, id=request.id)
            answer.outputs.add(name="y", datatype="FP32", shape=[1, 1])
            answer.raw_output_contents.append(numpy.ascontiguousarray(y).tobytes())
            yield service_pb2.ModelStreamInferResponse(infer_response=answer)


async def main():
    port, hidden, inputs = (int(number) for number in sys.argv[1:4])
    server = grpc.aio.server()
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(Server(hidden, inputs, "--batch" in sys.argv[4:]), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    print("listening", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main())

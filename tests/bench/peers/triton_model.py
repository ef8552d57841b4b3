"""The model.py of Triton's Python backend that peers.sh measures Rondo against: one LSTM in onnxruntime, the requests that
Triton hands over together as one run, the state of each sequence in a dictionary."""

import os
import sys

import numpy
import triton_python_backend_utils as triton

sys.path.insert(0, os.environ["PEERS_FOLDER"])
from onnxruntime_server import lstm  # noqa: E402


class TritonPythonModel:
    def initialize(self, args):
        hidden, inputs = int(os.environ["PEERS_HIDDEN"]), int(os.environ["PEERS_INPUTS"])
        self.session, self.states = lstm(hidden, inputs), {}
        self.zeros = numpy.zeros((1, 1, hidden), numpy.float32)

    def execute(self, requests):
        states = []
        for request in requests:
            if request.flags() & triton.TRITONSERVER_REQUEST_FLAG_SEQUENCE_START:
                self.states.pop(request.correlation_id(), None)
            states.append(self.states.get(request.correlation_id(), (self.zeros, self.zeros)))
        x = numpy.concatenate([triton.get_input_tensor_by_name(request, "x").as_numpy() for request in requests])[None]
        h, c = (numpy.concatenate([state[i] for state in states], axis=1) for i in range(2))
        y, h, c = self.session.run(None, {"x": x, "h": h, "c": c})
        answers = []
        for i, request in enumerate(requests):
            if request.flags() & triton.TRITONSERVER_REQUEST_FLAG_SEQUENCE_END:
                self.states.pop(request.correlation_id(), None)
            else:
                self.states[request.correlation_id()] = h[:, i:i + 1], c[:, i:i + 1]
            answers.append(triton.InferenceResponse([triton.Tensor("y", numpy.ascontiguousarray(y[0, i:i + 1]))]))
        return answers

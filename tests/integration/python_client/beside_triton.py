"""Rondo's client and Triton's in one process, one after the other at the same session. For an environment with both."""

import asyncio
import unittest

import numpy as np
import rondo
import rondo.aio
import tritonclient.grpc as triton
from server_process import ServerProcess


class BesideTritonTest(unittest.TestCase):
    def test_both_clients_step_one_session_in_one_process(self):
        with ServerProcess() as server, rondo.Client(server.address) as client:
            session = client.open_session("sum", "shared")
            self.assertEqual(session.step([1]).tolist(), [1])
            with triton.InferenceServerClient(server.address) as other:
                tensor = triton.InferInput("INPUT", [1, 1], "FP32")
                tensor.set_data_from_numpy(np.array([[2]], np.float32))
                answer = other.infer("sum", [tensor], sequence_id="shared").as_numpy("OUTPUT")
                self.assertEqual(answer.tolist(), [[3]])
            session.sync()
            self.assertEqual(session.step([4]).tolist(), [7])
            self.assertEqual(asyncio.run(self.step_by_asyncio(server.address)), [15])

    @staticmethod
    async def step_by_asyncio(address):
        async with rondo.aio.Client(address) as client:
            return (await (await client.open_session("sum", "shared")).step([8])).tolist()


if __name__ == "__main__":
    unittest.main()

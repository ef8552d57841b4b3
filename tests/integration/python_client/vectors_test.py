"""What both clients must do alike: the vectors of tests/golden/client, and the names and fields of the C++ client."""

import dataclasses
import inspect
import json
import re
import unittest

import grpc
import numpy as np
import rondo
import rondo.aio
from rondo import _calls, _channel, _retry, _stream_state, _unsaved, _wire, errors, frames
from rondo._session_state import SessionState
from rondo.v1 import inference_pb2, models_pb2
from server_process import ROOT

GOLDEN = ROOT / "tests/golden/client"


def read(name):
    return json.loads((GOLDEN / name).read_text())


def error_of(code, next_position=None, position=None):
    """What a client makes of a call that failed."""
    trailers = [] if next_position is None else [("rondo-next-position", str(next_position))]
    return _calls.error_of(grpc.StatusCode[code], "refused", trailers, position)


def model(**fields):
    facts = {
        "name": "sum", "version": 1, "cell": "rnn", "num_layers": 1, "hidden_size": 1, "input_size": 1, "output_size": 1,
        "inputs": ("x",), "tokens": 0, "outputs": ("sum",), "horizon": 1, "head": "linear", "needs_times": False,
        "feedback": (), "step_seconds": 0.0, "kernel": "", "quantiles": (), **fields,
    }  # fmt: skip
    return rondo.ModelDescription(**facts)


class RetryVectorsTest(unittest.TestCase):
    def test_every_attempt_waits_as_long_as_the_vectors_say(self):
        for case in read("retry.json")["attempts"]:
            with self.subTest(case["name"]):
                policy = _retry.RetryPolicy(case.get("max_attempts", 4), max_backoff=case.get("max_backoff", 2.0))
                repeat = case.get("repeat", "safe")
                wait = policy.delay(
                    error_of(case.get("code", "UNAVAILABLE")), case["attempt"], repeat != "unsafe", case.get("pushback"),
                    case.get("jitter", 0.0), waits=repeat == "until_deadline",
                )  # fmt: skip
                if case["wait"] is None:
                    self.assertIsNone(wait)
                else:
                    self.assertAlmostEqual(wait, case["wait"])

    def test_defaults_and_constants_are_those_of_the_vectors(self):
        vectors = read("retry.json")
        for client in (rondo.Client, rondo.aio.Client):
            given = inspect.signature(client).parameters
            for name, value in vectors["defaults"].items():
                self.assertEqual(given[name.removesuffix("_seconds")].default, value, name)
        self.assertEqual(vectors["constants"], {
            "initial_reconnect_ms": _channel.INITIAL_RECONNECT_MS, "min_reconnect_ms": _channel.MIN_RECONNECT_MS,
            "max_reconnect_ms": _channel.MAX_RECONNECT_MS, "min_dns_resolution_ms": _channel.MIN_DNS_RESOLUTION_MS, "max_timesteps_again": _unsaved.MAX_TIMESTEPS_AGAIN,
            "max_unsent_messages": _stream_state.MAX_UNSENT_MESSAGES,
        })  # fmt: skip


class ScriptedServer:
    """Answers the calls of an operation, and writes down what was sent."""

    def __init__(self, answers):
        self.answers = list(answers)
        self.sends = []

    def finish(self, operation):
        """The code that the operation ends with."""
        try:
            call = next(operation)
            while True:
                try:
                    response = self.answer(call)
                except errors.RondoError as error:
                    call = operation.throw(error)
                else:
                    call = operation.send(response)
        except StopIteration:
            return "OK"
        except errors.RondoError as error:
            return next(status.name for status in grpc.StatusCode if status.value[0] == error.code)

    def answer(self, call):
        answer = self.answers.pop(0) if self.answers else {}
        is_forecast = isinstance(call.request, inference_pb2.ForecastRequest)
        self.sends.append("forecast" if is_forecast else self.timesteps(call.request))
        if "code" in answer:
            raise error_of(answer["code"], answer.get("next_position"), call.position)
        if is_forecast:
            return inference_pb2.ForecastResponse(values=[0] * call.request.horizon, position=answer["position"])
        position, timesteps = self.sends[-1]
        result = inference_pb2.SequenceResult(
            next_position=position + timesteps, values=[0] * (1 if call.request.last_only else timesteps),
            durable_position=answer.get("durable"),
        )  # fmt: skip
        return inference_pb2.PredictResponse(results=[result])

    @staticmethod
    def timesteps(request):
        (sequence,) = request.sequences
        positions = list(range(sequence.position, sequence.position + len(sequence.values)))
        assert list(sequence.values) == positions and sequence.session_id == "a"
        assert list(sequence.times) in ([], [10 * position for position in positions])
        return [sequence.position, len(sequence.values)]


class CatchUpVectorsTest(unittest.TestCase):
    def test_every_session_sends_what_the_vectors_say(self):
        for case in read("catch_up.json"):
            with self.subTest(case["name"]):
                session = SessionState(model(), 0, "a", 0, False, case.get("max_unsaved_bytes", 1 << 20))
                for answered in case["answered"]:
                    self.assertEqual(ScriptedServer([answered]).finish(self.run_operation(session, answered)), "OK")
                server = ScriptedServer(case["answers"])
                timesteps = case["call"]
                operation = (
                    session._forecast(2) if timesteps == "forecast"
                    else self.run_operation(session, {"timesteps": timesteps, "times": case.get("times", False)})
                )  # fmt: skip
                self.assertEqual(server.finish(operation), case["code"])
                self.assertEqual((server.sends, session.position), (case["sends"], case["position"]))

    @staticmethod
    def run_operation(session, call):
        positions = np.arange(session.position, session.position + call["timesteps"])
        return session._run(positions[:, None], 10 * positions if call.get("times") else None, False)


class HomeVectorsTest(unittest.TestCase):
    def test_every_session_lives_where_the_vectors_say(self):
        for case in read("homes.json"):
            addresses = case["addresses"]
            for turned in (addresses, addresses[::-1]):
                homes = {session: _channel.home_of(session, tuple(turned)) for session in case["homes"]}
                self.assertEqual(homes, case["homes"])


class ColumnVectorsTest(unittest.TestCase):
    def test_a_frame_has_the_columns_of_the_command_line(self):
        for case in read("columns.json"):
            with self.subTest(case["name"]):
                fields = {name: case[name] for name in ("head", "outputs", "horizon")}
                described = model(quantiles=case.get("quantiles", ()), **fields)
                frame = frames.to_frame(described, np.zeros((3, len(case["columns"])), np.float32))
                self.assertEqual(list(frame.columns), case["columns"])

    def test_sampled_paths_are_named_as_quantiles(self):
        described = model(head="gaussian", outputs=("rain",), output_size=2)
        frame = frames.to_frame(described, np.zeros((4, 3)), path_quantiles=(0.1, 0.5, 0.9))
        self.assertEqual(list(frame.columns), ["rain_q0.1", "rain_q0.5", "rain_q0.9"])


class FieldsTest(unittest.TestCase):
    def test_every_fact_of_a_model_reaches_the_user(self):
        wire = models_pb2.Model()
        self.fill(wire)
        described = dataclasses.asdict(_wire.from_model(wire))
        self.assertEqual(set(described), {field.name for field in wire.DESCRIPTOR.fields})
        self.assertEqual(list(self.empty(described)), [])

    def fill(self, message):
        """Gives each field a value that it has not by itself."""
        for field in message.DESCRIPTOR.fields:
            value = getattr(message, field.name)
            if field.message_type is not None:
                self.fill(value.add() if hasattr(value, "add") else value)
            elif isinstance(value, (str, bool, int, float)):
                setattr(message, field.name, type(value)(field.number))
            else:
                value.append("named" if field.type == field.TYPE_STRING else 0.5)

    def empty(self, described, name="model"):
        """The names of what was lost on the way."""
        if isinstance(described, (dict, tuple)) and described:
            items = described.items() if isinstance(described, dict) else enumerate(described)
            for key, value in items:
                yield from self.empty(value, f"{name}.{key}")
        elif not described:
            yield name

    def test_everything_that_a_forecast_takes_can_be_given(self):
        wanted = {field.name for field in inference_pb2.ForecastRequest.DESCRIPTOR.fields}
        for client in (rondo.Client, rondo.aio.Client):
            self.assertEqual(wanted - set(inspect.signature(client.forecast).parameters), {"session_id"})
        for session in (rondo.Session, rondo.aio.Session):
            lacking = wanted - set(inspect.signature(session.forecast).parameters)
            self.assertEqual(lacking, {"model", "version", "session_id", "history", "history_times"})

    def test_everything_that_a_generation_takes_can_be_given(self):
        wanted = {field.name for field in inference_pb2.GenerateRequest.DESCRIPTOR.fields}
        renamed = {"prompt_tokens", "stop_tokens", "stop_texts"}  # the types of prompt and stop tell
        for client in (rondo.Client, rondo.aio.Client):
            self.assertEqual(wanted - set(inspect.signature(client.generate).parameters), renamed)


class NamesTest(unittest.TestCase):
    """Public names of the C++ client against those of Python."""

    def test_methods_have_the_names_of_the_cpp_client(self):
        # What one of the two has no use for: a Python client connects when it is made and is closed by hand, a C++ stream
        # says how it ended where Python raises.
        self.compare("Client", {"connect"}, {"close"})
        self.compare("Session", {"version"}, {"model"})
        self.compare("PredictStream", {"finish"}, {"close"})

    def test_the_asyncio_client_has_the_names_of_the_blocking_one(self):
        for name in ("Client", "Session", "PredictStream"):
            blocking, asyncio = getattr(rondo, name), getattr(rondo.aio, name)
            self.assertEqual(self.public(blocking), self.public(asyncio))
            for method in self.public(blocking):
                if callable(getattr(blocking, method)):
                    self.assertEqual(self.parameters(blocking, method), self.parameters(asyncio, method), method)

    def test_clients_have_the_options_of_the_cpp_client(self):
        cpp = self.fields((ROOT / "client/client_options.h").read_text(), "ClientOptions")
        for client in (rondo.Client, rondo.aio.Client):
            self.assertEqual(set(inspect.signature(client).parameters) - {"address"}, cpp)
        tls = {field.name for field in dataclasses.fields(rondo.TlsOptions)}
        self.assertEqual(self.fields((ROOT / "client/client_options.h").read_text(), "ClientTlsOptions"), tls)

    def test_values_have_the_fields_of_the_cpp_client(self):
        header = (ROOT / "client/messages.h").read_text()
        # A C++ status and its retry_after are one Python error.
        cpp_only = {"SequenceOutput": {"status", "retry_after"}, "StreamReply": {"status", "retry_after", "sequences"}}
        python_only = {"SequenceOutput": {"error"}, "StreamReply": {"error", "outputs"}}
        for name in ("FeedbackDescription", "ModelDescription", "SequenceInput", "SequenceOutput", "StreamReply",
                     "SessionDescription", "GeneratedPiece"):  # fmt: skip
            cpp = self.fields(header, name)
            python = {field.name for field in dataclasses.fields(getattr(rondo, name))}
            self.assertEqual((cpp - python, python - cpp), (cpp_only.get(name, set()), python_only.get(name, set())), name)

    @staticmethod
    def fields(header, name):
        body = re.search(rf"struct {name} {{\n(.*?)^}};", header, re.MULTILINE | re.DOTALL).group(1)
        return set(re.findall(r"^  [\w:<>,*()&]+(?: [\w:<>,*()&]+)* (\w+)(?: = [^;]*)?;", body, re.MULTILINE))

    def compare(self, name, cpp_only, python_only):
        file = re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
        header = (ROOT / f"client/{file}.h").read_text()
        body = re.search(rf"^class {name} {{\n public:\n(.*?)^ private:", header, re.MULTILINE | re.DOTALL).group(1)
        code = re.sub(r"//.*", "", body)
        methods = set(re.findall(r"^  (?:static |const )?[\w:<>&]+ (\w+)\(", code, re.MULTILINE)) - {"operator"}
        cpp = {re.sub(r"(?<!^)([A-Z])", r"_\1", method).lower() for method in methods}
        python = self.public(getattr(rondo, name))
        self.assertEqual((cpp - python, python - cpp), (cpp_only, python_only), name)

    @staticmethod
    def public(kind):
        return {name for name in dir(kind) if not name.startswith("_")}

    @staticmethod
    def parameters(kind, method):
        return [(p.name, p.default, p.kind) for p in inspect.signature(getattr(kind, method)).parameters.values()]


if __name__ == "__main__":
    unittest.main()

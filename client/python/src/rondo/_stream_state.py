"""What a stream of either client keeps: the requests whose replies are still to come."""

from __future__ import annotations

import collections
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from . import _wire, errors, messages
from .v1 import inference_pb2


class Unanswered:
    """Makes a stream's requests, and pairs each reply with its own."""

    def __init__(self, model: messages.Model, version: int, last_only: bool, timeout: float | None) -> None:
        if timeout is not None and not timeout > 0:
            raise ValueError(f"timeout is {timeout} seconds; wanted > 0, or None for none")
        self._model = model
        self._version = version
        self._last_only = last_only
        self._timeout_ms = 0 if timeout is None else max(1, round(timeout * 1000))
        self._requests: collections.deque[inference_pb2.PredictRequest] = collections.deque()

    def request(self, sequences: Iterable[messages.SequenceInput]) -> inference_pb2.PredictRequest:
        return inference_pb2.PredictRequest(
            model=self._model.name,
            version=self._version,
            sequences=[_wire.to_sequence(sequence, self._model) for sequence in sequences],
            last_only=self._last_only,
            timeout_ms=self._timeout_ms,
        )

    def sent(self, request: inference_pb2.PredictRequest) -> None:
        self._requests.append(request)

    def reply(self, response: inference_pb2.PredictResponse) -> messages.StreamReply:
        if not self._requests:
            raise errors.Internal("the server answered a message that it was not sent")
        return _wire.stream_reply(response, self._requests.popleft(), self._model)


class Outbox(Iterator[Any]):
    """Hands messages to gRPC's sending thread one by one, so that a writer feels when the server does not read."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: Any = None
        self._closed = False

    def put(self, message: Any) -> bool:
        """Blocks until the message before was taken. False: closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting is None)
            if self._closed:
                return False
            self._waiting = message
            self._changed.notify_all()
            return True

    def close(self) -> None:
        """What was put is still handed over."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __next__(self) -> Any:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting is not None)
            if self._waiting is None:
                raise StopIteration
            message, self._waiting = self._waiting, None
            self._changed.notify_all()
            return message

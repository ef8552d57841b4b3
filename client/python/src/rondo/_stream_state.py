"""What a stream of either client keeps: the requests whose replies are still to come, and when it is worth connecting
again."""

from __future__ import annotations

import collections
import concurrent.futures
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from . import _calls, _wire, errors, messages
from .v1 import inference_pb2

Result = TypeVar("Result")

MAX_UNSENT_MESSAGES = 1024
"""Messages that may be written before somebody reads, and so finds out that the stream is to be opened again."""


class Unanswered:
    """Makes a stream's requests, and pairs each reply with its own."""

    def __init__(
        self, model: messages.ModelDescription, version: int, last_only: bool, timeout: float | None,
        end_with_stream: bool = False, tell_ended: bool = False,
    ) -> None:  # fmt: skip
        if timeout is not None and not timeout > 0:
            raise ValueError(f"timeout is {timeout} seconds; wanted > 0, or None for none")
        self._model = model
        self._version = version
        self._last_only = last_only
        self.end_with_stream = end_with_stream
        self._tell_ended = tell_ended
        self._timeout_ms = 0 if timeout is None else max(1, round(timeout * 1000))
        self._requests: collections.deque[inference_pb2.PredictRequest] = collections.deque()

    def request(self, sequences: Iterable[messages.SequenceInput]) -> inference_pb2.PredictRequest:
        return inference_pb2.PredictRequest(
            model=self._model.name,
            version=self._version,
            sequences=[_wire.to_sequence(sequence, self._model) for sequence in sequences],
            last_only=self._last_only,
            timeout_ms=self._timeout_ms,
            end_with_stream=self.end_with_stream,
            tell_ended=self._tell_ended,
        )

    def sent(self, request: inference_pb2.PredictRequest) -> None:
        self._requests.append(request)

    def __len__(self) -> int:
        return len(self._requests)

    def is_full(self) -> bool:
        return len(self) > MAX_UNSENT_MESSAGES

    def all(self) -> list[inference_pb2.PredictRequest]:
        """The oldest first."""
        return list(self._requests)

    def is_repeatable(self) -> bool:
        """Nothing is changed if all of them are sent again."""
        # Of a copy: one thread may add a request while another asks.
        return all(_wire.is_repeatable(sequence) for request in self.all() for sequence in request.sequences)

    def reply(self, response: inference_pb2.PredictResponse) -> messages.StreamReply:
        if response.ended:
            return messages.StreamReply([], None, {ended.session_id: ended.reason for ended in response.ended})
        if not self._requests:
            raise errors.Internal("the server answered a message that it was not sent")
        return _wire.stream_reply(response, self._requests.popleft(), self._model)


class Outage:
    """When to open a stream again that has ended."""

    def __init__(self, connection: _calls.Connection, unanswered: Unanswered) -> None:
        self._connection = connection
        self._unanswered = unanswered
        self._was_answered = False
        self._attempts: _calls.Attempts | None = None  # since the last answer

    def answered(self) -> None:
        self._was_answered = True
        self._attempts = None

    def is_harmless(self, error: errors.RondoError) -> bool:
        """A server that goes when all is answered, and nothing more will be written, ends nothing."""
        return self._was_answered and not len(self._unanswered) and isinstance(error, errors.Unavailable)

    def can_end(self) -> bool:
        """What is unanswered can be sent again."""
        return self._connection.policy.max_attempts > 1 and self._unanswered.is_repeatable()

    def delay(self, error: errors.RondoError, trailers: _calls.Trailers | None) -> float | None:
        """Seconds to wait, as long as the server wants if it says so; None: the stream is over."""
        if not self.can_end():
            return None
        if self._attempts is None:
            self._attempts = _calls.Attempts(self._connection, self._connection.deadline(None))
        # A server that was never there is not waited for, by a stream no more than by a call.
        return self._attempts.delay(error, repeatable=True, waits=self._was_answered, trailers=trailers)

    def delay_of_refused(self, response: inference_pb2.PredictResponse) -> float | None:
        """Seconds to wait before the stream is opened again; None: `response` is the reply to its message.

        A server that has come back answers before its models are loaded. Such a refusal is part of the outage. The
        messages behind the refused one may be refused or not, so that all are to be sent again."""
        error = _wire.from_status(response.status)
        # A stream whose end takes its sessions along goes on.
        if not isinstance(error, errors.Unavailable) or self._unanswered.end_with_stream:
            return None
        delay = self.delay(error, None)
        return None if delay is None else max(delay, error.retry_after or 0)


def no_reply_within(timeout: float | None) -> errors.DeadlineExceeded:
    return errors.DeadlineExceeded(f"no reply came within {timeout} seconds; the stream goes on")


def in_a_thread(function: Callable[[], Result]) -> concurrent.futures.Future[Result]:
    """Runs `function` in a thread of its own."""
    future: concurrent.futures.Future[Result] = concurrent.futures.Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


class Outbox(Iterator[Any]):
    """Hands messages to gRPC's sending thread one by one, so that a writer feels when the server does not read."""

    def __init__(self, first: Iterable[Any] = ()) -> None:
        self._changed = threading.Condition()
        self._first = collections.deque(first)
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
            if self._first:
                return self._first.popleft()
            self._changed.wait_for(lambda: self._closed or self._waiting is not None)
            if self._waiting is None:
                raise StopIteration
            message, self._waiting = self._waiting, None
            self._changed.notify_all()
            return message

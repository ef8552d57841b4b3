"""One unary call as a value, and all about making it that the sync and the async client share."""

from __future__ import annotations

import dataclasses
import math
import random
import time
from collections.abc import Generator, Iterable
from typing import Any, TypeVar

import grpc
from google.protobuf import message_factory

from . import _retry, _wire, errors
from ._channel import ChannelSettings
from .v1 import inference_pb2, models_pb2, sessions_pb2

Result = TypeVar("Result")

Trailers = Iterable[tuple[str, Any]]


@dataclasses.dataclass(frozen=True)
class Method:
    path: str
    request: Any
    response: Any


def _methods(descriptor: Any, service: str) -> dict[str, Method]:
    """From the .proto itself, so that no name or type can be mistyped."""
    found = descriptor.services_by_name[service]
    return {
        method.name: Method(
            f"/{found.full_name}/{method.name}",
            message_factory.GetMessageClass(method.input_type),
            message_factory.GetMessageClass(method.output_type),
        )
        for method in found.methods
    }


METHODS = {
    **_methods(inference_pb2.DESCRIPTOR, "Inference"),
    **_methods(models_pb2.DESCRIPTOR, "Models"),
    **_methods(sessions_pb2.DESCRIPTOR, "Sessions"),
}


@dataclasses.dataclass(frozen=True)
class Call:
    method: Method
    request: Any
    repeatable: bool
    """A second run changes no more than the first one did."""
    position: int | None = None
    """Of the one sequence in `request`, to tell a PositionError."""
    waits: bool = False
    """A live session's: worth waiting for a server that restarts."""
    server: str | None = None
    """The address of the one that is asked first, of several. None: the home of the session, else each in its turn."""

    def session_id(self) -> str:
        """Of the session that it is about, of several the first; empty: of none."""
        sequences = getattr(self.request, "sequences", None)
        named: str = getattr(sequences[0] if sequences else self.request, "session_id", "")
        return named


Operation = Generator[Call, Any, Result]
"""What a method of a client does, without its I/O: yields calls, is sent their responses, returns the result."""


def error_of(code: grpc.StatusCode, message: str | None, trailers: Trailers | None, position: int | None
             ) -> errors.RondoError:  # fmt: skip
    pushback = pushback_of(trailers)
    milliseconds = _retry.pushback_milliseconds(pushback) if pushback is not None else None
    retry_after = None if milliseconds is None else milliseconds / 1000
    error = errors.from_status(code.value[0], message or code.name, retry_after)
    expected = _trailer(trailers, "rondo-next-position")
    return _wire.position_error(error, position, int(expected) if expected else None)


def pushback_of(trailers: Trailers | None) -> str | None:
    return _trailer(trailers, "grpc-retry-pushback-ms")


def _trailer(trailers: Trailers | None, wanted: str) -> str | None:
    for key, value in trailers or ():
        if key == wanted:
            return value if isinstance(value, str) else str(value, "ascii", "replace")
    return None


class Attempts:
    """The tries of one call, or to open one stream again, until a deadline. Any thread, one at a time."""

    def __init__(self, connection: Connection, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline  # as time.monotonic()
        self._number = 1

    def remaining(self) -> float | None:
        """Seconds; None: no deadline."""
        return seconds_until(self._deadline)

    def delay(
        self, error: errors.RondoError, *, repeatable: bool, waits: bool, trailers: Trailers | None = None
    ) -> float | None:
        """Seconds to wait before the next try; None: give up, also because the deadline would pass meanwhile."""
        named = self._connection.channel.named
        if named is not None and isinstance(error, errors.Unavailable):
            named.connection_ended()
        delay = self._connection.policy.delay(
            error, self._number, repeatable, pushback_of(trailers), random.random(), waits=waits
        )
        self._number += 1
        if delay is None or time.monotonic() + delay >= self._deadline:
            return None
        return delay


@dataclasses.dataclass(frozen=True)
class Connection:
    """How to reach a server: what both clients are made of besides their channel."""

    channel: ChannelSettings
    policy: _retry.RetryPolicy
    timeout: float
    max_unsaved_bytes: int

    def __post_init__(self) -> None:
        deadline_after(self.timeout)

    def deadline(self, timeout: float | None) -> float:
        return deadline_after(self.timeout if timeout is None else timeout)

    def seconds(self, timeout: float | None) -> float | None:
        """Until that deadline. None: there is none."""
        return seconds_until(self.deadline(timeout))


def seconds_until(deadline: float) -> float | None:
    """None: there is none."""
    return None if math.isinf(deadline) else max(deadline - time.monotonic(), 0)


def deadline_after(timeout: float) -> float:
    """As time.monotonic(); infinite for an infinite timeout."""
    if not timeout > 0:
        raise ValueError(f"timeout is {timeout} seconds; wanted > 0, or math.inf for none")
    return time.monotonic() + timeout

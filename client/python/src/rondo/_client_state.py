"""What a client of either kind is made of: its channel, its defaults and what it knows of models."""

from __future__ import annotations

import itertools
import os
import random
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import grpc

from . import _calls, _operations
from ._channel import ChannelSettings, Metadata, TlsOptions, Token, home_of
from ._retry import RetryPolicy

DEFAULT_ADDRESS = "127.0.0.1:8001"


class ClientState:
    """The constructor of both clients; a subclass says how a channel is made."""

    _make_channel: Callable[..., Any]
    """(target, credentials or None, gRPC's options, interceptors)"""

    def __init__(
        self,
        address: str | None = None,
        *,
        timeout: float = 10.0,
        max_attempts: int = RetryPolicy.max_attempts,
        initial_backoff: float = RetryPolicy.initial_backoff,
        max_backoff: float = RetryPolicy.max_backoff,
        max_reply_bytes: int = 64 << 20,
        max_unsaved_bytes: int = 1 << 20,
        keepalive: float = 5.0,
        tls: TlsOptions | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        token: Token | None = None,
        metadata: Metadata = (),
        channel_options: Sequence[tuple[str, Any]] = (),
        spread: bool = True,
        interceptors: Sequence[Any] = (),
    ) -> None:
        if address is None:
            address = os.environ.get("RONDO_SERVER") or DEFAULT_ADDRESS
        channel = ChannelSettings(
            address, max_reply_bytes, keepalive, tls, credentials, token, metadata, channel_options, spread
        )  # fmt: skip
        policy = RetryPolicy(max_attempts, initial_backoff, max_backoff)
        self._connection = _calls.Connection(channel, policy, timeout, max_unsaved_bytes)
        self._channels = {
            first: self._make_channel(target, channel.credentials(), channel.grpc_options(), list(interceptors))
            for first, target in channel.targets().items()
        }
        self._addresses = tuple(self._channels)
        # Whatever has no home goes to one server after the other, and not every client begins with the same one.
        shuffled = random.sample(self._addresses, len(self._addresses))
        self._call_turns, self._stream_turns = itertools.cycle(shuffled), itertools.cycle(shuffled)
        self._models = _operations.KnownModels()
        self._methods: dict[str, dict[str, Any]] = {
            first: {
                method.path: one.unary_unary(method.path, method.request.SerializeToString, method.response.FromString)
                for method in _calls.METHODS.values()
            }
            for first, one in self._channels.items()
        }

    def _start_call(self, call: _calls.Call, timeout: float | None) -> Any:
        """Makes one try of a unary call."""
        metadata = self._connection.channel.call_metadata()
        session_id = call.session_id() if len(self._addresses) > 1 else ""
        first = call.server or (home_of(session_id, self._addresses) if session_id else next(self._call_turns))
        return self._methods[first][call.method.path](call.request, timeout=timeout, metadata=metadata)

    def _start_generation(self, request: Any, timeout: float | None) -> Any:
        """Makes one try of a call that answers tokens."""
        method = _calls.METHODS["Generate"]
        addressed = request.session_id and len(self._addresses) > 1
        first = home_of(request.session_id, self._addresses) if addressed else next(self._call_turns)
        start = self._channels[first].unary_stream(
            method.path, method.request.SerializeToString, method.response.FromString
        )
        return start(request, timeout=timeout, metadata=self._connection.channel.call_metadata())

    def _new_session_id(self) -> str | None:
        """For a session whose id is not its user's: made here, so that it begins where it lives. None: the server's."""
        return uuid.uuid4().hex if len(self._addresses) > 1 else None

    def _start_stream(self) -> Any:
        """Starts the gRPC call of a new stream when it is called."""
        method = _calls.METHODS["StreamPredict"]
        streams = {
            first: one.stream_stream(method.path, method.request.SerializeToString, method.response.FromString)
            for first, one in self._channels.items()
        }
        metadata = self._connection.channel.call_metadata
        return lambda *requests: streams[next(self._stream_turns)](*requests, metadata=metadata())

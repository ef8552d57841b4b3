"""What a client of either kind is made of: its channel, its defaults and what it knows of models."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import grpc

from . import _calls, _operations
from ._channel import ChannelSettings, Metadata, TlsOptions, Token, is_proxied
from ._names import LookUp, NamedServers, look_up_host, name_in
from ._retry import RetryPolicy
from ._routes import Routes, RouteTable

DEFAULT_ADDRESS = "127.0.0.1:8001"


class ClientState:
    """The constructor of both clients; a subclass says how a channel is made."""

    _make_channel: Callable[..., Any]
    """(target, credentials or None, gRPC's options, interceptors)"""
    _close_channel: Callable[[Any], None]

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
        look_up: LookUp | None = None,
        interceptors: Sequence[Any] = (),
    ) -> None:
        if address is None:
            address = os.environ.get("RONDO_SERVER") or DEFAULT_ADDRESS
        if not isinstance(address, str):
            raise TypeError(f"server address {address!r} is of type {type(address).__name__}: wanted text, HOST:PORT")
        name = name_in(address) if spread else None
        if name and look_up is None and is_proxied(name[0], channel_options):
            name = None  # a proxy finds the servers of a name itself
        named = NamedServers(*name, look_up or look_up_host) if name else None
        channel = ChannelSettings(
            address, max_reply_bytes, keepalive, tls, credentials, token, metadata, channel_options, spread, named
        )  # fmt: skip
        policy = RetryPolicy(max_attempts, initial_backoff, max_backoff)
        self._connection = _calls.Connection(channel, policy, timeout, max_unsaved_bytes)
        self._table = RouteTable(
            channel,
            lambda target, options: self._make_channel(target, channel.credentials(), options, list(interceptors)),
        )
        self._models = _operations.KnownModels()

    def __reduce__(self) -> Any:
        """Processes that are forked, or started with what was pickled, need connections of their own."""
        raise TypeError("a client has connections, which cannot be copied or pickled: make one in each process")

    def _routes(self) -> Routes:
        routes, to_close = self._table.now()
        for channel in to_close:
            self._close_channel(channel)
        return routes

    def _start_call(self, call: _calls.Call, timeout: float | None) -> Any:
        """Makes one try of a unary call."""
        metadata = self._connection.channel.call_metadata()
        routes = self._routes()
        first = routes.to(call.server) if call.server else routes.of(call.session_id())
        return routes.methods[first][call.method.path](call.request, timeout=timeout, metadata=metadata)

    def _start_generation(self, request: Any, timeout: float | None) -> Any:
        """Makes one try of a call that answers tokens."""
        method = _calls.METHODS["Generate"]
        routes = self._routes()
        channel = routes.channels[routes.of(request.session_id)]
        start = channel.unary_stream(method.path, method.request.SerializeToString, method.response.FromString)
        call = start(request, timeout=timeout, metadata=self._connection.channel.call_metadata())
        self._table.keep_open(channel, call)
        return call

    def _new_session_id(self) -> str | None:
        """For a session whose id is not its user's: made here, so that it begins where it lives. None: the server's."""
        return uuid.uuid4().hex if len(self._routes().addresses) > 1 else None

    def _start_stream(self) -> Any:
        """Starts the gRPC call of a new stream when it is called."""
        method = _calls.METHODS["StreamPredict"]

        def start(*requests: Any) -> Any:
            routes = self._routes()
            channel = routes.channels[next(routes.stream_turns)]
            stream = channel.stream_stream(method.path, method.request.SerializeToString, method.response.FromString)
            call = stream(*requests, metadata=self._connection.channel.call_metadata())
            self._table.keep_open(channel, call)
            return call

        return start

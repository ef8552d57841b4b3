"""What a client of either kind is made of: its channel, its defaults and what it knows of models."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from . import _calls, _operations
from ._retry import RetryPolicy

DEFAULT_ADDRESS = "127.0.0.1:8001"


class ClientState:
    """The constructor of both clients; a subclass says how a channel is made."""

    _make_channel: Callable[..., Any]

    def __init__(
        self,
        address: str | None = None,
        *,
        timeout: float = _calls.Connection.timeout,
        max_attempts: int = RetryPolicy.max_attempts,
        initial_backoff: float = RetryPolicy.initial_backoff,
        max_backoff: float = RetryPolicy.max_backoff,
        max_reply_bytes: int = _calls.Connection.max_reply_bytes,
        max_unsaved_bytes: int = _calls.Connection.max_unsaved_bytes,
    ) -> None:
        if address is None:
            address = os.environ.get("RONDO_SERVER") or DEFAULT_ADDRESS
        policy = RetryPolicy(max_attempts, initial_backoff, max_backoff)
        self._connection = _calls.Connection(address, policy, timeout, max_reply_bytes, max_unsaved_bytes)
        self._channel = self._make_channel(self._connection.target(), self._connection.channel_options())
        self._models = _operations.KnownModels()
        self._methods: dict[str, Any] = {
            method.path: self._channel.unary_unary(
                method.path, method.request.SerializeToString, method.response.FromString
            )
            for method in _calls.METHODS.values()
        }

    def _start_stream(self) -> Any:
        """Starts the gRPC call of a new stream when it is called."""
        method = _calls.METHODS["StreamPredict"]
        return self._channel.stream_stream(method.path, method.request.SerializeToString, method.response.FromString)

"""The ways to the servers of an address."""

from __future__ import annotations

import contextlib
import itertools
import random
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from . import _calls
from ._channel import ChannelSettings, home_of, targets_of

_KEPT = 60.0
"""Seconds that a channel is kept open at least which new calls do not take any more: older ones may run on it."""


class Routes:
    """The servers at one time, by address, with a channel to each that asks it first. Any thread."""

    def __init__(self, channels: dict[str, Any]) -> None:
        self.channels = channels
        self.addresses = tuple(channels)
        # Whatever has no home goes to one server after the other, and not every client begins with the same one.
        shuffled = random.sample(self.addresses, len(self.addresses))
        self.call_turns, self.stream_turns = itertools.cycle(shuffled), itertools.cycle(shuffled)
        self.methods: dict[str, dict[str, Any]] = {
            first: {
                method.path: one.unary_unary(method.path, method.request.SerializeToString, method.response.FromString)
                for method in _calls.METHODS.values()
            }
            for first, one in channels.items()
        }

    def of(self, session_id: str) -> str:
        """The address of the session's home; empty: of each server in its turn."""
        if not session_id or len(self.addresses) == 1:
            return next(self.call_turns)
        return home_of(session_id, self.addresses)

    def to(self, server: str) -> str:
        """An address that a call was given before; another one if that server has left."""
        return server if server in self.channels else next(self.call_turns)


class RouteTable:
    """The routes as they are now. Any thread; of asyncio's client the one of its loop."""

    def __init__(self, settings: ChannelSettings, make_channel: Callable[[str, Any], Any]) -> None:
        """`make_channel`: (target, gRPC's options)"""
        self._settings, self._make_channel = settings, make_channel
        self._lock = threading.Lock()
        self._open: dict[str, Any] = {}  # by target
        self._unused: dict[str, float] = {}  # by target, since when
        self._streams: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()  # each one's channel
        self._found: tuple[str, ...] = ()
        self._routes = self._routes_to(settings.targets(), None)

    def now(self) -> tuple[Routes, list[Any]]:
        """And the channels to close that no call has taken for long."""
        named = self._settings.named
        found = named.current() if named is not None else ()
        with self._lock:
            if found == self._found or named is None:
                return self._routes, []
            self._found = found
            targets = targets_of(",".join(found)) if found else self._settings.targets()
            self._routes = self._routes_to(targets, named.name if found else None)
            return self._routes, self._left_open(set(targets.values()))

    def keep_open(self, channel: Any, stream: Any) -> None:
        """While the stream runs. It may be anything that an interceptor made of gRPC's."""
        if self._settings.named is not None:
            with self._lock, contextlib.suppress(TypeError):  # some objects cannot be referred to weakly
                self._streams[stream] = channel

    def all_channels(self) -> list[Any]:
        return list(self._open.values())

    def _routes_to(self, targets: dict[str, str], name: str | None) -> Routes:
        for target in targets.values():
            if target not in self._open:
                self._open[target] = self._make_channel(target, self._settings.grpc_options(target, name))
        return Routes({first: self._open[target] for first, target in targets.items()})

    def _left_open(self, used: set[str]) -> list[Any]:
        now = time.monotonic()
        self._unused = {target: self._unused.get(target, now) for target in self._open if target not in used}
        busy = {
            id(channel) for stream, channel in self._streams.items() if not getattr(stream, "done", lambda: False)()
        }  # fmt: skip
        over = [
            target for target, since in self._unused.items()
            if now - since > _KEPT and id(self._open[target]) not in busy
        ]  # fmt: skip
        return [self._open.pop(target) for target in over]

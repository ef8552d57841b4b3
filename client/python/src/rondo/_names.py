"""A DNS name that stands for several servers."""

from __future__ import annotations

import concurrent.futures
import ipaddress
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable

LookUp = Callable[[str], Iterable[str]]
"""The IP addresses of a host; none: it is not found."""

MAX_AGE = 5.0
"""Seconds that a look is good for."""
MIN_AGE = 1.0
"""After a connection has ended."""


def look_up_host(host: str) -> set[str]:
    """What the system's resolver knows, of the families that this machine has."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        return {str(each[4][0]) for each in found}
    except (OSError, UnicodeError):
        return set()


def name_in(address: str) -> tuple[str, str] | None:
    """Host and port of HOST:PORT or dns:///HOST:PORT. None: the address is another kind of gRPC target, or its host is an
    IP address or this machine (localhost)."""
    found = re.fullmatch(r"(?:dns:///)?([A-Za-z0-9._-]+):([0-9]{1,5})", address)
    if not found or not 0 < int(found[2]) <= 65535 or found[1].lower() == "localhost" or _version(found[1]):
        return None
    return found[1], found[2]


def servers_at(ip_addresses: Iterable[str], port: str) -> tuple[str, ...]:
    """The addresses IP:PORT, sorted, of the servers behind a name that has these IP addresses: IPv4 ones if there is any,
    else IPv6 ones, as a server may have addresses of both and listen on one. Link-local ones count for nothing: they say
    no interface. Empty: there are not several."""
    addresses = set(ip_addresses)
    v4 = {f"{address}:{port}" for address in addresses if _version(address) == 4}
    v6 = {f"[{address}]:{port}" for address in addresses if _version(address) == 6}
    servers = v4 or v6
    return tuple(sorted(servers)) if len(servers) > 1 else ()


def _version(address: str) -> int | None:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    return None if found.version == 6 and (found.is_link_local or "%" in address) else found.version


class NamedServers:
    """The servers that a DNS name stands for. It is looked up when it is first asked for, and again when it is asked for
    and the last look is too old. A look that finds nothing changes nothing. Any thread."""

    def __init__(self, host: str, port: str, look_up: LookUp, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = f"{host}:{port}"
        self._host, self._port, self._look_up, self._clock = host, port, look_up, clock
        self._lock = threading.Lock()
        self._looking = False
        self._first_look: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._first_look.set_running_or_notify_cancel()  # so that nobody who stops waiting for it cancels it
        self._looked_at = self._look_again_at = float("-inf")
        self._addresses: tuple[str, ...] = ()

    def current(self) -> tuple[str, ...]:
        """IP:PORT, sorted. Empty: there is one server at most, or the first look has not ended."""
        with self._lock:
            if not self._looking and self._clock() >= self._look_again_at:
                try:
                    threading.Thread(target=self._look, daemon=True).start()
                    self._looking = True
                except RuntimeError:  # no more threads, or the interpreter ends: the next call tries again
                    self._end_first_look()
            return self._addresses

    def first_look(self) -> concurrent.futures.Future[None]:
        """Done once the first look has ended: then `current` knows the servers."""
        if not self._first_look.done():
            self.current()
        return self._first_look

    def connection_ended(self) -> None:
        """The servers may be others now."""
        with self._lock:
            self._look_again_at = min(self._look_again_at, self._looked_at + MIN_AGE)

    def _look(self) -> None:
        addresses: list[str] = []
        servers: tuple[str, ...] = ()
        try:
            addresses = list(self._look_up(self._host))
            servers = servers_at(addresses, self._port)
        finally:  # what one's own function raises is its thread's to show
            with self._lock:
                self._looking = False
                self._looked_at = self._clock()
                self._look_again_at = self._looked_at + MAX_AGE
                if addresses:
                    self._addresses = servers
                self._end_first_look()

    def _end_first_look(self) -> None:
        """The caller holds the lock."""
        if not self._first_look.done():
            self._first_look.set_result(None)

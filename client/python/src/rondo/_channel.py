"""The way to a server: its address, encryption, credentials, and what every call brings along."""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Union

import grpc

from ._names import NamedServers

# How gRPC connects again to an address, in milliseconds. Its own first reconnect comes after a second: every retry before
# that would fail without having tried. The least is also the longest wait for one address: with gRPC's 20 s the next
# server's turn would come after every deadline.
INITIAL_RECONNECT_MS = 100
MIN_RECONNECT_MS = 1000
MAX_RECONNECT_MS = 2000
# The least time between two looks at a DNS name. With gRPC's 30 s a server that has moved is found too late.
MIN_DNS_RESOLUTION_MS = 1000

Metadata = Union[Mapping[str, Union[str, bytes]], Sequence[tuple[str, Union[str, bytes]]]]
Token = Union[str, Callable[[], str]]


@dataclasses.dataclass(frozen=True)
class TlsOptions:
    """How a connection is encrypted. The texts are PEM, as they stand in files."""

    root_certificates: str | bytes = ""
    """Of the authorities that may sign a server's certificate. Empty: those that gRPC brings along."""
    certificate_chain: str | bytes = ""
    """The client's own, for servers that ask for one. Empty: none."""
    private_key: str | bytes = dataclasses.field(default="", repr=False)
    """Of certificate_chain."""
    server_name: str = ""
    """Which the server's certificate must have. Empty: the host of the address."""

    def __post_init__(self) -> None:
        if bool(self.certificate_chain) != bool(self.private_key):
            raise ValueError("a certificate and its private key are given together: wanted both or none")

    def credentials(self) -> grpc.ChannelCredentials:
        """What gRPC makes of them."""
        texts = (self.root_certificates, self.private_key, self.certificate_chain)
        return grpc.ssl_channel_credentials(*(
            (text.encode() if isinstance(text, str) else text) or None for text in texts
        ))  # fmt: skip


@dataclasses.dataclass(frozen=True)
class ChannelSettings:
    """The options of a client that say how it reaches its server."""

    address: str
    max_reply_bytes: int
    keepalive: float
    tls: TlsOptions | None = None
    own_credentials: grpc.ChannelCredentials | None = None
    token: Token | None = dataclasses.field(default=None, repr=False)
    metadata: Metadata = ()
    channel_options: Sequence[tuple[str, Any]] = ()
    spread: bool = True
    named: NamedServers | None = None
    """The servers of the address, which is a name. None: it is anything else."""

    def __post_init__(self) -> None:
        targets_of(self.address)
        if not self.keepalive > 0:
            raise ValueError(f"keepalive is {self.keepalive} seconds; wanted > 0, or math.inf for none")
        if self.tls is not None and self.own_credentials is not None:
            raise ValueError("tls and credentials are given: wanted one at most")
        for name, value in self._pairs():
            _check_header(name, value)

    def targets(self) -> dict[str, str]:
        """`targets_of` the address; without `spread` only that of the first server."""
        targets = targets_of(self.address)
        return targets if self.spread else dict(list(targets.items())[:1])

    def credentials(self) -> grpc.ChannelCredentials | None:
        """None: the connection is not encrypted."""
        return self.own_credentials if self.tls is None else self.tls.credentials()

    def grpc_options(self, target: str = "", name: str | None = None) -> list[tuple[str, Any]]:
        """`name`: the HOST:PORT that the server was found by, whose certificate it must have."""
        options: list[tuple[str, Any]] = [
            ("grpc.max_receive_message_length", self.max_reply_bytes),
            ("grpc.initial_reconnect_backoff_ms", INITIAL_RECONNECT_MS),
            ("grpc.max_reconnect_backoff_ms", MAX_RECONNECT_MS),
            ("grpc.min_reconnect_backoff_ms", MIN_RECONNECT_MS),
            ("grpc.dns_min_time_between_resolutions_ms", MIN_DNS_RESOLUTION_MS),
            # Clients of one process share connections to an address otherwise, and each other's backoff.
            ("grpc.use_local_subchannel_pool", 1),
        ]
        if not math.isinf(self.keepalive):
            answer_ms = max(round(self.keepalive * 500), 1)
            options += [
                ("grpc.keepalive_time_ms", max(round(self.keepalive * 1000), 1)),
                ("grpc.keepalive_timeout_ms", answer_ms),
                ("grpc.http2.ping_timeout_ms", answer_ms),  # newer gRPC waits a minute for a ping's answer otherwise
                ("grpc.http2.max_pings_without_data", 0),  # no limit: a quiet stream is asked again and again
            ]
        if "," in target:  # gRPC would ask a proxy for the whole list, as if that were one host
            options.append(("grpc.enable_http_proxy", 0))
        if name and (self.tls is not None or self.own_credentials is not None):
            options.append(("grpc.ssl_target_name_override", name.rpartition(":")[0]))
        elif name:
            options.append(("grpc.default_authority", name))
        if self.tls is not None and self.tls.server_name:
            options.append(("grpc.ssl_target_name_override", self.tls.server_name))
        return list({**dict(options), **dict(self.channel_options)}.items())

    def call_metadata(self) -> list[tuple[str, str | bytes]]:
        """What a call brings along that is made now."""
        if self.token is None:
            return self._pairs()
        token = self.token() if callable(self.token) else self.token
        if not re.fullmatch("[!-~]+", token):
            raise ValueError("the token is empty, or has spaces or characters that are not printable ASCII")
        return [*self._pairs(), ("authorization", f"Bearer {token}")]

    def _pairs(self) -> list[tuple[str, str | bytes]]:
        return list(self.metadata.items() if isinstance(self.metadata, Mapping) else self.metadata)


def is_proxied(host: str, channel_options: Sequence[tuple[str, Any]]) -> bool:
    """Whether gRPC reaches this host through an HTTP proxy, which the environment (http_proxy, no_proxy and the like) or
    a channel option names."""
    given = dict(channel_options)
    not_proxied = re.findall("[^, ]+", _first_set("no_grpc_proxy", "no_proxy").lower())
    if given.get("grpc.enable_http_proxy") == 0 or any(host.lower().endswith(ending) for ending in not_proxied):
        return False
    return "grpc.http_proxy" in given or _first_set("grpc_proxy", "https_proxy", "http_proxy") != ""


def _first_set(*variables: str) -> str:
    """The first of these variables of the environment that has a value; empty: none has."""
    return next((value for value in map(os.environ.get, variables) if value), "")


def _check_header(name: str, value: str | bytes) -> None:
    if not re.fullmatch("[a-z0-9._-]+", name) or name.startswith("grpc-"):
        raise ValueError(
            f"metadata has the name {name!r}; wanted lower-case letters, digits, '-', '_' and '.', and no name that begins "
            "with 'grpc-'"
        )
    if not name.endswith("-bin") and not (isinstance(value, str) and re.fullmatch("[ -~]*", value)):
        raise ValueError(
            f"the value of metadata '{name}' is no printable ASCII; for bytes a name must end in -bin"
        )


@functools.lru_cache(maxsize=1 << 16)
def home_of(session_id: str, addresses: tuple[str, ...]) -> str:
    """The server of several that a session lives on: the one whose address goes best with its id (rendezvous hashing). So
    a server that comes or goes moves only the sessions that it takes or leaves, and every client finds the same one."""
    hashed = _hash(session_id)
    return max(addresses, key=lambda address: _mixed(hashed ^ _hash(address)))


_64_BITS = (1 << 64) - 1


def _hash(text: str) -> int:
    """FNV-1a."""
    hashed = 0xCBF29CE484222325
    for byte in text.encode():
        hashed = (hashed ^ byte) * 0x100000001B3 & _64_BITS
    return hashed


def _mixed(hashed: int) -> int:
    """The finalizer of MurmurHash3: each bit depends on all."""
    hashed = (hashed ^ hashed >> 33) * 0xFF51AFD7ED558CCD & _64_BITS
    hashed = (hashed ^ hashed >> 33) * 0xC4CEB9FE1A85EC53 & _64_BITS
    return hashed ^ hashed >> 33


def targets_of(address: str) -> dict[str, str]:
    """What gRPC calls the servers at `address`: for each IP:PORT of a list, a target that asks that one first and the
    others in their turn when it is away."""
    not_host_and_port = ValueError(f"server address '{address}' is not HOST:PORT with a port of 1 to 65535")
    if not address or any(character.isspace() for character in address):
        raise not_host_and_port
    url = re.match(r"(https?|grpcs?|tcp)://([^/]*)", address, re.IGNORECASE)
    if url:
        tls = ", and TLS as an option of its own (tls=rondo.TlsOptions())" if url[1].lower().endswith("s") else ""
        raise ValueError(f"server address '{address}' is a URL: wanted HOST:PORT, here {url[2]}{tls}")
    if "," not in address or "//" in address or address.startswith(("ipv4:", "ipv6:")):
        if not address.startswith(_TARGETS_OF_GRPC) and "://" not in address and not _is_host_and_port(address):
            raise not_host_and_port
        return {address: address}
    each = address.split(",")
    families = [_family(one) for one in each]
    if families[0] is None or len(set(families)) > 1 or not all(map(_is_host_and_port, each)):
        raise ValueError(
            f"the list of servers '{address}' is not IP:PORT,IP:PORT,... of one family; a single NAME:PORT may stand for "
            "several addresses"
        )
    return {one: f"{families[0]}:{','.join(each[i:] + each[:i])}" for i, one in enumerate(each)}


# What gRPC reads itself.
_TARGETS_OF_GRPC = ("dns:", "ipv4:", "ipv6:", "unix:", "unix-abstract:", "vsock:")


def _is_host_and_port(address: str) -> bool:
    """True of name:8001, 10.0.0.1:8001 and [::1]:8001. gRPC takes 443 for a port that is left out, and 34463 for 99999."""
    host, _, port = address.rpartition(":")
    named = bool(host) and (host.startswith("[") or ":" not in host)
    return named and re.fullmatch(r"[0-9]{1,5}", port) is not None and 0 < int(port) <= 65535


def _family(address: str) -> str | None:
    host, colon, port = address.rpartition(":")
    if not colon or not port:
        return None
    bracketed = host.startswith("[") and host.endswith("]")
    try:
        version = ipaddress.ip_address(host[1:-1] if bracketed else host).version
    except ValueError:
        return None
    return f"ipv{version}" if bracketed == (version == 6) else None

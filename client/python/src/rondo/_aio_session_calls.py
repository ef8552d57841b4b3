"""What the client for asyncio asks of the servers about sessions, but for driving one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

from . import _operations, messages
from ._calls import Operation
from ._client_state import ClientState

Result = TypeVar("Result")


class SessionCalls(ClientState):
    """A part of `rondo.aio.Client`, which runs the operations. Its methods are described in `rondo.Client`."""

    async def _find_servers(self, timeout: float | None) -> None:
        raise NotImplementedError

    async def _run(self, operation: Operation[Result], timeout: float | None) -> Result:
        raise NotImplementedError

    async def create_session(
        self,
        model: str,
        id: str | None = None,
        *,
        version: int = 0,
        idle_timeout: float | None = None,
        initial_state: messages.InitialState | None = None,
        timeout: float | None = None,
    ) -> messages.SessionDescription:
        return await self._run(_operations.create_session(model, id, version, idle_timeout, initial_state), timeout)

    async def get_session(self, id: str, *, timeout: float | None = None) -> messages.SessionDescription:
        return await self._run(_operations.get_session(id), timeout)

    async def list_sessions(
        self, model: str = "", *, timeout: float | None = None
    ) -> AsyncIterator[messages.SessionDescription]:
        await self._find_servers(self._connection.seconds(timeout))
        server, token = next(self._routes().call_turns), ""
        while True:
            page, token = await self._run(_operations.list_page(model, token, server), timeout)
            for session in page:
                yield session
            if not token:
                return

    async def delete_session(self, id: str, *, timeout: float | None = None) -> None:
        await self._run(_operations.delete_session(id), timeout)

    async def delete_sessions(
        self, prefix: str = "", *, model: str = "", all: bool = False, timeout: float | None = None
    ) -> int:
        await self._find_servers(self._connection.seconds(timeout))
        return await self._run(_operations.delete_sessions(prefix, model, all, self._routes().addresses), timeout)

    async def export_session(self, id: str, *, timeout: float | None = None) -> bytes:
        return await self._run(_operations.export_session(id), timeout)

    async def import_session(
        self, state: bytes, id: str | None = None, *, timeout: float | None = None
    ) -> messages.SessionDescription:
        return await self._run(_operations.import_session(state, id), timeout)

    async def fork_session(
        self, id: str, new_id: str | None = None, *, timeout: float | None = None
    ) -> messages.SessionDescription:
        return await self._run(_operations.fork_session(id, new_id), timeout)

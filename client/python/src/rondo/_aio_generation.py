"""Tokens that a model samples, for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc.aio

from . import _generation_state, messages


class Generation(_generation_state.GenerationState):
    """As `rondo.Generation`, with `async for`. One task at a time."""

    async def __aiter__(self) -> AsyncIterator[messages.GeneratedPiece]:
        while self.stopped is None:
            if self._call is None:
                self._call = await self._start(self.request, self.attempts.remaining())
            try:
                response = await self._call.read()
                if response is grpc.aio.EOF:
                    response = await self._call  # raises
            except grpc.aio.AioRpcError as failure:
                self._call = None
                await asyncio.sleep(self._delay(failure))
            else:
                piece = self._take(response)
                if piece.tokens:
                    yield piece

    async def read_all(self) -> str:
        async for _ in self:
            pass
        return self.text

    def cancel(self) -> None:
        if self._call is not None:
            self._call.cancel()

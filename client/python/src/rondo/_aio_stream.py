"""A stream of the client for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from typing import Any

import grpc
import grpc.aio

from . import _calls, _stream_state, errors, messages

# What an operation raises on a stream that has ended, or is about to.
_BROKEN = (grpc.aio.AioRpcError, grpc.aio.InternalError, asyncio.InvalidStateError)
# What a write meets besides when the reader gives its call up. A write runs in a task that nobody else cancels.
_GIVEN_UP = (*_BROKEN, asyncio.CancelledError)


async def _to_the_end(operation: Coroutine[Any, Any, None]) -> None:
    """Awaits an operation that runs on if its caller is cancelled: gRPC ends a call whose write is cancelled."""
    task = asyncio.ensure_future(operation)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody else may ask
    await asyncio.shield(task)


class PredictStream:
    """As `rondo.PredictStream`. One task may write while another reads."""

    def __init__(self, start: Any, unanswered: _stream_state.Unanswered, connection: _calls.Connection) -> None:
        self._start = start
        self._call = start()
        self._unanswered = unanswered
        self._outage = _stream_state.Outage(connection, unanswered)
        self._done_writing = False
        self._over = False
        self._write_failed = False  # on this call
        self._is_behind = False  # what is unanswered is still to be sent on this call, by _sending_again
        self._writing = asyncio.Lock()
        self._sending_again: asyncio.Task[None] | None = None
        self._reading: asyncio.Future[messages.StreamReply | None] | None = None  # which nobody has waited out

    async def write(self, sequences: Iterable[messages.SequenceInput]) -> None:
        if self._done_writing:
            raise ValueError("write after done_writing")
        await _to_the_end(self._write(self._unanswered.request(sequences)))

    async def _write(self, request: Any) -> None:
        async with self._writing:
            self._unanswered.sent(request)
            if self._is_behind:
                return
            call = self._call
            try:
                await call.write(request)
            except _GIVEN_UP as failure:
                if call is not self._call:
                    return
                self._write_failed = True
                # A stream that has ended meanwhile is the reader's affair.
                if self._over or not self._outage.can_end() or self._unanswered.is_full():
                    raise await self._error() from failure

    async def read(self, *, timeout: float | None = None) -> messages.StreamReply | None:
        # gRPC ends a call whose read is cancelled. Here a reader that is cancelled, or waits no longer, leaves the read
        # to whoever asks next.
        reading = self._reading = self._reading or asyncio.ensure_future(self._read())
        done, _ = await asyncio.wait([reading], timeout=timeout)
        if not done:
            raise _stream_state.no_reply_within(timeout)
        self._reading = None
        return reading.result()

    async def _read(self) -> messages.StreamReply | None:
        while True:
            try:
                response = await self._call.read()
                if response is grpc.aio.EOF and await self._call.code() == grpc.StatusCode.OK:
                    return None
            except _BROKEN:
                response = grpc.aio.EOF
            if response is grpc.aio.EOF:
                error = await self._error()
                if self._done_writing and self._outage.is_harmless(error):
                    return None
                trailers = await self._call.trailing_metadata()
                delay = self._outage.delay(error, trailers) if not self._over else None
                if delay is None:
                    self._over = True
                    raise error
                await asyncio.sleep(delay)
                self._open_again()
            elif not response.HasField("going_away"):  # nothing follows it but the end
                delay = self._outage.delay_of_refused(response) if not self._over else None
                if delay is None:
                    self._outage.answered()
                    return self._unanswered.reply(response)
                await asyncio.sleep(delay)
                self._open_again()

    def _open_again(self) -> None:
        given_up, self._call = self._call, self._start()
        given_up.cancel()
        self._write_failed = False
        self._is_behind = True
        # Beside the reader: what is sent may have to wait until something is read.
        self._sending_again = asyncio.create_task(self._send_again(self._call))

    async def _send_again(self, call: Any) -> None:
        async with self._writing:
            if call is not self._call:
                return
            self._is_behind = False
            try:
                for request in self._unanswered.all():
                    await call.write(request)
                if self._done_writing:
                    await call.done_writing()
            except _GIVEN_UP:
                self._write_failed = call is self._call  # the reader sees it

    async def __aiter__(self) -> AsyncIterator[messages.StreamReply]:
        while (reply := await self.read()) is not None:
            yield reply

    async def done_writing(self) -> None:
        self._done_writing = True
        await _to_the_end(self._half_close())

    async def _half_close(self) -> None:
        async with self._writing:
            if self._is_behind:
                return
            call = self._call
            try:
                await call.done_writing()
            except _GIVEN_UP:
                self._write_failed = call is self._call  # the reader sees it

    async def close(self) -> None:
        self._over = True
        self._call.cancel()
        running = [task for task in (self._sending_again, self._reading) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _exit(self, failed: bool) -> None:
        await self.close()

    async def _error(self) -> errors.RondoError:
        code, details = await self._call.code(), await self._call.details()
        if self._write_failed and code == grpc.StatusCode.INTERNAL:
            # grpc.aio's own word for a write on a connection that has just broken.
            return errors.Unavailable("the connection broke")
        return _calls.error_of(code, details, await self._call.trailing_metadata(), None)

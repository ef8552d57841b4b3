"""The client for asyncio. Its methods are those of `rondo.Client` and `rondo.Session`, to be awaited; shapes, units and
errors are described there.

    async with rondo.aio.Client() as client, client.open_session("seattle") as town:
        print(await town.step([5.6, -3.2, 0, 1.2], time="2015-01-01"))
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

import grpc
import grpc.aio
import numpy.typing as npt

from . import (
    _calls,
    _generation_state,
    _operations,
    _session_state,
    _stream_state,
    client,
    errors,
    generation,
    messages,
    session,
    stream,
)
from ._aio_generation import Generation
from ._aio_session_calls import SessionCalls
from ._aio_stream import PredictStream
from ._calls import Operation

__all__ = ["Client", "Generation", "PredictStream", "Session"]

Result = TypeVar("Result")


class _Enterable(Protocol):
    async def _exit(self, failed: bool) -> None: ...


Opened = TypeVar("Opened", bound=_Enterable)


class Opening(Generic[Opened]):
    """`await` it for the object, or `async with` it to have that closed at the end of the block."""

    def __init__(self, open: Callable[[], Awaitable[Opened]]) -> None:
        self._open = open
        self._opened: Opened | None = None

    def __await__(self) -> Generator[Any, None, Opened]:
        return self._open().__await__()

    async def __aenter__(self) -> Opened:
        self._opened = await self._open()
        return self._opened

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened is not None:
            await self._opened._exit(kind is not None)


class Client(SessionCalls):
    """As `rondo.Client`. Make it where its event loop runs; any task of that loop may call any method."""

    @staticmethod
    def _make_channel(target: str, credentials: Any, options: Any, interceptors: list[Any]) -> Any:
        if credentials is None:
            return grpc.aio.insecure_channel(target, options, interceptors=interceptors)
        return grpc.aio.secure_channel(target, credentials, options, interceptors=interceptors)

    @staticmethod
    def _close_channel(channel: Any) -> None:
        asyncio.ensure_future(channel.close())

    async def close(self) -> None:
        """Cancels what is under way. Live sessions stay on the server."""
        for channel in self._table.all_channels():
            await channel.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def list_models(self, *, timeout: float | None = None) -> list[messages.ModelDescription]:
        return await self._run(_operations.list_models(), timeout)

    async def get_model(self, model: str, version: int = 0, *, timeout: float | None = None) -> messages.ModelDescription:
        return await self._run(_operations.get_model(model, version), timeout)

    async def predict(
        self,
        model: str,
        values: npt.ArrayLike,
        times: messages.Times = None,
        *,
        version: int = 0,
        last_only: bool = False,
        timeout: float | None = None,
    ) -> messages.FloatArray:
        """values [timesteps, input_size] -> [timesteps, output_size], without a session."""
        operation = _operations.predict(self._models, model, values, times, version, last_only)
        return await self._run(operation, timeout)

    async def predict_many(
        self,
        model: str,
        sequences: Iterable[messages.SequenceInput],
        *,
        version: int = 0,
        last_only: bool = False,
        timeout: float | None = None,
    ) -> list[messages.SequenceOutput]:
        operation = _operations.predict_many(self._models, model, list(sequences), version, last_only)
        return await self._run(operation, timeout)

    async def step_many(
        self,
        sessions: Sequence[Session],
        x: npt.ArrayLike,
        times: messages.Times = None,
        *,
        timeout: float | None = None,
    ) -> messages.FloatArray:
        """x [sessions, input_size] -> [sessions, output_size]."""
        return await self._run(_session_state.step_many(sessions, x, times), timeout)

    async def forecast(
        self,
        model: str,
        history: npt.ArrayLike,
        horizon: int,
        *,
        history_times: messages.Times = None,
        known_inputs: npt.ArrayLike | None = None,
        known_times: messages.Times = None,
        num_paths: int = 0,
        path_quantiles: Sequence[float] = (),
        seed: int = 0,
        version: int = 0,
        timeout: float | None = None,
    ) -> messages.FloatArray:
        """history [timesteps, input_size] -> [horizon, output_size]."""
        operation = _operations.forecast_history(
            self._models, model, history, horizon, version,
            history_times=history_times, known_inputs=known_inputs, known_times=known_times,
            num_paths=num_paths, path_quantiles=path_quantiles, seed=seed,
        )  # fmt: skip
        return await self._run(operation, timeout)

    def generate(
        self,
        model: str,
        prompt: _generation_state.Prompt = "",
        *,
        max_tokens: int,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        repetition_penalty: float = 1.0,
        seed: int = 0,
        stop: Sequence[str | int] = (),
        session_id: str = "",
        position: int | None = None,
        move_session: bool = False,
        must_exist: bool = False,
        tokens_per_message: int = 1,
        initial_state: messages.InitialState | None = None,
        num_beams: int = 0,
        length_penalty: float = 0.0,
        version: int = 0,
        timeout: float | None = None,
    ) -> Generation:
        return Generation(
            self._start_generation_found, self._connection, timeout,
            model=model, prompt=prompt, stop=stop, max_tokens=max_tokens, temperature=temperature, top_k=top_k,
            top_p=top_p, repetition_penalty=repetition_penalty, seed=seed, session_id=session_id,
            position=position, move_session=move_session, must_exist=must_exist,
            tokens_per_message=tokens_per_message, version=version, initial_state=initial_state,
            num_beams=num_beams, length_penalty=length_penalty,
        )  # fmt: skip

    def open_stream(
        self, model: str, *, version: int = 0, last_only: bool = False, timeout: float | None = None,
        end_with_stream: bool = False, tell_ended: bool = False,
    ) -> Opening[PredictStream]:  # fmt: skip
        async def open() -> PredictStream:
            description = await self._run(self._models.fetch(model, version), None)
            unanswered = _stream_state.Unanswered(
                description, version, last_only, timeout, end_with_stream, tell_ended
            )
            return PredictStream(self._start_stream(), unanswered, self._connection)

        return Opening(open)

    def open_session(
        self,
        model: str,
        id: str | None = None,
        *,
        version: int = 0,
        initial_state: messages.InitialState | None = None,
        timeout: float | None = None,
    ) -> Opening[Session]:
        async def open() -> Session:
            opening = _operations.open_session(
                self._models, model, id, version, self._new_session_id, initial_state
            )
            opened = await self._run(opening, timeout)
            return Session(self, *opened, temporary=id is None, must_exist=initial_state is not None)

        return Opening(open)

    async def _start_generation_found(self, request: Any, timeout: float | None) -> Any:
        await self._find_servers(timeout)
        return self._start_generation(request, timeout)

    async def _find_servers(self, timeout: float | None) -> None:
        """Of a name they are known once it was looked up."""
        named = self._connection.channel.named
        if named is None or named.first_look().done():
            return
        try:  # without a thread: one for each call would be too many while a resolver hangs
            await asyncio.wait_for(asyncio.wrap_future(named.first_look()), timeout)
        except asyncio.TimeoutError:
            pass

    async def _run(self, operation: Operation[Result], timeout: float | None) -> Result:
        deadline = self._connection.deadline(timeout)
        await self._find_servers(_calls.seconds_until(deadline))
        try:
            call = next(operation)
            while True:
                try:
                    response = await self._call(call, deadline)
                except errors.RondoError as error:
                    call = operation.throw(error)
                else:
                    call = operation.send(response)
        except StopIteration as stop:
            result: Result = stop.value
            return result

    async def _call(self, call: _calls.Call, deadline: float) -> Any:
        attempts = _calls.Attempts(self._connection, deadline)
        while True:
            try:
                return await self._start_call(call, attempts.remaining())
            except grpc.aio.AioRpcError as failure:
                trailers: Any = failure.trailing_metadata()
                error = _calls.error_of(failure.code(), failure.details(), trailers, call.position)
                delay = attempts.delay(error, repeatable=call.repeatable, waits=call.waits, trailers=trailers)
                if delay is None:
                    raise error from failure
            await asyncio.sleep(delay)


class Session(_session_state.SessionState):
    """As `rondo.Session`. One task at a time."""

    def __init__(
        self, client: Client, model: messages.ModelDescription, version: int, session_id: str, position: int, *,
        temporary: bool, must_exist: bool = False,
    ) -> None:  # fmt: skip
        unsaved_bytes = client._connection.max_unsaved_bytes
        super().__init__(model, version, session_id, position, temporary, unsaved_bytes, must_exist)
        self._client = client

    async def step(
        self, x: npt.ArrayLike, time: messages.Time | None = None, *, timeout: float | None = None
    ) -> messages.FloatArray:
        """x [input_size] -> [output_size]."""
        return await self._client._run(self._step(x, time), timeout)

    async def run(
        self,
        values: npt.ArrayLike,
        times: messages.Times = None,
        *,
        last_only: bool = False,
        timeout: float | None = None,
    ) -> messages.FloatArray:
        """values [timesteps, input_size] -> [timesteps, output_size]."""
        return await self._client._run(self._run(values, times, last_only), timeout)

    async def forecast(
        self,
        horizon: int,
        known_inputs: npt.ArrayLike | None = None,
        known_times: messages.Times = None,
        *,
        num_paths: int = 0,
        path_quantiles: Sequence[float] = (),
        seed: int = 0,
        timeout: float | None = None,
    ) -> messages.FloatArray:
        """[horizon, output_size]; the session does not move."""
        operation = self._forecast(
            horizon, known_inputs=known_inputs, known_times=known_times,
            num_paths=num_paths, path_quantiles=path_quantiles, seed=seed,
        )  # fmt: skip
        return await self._client._run(operation, timeout)

    async def sync(self, *, timeout: float | None = None) -> int:
        return await self._client._run(self._sync(), timeout)

    async def export(self, *, timeout: float | None = None) -> bytes:
        return await self._client._run(_operations.export_session(self.id), timeout)

    def fork(self, id: str | None = None, *, timeout: float | None = None) -> Opening[Session]:
        async def open() -> Session:
            forked = await self._client._run(self._fork(id), timeout)
            return Session(self._client, *forked, temporary=id is None, must_exist=self._must_exist)

        return Opening(open)

    async def end(self, *, timeout: float | None = None) -> None:
        await self._client.delete_session(self.id, timeout=timeout)

    async def _exit(self, failed: bool) -> None:
        await self._client._run(self._leave(failed), None)


for _mine, _blocking in (
    (Client, client.Client), (SessionCalls, client.Client), (Session, session.Session),
    (PredictStream, stream.PredictStream), (Generation, generation.Generation),
):  # fmt: skip
    for _name, _member in vars(_mine).items():
        if callable(_member) and not _name.startswith("_"):
            _member.__doc__ = getattr(_blocking, _name).__doc__

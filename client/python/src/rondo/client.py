"""The client that blocks. `rondo.aio` has the one for asyncio; what both do is written once, in `_operations`."""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import grpc
import numpy.typing as npt

from . import _calls, _generation_state, _operations, _session_state, _stream_state, errors, messages
from ._calls import Operation
from ._session_calls import SessionCalls
from .generation import Generation
from .session import Session
from .stream import PredictStream

Result = TypeVar("Result")


class Client(SessionCalls):
    """A connection to a Rondo server, or to one of several that share a session store.

    It does not wait: the first call connects. Without `tls` it is not encrypted: for loopback, a private network or a
    proxy on this host. Close it, or use it as a context manager. Any thread may call any method.

    Each call ends within its timeout, retries included, and raises a `rondo.RondoError` with the server's text. Two kinds
    of call are tried again: one that the server refused with grpc-retry-pushback-ms, after that time; and one that failed
    with Unavailable or Aborted, if a second run changes nothing (a `Session`'s steps, stateless predictions, all reads).

    Args:
        address: HOST:PORT, whose name may have several addresses; IP:PORT,IP:PORT,... (of both see spread); or any gRPC
            target. None: the environment's RONDO_SERVER, else 127.0.0.1:8001.
        timeout: seconds that a call and its retries may take, and that a stream tries to reach a server again. math.inf:
            no limit.
        max_attempts: tries of one call, 1 to 16; 1: no retries. A `Session`, and a stream that was answered before, wait
            for a server that restarts: only the timeout ends their tries, unless this is 1.
        initial_backoff: seconds before the second try; doubles with each further one, less up to half at random.
        max_backoff: seconds, the most that the backoff grows to.
        max_reply_bytes: the most bytes of one reply.
        max_unsaved_bytes: each `Session` keeps so many bytes of the timesteps that a server with a session store has not
            saved yet; 0: nothing. A server that lost more than that raises PositionError or NotFound.
        keepalive: while a call or a stream waits for a server that has been silent for so many seconds, the client asks
            whether the server is still there, and leaves it if no answer comes in half that time. math.inf: never. A
            server must allow it: rondo-server does from 5 s on, others may cut a connection that asks so often.
        tls: how the connection is encrypted; `rondo.TlsOptions()` for the defaults. None: not at all.
        credentials: of gRPC's own making, instead of `tls`.
        token: goes with each call as "authorization: Bearer TOKEN"; a function is asked anew for each try. It is sent
            without `tls` too: then only over loopback, or where a proxy encrypts.
        metadata: names (lower case) and values that go with every call.
        channel_options: gRPC's channel arguments, e.g. ("grpc.http_proxy", "proxy:3128"). They win over what this client
            sets.
        spread: over a list of addresses, or a DNS name of several. Each session then has one of the servers as its home,
            by its id, and goes to the next one while that is away; streams, and calls without a session, go to one
            server after the other. A message for several sessions goes to the first one's home. A name is looked up
            again while calls are made, every 5 s and when a connection ends; a server that comes takes over its share of
            the sessions, so the servers of one name must share a session store. A name that an HTTP proxy is to reach is
            left to the proxy. False: all go to the first address that answers, until it goes.
        look_up: gives the IP addresses that a host name has now; none: it is not found. Called on threads of the client's
            own, with `spread` only. None: asks the system's resolver.
        interceptors: gRPC's, of every call: `grpc.UnaryUnaryClientInterceptor` and the like, for `rondo.aio.Client` those
            of `grpc.aio`.

    Raises:
        ValueError: the address or an option is out of its bounds.
    """

    @staticmethod
    def _make_channel(target: str, credentials: Any, options: Any, interceptors: list[Any]) -> Any:
        if credentials is None:
            channel = grpc.insecure_channel(target, options)
        else:
            channel = grpc.secure_channel(target, credentials, options)
        return grpc.intercept_channel(channel, *interceptors)

    @staticmethod
    def _close_channel(channel: Any) -> None:
        channel.close()

    def close(self) -> None:
        """Cancels what is under way. Live sessions stay on the server."""
        for channel in self._table.all_channels():
            channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def list_models(self, *, timeout: float | None = None) -> list[messages.ModelDescription]:
        """The models that the server has live, by name, then version."""
        return self._run(_operations.list_models(), timeout)

    def get_model(self, model: str, version: int = 0, *, timeout: float | None = None) -> messages.ModelDescription:
        """The description of one model. Version 0: the newest. Raises NotFound."""
        return self._run(_operations.get_model(model, version), timeout)

    def predict(
        self,
        model: str,
        values: npt.ArrayLike,
        times: messages.Times = None,
        *,
        version: int = 0,
        last_only: bool = False,
        timeout: float | None = None,
    ) -> messages.FloatArray:
        """Runs one sequence without a session: from a zero state that is not kept.

        Args:
            values: [timesteps, input_size], in the model's own units.
            times: [timesteps], for models that need them; see `rondo.Time`.
            version: 0: the newest.
            last_only: answer the last timestep only.
            timeout: seconds; None: the client's.

        Returns:
            [timesteps, output_size], float32; [1, output_size] with last_only.

        Raises:
            ValueError: `values` or `times` has another shape.
            NotFound: no such model. InvalidArgument: e.g. a value is not finite.
        """
        operation = _operations.predict(self._models, model, values, times, version, last_only)
        return self._run(operation, timeout)

    def predict_many(
        self,
        model: str,
        sequences: Iterable[messages.SequenceInput],
        *,
        version: int = 0,
        last_only: bool = False,
        timeout: float | None = None,
    ) -> list[messages.SequenceOutput]:
        """Any number of sequences in one message, each with its own answer and its own error.

        With exactly one, its failure is the call's and is raised. `version` 0: a live session's own, else the newest.
        Give positions: without them a call that failed is not tried again, as its steps could run twice.
        """
        operation = _operations.predict_many(self._models, model, list(sequences), version, last_only)
        return self._run(operation, timeout)

    def step_many(
        self,
        sessions: Sequence[Session],
        x: npt.ArrayLike,
        times: messages.Times = None,
        *,
        timeout: float | None = None,
    ) -> messages.FloatArray:
        """One timestep of each session in one message: far cheaper than a call for each.

        Args:
            sessions: of one model, each once; of versions of one shape, unless opened with a version.
            x: [sessions, input_size], a row a session.
            times: [sessions], for models that need them.
            timeout: seconds; None: the client's.

        Returns:
            [sessions, output_size], float32.

        Raises:
            PartialFailure: some sessions failed; it has the others' outputs. A single session's own error is raised
                as it is. After Unavailable or DeadlineExceeded call again with the same values.
        """
        return self._run(_session_state.step_many(sessions, x, times), timeout)

    def forecast(
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
        """The `horizon` timesteps after `history` [timesteps, input_size], without a session.

        Returns [horizon, output_size], or as many columns as `Session.forecast` says with num_paths. The other
        arguments and the errors are those of `Session.forecast`; a model of another name raises NotFound.
        """
        operation = _operations.forecast_history(
            self._models, model, history, horizon, version,
            history_times=history_times, known_inputs=known_inputs, known_times=known_times,
            num_paths=num_paths, path_quantiles=path_quantiles, seed=seed,
        )  # fmt: skip
        return self._run(operation, timeout)

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
        """Tokens that the model samples on the server, one after the other, each fed back as the next input.

        It starts when the result is iterated over or `read_all`. A model with a vocabulary takes and answers text.

        Args:
            prompt: a text, or token numbers, that run first. Empty: only with a session.
            max_tokens: 1 or more.
            temperature: below 1 the text is more usual, above 1 more surprising; 0: always the most probable token.
            top_k: sample from so many most probable tokens only; 0: all.
            top_p: sample from the fewest most probable tokens only that reach this probability.
            repetition_penalty: what the probability of a token is raised to once it has been there.
            seed: with a seed that is given again the same tokens come again. 0: the server takes a random seed.
            stop: tokens, or texts of one token each; the first of them is the last token.
            session_id: the session whose state the tokens follow; empty: a zero state.
            position: with move_session: where the session stands; 0 makes a new one. None: whatever comes next.
            move_session: the session takes the prompt and all tokens once the last has come. A `Session` object of it is
                to be told by its `sync`.
            must_exist: position 0 makes no session: NotFound if there is none. For one that began with an initial_state.
            tokens_per_message: at least so many come at once: more are cheaper, and later.
            initial_state: the state that the tokens follow, instead of a session's own; then there has to be a prompt.
            num_beams: 2 to 16: a beam search for the most probable sequences, as many, instead of sampling; they are in
                `Generation.beams`, the best one first, and that one is `tokens` and `text`. 0: none.
            length_penalty: of a beam search: sequences are compared by log probability / tokens ** length_penalty.
            version: 0: the session's own, else the newest.
            timeout: seconds for all tokens; None: the client's.

        Raises:
            ValueError: the timeout. All other errors come as the tokens are read: InvalidArgument, e.g. a text that the
            vocabulary has no token for; FailedPrecondition: the model does not answer tokens; PositionError, NotFound.
        """
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
    ) -> PredictStream:  # fmt: skip
        """Many messages in flight; use it in a `with` block.

        With `end_with_stream` the sessions that the stream moves end when it ends or its connection breaks, unless
        another call has moved them since: opened again after that, it finds them ended. With `tell_ended` a reply may
        come that answers nothing but tells which of them have ended otherwise: `StreamReply.ended`.

        `timeout`, in seconds, is each message's own in the server; None: none. The stream itself has no deadline;
        `PredictStream.read` takes one.
        """
        description = self._run(self._models.fetch(model, version), None)
        unanswered = _stream_state.Unanswered(
            description, version, last_only, timeout, end_with_stream, tell_ended
        )
        return PredictStream(self._start_stream(), unanswered, self._connection)

    def open_session(
        self,
        model: str,
        id: str | None = None,
        *,
        version: int = 0,
        initial_state: messages.InitialState | None = None,
        timeout: float | None = None,
    ) -> Session:
        """A live series of `model`.

        Args:
            id: 1 to 128 printable ASCII characters. A live session goes on where it stands; an unknown id starts at
                position 0 with its first step. None: a new session with an id of the server's.
            version: 0: the session's own, else the newest.
            initial_state: the session is new and begins with this. If it is lost before its first step, that step raises
                NotFound: no other session begins in its place.

        Raises:
            FailedPrecondition: the session belongs to another model or version, or the initial state does not fit.
            AlreadyExists: the id is live, with an initial_state.
            NotFound: no such model. ResourceExhausted: the server has no room for a new session.
        """
        opening = _operations.open_session(
            self._models, model, id, version, self._new_session_id, initial_state
        )
        opened = self._run(opening, timeout)
        return Session(self, *opened, temporary=id is None, must_exist=initial_state is not None)

    def _start_generation_found(self, request: Any, timeout: float | None) -> Any:
        self._find_servers(timeout)
        return self._start_generation(request, timeout)

    def _find_servers(self, timeout: float | None) -> None:
        """Of a name they are known once it was looked up."""
        named = self._connection.channel.named
        if named is not None and not named.first_look().done():
            concurrent.futures.wait([named.first_look()], timeout)

    def _run(self, operation: Operation[Result], timeout: float | None) -> Result:
        deadline = self._connection.deadline(timeout)
        self._find_servers(_calls.seconds_until(deadline))
        try:
            call = next(operation)
            while True:
                try:
                    response = self._call(call, deadline)
                except errors.RondoError as error:
                    call = operation.throw(error)
                else:
                    call = operation.send(response)
        except StopIteration as stop:
            result: Result = stop.value
            return result

    def _call(self, call: _calls.Call, deadline: float) -> Any:
        attempts = _calls.Attempts(self._connection, deadline)
        while True:
            try:
                return self._start_call(call, attempts.remaining())
            except grpc.RpcError as failure:
                trailers: Any = failure.trailing_metadata()
                error = _calls.error_of(failure.code(), failure.details(), trailers, call.position)
                delay = attempts.delay(error, repeatable=call.repeatable, waits=call.waits, trailers=trailers)
                if delay is None:
                    raise error from failure
            time.sleep(delay)

"""A live session of the client that blocks."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

import numpy.typing as npt

from . import _operations, _session_state, messages

if TYPE_CHECKING:
    from .client import Client


class Session(_session_state.SessionState):
    """One live series, made by `Client.open_session`. It sends the position of every timestep, so none is run twice or
    left out, whatever is tried again. One thread at a time.

    It outlives its server: calls are tried again until their timeout while no server answers, or the session moves from
    one to another. If a server comes back with an older state from its session store, the timesteps since then are sent
    again, silently: this object keeps those that are not saved yet, up to the client's max_unsaved_bytes.

    After Unavailable or DeadlineExceeded the step may or may not have run: call again with the same values, and the
    server runs it or repeats its reply. To give the step up instead, call `sync` first. NotFound: the session is no
    more (ended, expired, or the server was restarted without a store); nothing is restarted silently: open it anew
    with `Client.open_session` and run its history again.

    As a context manager: a session whose id is the server's ends with the block; one with an id of yours lives on.
    """

    def __init__(
        self, client: Client, model: messages.ModelDescription, version: int, session_id: str, position: int, *,
        temporary: bool, must_exist: bool = False,
    ) -> None:  # fmt: skip
        unsaved_bytes = client._connection.max_unsaved_bytes
        super().__init__(model, version, session_id, position, temporary, unsaved_bytes, must_exist)
        self._client = client

    def step(
        self, x: npt.ArrayLike, time: messages.Time | None = None, *, timeout: float | None = None
    ) -> messages.FloatArray:
        """One timestep.

        Args:
            x: [input_size], in the model's own units; a number if input_size is 1.
            time: for models that need it; see `rondo.Time`.
            timeout: seconds; None: the client's.

        Returns:
            [output_size], float32.

        Raises:
            ValueError: `x` has another shape.
            NotFound: the session has ended, and why.
            PositionError: somebody else moved the session; it has the expected position.
        """
        return self._client._run(self._step(x, time), timeout)

    def run(
        self,
        values: npt.ArrayLike,
        times: messages.Times = None,
        *,
        last_only: bool = False,
        timeout: float | None = None,
    ) -> messages.FloatArray:
        """Several timesteps in one message: all of them run, or none.

        values [timesteps, input_size], times [timesteps]; returns [timesteps, output_size], or [1, output_size] with
        last_only. Raises as `step`; InvalidArgument if there are more timesteps than the server takes at once.
        """
        return self._client._run(self._run(values, times, last_only), timeout)

    def forecast(
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
        """The next `horizon` outputs; the session does not move.

        Args:
            horizon: timesteps ahead, 1 or more. Row k is the prediction for the k-th timestep after the last one.
            known_inputs: [horizon - 1, input_size], inputs of the predicted timesteps in the model's own units. Columns
                that the model feeds back are ignored; None if it feeds back every input.
            known_times: [horizon - 1]; None: the model's step_seconds apart.
            num_paths: for a gaussian head: the server samples that many paths (2 to 1000), each of which feeds back
                its own samples. 0: one path, which feeds back means, or a quantile head's medians.
            path_quantiles: with num_paths: the quantiles of the paths to answer, ascending, each inside (0, 1). Empty:
                0.1, 0.5, 0.9.
            seed: with num_paths: the paths are drawn from this seed, and are drawn again if it is given again. 0: the
                server takes a random seed.
            timeout: seconds; None: the client's.

        Returns:
            [horizon, output_size], float32. With num_paths a row is [model.horizon][outputs][path_quantiles], flat:
            `rondo.frames.to_frame` names its columns.

        Raises:
            ValueError: `known_inputs` or `known_times` has another shape.
            InvalidArgument: horizon, num_paths or a quantile is out of its bounds.
            FailedPrecondition: an input is neither fed back nor known, the session has not made a step yet, or paths are
                wanted of a model without a gaussian head.
            NotFound: the session has ended, and why.
        """
        operation = self._forecast(
            horizon, known_inputs=known_inputs, known_times=known_times,
            num_paths=num_paths, path_quantiles=path_quantiles, seed=seed,
        )  # fmt: skip
        return self._client._run(operation, timeout)

    def sync(self, *, timeout: float | None = None) -> int:
        """Takes over the server's position, and returns it. Raises NotFound."""
        return self._client._run(self._sync(), timeout)

    def export(self, *, timeout: float | None = None) -> bytes:
        """The session as bytes, for `Client.import_session`; it stays live. Raises NotFound."""
        return self._client._run(_operations.export_session(self.id), timeout)

    def fork(self, id: str | None = None, *, timeout: float | None = None) -> Session:
        """A copy that goes on independently from where the server's session stands.

        `id` None: one of the server's; the copy then ends with its `with` block. Raises NotFound, or AlreadyExists if
        `id` is live.
        """
        return Session(self._client, *self._client._run(self._fork(id), timeout), temporary=id is None, must_exist=self._must_exist)

    def end(self, *, timeout: float | None = None) -> None:
        """Ends the session on the server. Raises NotFound if it has ended before."""
        self._client.delete_session(self.id, timeout=timeout)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client._run(self._leave(kind is not None), None)

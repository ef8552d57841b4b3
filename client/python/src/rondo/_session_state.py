"""A live series, apart from how its calls are made."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence as Items
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _columns, _operations, _wire, errors, messages
from ._calls import Operation
from ._unsaved import UnsavedSteps


class SessionState:
    """What a client knows of a session: moved only by a reply that says so."""

    def __init__(self, model: messages.ModelDescription, version: int, session_id: str, position: int, temporary: bool,
                 max_unsaved_bytes: int, must_exist: bool = False) -> None:  # fmt: skip
        self._model = model
        self._version = version  # what the caller asked for; 0: any
        self._id = session_id
        self._position = position
        self._temporary = temporary  # its id is the server's: nobody else can know it
        self._must_exist = must_exist  # it began with an initial state: nothing may begin in its place
        self._unsaved = UnsavedSteps(max_unsaved_bytes)

    @property
    def id(self) -> str:
        """The session's name on the server."""
        return self._id

    @property
    def model(self) -> messages.ModelDescription:
        """The model and version that the session ran when it was opened. A server with --adopt_sessions may go on with
        a newer version of the same shape, unless the session was opened with a version."""
        return self._model

    @property
    def position(self) -> int:
        """Timesteps consumed, as far as this object knows: the index of the next one."""
        return self._position

    def __repr__(self) -> str:
        return f"<{type(self).__name__} '{self._id}' of '{self._model.name}' at position {self._position}>"

    def _run(self, values: npt.ArrayLike, times: messages.Times, last_only: bool) -> Operation[messages.FloatArray]:
        times = _columns.times_of(values, times, self._model)
        sequence = messages.SequenceInput(
            _wire.rows(values, self._model), self._id, self._position, times, must_exist=self._must_exist
        )
        while True:
            try:
                output = yield from self._send(sequence, last_only)
            except errors.RondoError as failure:
                error = failure
            else:
                self._took(sequence, output)
                return output.values
            yield from self._catch_up(error)

    def _send(self, sequence: messages.SequenceInput, last_only: bool) -> Operation[messages.SequenceOutput]:
        # At position 0 the server may have to make the session anew, and then with the version that it had.
        version = self._model.version if sequence.position == 0 else self._version
        outputs = yield from _operations.predict_shaped(self._model, [sequence], version, last_only)
        return outputs[0]

    def _took(self, sequence: messages.SequenceInput, output: messages.SequenceOutput) -> None:
        begin, self._position = self._position, output.next_position
        if output.durable_position is None:  # without a store the server loses it anyway
            self._unsaved.clear()
            return
        if output.durable_position < self._position:
            self._unsaved.add(begin, sequence.values, sequence.times)
        self._unsaved.drop_before(output.durable_position)

    def _is_behind(self, error: errors.RondoError | None) -> bool:
        """The server lost timesteps that are all here."""
        expected = _expected_position(error)
        return expected is not None and expected < self._position and self._unsaved.reaches(expected)

    def _catch_up(self, error: errors.RondoError) -> Operation[None]:
        """Raises `error` if that cannot be done."""
        expected = _expected_position(error)
        if expected is None or not self._is_behind(error):
            raise error
        yield from self._catch_up_from(expected)

    def _catch_up_from(self, expected: int) -> Operation[None]:
        """The server stands at `expected`: runs the timesteps from there to the newest again."""
        while expected < self._position:
            again = self._unsaved.piece_from(expected)
            again.session_id = self._id
            again.must_exist = self._must_exist
            try:
                expected = (yield from self._send(again, True)).next_position
            except errors.RondoError as failure:  # it may be lost once more
                now_expected = _expected_position(failure)
                if now_expected is None or now_expected == expected or not self._is_behind(failure):
                    raise
                expected = now_expected

    def _step(self, x: npt.ArrayLike, time: messages.Time | None) -> Operation[messages.FloatArray]:
        times = None if time is None else [time]
        values = yield from self._run(one_row(x, self._model), times, False)
        output: messages.FloatArray = values[0]
        return output

    def _forecast(self, horizon: int, **rest: Any) -> Operation[messages.FloatArray]:
        """`rest`: what `_operations.forecast` takes besides."""
        while True:
            try:
                values, position = yield from _operations.forecast(
                    self._model, horizon, self._version, session_id=self._id, waits=True, **rest
                )
            except errors.RondoError as failure:
                error = failure
            else:
                # A forecast has no position to be refused for: a server that lost timesteps starts from too early.
                if position >= self._position or not self._unsaved.reaches(position):
                    return values
                yield from self._catch_up_from(position)
                continue
            yield from self._catch_up(error)

    def _sync(self) -> Operation[int]:
        position = (yield from _operations.get_session(self._id)).position
        if position != self._position:
            self._unsaved.clear()
        self._position = position
        return position

    def _fork(self, new_id: str | None) -> Operation[tuple[messages.ModelDescription, int, str, int]]:
        """(model, version asked for, id, position) of the copy"""
        forked = yield from _operations.fork_session(self._id, new_id)
        return self._model, self._version, forked.session_id, forked.position

    def _leave(self, failed: bool) -> Operation[None]:
        """The end of a `with` block. What already failed there is not hidden by what fails here."""
        if not self._temporary:
            return
        try:
            yield from _operations.delete_session(self._id)
        except errors.NotFound:
            pass
        except errors.RondoError:
            if not failed:
                raise


def _expected_position(error: errors.RondoError | None) -> int | None:
    return error.expected_position if isinstance(error, (errors.PositionError, errors.NotFound)) else None


def one_row(x: npt.ArrayLike, model: messages.ModelDescription) -> messages.FloatArray:
    """[1, input_size] from [input_size], from values by their inputs' names, or from a number if input_size is 1."""
    row = _wire.floats(_columns.of_row(x, model), "x")
    if row.ndim == 0 and model.input_size == 1:
        row = row.reshape(1)
    if row.shape != (model.input_size,):
        raise ValueError(
            f"x has shape {row.shape}; a step of model '{model.name}' takes [{model.input_size}]"
            + (f": {', '.join(model.inputs)}" if model.inputs else "")
        )
    return row.reshape(1, -1)


def _is_interchangeable(a: messages.ModelDescription, b: messages.ModelDescription) -> bool:
    """Only the version tells them apart: one may have gone on with the other's sessions since. What became of newer files
    does not count."""
    return dataclasses.replace(a, version=b.version, state=b.state, reason=b.reason) == b


def step_many(
    sessions: Items[SessionState], x: npt.ArrayLike, times: messages.Times
) -> Operation[messages.FloatArray]:
    if not sessions:
        raise ValueError("step_many was given no sessions; wanted one or more")
    model, version = sessions[0].model, sessions[0]._version
    for session in sessions:
        if session._version != version or not _is_interchangeable(session.model, model):
            raise ValueError(
                f"session '{session.id}' runs '{session.model.name}' version {session.model.version}, the first one "
                f"'{model.name}' version {model.version}; one message is for one model"
            )
    if len({session.id for session in sessions}) != len(sessions):
        raise ValueError("a session is given twice; each takes one step")
    array = _wire.floats(_columns.of_sessions(x, model), "x")
    if array.shape != (len(sessions), model.input_size):
        raise ValueError(f"x has shape {array.shape}; wanted [{len(sessions)} sessions, {model.input_size} inputs]")
    sequences = _sequences(sessions, array, times)
    if len(sessions) == 1:
        return (yield from sessions[0]._run(sequences[0].values, sequences[0].times, False))
    outputs = yield from _operations.predict_shaped(model, sequences, version, False)
    return (yield from _taken(sessions, sequences, outputs))


def _sequences(
    sessions: Items[SessionState], x: messages.FloatArray, times: messages.Times
) -> list[messages.SequenceInput]:
    if times is not None and len(times) != len(sessions):
        raise ValueError(f"times has {len(times)} times; wanted one for each of {len(sessions)} sessions")
    return [
        messages.SequenceInput(
            row.reshape(1, -1), session.id, session.position, None if times is None else [time],
            must_exist=session._must_exist,
        )  # fmt: skip
        for session, row, time in zip(sessions, x, [None] * len(sessions) if times is None else times)
    ]


def _taken(
    sessions: Items[SessionState], sequences: Items[messages.SequenceInput], outputs: Items[messages.SequenceOutput]
) -> Operation[messages.FloatArray]:
    failed: dict[int, errors.RondoError] = {}
    values: list[Any] = []
    for index, (session, sequence, output) in enumerate(zip(sessions, sequences, outputs)):
        error = output.error
        row = output.values
        if error is None:
            session._took(sequence, output)
        elif session._is_behind(error) or isinstance(error, (errors.Aborted, errors.Unavailable)):
            try:  # by itself
                row = yield from session._run(sequence.values, sequence.times, False)
                error = None
            except errors.RondoError as failure:
                error = failure
        if error is not None:
            failed[index] = error
        values.append(None if error is not None else row[0])
    if failed:
        raise errors.PartialFailure(len(sessions), failed, values)
    return np.stack(values)

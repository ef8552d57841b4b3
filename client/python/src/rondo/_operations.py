"""What each method of the clients does, without its I/O, so that the sync and the async client cannot differ."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _columns, _wire, errors, messages
from ._calls import METHODS, Call, Operation
from .v1 import inference_pb2, models_pb2, sessions_pb2


def list_models() -> Operation[list[messages.ModelDescription]]:
    response = yield Call(METHODS["ListModels"], models_pb2.ListModelsRequest(), repeatable=True)
    return [_wire.from_model(model) for model in response.models]


def get_model(name: str, version: int) -> Operation[messages.ModelDescription]:
    request = models_pb2.GetModelRequest(name=name, version=version)
    return _wire.from_model((yield Call(METHODS["GetModel"], request, repeatable=True)))


class KnownModels:
    """Descriptions of models, fetched once: shapes are checked here, since the wire carries flat numbers."""

    def __init__(self) -> None:
        self._models: dict[tuple[str, int], messages.ModelDescription] = {}

    def get(self, name: str, version: int) -> Operation[messages.ModelDescription]:
        known = self._models.get((name, version))
        return known if known is not None else (yield from self.fetch(name, version))

    def fetch(self, name: str, version: int) -> Operation[messages.ModelDescription]:
        model = yield from get_model(name, version)
        self._models[name, version] = self._models[name, model.version] = model
        return model

    def checked(self, name: str, version: int, sequences: Items[messages.SequenceInput]
                ) -> Operation[tuple[messages.ModelDescription, list[inference_pb2.Sequence]]]:  # fmt: skip
        model = yield from self.get(name, version)
        try:
            return model, [_wire.to_sequence(sequence, model) for sequence in sequences]
        except ValueError:
            # Version 0 is the newest one: it may be another one now.
            newest = (yield from self.fetch(name, version)) if version == 0 else model
            if newest == model:
                raise
            return newest, [_wire.to_sequence(sequence, newest) for sequence in sequences]


def predict_many(
    models: KnownModels, name: str, sequences: Items[messages.SequenceInput], version: int, last_only: bool
) -> Operation[list[messages.SequenceOutput]]:
    model, wire_sequences = yield from models.checked(name, version, sequences)
    return (yield from _predict(model, version, sequences, wire_sequences, last_only, False))


def predict_shaped(
    model: messages.ModelDescription, sequences: Items[messages.SequenceInput], version: int, last_only: bool
) -> Operation[list[messages.SequenceOutput]]:
    """For sessions of `model`, or of another version of its shape."""
    wire_sequences = [_wire.to_sequence(sequence, model) for sequence in sequences]
    return (yield from _predict(model, version, sequences, wire_sequences, last_only, True))


def _predict(
    model: messages.ModelDescription, version: int, sequences: Items[messages.SequenceInput],
    wire_sequences: list[inference_pb2.Sequence], last_only: bool, waits: bool,
) -> Operation[list[messages.SequenceOutput]]:
    request = inference_pb2.PredictRequest(
        model=model.name, version=version, sequences=wire_sequences, last_only=last_only
    )
    repeatable = all(map(_wire.is_repeatable, wire_sequences))
    position = sequences[0].position if len(sequences) == 1 else None
    response = yield Call(METHODS["Predict"], request, repeatable, position, waits)
    return _wire.outputs(response, request, model)


def predict(
    models: KnownModels, name: str, values: npt.ArrayLike, times: messages.Times, version: int, last_only: bool
) -> Operation[messages.FloatArray]:
    sequence = messages.SequenceInput(values, times=times)
    outputs = yield from predict_many(models, name, [sequence], version, last_only)
    return outputs[0].values


def forecast(
    model: messages.ModelDescription,
    horizon: int,
    version: int,
    *,
    session_id: str = "",
    history: npt.ArrayLike | None = None,
    history_times: messages.Times = None,
    known_inputs: npt.ArrayLike | None = None,
    known_times: messages.Times = None,
    num_paths: int = 0,
    path_quantiles: Items[float] = (),
    seed: int = 0,
    waits: bool = False,
) -> Operation[tuple[messages.FloatArray, int]]:
    """(values [horizon, whatever a row has], the position that they follow)"""
    nothing = np.zeros((0, model.input_size), dtype=np.float32)
    past = nothing if history is None else _wire.rows(history, model, "history")
    fed_back = [link.input for link in model.feedback]
    future = nothing if known_inputs is None else _wire.rows(known_inputs, model, "known_inputs", fed_back)
    if known_inputs is not None and len(future) != horizon - 1:
        raise ValueError(f"known_inputs has {len(future)} timesteps; a horizon of {horizon} takes {horizon - 1}")
    request = inference_pb2.ForecastRequest(
        model=model.name,
        version=version,
        session_id=session_id,
        history=past.ravel().tolist(),
        history_times=_wire.unix_seconds(_columns.times_of(history, history_times, model), len(past), "history_times"),
        horizon=horizon,
        known_inputs=future.ravel().tolist(),
        known_times=_wire.unix_seconds(
            _columns.times_of(known_inputs, known_times, model, fed_back), horizon - 1, "known_times"
        ),
        num_paths=num_paths,
        path_quantiles=path_quantiles,
        seed=seed,
    )
    response = yield Call(METHODS["Forecast"], request, repeatable=True, waits=waits)
    return _wire.forecast_values(response, horizon), response.position


def forecast_history(
    models: KnownModels, name: str, history: npt.ArrayLike, horizon: int, version: int, **rest: Any
) -> Operation[messages.FloatArray]:
    model = yield from models.get(name, version)
    return (yield from forecast(model, horizon, version, history=history, **rest))[0]


def create_session(
    model: str, session_id: str | None, version: int, idle_timeout: float | None,
    initial_state: messages.InitialState | None = None,
) -> Operation[messages.SessionDescription]:  # fmt: skip
    request = sessions_pb2.CreateSessionRequest(
        model=model, version=version, session_id=session_id or "", initial_state=_wire.initial_state(initial_state)
    )
    if idle_timeout is not None:
        request.idle_timeout_seconds = 0 if idle_timeout == float("inf") else idle_timeout
    # Repeated after a lost reply it would say AlreadyExists, or leave a second session behind.
    return _wire.from_session((yield Call(METHODS["CreateSession"], request, repeatable=False)))


def get_session(session_id: str) -> Operation[messages.SessionDescription]:
    request = sessions_pb2.GetSessionRequest(session_id=session_id)
    return _wire.from_session((yield Call(METHODS["GetSession"], request, repeatable=True)))


def list_page(model: str, token: str, server: str) -> Operation[tuple[list[messages.SessionDescription], str]]:
    """`server`: the one that answered `token`; of each there are pages of its own."""
    request = sessions_pb2.ListSessionsRequest(model=model, page_size=1000, page_token=token)
    response = yield Call(METHODS["ListSessions"], request, repeatable=True, server=server)
    return [_wire.from_session(session) for session in response.sessions], response.next_page_token


def delete_session(session_id: str) -> Operation[None]:
    request = sessions_pb2.DeleteSessionRequest(session_id=session_id)
    # Repeated after a lost reply it would say NotFound of a session that it did delete.
    yield Call(METHODS["DeleteSession"], request, repeatable=False)


def delete_sessions(prefix: str, model: str, all: bool, servers: Items[str]) -> Operation[int]:
    deleted: int = 0
    for server in servers:
        token: str | None = ""
        while token is not None:
            request = sessions_pb2.DeleteSessionsRequest(prefix=prefix, model=model, all=all, page_token=token)
            response = yield Call(METHODS["DeleteSessions"], request, repeatable=True, server=server)
            deleted += response.deleted
            token = response.next_page_token or None
    return deleted


def export_session(session_id: str) -> Operation[bytes]:
    request = sessions_pb2.ExportSessionRequest(session_id=session_id)
    response = yield Call(METHODS["ExportSession"], request, repeatable=True)
    state: bytes = response.state
    return state


def import_session(state: bytes, session_id: str | None) -> Operation[messages.SessionDescription]:
    request = sessions_pb2.ImportSessionRequest(state=bytes(state), session_id=session_id or "")
    # Repeated after a lost reply it would say AlreadyExists of a session that it did import.
    return _wire.from_session((yield Call(METHODS["ImportSession"], request, repeatable=False)))


def fork_session(session_id: str, new_id: str | None) -> Operation[messages.SessionDescription]:
    request = sessions_pb2.ForkSessionRequest(session_id=session_id, new_session_id=new_id or "")
    # Repeated after a lost reply it would say AlreadyExists, or leave a second copy behind.
    return _wire.from_session((yield Call(METHODS["ForkSession"], request, repeatable=False)))


def open_session(models: KnownModels, name: str, session_id: str | None, version: int,
                 new_id: Callable[[], str | None],
                 initial_state: messages.InitialState | None = None,
                 ) -> Operation[tuple[messages.ModelDescription, int, str, int]]:  # fmt: skip
    """(model, the version asked for, id, position). `new_id`: makes that of a session without one; None: the server's."""
    if session_id is None or initial_state is not None:
        created = yield from create_session(name, session_id or new_id(), version, None, initial_state)
        return (yield from models.get(name, created.version)), version, created.session_id, created.position
    try:
        found = yield from get_session(session_id)
    except errors.NotFound:
        newest = yield from models.fetch(name, version)
        return newest, version, session_id, 0
    if found.model != name or version not in (0, found.version):
        wanted = f"'{name}'" + (f" version {version}" if version else "")
        raise errors.FailedPrecondition(
            f"session '{session_id}' belongs to model '{found.model}' version {found.version}, not to {wanted}"
        )
    return (yield from models.get(name, found.version)), version, session_id, found.position

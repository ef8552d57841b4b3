"""Protobuf messages from and to plain values."""

from __future__ import annotations

import calendar
import datetime
import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _columns, errors, messages
from .v1 import inference_pb2, models_pb2, sessions_pb2


def floats(values: npt.ArrayLike, name: str) -> messages.FloatArray:
    """As float32. Raises ValueError for what is no array of real numbers: numpy's own errors say neither which argument it
    was nor what was wanted, and of complex numbers numpy takes a part."""
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "cM":
            return np.asarray(array, dtype=np.float32)
        wrong = f"{array.dtype} are none"
    except (TypeError, ValueError) as error:
        wrong = str(error)
    raise ValueError(f"{name} is not an array of real numbers: {wrong}")


def rows(
    values: npt.ArrayLike,
    model: messages.ModelDescription,
    name: str = "values",
    fed_back: Collection[str] | None = None,
) -> messages.FloatArray:
    """[timesteps, input_size] as float32; of a data frame the columns that the model names. A flat or transposed array
    would otherwise be read as other timesteps."""
    array = floats(_columns.of_frame(values, model, fed_back), name)
    if array.ndim != 2 or array.shape[1] != model.input_size:
        raise ValueError(
            f"{name} has shape {array.shape}; model '{model.name}' takes [timesteps, {model.input_size}]"
            + (f": {', '.join(model.inputs)}" if model.inputs else "")
        )
    return array


def _seconds(time: Any) -> int:
    if isinstance(time, datetime.datetime):
        return calendar.timegm(time.utctimetuple())
    if isinstance(time, datetime.date):
        return calendar.timegm(time.timetuple())
    if isinstance(time, str):
        return _seconds(datetime.datetime.fromisoformat(time.replace("Z", "+00:00")))
    if isinstance(time, np.datetime64):
        return int(time.astype("datetime64[s]").astype(int))
    return int(math.floor(time))


def unix_seconds(times: messages.Times, timesteps: int, name: str = "times") -> list[int]:
    """[timesteps], or empty for None. Raises ValueError on another length."""
    if times is None:
        return []
    array = np.asarray(times)
    if array.ndim != 1 or len(array) != timesteps:
        raise ValueError(f"{name} has shape {array.shape}; wanted one time for each of {timesteps} timesteps")
    if array.dtype.kind == "M":
        if np.isnat(array).any():
            raise ValueError(f"{name} has a NaT; wanted one time for each of {timesteps} timesteps")
        return [int(second) for second in array.astype("datetime64[s]").astype(np.int64)]
    try:
        seconds = [_seconds(time) for time in array.tolist()]
    except (TypeError, ValueError, OverflowError) as error:
        wanted = "wanted Unix seconds, datetimes or ISO 8601"
        raise ValueError(f"{name} has a time that cannot be read: {error}; {wanted}") from None
    if any(abs(second) >= 1 << 62 for second in seconds):
        raise ValueError(f"{name} has a time that is too far from 1970")
    return seconds


def _array(values: Sequence[float], count: int) -> messages.FloatArray:
    """[count, whatever fits]"""
    if count < 1 or len(values) % count != 0:
        raise errors.Internal(f"the server answered {len(values)} numbers for {count} timesteps")
    return np.fromiter(values, np.float32, len(values)).reshape(count, -1)


def to_sequence(sequence: messages.SequenceInput, model: messages.ModelDescription) -> inference_pb2.Sequence:
    values = rows(sequence.values, model)
    return inference_pb2.Sequence(
        session_id=sequence.session_id,
        position=sequence.position,
        values=values.ravel().tolist(),
        times=unix_seconds(_columns.times_of(sequence.values, sequence.times, model), len(values)),
        end_session=sequence.end_session,
        must_exist=sequence.must_exist,
    )


def initial_state(state: messages.InitialState | None) -> inference_pb2.InitialState | None:
    if state is None:
        return None
    return inference_pb2.InitialState(session_id=state.session_id, state=state.exported, elements=state.elements)


def is_repeatable(sequence: inference_pb2.Sequence) -> bool:
    """A second run changes nothing. Without position it would run twice; one that ends its session would come too late
    the second time."""
    return not sequence.session_id or (sequence.HasField("position") and not sequence.end_session)


def from_status(status: inference_pb2.Status) -> errors.RondoError | None:
    if status.code == 0:
        return None
    return errors.from_status(status.code, status.message, status.retry_after_ms / 1000 or None)


def _from_result(
    result: inference_pb2.SequenceResult, sequence: inference_pb2.Sequence, model: messages.ModelDescription, last_only: bool
) -> messages.SequenceOutput:
    error = from_status(result.status)
    durable_position = result.durable_position if result.HasField("durable_position") else None
    if isinstance(error, errors.FailedPrecondition) or (error is not None and durable_position is not None):
        position = sequence.position if sequence.HasField("position") else None
        error = position_error(error, position, result.next_position)
    timesteps = 1 if last_only else len(sequence.values) // model.input_size
    values = np.zeros((0, model.output_size), dtype=np.float32) if error else _array(result.values, timesteps)
    return messages.SequenceOutput(values, result.next_position, error, durable_position)


def position_error(
    error: errors.RondoError, position: int | None, expected_position: int | None
) -> errors.RondoError:
    """The error itself, unless what it says is that the session stands elsewhere, or goes on from there."""
    if isinstance(error, errors.NotFound):
        error.expected_position = expected_position
    if position is None or expected_position is None or expected_position == position:
        return error
    if not isinstance(error, errors.FailedPrecondition):
        return error
    return errors.PositionError(error.message, position=position, expected_position=expected_position)


def outputs(
    response: inference_pb2.PredictResponse, request: inference_pb2.PredictRequest, model: messages.ModelDescription
) -> list[messages.SequenceOutput]:
    if len(response.results) != len(request.sequences):
        raise errors.Internal(
            f"the server answered {len(response.results)} sequences; it was sent {len(request.sequences)}"
        )
    return [
        _from_result(result, sequence, model, request.last_only)
        for result, sequence in zip(response.results, request.sequences)
    ]


def stream_reply(
    response: inference_pb2.PredictResponse, request: inference_pb2.PredictRequest, model: messages.ModelDescription
) -> messages.StreamReply:
    error = from_status(response.status)
    return messages.StreamReply([] if error else outputs(response, request, model), error)


def forecast_values(response: inference_pb2.ForecastResponse, horizon: int) -> messages.FloatArray:
    return _array(response.values, horizon)


def from_table(table: models_pb2.Table) -> messages.TableDescription:
    return messages.TableDescription(
        delimiter=table.delimiter or ",",
        decimal=table.decimal or ".",
        thousands=table.thousands,
        missing_values=tuple(table.missing_values),
        time=table.time,
        time_format=table.time_format,
        time_zone=table.time_zone,
        step=table.step,
        series=table.series,
        missing=table.missing or "error",
        season=table.season,
        units=tuple(messages.ColumnUnitDescription(u.column, u.series, u.offset, u.scale) for u in table.units),
    )


def from_model(model: models_pb2.Model) -> messages.ModelDescription:
    return messages.ModelDescription(
        name=model.name,
        version=model.version,
        cell=model.cell,
        num_layers=model.num_layers,
        hidden_size=model.hidden_size,
        input_size=model.input_size,
        output_size=model.output_size,
        inputs=tuple(model.inputs),
        tokens=model.tokens,
        outputs=tuple(model.outputs),
        horizon=model.horizon,
        head=model.head,
        needs_times=model.needs_times,
        feedback=tuple(messages.FeedbackDescription(link.output, link.input) for link in model.feedback),
        step_seconds=model.step_seconds,
        kernel=model.kernel,
        quantiles=tuple(model.quantiles),
        state=model.state,
        reason=model.reason,
        table=from_table(model.table),
        elements=tuple(
            messages.ElementDescription(
                element.name,
                element.type,
                tuple(element.of),
                element.attributes,
                element.channels,
                element.length,
                element.parameters,
                element.state_size,
                element.kernel,
            )
            for element in model.elements
        ),
        whole_sequence=model.whole_sequence,
        deterministic=model.deterministic,
        weights=model.weights,
        input_sources=tuple(
            messages.InputSourceDescription(source.column, source.category, source.ahead)
            for source in model.input_sources
        ),
        vocabulary=tuple(model.vocabulary),
    )


def from_session(session: sessions_pb2.Session) -> messages.SessionDescription:
    return messages.SessionDescription(
        session_id=session.session_id,
        model=session.model,
        version=session.version,
        position=session.position,
        idle_timeout=session.idle_timeout_seconds or None,
        idle=session.idle_seconds,
        ends_in=session.ends_in_seconds if session.HasField("ends_in_seconds") else None,
    )

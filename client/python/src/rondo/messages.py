"""These plain values go to a Rondo server and come back. Numbers are in the user's own units."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any, Union

import numpy as np
import numpy.typing as npt

from . import errors

FloatArray = npt.NDArray[np.float32]

Time = Union[int, float, str, datetime.datetime, datetime.date, "np.datetime64"]
"""Unix seconds, an ISO 8601 text, a datetime or a datetime64. Without a time zone it is UTC. Whole seconds count."""

Times = Any
"""A sequence or array of `Time`, one a timestep; a pandas DatetimeIndex is one."""


@dataclasses.dataclass(frozen=True)
class FeedbackDescription:
    """A forecast writes `output` of one step into `input` of the next."""

    output: str
    input: str


@dataclasses.dataclass(frozen=True)
class ColumnUnitDescription:
    """The values of a column are sent as (value - offset) / scale, and answers read back likewise."""

    column: str
    series: str = ""
    """Whose values; empty: those of every series without a unit of its own."""
    offset: float = 0.0
    scale: float = 1.0


@dataclasses.dataclass(frozen=True)
class TableDescription:
    """How the tables are written that a model was trained on."""

    delimiter: str = ","
    decimal: str = "."
    thousands: str = ""
    """Empty: none."""
    missing_values: tuple[str, ...] = ()
    """Texts that stand for no value, beside empty cells, NA, NaN, null and the like."""
    time: str = ""
    """The column of times; empty: none, or unknown."""
    time_format: str = ""
    """As absl::ParseTime takes it; empty: recognised."""
    time_zone: str = ""
    """IANA's name; empty: UTC."""
    step: str = ""
    """"3600s", "1 day", "1 business day", "1 month", "1 month end"; empty: unknown."""
    series: str = ""
    """The column that names a row's series; empty: one series."""
    missing: str = "error"
    """What becomes of a cell without a value: "error", "forward_fill" or "mask"."""
    season: int = 0
    """Timesteps; 0: none is known."""
    units: tuple[ColumnUnitDescription, ...] = ()


@dataclasses.dataclass(frozen=True)
class InputSourceDescription:
    """Where in a table an input of a timestep comes from."""

    column: str
    category: str = ""
    """Not empty: the input is 1 where the column has this text, else 0."""
    ahead: int = 0
    """The input is what the column has so many timesteps later, which is known before."""


@dataclasses.dataclass(frozen=True)
class ElementDescription:
    """One element of a model's network."""

    name: str
    type: str
    """"dense", "lstm", ..."""
    of: tuple[str, ...]
    """What it takes: "input", or names of earlier elements."""
    attributes: str
    """A JSON object."""
    channels: int
    """It answers channels x length numbers in a timestep."""
    length: int
    parameters: int
    """Numbers of its weights."""
    state_size: int
    """Numbers of a session's state."""
    kernel: str = ""
    """The name of the kernel that runs it, e.g. "rondo/avx512"."""


@dataclasses.dataclass(frozen=True)
class ModelDescription:
    """A model that the server has live, or could not load."""

    name: str
    version: int
    cell: str
    """"lstm", "gru" or "rnn": of a plain stack. "graph": anything else, see elements."""
    num_layers: int
    hidden_size: int
    input_size: int
    """Numbers a timestep that a client sends; 1 for a token model."""
    output_size: int
    """Numbers a timestep in a reply: [horizon][outputs][numbers an output has: see head]."""
    inputs: tuple[str, ...]
    """Empty for a token model."""
    tokens: int
    """Vocabulary size of a token model; else 0."""
    outputs: tuple[str, ...]
    horizon: int
    """Timesteps ahead that each output row covers, nearest first."""
    head: str
    """"linear": the value. "sigmoid": the probability of a yes. "softmax": the probability of each class. "gaussian": mean and standard deviation.
    "quantile": one number a quantile."""
    needs_times: bool
    """Each timestep needs a time."""
    feedback: tuple[FeedbackDescription, ...]
    step_seconds: float
    """Seconds between timesteps; 0: unknown."""
    kernel: str
    """The name of the kernel that runs the model, e.g. "rondo/avx512"."""
    quantiles: tuple[float, ...]
    """The quantiles of a quantile head: ascending, each inside (0, 1)."""
    state: str = "ready"
    """"ready": it is live. "unavailable": no file of it could be loaded; then only name, version and reason say anything."""
    reason: str = ""
    """Why the newest file of this version could not be loaded; a ready model is then that of an earlier file. Empty: the
    newest file is live."""
    table: TableDescription = TableDescription()
    elements: tuple[ElementDescription, ...] = ()
    """The network, in the order that its elements run."""
    whole_sequence: bool = False
    """It takes whole sequences only, and has no session."""
    deterministic: bool = False
    """The bits of a session's answers do not depend on what shares its batches."""
    weights: str = ""
    """How the weights of its recurrent layers are held: "f32", "bf16" or "int8"."""
    input_sources: tuple[InputSourceDescription, ...] = ()
    """One an input; empty: each is the number in the column of its name."""
    vocabulary: tuple[str, ...] = ()
    """The texts of a token model's tokens, by token; empty: it has none, or `list_models` was asked."""


@dataclasses.dataclass(frozen=True)
class GeneratedPiece:
    """Tokens that came together."""

    tokens: tuple[int, ...]
    text: str
    """Empty if the model has no vocabulary."""


@dataclasses.dataclass(frozen=True)
class Beam:
    """One of the sequences that a beam search found."""

    tokens: tuple[int, ...]
    text: str
    """Empty if the model has no vocabulary."""
    log_probability: float
    """The natural logarithm of the probability of all tokens after what came before."""
    score: float
    """What it is compared by: log_probability / tokens ** length_penalty."""
    stopped: bool
    """The last token is a stop token."""


@dataclasses.dataclass(frozen=True)
class InitialState:
    """Where something begins instead of where its model does: the state of another model's session, as a decoder begins
    where an encoder stands. Elements with a state are matched by their names; see `ModelDescription.elements`."""

    session_id: str = ""
    """Whose state it is; it stays as it is."""
    exported: bytes = b""
    """Instead: what `export_session` gave."""
    elements: tuple[str, ...] = ()
    """The elements that are taken over; the others begin as they do anyway. Empty: all, of both models."""


@dataclasses.dataclass(frozen=True)
class SessionDescription:
    """A live session, as the server describes it."""

    session_id: str
    model: str
    version: int
    position: int
    """Timesteps consumed so far: the index of the next one."""
    idle_timeout: float | None
    """Seconds without a request after which it ends; None: never."""
    idle: float
    """Seconds since the last request."""
    ends_in: float | None = None
    """Seconds until it ends at the latest, used or not; None: no such end is set."""


@dataclasses.dataclass
class SequenceInput:
    """The timesteps of one request for one session, or for none."""

    values: npt.ArrayLike
    """[timesteps, input_size]"""
    session_id: str = ""
    """Empty: stateless, starts from a zero state that is not kept."""
    position: int | None = None
    """Of the first timestep. None: whatever comes next, and then no retry is safe."""
    times: Times = None
    """[timesteps], for models that need them."""
    end_session: bool = False
    """Delete the session once these timesteps have run."""
    must_exist: bool = False
    """Position 0 begins no session: NotFound if there is none."""


@dataclasses.dataclass(frozen=True, eq=False)
class SequenceOutput:
    """The answer to one sequence; look at `error` first."""

    values: FloatArray
    """[timesteps, output_size]; [1, output_size] with last_only; [0, output_size] with an error."""
    next_position: int
    """Of the session; 0 if stateless."""
    error: errors.RondoError | None
    """None: it ran. Else nothing has changed."""
    durable_position: int | None = None
    """Everything that the server answered up to this position survives the server. None: it has no session store."""


@dataclasses.dataclass(frozen=True, eq=False)
class StreamReply:
    """One answer of a stream."""

    outputs: list[SequenceOutput]
    """One a sequence, in request order; empty with `error`."""
    error: errors.RondoError | None
    """The whole message was refused and nothing ran; the stream goes on."""
    ended: dict[str, str] = dataclasses.field(default_factory=dict)
    """Not empty: this is no answer, but tells which sessions have ended, and why; see `tell_ended`."""

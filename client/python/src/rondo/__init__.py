"""Client of Rondo, a server of recurrent networks that keeps each series' state between requests.

    with rondo.Client("127.0.0.1:8001") as client, client.open_session("seattle") as town:
        tomorrow = town.step([5.6, -3.2, 0, 1.2], time="2015-01-01")

Arrays are numpy's, float32 on the wire, in the user's own units. `rondo.aio` has the same client for asyncio,
`rondo.frames` turns pandas frames into arrays and back.
"""

from . import aio, errors
from ._channel import TlsOptions
from ._version import __version__
from .client import Client
from .errors import (
    Aborted,
    AlreadyExists,
    Cancelled,
    DataLoss,
    DeadlineExceeded,
    FailedPrecondition,
    Internal,
    InvalidArgument,
    NotFound,
    OutOfRange,
    PartialFailure,
    PermissionDenied,
    PositionError,
    ResourceExhausted,
    RondoError,
    Unauthenticated,
    Unavailable,
    Unimplemented,
    Unknown,
)
from .generation import Generation
from .messages import (
    Beam,
    ColumnUnitDescription,
    ElementDescription,
    FeedbackDescription,
    InputSourceDescription,
    FloatArray,
    GeneratedPiece,
    InitialState,
    ModelDescription,
    SequenceInput,
    SequenceOutput,
    SessionDescription,
    StreamReply,
    TableDescription,
    Time,
    Times,
)
from .session import Session
from .stream import PredictStream
from .training import TrainedModel, TrainingError, train

__all__ = [
    "Beam",
    "Client",
    "ColumnUnitDescription",
    "ElementDescription",
    "FeedbackDescription",
    "InputSourceDescription",
    "FloatArray",
    "GeneratedPiece",
    "Generation",
    "InitialState",
    "ModelDescription",
    "PredictStream",
    "SequenceInput",
    "SequenceOutput",
    "Session",
    "SessionDescription",
    "StreamReply",
    "TableDescription",
    "Time",
    "Times",
    "TlsOptions",
    "TrainedModel",
    "TrainingError",
    "__version__",
    "aio",
    "errors",
    "train",
    *errors.__all__,
]

"""What calls raise: one class per status code, with the server's own text.

A code that the server gave means that nothing has changed. `Unavailable` and `DeadlineExceeded` may also come from the
way to it: then the call may or may not have run, and a `Session` can simply be asked again with the same values.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "Aborted",
    "AlreadyExists",
    "Cancelled",
    "DataLoss",
    "DeadlineExceeded",
    "FailedPrecondition",
    "Internal",
    "InvalidArgument",
    "NotFound",
    "OutOfRange",
    "PartialFailure",
    "PermissionDenied",
    "PositionError",
    "ResourceExhausted",
    "RondoError",
    "Unauthenticated",
    "Unavailable",
    "Unimplemented",
    "Unknown",
]


class RondoError(Exception):
    """A call, or one sequence of it, was not answered. `str(error)` is the server's text."""

    code: int = 2
    """The google.rpc.Code."""
    message: str
    """What came and what was wanted."""
    retry_after: float | None
    """Seconds until it is worth trying again, if the server said so (with ResourceExhausted)."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_again, (type(self), self.args, self.__dict__)


def _made_again(kind: type[RondoError], arguments: tuple[Any, ...], facts: dict[str, Any]) -> RondoError:
    """A copy of an error, without its constructor, which wants more than Exception keeps: for pickle and copy."""
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(facts)
    return error


class Cancelled(RondoError):
    """The caller gave up, or the client was closed."""

    code = 1


class Unknown(RondoError):
    """An error without a code of gRPC's."""

    code = 2


class InvalidArgument(RondoError):
    """Wrong size, non-finite value, no timesteps, bad id: the text says what came and what was wanted."""

    code = 3


class DeadlineExceeded(RondoError):
    """The time was up. If the server says so, the call did not run."""

    code = 4


class NotFound(RondoError):
    """No such model or session; of a session that has ended, the text says why if the server still knows."""

    code = 5
    expected_position: int | None = None
    """0: the server's session store has nothing of the session, neither a state nor an end: its first step begins it."""


class AlreadyExists(RondoError):
    """The session's id is live."""

    code = 6


class PermissionDenied(RondoError):
    """These credentials may not do this."""

    code = 7


class ResourceExhausted(RondoError):
    """A queue, a table or a quota is full. The call did not run."""

    code = 8


class FailedPrecondition(RondoError):
    """The session runs another model or version, or a forecast lacks an input. Or a session that is stepped without
    positions went back, as its server had ended before it saved: the same request then goes on from where it stands."""

    code = 9


class PositionError(FailedPrecondition):
    """The session is not where the request starts: somebody else moved it, a step was left out, or the server lost more
    of it than the client keeps."""

    position: int
    """Where the request started."""
    expected_position: int
    """Where the session stands."""

    def __init__(self, message: str, *, position: int, expected_position: int) -> None:
        super().__init__(message)
        self.position = position
        self.expected_position = expected_position


class Aborted(RondoError):
    """The session has moved to another server. Ask again: whoever is asked takes it over."""

    code = 10


class OutOfRange(RondoError):
    """A number is past the end of what there is."""

    code = 11


class Unimplemented(RondoError):
    """The server does not know this method."""

    code = 12


class Internal(RondoError):
    """The server, or this client, broke a promise of its own."""

    code = 13


class Unavailable(RondoError):
    """The server cannot be reached, went away during the call, or is shutting down."""

    code = 14


class DataLoss(RondoError):
    """A corrupt model or stored state."""

    code = 15


class Unauthenticated(RondoError):
    """No credentials, or wrong ones."""

    code = 16


class PartialFailure(RondoError):
    """Some sessions of a `step_many` failed; the others have moved on.

    To go on, call `step_many` again with the sessions in `errors` only.
    """

    def __init__(self, total: int, errors: dict[int, RondoError], outputs: list[object]) -> None:
        first = min(errors)
        super().__init__(f"{len(errors)} of {total} sessions failed; session {first}: {errors[first]}")
        self.errors = errors
        """The error of each session that failed, by its index."""
        self.outputs = outputs
        """The output of each session, an array of [output_size]; None where it failed."""


_CLASSES: dict[int, type[RondoError]] = {
    error.code: error
    for error in (
        Cancelled, Unknown, InvalidArgument, DeadlineExceeded, NotFound, AlreadyExists, PermissionDenied,
        ResourceExhausted, FailedPrecondition, Aborted, OutOfRange, Unimplemented, Internal, Unavailable, DataLoss,
        Unauthenticated,
    )
}  # fmt: skip


def from_status(code: int, message: str, retry_after: float | None = None) -> RondoError:
    """The error of a google.rpc.Code."""
    return _CLASSES.get(code, Unknown)(message, retry_after=retry_after)

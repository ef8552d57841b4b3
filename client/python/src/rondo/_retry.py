"""When to try a failed call again, apart from clocks and sockets."""

from __future__ import annotations

import dataclasses

from . import errors


@dataclasses.dataclass(frozen=True)
class RetryPolicy:
    max_attempts: int = 4
    initial_backoff: float = 0.1
    max_backoff: float = 2.0

    def __post_init__(self) -> None:
        if not 1 <= self.max_attempts <= 16:
            raise ValueError(f"max_attempts is {self.max_attempts}; it takes 1 to 16")
        if not 0 < self.initial_backoff <= self.max_backoff:
            raise ValueError(
                f"initial_backoff is {self.initial_backoff} and max_backoff {self.max_backoff} seconds; "
                "wanted 0 < initial_backoff <= max_backoff"
            )

    def delay(self, error: errors.RondoError, number: int, repeatable: bool, pushback: str | None,
              jitter: float, *, waits: bool = False) -> float | None:  # fmt: skip
        """Seconds to wait after try `number` (1: the first), or None to give up.

        repeatable: a second run has no second effect. pushback: the trailer grpc-retry-pushback-ms (gRPC proposal A6):
        the server did not run the call and says when to come back; negative or no number: not at all. jitter in
        [0, 1): how much of the backoff's random half to take off; it spreads clients that failed together. waits: it is
        repeatable and worth waiting for a server that restarts, or hands over to another one: only the caller's deadline
        ends the tries, unless max_attempts is 1.
        """
        away = isinstance(error, (errors.Unavailable, errors.Aborted))
        # The way gRPC resets a call that comes while its server shuts down.
        away = away or (waits and isinstance(error, errors.Cancelled))
        if number >= self.max_attempts and not (away and waits and self.max_attempts > 1):
            return None
        # ResourceExhausted without a pushback is not a full queue but a limit, such as a message's size: it stays.
        if not away and not isinstance(error, errors.ResourceExhausted):
            return None
        if pushback is not None:
            milliseconds = pushback_milliseconds(pushback)
            return None if milliseconds is None else milliseconds / 1000
        if not away or not repeatable:
            return None
        backoff = min(self.initial_backoff * 2.0 ** min(number - 1, 30), self.max_backoff)
        return backoff * (1 - jitter / 2)


def pushback_milliseconds(text: str) -> int | None:
    """None: do not come back. So for a number that no clock waits for."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None

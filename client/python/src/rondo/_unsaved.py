"""What a session keeps so that it can outlive a server that loses its newest timesteps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import messages

MAX_ROWS = 256
"""Of one message of timesteps that are sent again: well under a server's default limits."""


class UnsavedSteps:
    """The newest timesteps that a server answered and may still lose: those after its last save. Bounded; the oldest go
    first. One thread."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._pieces: list[tuple[int, messages.FloatArray, Any]] = []  # position, [timesteps, input_size], times or None
        self._begin = 0
        self._end = 0
        self._bytes = 0

    def add(self, position: int, values: npt.ArrayLike, times: messages.Times) -> None:
        """They were answered. They follow the ones before, or start anew."""
        rows = np.array(values, dtype=np.float32)  # a copy: the caller's array is the caller's
        if position != self._end:
            self.clear()
            self._begin = position
        self._pieces.append((position, rows, None if times is None else list(times)))
        self._end = position + len(rows)
        self._bytes += _bytes_of(self._pieces[-1])
        while self._pieces and self._bytes > self._max_bytes:
            first = self._pieces[0]
            self.drop_before(first[0] + len(first[1]))

    def drop_before(self, position: int) -> None:
        """What comes before survives the server."""
        self._begin = min(max(self._begin, position), self._end)
        done = 0
        while done < len(self._pieces) and self._pieces[done][0] + len(self._pieces[done][1]) <= self._begin:
            self._bytes -= _bytes_of(self._pieces[done])
            done += 1
        del self._pieces[:done]

    def clear(self) -> None:
        self._pieces.clear()
        self._begin = self._end = self._bytes = 0

    def reaches(self, position: int) -> bool:
        """Every timestep from `position` up to the newest one is here."""
        return self._begin <= position < self._end

    def piece_from(self, position: int) -> messages.SequenceInput:
        """At most MAX_ROWS of them from `position` on, without their session. `position` must be within reach."""
        found: list[messages.FloatArray] = []
        found_times: list[Any] | None = None
        end = position
        for begin, rows, times in self._pieces:
            if begin + len(rows) <= position:
                continue
            if found and (found_times is None) != (times is None):
                break
            skipped = end - begin
            taken = min(len(rows) - skipped, MAX_ROWS - (end - position))
            found.append(rows[skipped : skipped + taken])
            if times is not None:
                found_times = [*(found_times or []), *times[skipped : skipped + taken]]
            end += taken
            if end - position == MAX_ROWS:
                break
        return messages.SequenceInput(np.concatenate(found), position=position, times=found_times)


def _bytes_of(piece: tuple[int, messages.FloatArray, Any]) -> int:
    _, rows, times = piece
    return rows.nbytes + (0 if times is None else 8 * len(times))

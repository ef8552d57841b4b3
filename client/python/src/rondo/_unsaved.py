"""What a session keeps so that it can outlive a server that loses its newest timesteps."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np
import numpy.typing as npt

from . import messages

MAX_TIMESTEPS_AGAIN = 256
"""The most timesteps of one message that sends timesteps again: well under a server's default limits."""


class UnsavedSteps:
    """The newest timesteps that a server answered and may still lose: those after its last save. Bounded; the oldest go
    first. One thread."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes  # of values and times; 0: keeps nothing
        # (position, [timesteps, input_size], times), oldest first. Either all pieces have times or none has.
        self._pieces: collections.deque[tuple[int, messages.FloatArray, list[Any] | None]] = collections.deque()
        self._begin = 0
        self._end = 0

    def add(self, position: int, values: npt.ArrayLike, times: messages.Times) -> None:
        """Keeps timesteps that were answered. They follow the ones before, or start anew."""
        rows = np.asarray(values, dtype=np.float32)
        room = self._max_bytes // (rows.itemsize * rows.shape[1] + (0 if times is None else 8))
        left_out = max(len(rows) - room, 0)
        kept_times = None if times is None else list(times)[left_out:]
        piece = (position + left_out, np.array(rows[left_out:]), kept_times)  # a copy: the caller's array is the caller's
        if position != self._end or (self._pieces and _shape_of(piece) != _shape_of(self._pieces[0])):
            self.clear()
            self._begin = position
        self._pieces.append(piece)
        self._end = position + len(rows)
        self.drop_before(self._end - room)

    def drop_before(self, position: int) -> None:
        """Forgets the timesteps before `position`: they survive the server."""
        self._begin = min(max(self._begin, position), self._end)
        while self._pieces and self._pieces[0][0] + len(self._pieces[0][1]) <= self._begin:
            self._pieces.popleft()

    def clear(self) -> None:
        self._pieces.clear()
        self._begin = self._end = 0

    def reaches(self, position: int) -> bool:
        """True if every timestep from `position` up to the newest one is here."""
        return self._begin <= position < self._end

    def piece_from(self, position: int) -> messages.SequenceInput:
        """At most MAX_TIMESTEPS_AGAIN timesteps from `position` on, without their session. `reaches(position)` must be
        true."""
        end = min(self._end, position + MAX_TIMESTEPS_AGAIN)
        found: list[messages.FloatArray] = []
        found_times: list[Any] = []
        for begin, rows, times in self._pieces:
            if begin >= end:
                break
            if begin + len(rows) <= position:
                continue
            wanted = slice(max(position - begin, 0), end - begin)
            found.append(rows[wanted])
            found_times.extend([] if times is None else times[wanted])
        return messages.SequenceInput(np.concatenate(found), position=position, times=found_times or None)


def _shape_of(piece: tuple[int, messages.FloatArray, list[Any] | None]) -> tuple[int, bool]:
    _, rows, times = piece
    return rows.shape[1], times is not None

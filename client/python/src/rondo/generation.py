"""Tokens that a model samples, for the client that blocks."""

from __future__ import annotations

import time
from collections.abc import Iterator

import grpc

from . import _generation_state, messages


class Generation(_generation_state.GenerationState):
    """Tokens as they come, made by `Client.generate`: iterate over it for the pieces, or `read_all` it. One thread at a
    time. After the last piece `stopped`, `next_position` and `durable_position` are known."""

    def __iter__(self) -> Iterator[messages.GeneratedPiece]:
        """The pieces that have not been read yet. Raises a `rondo.RondoError` if the tokens end early: then no session has
        changed."""
        while self.stopped is None:
            if self._call is None:
                self._call = self._start(self.request, self.attempts.remaining())
            try:
                response = next(self._call)
            except grpc.RpcError as failure:
                self._call = None
                time.sleep(self._delay(failure))
            else:
                piece = self._take(response)
                if piece.tokens:
                    yield piece

    def read_all(self) -> str:
        """Waits for the last token and returns the text; see also `tokens`. Raises as iterating does."""
        for _ in self:
            pass
        return self.text

    def cancel(self) -> None:
        """No more tokens are wanted: the server stops within a step, and a session is as it was."""
        if self._call is not None:
            self._call.cancel()

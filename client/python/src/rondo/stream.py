"""A stream of the client that blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import grpc

from . import _calls, _stream_state, errors, messages


class PredictStream:
    """A stream of messages, each with steps of any number of sessions; replies come in the order of the writes.

    One thread may write while another reads. The server reads ahead a bounded number of messages: a writer that never
    reads is blocked in the end. Nothing is tried again; with positions, what was not answered can be sent once more.
    """

    def __init__(self, start: Any, unanswered: _stream_state.Unanswered) -> None:
        self._unanswered = unanswered
        self._outbox = _stream_state.Outbox()
        self._done_writing = False
        self._call = start(self._outbox)
        if not self._call.add_callback(self._outbox.close):
            self._outbox.close()

    def write(self, sequences: Iterable[messages.SequenceInput]) -> None:
        """Sends one message. Raises the error that ended the stream, or ValueError after `done_writing`."""
        if self._done_writing:
            raise ValueError("write after done_writing")
        request = self._unanswered.request(sequences)
        self._unanswered.sent(request)
        if not self._outbox.put(request):
            raise self._error()

    def read(self) -> messages.StreamReply | None:
        """Blocks for the next reply. None: no more will come. Raises the error that ended the stream."""
        try:
            response = next(self._call)
        except StopIteration:
            return None
        except grpc.RpcError as failure:
            raise self._error() from failure
        return self._unanswered.reply(response)

    def __iter__(self) -> Iterator[messages.StreamReply]:
        while (reply := self.read()) is not None:
            yield reply

    def done_writing(self) -> None:
        """No more writes; the replies to those before still come."""
        self._done_writing = True
        self._outbox.close()

    def close(self) -> None:
        """Gives up what has not been answered."""
        self._outbox.close()
        self._call.cancel()

    def __enter__(self) -> PredictStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _error(self) -> errors.RondoError:
        return _calls.error_of(self._call.code(), self._call.details(), self._call.trailing_metadata(), None)

"""A stream of the client that blocks."""

from __future__ import annotations

import concurrent.futures
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

import grpc

from . import _calls, _stream_state, errors, messages


class PredictStream:
    """A stream of messages, each with steps of any number of sessions; replies come in the order of the writes.

    It outlives its server: when that drains, or the connection breaks, or the model is not there yet after that (a
    message is refused as Unavailable), `read` opens another stream and sends again what was not answered, for as long as
    the client's timeout. If one of those messages could run twice (a sequence of a session without position, or with
    end_session) the stream ends, or the refusal is the reply. A session that lost answered steps in a crash (a server
    with --durability=interval) answers PositionError, as do all but the last of several messages for one session that a
    crash left unanswered.

    One thread may write while another reads. The server reads ahead a bounded number of messages: a writer that never
    reads is blocked in the end.
    """

    def __init__(self, start: Any, unanswered: _stream_state.Unanswered, connection: _calls.Connection) -> None:
        self._start = start
        self._unanswered = unanswered
        self._outage = _stream_state.Outage(connection, unanswered)
        self._done_writing = False
        self._over = False
        # The reader that a timed read started and did not wait for.
        self._reading: concurrent.futures.Future[messages.StreamReply | None] | None = None
        self._changing = threading.Lock()  # of what is unanswered together with where it is sent
        self._open()

    def _open(self) -> None:
        """Sends what is unanswered."""
        with self._changing:
            self._outbox = _stream_state.Outbox(self._unanswered.all())
            if self._done_writing:
                self._outbox.close()
            self._call = self._start(self._outbox)
            if not self._call.add_callback(self._outbox.close):
                self._outbox.close()
            if self._over:  # closed while it waited
                self._call.cancel()

    def write(self, sequences: Iterable[messages.SequenceInput]) -> None:
        """Sends one message. Raises the error that ended the stream, or ValueError after `done_writing`."""
        if self._done_writing:
            raise ValueError("write after done_writing")
        request = self._unanswered.request(sequences)
        with self._changing:
            self._unanswered.sent(request)
            outbox = self._outbox
        # A stream that has ended meanwhile is the reader's affair.
        if not outbox.put(request) and (not self._is_resumable() or self._unanswered.is_full()):
            raise self._error()

    def read(self, *, timeout: float | None = None) -> messages.StreamReply | None:
        """Blocks for the next reply. None: no more will come. Raises the error that ended the stream.

        `timeout` in seconds; None: no limit. DeadlineExceeded after it: no reply came in that time; the stream goes on,
        and the next read gets the reply.
        """
        if timeout is None and self._reading is None:
            return self._read()
        # gRPC's read has no deadline: a thread waits in it, and what it reads is kept for whoever asks next.
        reading = self._reading = self._reading or _stream_state.in_a_thread(self._read)
        if not concurrent.futures.wait([reading], timeout).done:
            raise _stream_state.no_reply_within(timeout)
        self._reading = None
        return reading.result()

    def _read(self) -> messages.StreamReply | None:
        while True:
            try:
                response = next(self._call)
            except StopIteration:
                return None
            except grpc.RpcError as failure:
                error = self._error()
                if self._done_writing and self._outage.is_harmless(error):
                    return None
                trailers = self._call.trailing_metadata()
                delay = self._outage.delay(error, trailers) if not self._over else None
                if delay is None:
                    self._over = True
                    raise error from failure
                time.sleep(delay)
                self._open()
                continue
            if response.HasField("going_away"):  # nothing follows it but the end
                continue
            delay = self._outage.delay_of_refused(response) if not self._over else None
            if delay is not None:
                time.sleep(delay)
                self._call.cancel()
                self._open()
                continue
            self._outage.answered()
            return self._unanswered.reply(response)

    def _is_resumable(self) -> bool:
        return not self._over and self._outage.can_end()

    def __iter__(self) -> Iterator[messages.StreamReply]:
        while (reply := self.read()) is not None:
            yield reply

    def done_writing(self) -> None:
        """No more writes; the replies to those before still come."""
        with self._changing:
            self._done_writing = True
            self._outbox.close()

    def close(self) -> None:
        """Gives up what has not been answered."""
        with self._changing:
            self._over = True
            self._outbox.close()
            self._call.cancel()
        if self._reading is not None:
            concurrent.futures.wait([self._reading])

    def __enter__(self) -> PredictStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _error(self) -> errors.RondoError:
        return _calls.error_of(self._call.code(), self._call.details(), self._call.trailing_metadata(), None)

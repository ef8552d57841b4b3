"""What a generation of tokens is in both clients, without its I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Union

from . import _calls, _wire, messages
from .v1 import inference_pb2

Prompt = Union[str, Sequence[int]]


class GenerationState:
    """What is asked for, what has come, and when to try again."""

    def __init__(
        self, start: Callable[[Any, float | None], Any], connection: _calls.Connection, timeout: float | None, *,
        model: str, prompt: Prompt, stop: Sequence[str | int], initial_state: messages.InitialState | None,
        **fields: Any,
    ) -> None:  # fmt: skip
        self._start = start
        self._call: Any = None
        texts: dict[str, Any] = {"prompt": prompt} if isinstance(prompt, str) else {"prompt_tokens": [int(token) for token in prompt]}
        self.request = inference_pb2.GenerateRequest(
            model=model,
            stop_tokens=[token for token in stop if not isinstance(token, str)],
            stop_texts=[text for text in stop if isinstance(text, str)],
            initial_state=_wire.initial_state(initial_state),
            **texts,
            **{name: value for name, value in fields.items() if value is not None},
        )
        self.attempts = _calls.Attempts(connection, connection.deadline(timeout))
        self.tokens: list[int] = []
        """All tokens that have come."""
        self.text = ""
        """The text that has come; empty if the model has no vocabulary."""
        self.beams: list[messages.Beam] = []
        """What a beam search found, the best one first, once it is over."""
        self.stopped: bool | None = None
        """Whether the last token is a stop token. None: it has not come."""
        self.next_position = 0
        """Of the session, moved or as it was, once the last token has come; 0 without a session."""
        self.durable_position: int | None = None
        """Everything that the session took up to this position survives the server. None: it has no session store."""

    def _take(self, response: Any) -> messages.GeneratedPiece:
        piece = messages.GeneratedPiece(tuple(response.tokens), response.text)
        self.tokens += piece.tokens
        self.text += piece.text
        if response.finish != response.GOES_ON:
            self.stopped = response.finish == response.STOP_TOKEN
            self.next_position = response.next_position
            self.beams = [
                messages.Beam(tuple(beam.tokens), beam.text, beam.log_probability, beam.score, beam.stopped)
                for beam in response.beams
            ]
            self.durable_position = response.durable_position if response.HasField("durable_position") else None
        return piece

    def _delay(self, failure: Any) -> float:
        """Seconds to wait before the next try. Raises the error that `failure` is if there is no other."""
        trailers = failure.trailing_metadata()
        position = self.request.position if self.request.HasField("position") else None
        error = _calls.error_of(failure.code(), failure.details(), trailers, position)
        delay = None
        if not self.tokens:
            delay = self.attempts.delay(
                error, repeatable=not self.request.move_session, waits=False, trailers=trailers
            )
        if delay is None:
            raise error from failure
        return delay

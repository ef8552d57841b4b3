"""What the client that blocks asks of the servers about sessions, but for driving one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from . import _operations, messages
from ._calls import Operation
from ._client_state import ClientState

Result = TypeVar("Result")


class SessionCalls(ClientState):
    """A part of `rondo.Client`, which runs the operations."""

    def _find_servers(self, timeout: float | None) -> None:
        raise NotImplementedError

    def _run(self, operation: Operation[Result], timeout: float | None) -> Result:
        raise NotImplementedError

    def create_session(
        self,
        model: str,
        id: str | None = None,
        *,
        version: int = 0,
        idle_timeout: float | None = None,
        initial_state: messages.InitialState | None = None,
        timeout: float | None = None,
    ) -> messages.SessionDescription:
        """Creates a session with an idle timeout of its own; `open_session(model, info.session_id)` then drives it.

        `idle_timeout` in seconds; None: the server's default; math.inf: never, if the server allows it. `initial_state`
        None: the session begins where its model does.
        Raises AlreadyExists if the id is live. Not tried again after Unavailable: it may have been created.
        """
        return self._run(_operations.create_session(model, id, version, idle_timeout, initial_state), timeout)

    def get_session(self, id: str, *, timeout: float | None = None) -> messages.SessionDescription:
        """Raises NotFound, which says why if the session has ended."""
        return self._run(_operations.get_session(id), timeout)

    def list_sessions(self, model: str = "", *, timeout: float | None = None) -> Iterator[messages.SessionDescription]:
        """All live sessions in no particular order, page by page; `model` empty: of all models. With several servers
        each listing is of one of them, of each in its turn."""
        self._find_servers(self._connection.seconds(timeout))
        server, token = next(self._routes().call_turns), ""
        while True:
            page, token = self._run(_operations.list_page(model, token, server), timeout)
            yield from page
            if not token:
                return

    def delete_session(self, id: str, *, timeout: float | None = None) -> None:
        """Raises NotFound. Not tried again after Unavailable: it may be gone."""
        self._run(_operations.delete_session(id), timeout)

    def delete_sessions(
        self, prefix: str = "", *, model: str = "", all: bool = False, timeout: float | None = None
    ) -> int:
        """Deletes your sessions in the server's memory and its session store whose ids begin with `prefix` and that are
        of `model`. Each of several servers is asked.

        Empty: all ids, all models; if both are, `all` has to be given. `timeout` is each call's own, and there may be
        several. Returns how many were deleted. Raises InvalidArgument.
        """
        self._find_servers(self._connection.seconds(timeout))
        return self._run(_operations.delete_sessions(prefix, model, all, self._routes().addresses), timeout)

    def export_session(self, id: str, *, timeout: float | None = None) -> bytes:
        """The session as bytes that `import_session` takes, of this server or of another with the same model.

        It stays live. The bytes have a checksum and name their model; they are neither encrypted nor signed.
        Raises NotFound.
        """
        return self._run(_operations.export_session(id), timeout)

    def import_session(
        self, state: bytes, id: str | None = None, *, timeout: float | None = None
    ) -> messages.SessionDescription:
        """A new session that goes on exactly where the exported one stood.

        `open_session(info.model, info.session_id)` then drives it.

        Args:
            state: what `export_session` answered.
            id: of the new session; None: the id that the exported one had.
            timeout: seconds; None: the client's.

        Raises:
            DataLoss: `state` is damaged, or something else.
            FailedPrecondition: the model has other weights here, or the state is of a newer Rondo.
            NotFound: no such model. AlreadyExists: the id is live. Not tried again after Unavailable: it may have been
                imported.
        """
        return self._run(_operations.import_session(state, id), timeout)

    def fork_session(
        self, id: str, new_id: str | None = None, *, timeout: float | None = None
    ) -> messages.SessionDescription:
        """A copy of the live session `id` that goes on independently, e.g. to try what would follow.

        `new_id` None: an id of the server's. Raises NotFound, or AlreadyExists if `new_id` is live. Not tried again
        after Unavailable: it may have been made.
        """
        return self._run(_operations.fork_session(id, new_id), timeout)

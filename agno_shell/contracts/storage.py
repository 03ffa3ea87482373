"""What keeps sessions and their messages."""

# Annotations are not left as text here (PEP 563): a named tuple would compile each of them
# at every start.

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from agno_shell.errors import StorageError
from agno_shell.types import NOTHING, Message, Session, Trashed


class StorageOptions(NamedTuple):
    """What a storage is opened with."""

    path: str
    """Absolute. The folder or file that ``[storage] path`` names, or the default data folder."""
    settings: Mapping[str, Any] = NOTHING
    """The table ``[plugins.NAME]`` of the configuration."""
    notice: Callable[[str], None] = lambda _line: None
    """Tells the person one line, such as what was healed and where the copy is."""


class Storage(ABC):
    """Keeps sessions and their messages. Synchronous; one thread uses a handle at a time.

    Every method raises :class:`~agno_shell.errors.StorageError`, with the session or
    file named, and nothing else. Unknown session ids raise
    :class:`~agno_shell.errors.SessionNotFoundError`. Reading never writes.
    """

    can_search = False

    @abstractmethod
    def sessions(self) -> list[Session]:
        """All sessions, the most recently updated first; no message is read for it."""

    @abstractmethod
    def open(self, session_id: str) -> Session:
        """The session with this exact id, as it is now.

        A reply that a crash left unfinished (see :meth:`save_partial`) becomes a
        message with the status ``interrupted`` here, where writing is possible.
        """

    @abstractmethod
    def create(
        self,
        name: str,
        description: str = "",
        *,
        model: str | None = None,
        agent: str | None = None,
    ) -> Session:
        """A new, empty session, durable on return. It does not become the current one."""

    @abstractmethod
    def update(self, session_id: str, **changes: Any) -> Session:
        """Change ``name``, ``description``, ``head``, ``model``, ``api_base``, ``agent``,
        ``tags`` or ``pinned``; anything else raises ``TypeError``. ``updated_at`` becomes
        now."""

    @abstractmethod
    def append(self, session_id: str, message: Message) -> Session:
        """Add a message; when this returns it survives a power cut.

        The message becomes the head. Returns the session with its new
        ``message_count`` and ``updated_at``.
        """

    @abstractmethod
    def messages(self, session_id: str, last: int | None = None) -> list[Message]:
        """The path to the head, oldest first; with ``last``, its last messages only, at
        a cost that depends on ``last`` and not on the length of the session."""

    @abstractmethod
    def tree(self, session_id: str) -> list[Message]:
        """Every message of every branch, in the order in which they were saved."""

    @abstractmethod
    def save_partial(self, session_id: str, message: Message | None) -> None:
        """Keep the reply in work so that a crash loses at most its last second; None
        removes it. Appending a message with the same id removes it as well."""

    @abstractmethod
    def delete(self, session_id: str) -> Trashed:
        """Move a session to the trash. If it was the current one, the most recently
        updated other session becomes current, or none."""

    @abstractmethod
    def trash(self) -> list[Trashed]:
        """What was deleted, the latest first."""

    @abstractmethod
    def restore(self, trash_id: str) -> Session:
        """Bring a session back from the trash under its own id."""

    @abstractmethod
    def purge(self, trash_id: str) -> None:
        """Delete a trashed session for good. Nothing else ever deletes."""

    @abstractmethod
    def current(self) -> str | None:
        """The id of the session used last, if it still exists."""

    @abstractmethod
    def set_current(self, session_id: str) -> None:
        """Remember which session was used last."""

    def search(self, query: str, *, limit: int = 20) -> list[Message]:
        """Messages that hold ``query``; only where :attr:`can_search` is true."""
        raise StorageError("This storage cannot search.")

    def close(self) -> None:  # noqa: B027 - many storages hold nothing open
        """Release what is held open; the handle is not used again."""


class StorageFactory(NamedTuple):
    """A storage by name; ``open`` does the work and the heavy imports."""

    name: str
    summary: str
    open: Callable[[StorageOptions], Storage]

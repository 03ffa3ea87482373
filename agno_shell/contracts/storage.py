"""What keeps sessions and their messages."""

# Annotations are not left as text here (PEP 563): a named tuple would compile each of them
# at every start.

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from agno_shell.errors import StorageError
from agno_shell.types import (
    NOTHING,
    Finding,
    Growth,
    Memory,
    Message,
    Role,
    SearchHit,
    Session,
    Stretch,
    TrashedSession,
    grown,
)


class StorageOptions(NamedTuple):
    """What a storage is opened with."""

    path: str
    """Absolute. The folder or file that ``[storage] path`` names, or the default data folder."""
    settings: Mapping[str, Any] = NOTHING
    """The table ``[plugins.NAME]`` of the configuration."""
    notice: Callable[[str], None] = lambda _line: None
    """Tells the user one line, such as what was healed and where the copy is."""
    cache_path: str = ""
    """Absolute. A folder, perhaps not there yet, for what can be made again at any time,
    such as a search index. Empty: there is none."""


class Progress(NamedTuple):
    """How far something that takes long has come."""

    done: int
    total: int


class Storage(ABC):
    """Keeps sessions and their messages. Synchronous; one thread uses a handle at a time.

    Every method raises :class:`~agno_shell.errors.StorageError`, with the session or
    file named, and nothing else. Unknown session ids raise
    :class:`~agno_shell.errors.SessionNotFoundError`. Reading never writes. What JSON
    cannot say, such as NaN or an object in ``provider_data``, is refused and not saved.
    """

    is_outlined = False
    """Whether :meth:`outline`, :meth:`part` and :meth:`locate` read less than :meth:`tree`."""

    can_search = False
    """Whether :meth:`search` finds anything."""

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
        ``tags``, ``pinned`` or ``reasoning``; anything else raises ``TypeError``, and a
        ``head`` that is neither a message of the session nor
        :data:`~agno_shell.types.ROOT` ``StorageError``. ``updated_at`` becomes now, and
        never goes back when the clock does."""

    @abstractmethod
    def append(self, session_id: str, message: Message) -> Session:
        """Add a message; when this returns it survives a power cut.

        The message becomes the head. Returns the session with its new
        ``message_count`` and ``updated_at``. The order of messages is that of saving,
        whatever their own times say.
        """

    @abstractmethod
    def messages(self, session_id: str, last: int | None = None) -> list[Message]:
        """The path to the head, oldest first; with ``last``, its last messages only, at
        a cost that depends on ``last`` and not on the length of the session. Empty where
        the head is :data:`~agno_shell.types.ROOT`."""

    @abstractmethod
    def tree(self, session_id: str) -> list[Message]:
        """Every message of every branch, in the order in which they were saved."""

    def lacks(self, session_id: str, message_ids: Collection[str]) -> set[str]:
        """Which of these are not the id of a message of the session: by this the shell
        notices that what was saved is gone. As it is asked whenever a session has changed,
        mostly for its newest messages, it should read no more than it must; by default every
        message is read."""
        if not message_ids:
            return set()
        return set(message_ids) - {message.id for message in self.tree(session_id)}

    # Finding one's way in a long session. What these do by default reads all of it; a storage
    # for sessions of any length does better.

    def outline(self, session_id: str) -> list[Stretch]:
        """The shape of :meth:`tree`: every message in exactly one stretch, in the order of
        saving. Its cost should depend on the number of branches rather than of messages."""
        places: dict[str | None, int] = {}
        stretches: list[Stretch] = []
        for place, message in enumerate(self.tree(session_id)):
            parent = places.get(message.parent)
            if stretches and parent == place - 1:
                stretches[-1] = stretches[-1]._replace(stop=place + 1)
            else:
                stretches.append(Stretch(place, place + 1, parent))
            places[message.id] = place
        return stretches

    def part(self, session_id: str, start: int, stop: int) -> list[Message]:
        """``tree(session_id)[start:stop]``, for ``start`` and ``stop`` from 0 on."""
        return self.tree(session_id)[start:stop]

    def locate(self, session_id: str, message_ids: Collection[str]) -> dict[str, int]:
        """The places of messages in :meth:`tree`; those that are not there are left out."""
        tree = enumerate(self.tree(session_id))
        return {each.id: place for place, each in tree if each.id in message_ids}

    @abstractmethod
    def save_partial(self, session_id: str, message: Message | None) -> None:
        """Keep the reply in work, also one that so far holds nothing but its
        ``provider_data``: on return it outlives the process, however that ends, and what
        was kept a second ago survives a power cut. None removes it. Appending a message with
        the same id removes it as well. Called once a second while a reply grows."""

    def extend_partial(self, session_id: str, growth: Growth) -> None:
        """Add to the reply in work that :meth:`save_partial` keeps through this handle. On
        return it outlives the process, however that ends: the shell shows it only then. As
        this is called for each frame that is shown, 30 times a second, it should cost what
        is added, and wait for no disk. ``StorageError`` when no reply with this id is in
        work here, or it was removed; :meth:`save_partial` is called instead then.

        By default all of it is read and kept again, which costs more with every frame."""
        for message in self.partials(session_id):
            if message.id == growth.message_id:
                self.save_partial(session_id, grown(message, [growth]))
                return
        raise StorageError(f"No reply {growth.message_id[:80]!r} is in work in {session_id}.")

    # What belongs to a session beside its messages

    @abstractmethod
    def memories(self, session_id: str) -> list[Memory]:
        """What the model is to remember in this session, oldest first."""

    @abstractmethod
    def remember(self, session_id: str, text: str) -> Memory:
        """Add to it, durable on return. Neither this nor :meth:`forget` changes
        ``updated_at`` or the head; both change :meth:`version`."""

    @abstractmethod
    def forget(self, session_id: str, memory_id: str) -> Memory:
        """Take one away, which is returned; ``StorageError`` when there is none of this
        id."""

    @abstractmethod
    def attach(self, session_id: str, data: bytes) -> str:
        """Keep the content of a file with the session, durable on return; the same content
        is kept once. Returns its SHA-256 as 64 small hexadecimal digits, by which the
        messages' attachments name it. Content that no message names stays."""

    @abstractmethod
    def attachment(self, session_id: str, sha256: str) -> bytes:
        """The content with this hash; ``StorageError`` when it is not there or is not any
        more what the hash says."""

    @abstractmethod
    def delete(self, session_id: str) -> TrashedSession:
        """Move a session to the trash. If it was the current one, the most recently
        updated other session becomes current, or none."""

    @abstractmethod
    def trash(self) -> list[TrashedSession]:
        """What was deleted, the latest first."""

    @abstractmethod
    def restore(self, trash_id: str) -> Session:
        """Bring a session back from the trash under its own id; ``StorageError`` while
        there is another one with this id."""

    @abstractmethod
    def purge(self, trash_id: str) -> None:
        """Delete a trashed session for good. Nothing else ever deletes."""

    @abstractmethod
    def current(self) -> str | None:
        """The id of the session used last, if it still exists."""

    @abstractmethod
    def set_current(self, session_id: str) -> None:
        """Remember which session was used last."""

    @abstractmethod
    def partials(self, session_id: str) -> list[Message]:
        """The replies that are in work, or that a crash has left and :meth:`open` has not
        turned into messages yet."""

    def version(self, session_id: str) -> object:
        """A value that is another one, by ``==``, after anything of the session has
        changed, through whatever handle. The shell asks for it every half second, so it
        should cost next to nothing."""
        return self.open(session_id), self.memories(session_id)

    def mend(self) -> Iterator[Progress]:
        """Mend what a power cut has left in any session, as far as it is found at little cost
        and nothing is lost by it, and do what else was left for later: a tenth of a second's
        work each time the next step is asked for. Yields how many sessions were looked at, and
        of how many. The shell asks once, after it has started; it is to be left at any time."""
        return iter(())

    # Moving from one storage to another

    @abstractmethod
    def import_session(
        self,
        session: Session,
        messages: Sequence[Message],
        *,
        deleted_at: datetime | None = None,
        memories: Sequence[Memory] = (),
        attachment: Callable[[str], bytes] | None = None,
    ) -> None:
        """Take over a session as it is, with its id, its times and every branch; with
        ``deleted_at`` into the trash. ``messages`` are those of :meth:`tree`. All of it is
        there on return, durable, or nothing is.

        ``attachment`` gives the content of a hash that a message names, or raises
        ``StorageError``: that content is left out then, and the session taken over all the
        same. None: no content is taken over.

        ``StorageError`` when there is a session with this id, or one that was deleted at
        this very moment in the trash; a deleted one may have the id of one that is there,
        and two that were deleted at different times are both kept. ``StorageError`` also
        for an id that is not of the form that :func:`~agno_shell.types.new_id` gives.
        """

    @abstractmethod
    def trashed_messages(self, trash_id: str) -> list[Message]:
        """What :meth:`tree` would give if the session were restored."""

    @abstractmethod
    def trashed_memories(self, trash_id: str) -> list[Memory]:
        """What :meth:`memories` would give if the session were restored."""

    @abstractmethod
    def trashed_attachment(self, trash_id: str, sha256: str) -> bytes:
        """What :meth:`attachment` would give if the session were restored."""

    # Capabilities

    def search(
        self,
        query: str,
        *,
        session_id: str | None = None,
        role: Role | None = None,
        since: datetime | None = None,
        limit: int = 20,
    ) -> list[SearchHit]:
        """The messages of all branches of all sessions but deleted ones that ``query``
        finds, the best first; only where :attr:`can_search` is true.

        A query is words, ``"phrases"`` and ``prefix*``, in any letter case; a message must
        hold them all. Words are whole words; text in scripts that put no blanks between
        them, such as Chinese and Japanese, is found by any part of it. Nothing typed is an
        error: what has no meaning is left out, and a query of nothing else finds nothing.
        Messages made before ``since`` are left out.

        A message is found as soon as it is saved, through whatever handle, with its session
        as it is now. What stands in the pieces of a snippet stands in the message, but for
        dots at a cut end; white space may be one blank.
        """
        raise StorageError("This storage cannot search.")

    def prepare_search(self) -> Iterator[Progress]:
        """Do a part of what :meth:`search` would have to do first, such as reading what is new
        into an index, each time the next one is asked for: a tenth of a second's work. Yields
        how many sessions are done, and of how many; nothing when there is nothing to do.

        It is to be left at any time: what was done stays done, also when the process is killed.
        The storage can be used between two steps, and what two handles prepare at the same
        time is not done twice."""
        return iter(())

    def check(self, *, repair: bool = False) -> Iterator[Finding]:
        """Look at everything that is kept and yield what is wrong; with ``repair`` mend
        what can be mended without losing anything, keeping a copy of what is replaced.
        Where nothing is wrong nothing but notes is yielded, and nothing is changed.
        Safe while other shells work. By default every message is read once."""
        for session in self.sessions():
            try:
                self.tree(session.session_id)
            except StorageError as error:
                yield Finding(f"session {session.session_id}", str(error), error.hint)

    def close(self) -> None:  # noqa: B027 - many storages hold nothing open
        """Release what is held open; the handle is not used again. May come from another
        thread while :meth:`search` or :meth:`check` is at work, which end soon then."""


class StorageFactory(NamedTuple):
    """A storage by name; ``open`` does the work and the heavy imports."""

    name: str
    summary: str
    open: Callable[[StorageOptions], Storage]

"""The open session as this shell knows it: its record, its path, what it remembers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from agno_shell.conversation.path import Path
from agno_shell.errors import UsageError
from agno_shell.types import Memory, Message, Session

CHOSEN_HERE = frozenset(("model", "api_base", "agent", "reasoning"))
"""What a running shell keeps of its session, whatever another one chooses: its words must
not go to another place unasked."""

Missing = Literal["trash", "gone"]
"""Where a session is that is not in its place: in the trash, or nowhere."""


class OpenSession:
    """Holds values and reads nothing: services get it, and it knows none of them."""

    def __init__(self) -> None:
        self._record: Session | None = None
        self.path = Path(_nothing, _nothing_before)
        self.memories: Sequence[Memory] = ()
        """What the model is to remember in this session."""
        self.missing: Missing | None = None
        """Where the session is, if it was deleted elsewhere."""
        self.elsewhere = 0
        """Messages that were added to open sessions elsewhere, since the shell started."""

    @property
    def is_open(self) -> bool:
        """Whether a session is open yet."""
        return self._record is not None

    @property
    def record(self) -> Session:
        """Raises :class:`~agno_shell.errors.UsageError` before a session is open."""
        if self._record is None:
            raise UsageError("No session is open.", hint="/new makes one.")
        return self._record

    @property
    def id(self) -> str:
        return self.record.session_id

    def holds(self, session_id: str) -> bool:
        """Whether this is the session that is open."""
        return self._record is not None and self._record.session_id == session_id

    @property
    def history(self) -> Sequence[Message]:
        """The newest messages of the path to the head, oldest first."""
        return self.path.messages

    @property
    def head(self) -> str | None:
        """The id of the message that the next one follows."""
        return self.path.head

    def begin(self, record: Session, path: Path, memories: Sequence[Memory]) -> None:
        """Another session is open from now on; all of it at once, so that an interrupt in
        between does not mix two."""
        self._record, self.path, self.memories, self.missing = record, path, memories, None

    def take(self, record: Session, *, own: int = 0, changed: Collection[str] = ()) -> None:
        """Go on with the record as it is now. Of the messages that it has more than before,
        ``own`` are this shell's; what was not ``changed`` here stays as it was chosen."""
        before = self.record
        self.elsewhere += max(0, record.message_count - before.message_count - own)
        kept = {key: getattr(before, key) for key in CHOSEN_HERE if key not in changed}
        self._record = record._replace(**kept)


async def _nothing(_last: int) -> list[Message]:
    return []


async def _nothing_before(_message_id: str, _last: int) -> list[Message]:
    return []

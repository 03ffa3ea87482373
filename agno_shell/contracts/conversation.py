"""What a slash command can do with the conversation that is open."""

# Annotations are not left as text here (PEP 563): a named tuple would compile each of them
# at every start.

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from agno_shell.contracts.tools import ToolState
from agno_shell.types import Attachment, Message, Reasoning, Session, Stretch


class Step(NamedTuple):
    """Something that happened in a turn, and what happened within it."""

    name: str
    """``turn``, ``request``, ``retry``, ``fallback``, ``first token``, ``tool``, ``finish``,
    ``saved``, …"""
    detail: str
    """One line; foreign text in it is not yet cleaned."""
    began: float
    """Seconds from the beginning of the turn."""
    took: float | None = None
    """Seconds; None for a moment."""
    steps: "tuple[Step, ...]" = ()


class Figures(NamedTuple):
    """What replies used, added up; None where no reply said."""

    replies: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cost: float | None = None
    """US dollars."""
    unpriced: int = 0
    """Replies of which the cost is not known."""


class ConversationControl(Protocol):
    """The engine behind the open session.

    Methods that start a turn show it and return when it is over; Ctrl-C stops them. They
    raise :class:`~agno_shell.errors.UsageError` where there is nothing to work on.
    Messages are named by their ids.
    """

    # Turns

    async def ask(self, text: str) -> None:
        """Say something, as if it had been typed: with the attachments that wait, and with
        the files that ``@path`` names."""

    async def retry(self, model: str | None = None) -> None:
        """Answer the last question again: a second reply beside the first; by ``model``
        for this one reply, if one is named."""

    async def resume(self) -> None:
        """Let the model go on where its last reply was stopped or cut off; where nothing
        of it had come, ask again."""

    async def edit(self, message_id: str, text: str) -> None:
        """Ask an earlier question of the path in other words, on a branch of its own that
        begins where the question stands. Its attachments go with it."""

    # Standing elsewhere

    async def undo(self, turns: int = 1) -> Sequence[Message]:
        """Step back before the last questions; returns the questions, the latest first.
        Nothing is deleted."""

    async def redo(self, turns: int = 1) -> Sequence[Message]:
        """Step forward again: where this shell came from, else to the newest branch;
        returns the questions that stand again, in their order."""

    async def go_to(self, message_id: str) -> None:
        """Stand on any message of the session."""

    async def fork(self, name: str, message_id: str | None = None) -> Session:
        """A new session with the path to a message (None: all of it), its pins, memories
        and attachments; the shell opens it."""

    async def path(self) -> Sequence[Message]:
        """The whole path to the head, oldest first, also what is not saved yet. A message's
        number, as a person names it, is its place here, counted from 1. Of a long session
        this is much: :meth:`part` reads what is needed."""

    async def length(self) -> int:
        """How many messages :meth:`path` has, without reading them."""

    async def part(self, start: int, stop: int) -> Sequence[Message]:
        """``path()[start:stop]``, for ``start`` and ``stop`` from 0 on; no more is read."""

    async def numbers(self, message_ids: Collection[str]) -> Mapping[str, int]:
        """The numbers of those of some messages that are on the path."""

    async def tree(self) -> Sequence[Message]:
        """Every message of every branch in the order of saving: in a long session as much as
        :meth:`path`."""

    async def outline(self) -> Sequence[Stretch]:
        """The shape of :meth:`tree`, without reading it."""

    async def saved(self, start: int, stop: int) -> Sequence[Message]:
        """``tree()[start:stop]``, for ``start`` and ``stop`` from 0 on; no more is read."""

    async def place(self, message_id: str) -> int | None:
        """The place of a message in :meth:`tree`; None when it is not there."""

    async def recover(self) -> int:
        """Write what was said here, and is not in the store any more, behind what is there
        now; returns how many messages that were. Nothing that is there changes."""

    # What is sent

    async def receipt(self) -> Any:
        """The :class:`~agno_shell.events.Receipt` of the next request, without a question."""

    async def pin(self, message_id: str, *, pinned: bool = True) -> None:
        """Always send a message with what belongs to its turn, or no longer."""

    async def compact(self, instruction: str = "") -> Message | None:
        """Let the model sum up the older turns; the summary is shown as it comes, and stands
        for them from now on. None when it was stopped or failed: nothing has changed
        then."""

    async def uncompact(self) -> None:
        """Send the originals again in place of the newest summary of the path."""

    async def set_reasoning(self, level: Reasoning | None) -> None:
        """How much the model is to think in this session; None: as configured."""

    # Attachments that wait for the next message

    @property
    def attached(self) -> Sequence[Attachment]: ...

    async def attach(self, path: str) -> Attachment:
        """Take in the file, and keep its content with the session."""

    async def attach_data(self, data: bytes, name: str) -> Attachment:
        """Take in content that is no file."""

    def extent(self, attachment: Attachment) -> str:
        """How much is in it: ``640 × 480 pixels``, ``3 pages``; empty where that is not known."""

    def detach(self, attachment: Attachment) -> None:
        """Not send it after all; its content stays with the session."""

    # Tools

    def tool_boxes(self) -> Sequence[ToolState]:
        """Every tool box, whether on or not."""

    async def switch_tools(self, name: str, *, on: bool) -> ToolState:
        """Switch a box, or ``BOX.TOOL``, on or off for the life of this shell."""

    # What happened

    @property
    def last_turn(self) -> Step | None:
        """The trace of the last turn; None before the first."""

    async def figures(self) -> Figures:
        """The sums over every reply of every branch of the session."""

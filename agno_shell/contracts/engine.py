"""What a slash command can do with the session that is open, and with its messages."""

# Annotations are not left as text here (PEP 563): a named tuple would compile each of them
# at every start.

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from agno_shell.contracts.provider import ModelList, Provider
from agno_shell.contracts.tools import ToolState
from agno_shell.types import Attachment, Message, Reasoning, Session, Stretch

if TYPE_CHECKING:
    from agno_shell.events import Receipt


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


class Messages(Protocol):
    """The messages of the open session: its path, from the root to the head, and all branches.
    No more is read than is asked for, and nothing that is to be saved waits for it."""

    async def path(self) -> Sequence[Message]:
        """The whole path, oldest first, also what is not saved yet. A message's number, as a
        user names it, is its place here, counted from 1. Of a long session this is much:
        :meth:`part` reads what is needed."""

    async def length(self) -> int:
        """How many messages :meth:`path` has, without reading them."""

    async def part(self, start: int, stop: int) -> Sequence[Message]:
        """``path()[start:stop]``, for ``start`` and ``stop`` from 0 on."""

    async def numbers(self, ids: Collection[str]) -> Mapping[str, int]:
        """The numbers of those of some messages that are on the path."""

    async def tree(self) -> Sequence[Message]:
        """Every message of every branch in the order of saving: in a long session as much as
        :meth:`path`."""

    async def outline(self) -> Sequence[Stretch]:
        """The shape of :meth:`tree`, without reading it."""

    async def saved(self, start: int, stop: int) -> Sequence[Message]:
        """``tree()[start:stop]``, for ``start`` and ``stop`` from 0 on."""

    async def place(self, message_id: str) -> int | None:
        """The place of a message in :meth:`tree`; None when it is not there."""


class AttachmentTray(Protocol):
    """The attachments that wait for the next message of the open session."""

    @property
    def waiting(self) -> Sequence[Attachment]: ...

    async def attach(self, path: str) -> Attachment:
        """Take in the file, and keep its content with the session."""

    async def attach_data(self, data: bytes, name: str) -> Attachment:
        """Take in content that is no file."""

    def extent(self, attachment: Attachment) -> str:
        """How much is in it: ``640 × 480 pixels``, ``3 pages``; empty where that is not known."""

    def detach(self, attachment: Attachment) -> None:
        """Not send it after all; its content stays with the session."""


class ToolSwitches(Protocol):
    """The tools that a model may call."""

    def states(self) -> Sequence[ToolState]:
        """Every tool box, whether on or not."""

    async def switch(self, name: str, *, on: bool) -> ToolState:
        """Switch a box, or ``BOX.TOOL``, on or off for the life of this program."""


class Engine(Protocol):
    """The session that is open, and all that can be done in it: by a terminal, a script, a test.

    Methods that start a turn return when it is over, with its last reply; whoever drives the
    engine shows it meanwhile, and can stop it. They raise
    :class:`~agno_shell.errors.UsageError` where there is nothing to work on. Messages are named
    by their ids.
    """

    # The open session

    @property
    def session(self) -> Session: ...

    @property
    def history(self) -> Sequence[Message]:
        """The newest messages of the path as this program knows it, oldest first; also those
        that could not be saved yet."""

    @property
    def unsaved(self) -> Sequence[Message]:
        """Messages of the session that could not be saved yet."""

    @property
    def messages(self) -> Messages: ...

    async def resolve(self, reference: str) -> Session:
        """The session that an id, a unique beginning of one, or a name means."""

    async def switch(self, session_id: str, at: str | None = None) -> None:
        """Open another session and show its last exchanges, or those around the message
        ``at``; the conversation goes on at its end in either case."""

    async def refresh(self) -> None:
        """Read the session's record again, after a command changed it in the storage."""

    # Turns

    async def ask(self, text: str) -> Message | None:
        """Ask, as if it had been typed: with the attachments that wait, and with the files that
        ``@path`` names. None where nothing was sent."""

    async def retry(self, model: str | None = None) -> Message | None:
        """Answer the last question again: a second reply beside the first; by ``model``
        for this one reply, if one is named."""

    async def resume(self) -> Message | None:
        """Let the model go on where its last reply was stopped or cut off; where nothing
        of it had come, ask again."""

    async def edit(self, message_id: str, text: str) -> Message | None:
        """Ask an earlier question of the path in other words, on a branch of its own that
        begins where the question stands. Its attachments go with it."""

    def stop(self) -> bool:
        """Stop the turn in work; False where there is none."""

    # Where the conversation goes on

    async def undo(self, turns: int = 1) -> Sequence[Message]:
        """Step back before the last questions; returns the questions, the latest first.
        Nothing is deleted."""

    async def redo(self, turns: int = 1) -> Sequence[Message]:
        """Step forward again: where this program came from, else to the newest branch;
        returns the questions that stand again, in their order."""

    async def go_to(self, message_id: str) -> None:
        """Stand on any message of the session."""

    async def fork(self, name: str, message_id: str | None = None) -> Session:
        """A new session with the path to a message (None: all of it), its pins, memories
        and attachments, which is opened."""

    async def recover(self) -> int:
        """Write what was said here, and is not in the store any more, behind what is there
        now; returns how many messages that were. Nothing that is there changes."""

    # What is sent

    async def receipt(self) -> "Receipt":
        """Of the next request, without a question."""

    async def pin(self, message_id: str, *, pinned: bool = True) -> None:
        """Always send a message with what belongs to its turn, or no longer."""

    async def remember(self, text: str) -> int:
        """Let the model remember a text in this session; returns how many it has by now."""

    async def compact(self, instruction: str = "") -> Message | None:
        """Let the model sum up the older turns; the summary is shown as it comes, and stands
        for them from now on. None when it was stopped or failed: nothing has changed
        then."""

    async def uncompact(self) -> None:
        """Send the originals again in place of the newest summary of the path."""

    @property
    def attachments(self) -> AttachmentTray: ...

    @property
    def tools(self) -> ToolSwitches: ...

    # Who answers

    @property
    def model(self) -> str:
        """The model in use; ``offline`` when none is set up."""

    @property
    def provider(self) -> Provider: ...

    @property
    def address(self) -> str:
        """The server that is asked, with the variable that chose it, for a user to read;
        empty where it is the service of the model itself."""

    @property
    def asked_at(self) -> str:
        """As :attr:`address`, but with the address of the model's own service where that is
        asked; empty where the provider does not say."""

    @property
    def agents(self) -> Mapping[str, Any]:
        """The configured agents by name; the session's own is ``session.agent``."""

    async def list_models(self, *, ask: bool = True) -> ModelList:
        """The models that can be used. Only a user who wants to see them makes it right to
        ``ask`` servers for theirs."""

    async def set_model(self, name: str) -> None:
        """Use a model from the next message on; empty: as configured."""

    async def set_agent(self, name: str | None) -> None:
        """Use an agent from the next message on; None: no agent."""

    async def set_reasoning(self, level: Reasoning | None) -> None:
        """How much the model is to think in this session; None: as configured."""

    # What happened

    @property
    def last_turn(self) -> Step | None:
        """The trace of the last turn; None before the first."""

    @property
    def run_figures(self) -> Figures:
        """What was used since the program started."""

    async def figures(self) -> Figures:
        """The sums over every reply of every branch of the session."""

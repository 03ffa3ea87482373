"""Slash commands, what they see of the shell, and the toolbar."""

# Annotations are not left as text here (PEP 563): a named tuple would compile each of them
# at every start.

from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from agno_shell.contracts.provider import ModelList, Provider
from agno_shell.contracts.renderer import Line
from agno_shell.contracts.storage import Storage
from agno_shell.types import Finding, Message, Session

if TYPE_CHECKING:
    from agno_shell.contracts.conversation import ConversationControl

T = TypeVar("T")


class Completion(NamedTuple):
    """One way to finish what is being typed."""

    text: str
    """What replaces everything typed behind the command's name."""
    meta: str = ""
    """A few words shown beside it."""


class CommandContext(Protocol):
    """What a slash command can see and do.

    The engine behind it is the same in a terminal, in a pipe and in a test.
    """

    @property
    def session(self) -> Session:
        """The session that is open."""

    @property
    def model(self) -> str:
        """The model in use; ``offline`` when none is set up."""

    @property
    def address(self) -> str:
        """The server that is asked, with the variable that chose it, for a person to read;
        empty where it is the service of the model itself."""

    @property
    def asked_at(self) -> str:
        """As :attr:`address`, but with the address of the model's own service where that is
        asked; empty where the provider does not say."""

    @property
    def agent(self) -> str | None: ...

    @property
    def agents(self) -> Mapping[str, Any]:
        """The configured agents by name."""

    @property
    def provider(self) -> Provider: ...

    async def models(self, *, ask: bool = True) -> ModelList:
        """The models that can be used. Only a user who wants to see them makes it right to
        ``ask`` servers for theirs."""

    @property
    def conversation(self) -> "ConversationControl":
        """The engine: turns, branches, what is sent, attachments, tools."""

    @property
    def commands(self) -> "Mapping[str, Command]":
        """Every command by name."""

    @property
    def flags(self) -> dict[str, bool]:
        """``trace`` and ``metrics``: whether each is shown; commands may change them."""

    @property
    def storage_path(self) -> str:
        """Where the sessions are kept, for a person to read; empty when unknown."""

    @property
    def width(self) -> int:
        """Columns of the terminal; 0 where there is none and lines may be of any length."""

    @property
    def history(self) -> Sequence[Message]:
        """The newest messages of the conversation as the shell knows it, oldest first;
        also those that could not be saved yet."""

    @property
    def unsaved(self) -> Sequence[Message]:
        """Messages of the open session that could not be saved yet."""

    async def store(self, work: Callable[[Storage], T]) -> T:
        """Run ``work`` with the storage, in the storage's own thread. What is said next
        waits for it."""

    async def read_store(self, work: Callable[[Storage], T]) -> T:
        """Run ``work`` with a second handle of the storage, in a thread of its own: for
        what may take long, such as searching; nothing that is said waits for it."""

    def read_steps(self, work: Callable[[Storage], Iterator[T]]) -> AsyncGenerator[T, None]:
        """What the iterator yields that ``work`` makes of that second handle, each step in its
        turn with what others ask of it, as in ``async for done, total in
        context.read_steps(lambda storage: storage.prepare_search())``."""

    def progress(self, text: str) -> None:
        """Say in one line how far a command that takes long has come. The next one takes its
        place, and at the end of the command none is left."""

    def settings(self, plugin: str) -> Mapping[str, Any]:
        """The table ``[plugins.NAME]`` of the configuration."""

    def plugin_rows(self) -> Sequence[Mapping[str, Any]]:
        """What is known of every plugin: name, distribution, version, provides,
        load_seconds, state, error."""

    async def resolve(self, reference: str) -> Session:
        """The session that an id, a unique prefix of one, or a name means."""

    async def switch(self, session_id: str, at: str | None = None) -> None:
        """Open another session and show its last exchanges, or those around the message
        ``at``; the conversation goes on at its end in either case."""

    async def refresh(self) -> None:
        """Read the open session's record again, after a command changed it."""

    async def set_model(self, name: str) -> None: ...

    def remember_model(self, name: str) -> None:
        """Make ``name`` the model of sessions that name none, beyond this shell's life."""

    async def set_agent(self, name: str | None) -> None: ...

    def print(self, text: str = "", style: str = "") -> None:
        """Show text in the scrollback; every line of it goes through the terminal rule."""

    def print_lines(self, lines: Iterable[Line]) -> None:
        """Show styled lines in the scrollback."""

    def show_messages(self, messages: Sequence[Message]) -> None:
        """Show messages as the shell shows them."""

    def metrics_summary(self) -> str:
        """Totals of this session since the shell started, as one line; may be empty."""

    async def confirm(self, question: str, *, instead: str = "") -> bool:
        """Ask once; only ``y`` or ``yes`` is a yes. ``UsageError`` where nobody can be asked,
        as in a pipe; it names ``instead``, the option that answers beforehand, if there is
        one."""

    async def choose(self, options: Sequence[Line], *, default: int = 0) -> int | None:
        """Let the person pick one of several lines with the arrow keys and Enter, or by
        its number where there is no screen; None when nothing was picked. The list begins
        at the line ``default``."""

    async def check(self, *, repair: bool = False) -> Sequence[Finding]:
        """What is wrong with the configuration, the plugins, the provider and the storage;
        with ``repair`` what can be mended is mended first."""

    def fill_input(self, text: str) -> None:
        """Put text into the input line, for the person to change and send; what stands there
        already stays before it."""

    async def edit_text(self, text: str) -> str | None:
        """Let the person change a text in ``$VISUAL`` or ``$EDITOR``; None where there is no
        editor or no terminal, or when nothing was saved."""

    async def copy(self, text: str) -> str:
        """Put text on the clipboard; returns how, in a few words. ``UsageError`` where there
        is no way."""

    def remember_agent(self, name: str, table: Mapping[str, Any]) -> None:
        """Add a table ``[agents.NAME]``, checked as in the configuration file, to what the
        shell writes by itself; it can be used at once. ``ConfigError`` says what is wrong."""

    def clear(self) -> None:
        """Empty the screen; the session is untouched."""

    def exit(self) -> None:
        """Leave the shell after this command."""


class Command(NamedTuple):
    """A slash command.

    ``run`` gets what was typed behind the name, stripped; it may be a plain function
    or a coroutine function, and raises ``AgnoShellError`` for what a person can mend.
    """

    name: str
    summary: str
    run: Callable[[CommandContext, str], Awaitable[None] | None]
    usage: str = ""
    """The arguments, as in ``[NAME] [-- DESCRIPTION]``."""
    details: str = ""
    """What ``/help NAME`` says below the summary."""
    complete: Callable[[CommandContext, str], Awaitable[Iterable[Completion]]] | None = None
    """Completions of the argument text, fuzzily filtered by the shell. May be slow."""
    aliases: tuple[str, ...] = ()
    multiline: bool = False
    """Whether the arguments may have several lines. Otherwise a text with more lines than the
    command's own is not run, and the person is told: the next message may stand there."""


class ToolbarItem(NamedTuple):
    """A few words in the line under the input."""

    text: str
    style: str = ""
    order: int = 100
    """Smaller is further left."""


class ToolbarView(NamedTuple):
    """What the toolbar is made from."""

    session: Session
    model: str
    agent: str | None
    busy: bool
    """A reply is streaming."""
    queued: int
    """Messages that wait for the reply in work."""

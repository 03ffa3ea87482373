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

from agno_shell.contracts.renderer import Line
from agno_shell.contracts.storage import Storage
from agno_shell.types import Finding, Message, Session

if TYPE_CHECKING:
    from agno_shell.contracts.engine import Engine

T = TypeVar("T")


class Completion(NamedTuple):
    """One way to finish what is being typed."""

    text: str
    """What replaces everything typed behind the command's name."""
    meta: str = ""
    """A few words shown beside it."""


class Ui(Protocol):
    """What the user sees, and is asked."""

    @property
    def width(self) -> int:
        """Columns of the terminal; 0 where there is none and lines may be of any length."""

    @property
    def flags(self) -> dict[str, bool]:
        """``trace`` and ``metrics``: whether each is shown; commands may change them."""

    def print(self, text: str = "", style: str = "") -> None:
        """Show text in the scrollback; every line of it goes through the terminal rule."""

    def print_lines(self, lines: Iterable[Line]) -> None:
        """Show styled lines in the scrollback."""

    def table(
        self, columns: Sequence[tuple[str, int | None, bool]], rows: Sequence[Sequence[str]]
    ) -> None:
        """Show a table under bold headings, cut to the width; the cells may hold anything. Each
        column is a :class:`~agno_shell.toolkit.text_table.Column`."""

    def show_messages(self, messages: Sequence[Message]) -> None:
        """Show messages as the shell shows them."""

    def progress(self, text: str) -> None:
        """Say in one line how far a command that takes long has come. The next one takes its
        place, and at the end of the command none is left."""

    async def ask(self, question: str, *, instead: str = "") -> str:
        """Ask for a line of text; empty when the user gave none. ``UsageError`` where nobody can
        be asked, as in a pipe; it names ``instead``, the argument that answers beforehand, if
        there is one."""

    async def confirm(self, question: str, *, instead: str = "") -> bool:
        """Ask once; only ``y`` or ``yes`` is a yes. ``UsageError`` as for :meth:`ask`."""

    async def choose(self, options: Sequence[Line], *, default: int = 0) -> int | None:
        """Let the user pick one of several lines with the arrow keys and Enter, or by
        its number where there is no screen; None when nothing was picked. The list begins
        at the line ``default``."""

    def fill(self, text: str) -> None:
        """Put text into the input line, for the user to change and send; what stands there
        already stays before it."""

    async def edit(self, text: str) -> str | None:
        """Let the user change a text in ``$VISUAL`` or ``$EDITOR``; None where there is no
        editor or no terminal, or when nothing was saved."""

    async def copy(self, text: str) -> str:
        """Put text on the clipboard; returns how, in a few words. ``UsageError`` where there
        is no way."""

    def clear(self) -> None:
        """Empty the screen; the session is untouched."""


class StorageAccess(Protocol):
    """The storage, which works in a thread of its own."""

    async def __call__(self, work: Callable[[Storage], T]) -> T:
        """Run ``work`` with the storage. What is to be saved next waits for it."""

    async def read(self, work: Callable[[Storage], T]) -> T:
        """Run ``work`` with a second handle of the storage, in another thread: for
        what may take long, such as searching; nothing that is to be saved waits for it."""

    def steps(self, work: Callable[[Storage], Iterator[T]]) -> AsyncGenerator[T, None]:
        """What the iterator yields that ``work`` makes of that second handle, each step in its
        turn with what others ask of it, as in ``async for done, total in
        context.storage.steps(lambda storage: storage.prepare_search())``."""


class App(Protocol):
    """The program around the session."""

    @property
    def config(self) -> Mapping[str, Any]:
        """The table ``[plugins.NAME]`` of the plugin that is called, and of no other."""

    @property
    def version(self) -> str: ...

    @property
    def storage_path(self) -> str:
        """Where the sessions are kept, for a user to read; empty when unknown."""

    @property
    def commands(self) -> "Mapping[str, Command]":
        """Every command by name."""

    def plugin_rows(self) -> Sequence[Mapping[str, Any]]:
        """What is known of every plugin: name, distribution, version, provides,
        load_seconds, state, error."""

    async def check(self, *, repair: bool = False) -> Sequence[Finding]:
        """What is wrong with the configuration, the plugins, the provider and the storage;
        with ``repair`` what can be mended is mended first."""

    def remember_model(self, name: str) -> None:
        """Make ``name`` the model of sessions that name none, beyond the life of this program."""

    def remember_agent(self, name: str, table: Mapping[str, Any]) -> None:
        """Add a table ``[agents.NAME]``, checked as in the configuration file, to what the
        program writes by itself; it can be used at once. ``ConfigError`` says what is wrong."""

    def exit(self) -> None:
        """Leave the shell after this command."""


class CommandContext(Protocol):
    """What a slash command can see and do; the same in a terminal, in a pipe and in a test."""

    @property
    def engine(self) -> "Engine":
        """The session that is open, and all that can be done in it."""

    @property
    def ui(self) -> Ui:
        """What the user sees, and is asked."""

    @property
    def storage(self) -> StorageAccess:
        """All sessions: ``await context.storage(lambda storage: storage.sessions())``."""

    @property
    def app(self) -> App:
        """The program around the session."""


class Command(NamedTuple):
    """A slash command.

    ``run`` gets what was typed behind the name, stripped; it may be a plain function
    or a coroutine function, and raises ``AgnoShellError`` for what a user can mend.
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
    command's own is not run, and the user is told: the next message may stand there."""


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

"""The three swappable parts, and the records in which a plugin registers things.

Records are named tuples of cheap factories: making one imports nothing heavy,
and only the ones that are chosen are opened.
"""

# Annotations are not left as text here (PEP 563): a named tuple would compile each of them
# at every start.

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from agno_shell.errors import StorageError
from agno_shell.types import NOTHING, Message, Session, Trashed

if TYPE_CHECKING:
    from agno_shell.events import Event, Request

T = TypeVar("T")

Line = tuple[tuple[str, str], ...]
"""One styled line without its newline: pairs of a prompt_toolkit style string and text."""


# Storage ---------------------------------------------------------------------------------


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


# Provider --------------------------------------------------------------------------------


class ProviderOptions(NamedTuple):
    """What a provider is opened with."""

    settings: Mapping[str, Any] = NOTHING
    """The table ``[plugins.NAME]`` of the configuration."""
    limits: Mapping[str, float] = NOTHING
    """Seconds and bytes from ``[provider.limits]``: connect, first_token,
    between_tokens, whole_reply, reply_bytes."""
    api_base: str | None = None
    """The server of ``[provider] api_base``; a request may name another one."""
    api_key_env: str | None = None
    """The environment variable whose key belongs to ``api_base``, and to nobody else."""
    log: str | None = None
    """The absolute path of a file for what the provider's own libraries print."""


class Provider(ABC):
    """Answers requests. Opening one is cheap; it does its slow work in :meth:`start`.

    Providers raise :class:`~agno_shell.errors.ProviderError`; :meth:`stream` yields
    ``Failed`` instead of raising.
    """

    name: str

    async def start(self) -> None:  # noqa: B027 - many providers need no warm-up
        """Get ready in the background; called once the prompt stands."""

    @abstractmethod
    def stream(self, request: "Request") -> "AsyncGenerator[Event, None]":
        """Answer; the last event is ``Finished`` or ``Failed``. Closing the iterator
        (``aclose``) or cancelling its task closes the connection."""

    async def models(self) -> Sequence[str]:
        """Names that can be used as a model, for completion; may be empty."""
        return ()

    async def context_window(self, model: str) -> int | None:
        """How many tokens a request to ``model`` may hold; None when unknown."""
        return None

    async def count_tokens(self, model: str, messages: Sequence[Message]) -> list[int]:
        """The tokens of each message; by default an estimate of four bytes a token."""
        return [len(message.content.encode("utf-8", "replace")) // 4 + 4 for message in messages]

    async def check(self) -> list[str]:
        """What is wrong with the set-up, a sentence each; empty when all is well."""
        return []

    async def close(self) -> None:  # noqa: B027 - many providers hold nothing open
        """Stop everything that was started."""


class ProviderFactory(NamedTuple):
    """A provider by name.

    ``default_model`` names the model that the environment suggests (its keys), or
    None; it must not import or contact anything.
    """

    name: str
    summary: str
    open: Callable[[ProviderOptions], Provider]
    default_model: Callable[[Mapping[str, str]], str | None] = lambda _environ: None


# Renderer --------------------------------------------------------------------------------


class RendererOptions(NamedTuple):
    """What a renderer is opened with."""

    theme: str = ""
    """``[renderer] theme``."""
    settings: Mapping[str, Any] = NOTHING
    """The table ``[plugins.NAME]`` of the configuration."""


class RenderStream(ABC):
    """One reply on its way to the screen.

    For every way of splitting the same text into deltas, the finished lines are the
    same; a finished line never changes; a delta costs the same at any length.
    """

    @abstractmethod
    def feed(self, delta: str) -> list[Line]:
        """Take the next piece of text; return the lines that are finished by it."""

    @abstractmethod
    def tail(self) -> list[Line]:
        """The unfinished line as it looks now. Called once a frame, not once a delta."""

    @abstractmethod
    def finish(self) -> list[Line]:
        """The end of the text: return what was not finished yet."""


class Renderer(ABC):
    """Turns text into styled lines."""

    @abstractmethod
    def begin(self, width: int) -> RenderStream:
        """Start a reply on a terminal of ``width`` columns; 0: do not wrap."""


class RendererFactory(NamedTuple):
    """A renderer by name."""

    name: str
    summary: str
    open: Callable[[RendererOptions], Renderer]


# Commands and the toolbar ----------------------------------------------------------------


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
    def agent(self) -> str | None: ...

    @property
    def agents(self) -> Mapping[str, Any]:
        """The configured agents by name."""

    @property
    def provider(self) -> Provider: ...

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

    async def store(self, work: Callable[[Storage], T]) -> T:
        """Run ``work`` with the storage, in the storage's own thread."""

    def settings(self, plugin: str) -> Mapping[str, Any]:
        """The table ``[plugins.NAME]`` of the configuration."""

    def plugin_rows(self) -> Sequence[Mapping[str, Any]]:
        """What is known of every plugin: name, distribution, version, provides,
        load_seconds, state, error."""

    async def resolve(self, reference: str) -> Session:
        """The session that an id, a unique prefix of one, or a name means."""

    async def switch(self, session_id: str) -> None:
        """Open another session and show its last exchanges."""

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

    async def confirm(self, question: str) -> bool:
        """Ask once; only ``y`` or ``yes`` is a yes."""

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

"""Who drives an engine: a terminal, one question of a script, an editor, a web page, a test."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from agno_shell.contracts import Permission, Tool
from agno_shell.conversation.tree.branches import Place
from agno_shell.events import TurnEvent
from agno_shell.types import Message, ToolCall


class Driver:
    """What an engine asks of whoever drives it. This one stands for nobody: nothing is shown,
    what needs an answer is declined, and nothing is stopped."""

    @property
    def has_user(self) -> bool:
        """Whether somebody can be asked."""
        return False

    @property
    def pasted(self) -> Sequence[str]:
        """Texts that were pasted into what was typed. Whoever wrote them does not choose what
        leaves this machine."""
        return ()

    # What is in work

    async def ready(self) -> bool:
        """Wait until a request may leave, because every plugin that is to see it is loaded;
        False: the turn is to be stopped before it begins."""
        return True

    async def finished(self, work: Awaitable[object]) -> bool:
        """Wait for ``work``, which may take a while; False when the user gave it up."""
        await work
        return True

    def showing(self, model: str, stop: Callable[[], object]) -> AbstractContextManager[None]:
        """Around a turn that ``model`` answers and ``stop`` stops."""
        return _nothing()

    def emit(self, event: TurnEvent) -> None:
        """Something happens in a turn."""

    def turn_over(self) -> None:
        """The turn has ended, and everything of it was emitted."""

    # What is to be seen

    def notice(self, text: str, style: str = "class:notice") -> None:
        """A few words beside the conversation."""

    def fail(self, text: str, style: str = "class:error") -> None:
        """Something was not done."""

    def progress(self, text: str) -> None:
        """How far something has come that takes long; the next one takes its place."""

    def recalled(self, message: Message) -> None:
        """What is answered once more, or gone on with: it may stand far above by now."""

    def not_sent(self, text: str) -> None:
        """``text`` was not sent after all: it is to stand in the input again."""

    async def opened(self, place: Place | None) -> None:
        """Another session is open, and is to be shown: its end, or a place in it."""

    async def changed(self) -> None:
        """Something has changed the open session."""

    def renamed(self) -> None:
        """The open session has got a name."""

    def model_chosen(self) -> None:
        """Another model answers from now on."""

    # What is asked

    async def confirm(self, question: str) -> bool | None:
        """Whether the user agrees; None: nobody can be asked."""
        return None

    async def may_spend(self, question: str) -> bool:
        """Whether the session may cost more than its limit."""
        return False

    async def approve(self, call: ToolCall, tool: Tool) -> Permission:
        """Whether a tool may run."""
        return "no"


@contextmanager
def _nothing() -> Iterator[None]:
    yield

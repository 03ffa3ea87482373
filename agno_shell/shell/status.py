"""What the shell says of itself: the greeting, the session, the toolbar, the figures."""

from __future__ import annotations

from collections.abc import Sequence

from agno_shell import settings
from agno_shell.config import Config
from agno_shell.contracts import Provider, ToolbarView
from agno_shell.conversation.branches import Place
from agno_shell.conversation.conversation import Conversation
from agno_shell.conversation.models import OFFLINE
from agno_shell.conversation.report import Totals, metrics_line, trace_lines
from agno_shell.events import Failed, Request
from agno_shell.shell.front import Front
from agno_shell.shell.lines import text_lines
from agno_shell.shell.present import Presenter
from agno_shell.shell.toolbar import toolbar_line
from agno_shell.terminal_text import clean_line
from agno_shell.types import Message

OFFLINE_HINT = (
    "No model is set up: the offline provider answers. Set OPENAI_API_KEY, or use /model NAME.\n"
)
OFFLINE_WITH_BASE = (
    "A server is set up (api_base) but no model, so the built-in offline provider answers. "
    "Type /model NAME, with the name that the server knows.\n"
)


class Status:
    """Reads the conversation and shows what is true of it."""

    def __init__(
        self, conversation: Conversation, front: Front, presenter: Presenter, config: Config
    ) -> None:
        self._conversation = conversation
        self._front = front
        self._presenter = presenter
        self._last_exchanges = config[settings.SHELL_LAST_EXCHANGES]
        self.totals = Totals()
        self.flags = {
            "trace": config[settings.SHELL_TRACE],
            "metrics": config[settings.SHELL_METRICS],
        }
        self._owed = False
        """Whether the person was told that something is not saved, and nothing since."""

    def greet(self, greeting: str) -> None:
        """The first lines of a run."""
        self._presenter.notice(greeting)
        self.session()
        if self._conversation.choice.model == OFFLINE:
            has_base = bool(self._conversation.api_base)
            self._presenter.notice(OFFLINE_WITH_BASE if has_base else OFFLINE_HINT)

    def session(self, place: Place | None = None) -> None:
        """The open session: its name, its model, its last exchanges, or those around a
        place in it."""
        session, choice = self._conversation.session, self._conversation.choice
        count = session.message_count
        messages = "no messages yet" if not count else f"{count} message{'s' * (count != 1)}"
        base = self._conversation.api_base if choice.model != OFFLINE else None
        where = f" at {clean_line(base)}" if base else ""
        agent = f" · agent {clean_line(session.agent)}" if session.agent else ""
        heading = (
            ("class:heading", clean_line(session.name)),
            ("class:notice", f" ({session.session_id[:8]}) · {messages} · model "),
            ("class:heading", clean_line(choice.model)),
            ("class:notice", where + agent),
        )
        self._front.print_lines([heading, ()])
        if session.agent and self._conversation.agent is None:
            self._presenter.notice(
                f"The agent {clean_line(session.agent)} of this session is not configured any more."
            )
        if place:
            self._place(place)
        elif shown := self._last_exchanges * 2:
            self._presenter.messages(self._conversation.history[-shown:])

    def _place(self, place: Place) -> None:
        first = place.before[0] if place.before else place.message
        if first.parent is not None:
            self._presenter.notice("…\n")
        self._presenter.messages(place.before)
        self._presenter.notice("▸ This is the message:")
        self._presenter.messages([place.message])
        self._presenter.messages(place.after)
        if not place.on_the_way:
            self._presenter.notice(
                "This is on another branch. What you type next goes on at the end of the "
                "conversation, and not here.\n"
            )
        elif place.later:
            follow = "1 message follows" if place.later == 1 else f"{place.later:,} messages follow"
            self._presenter.notice(
                f"… {follow}. What you type next goes on at the end of the conversation.\n"
            )

    def saving(self, *, tell: bool = True) -> None:
        """Say when everything is saved of which it was said that it is not; without
        ``tell`` the person knows."""
        owed = self._owed or self._presenter.not_saved is not None
        self._presenter.not_saved = None
        self._owed = bool(self._conversation.unsaved)
        if owed and not self._owed and tell:
            self._presenter.notice("Everything that was said is saved now.\n")

    def toolbar(self, *, busy: bool, elsewhere: int = 0) -> None:
        """Make the toolbar anew, because something it shows has changed."""
        if not self._conversation.is_open:
            return
        view = ToolbarView(
            session=self._conversation.session,
            model=self._conversation.choice.model,
            agent=self._conversation.session.agent,
            busy=busy,
            queued=self._front.queued,
        )
        items = self._conversation.plugins.toolbar_items(view)
        self._front.set_toolbar(toolbar_line(view, items, self._front.width, elsewhere=elsewhere))

    async def report(self, reply: Message) -> None:
        """The figures behind a reply, as far as they are asked for."""
        self.totals.add(reply)
        prepared, ending = self._presenter.prepared, self._presenter.ending
        if ending is None:
            return
        lines: list[str] = []
        if self.flags["metrics"] and not isinstance(ending, Failed):
            lines.append(metrics_line(reply))
        if self.flags["trace"] and prepared:
            tokens = await self._counted(prepared.request)
            lines += trace_lines(
                prepared.request,
                sum(each.count for each in prepared.receipt.left_out),
                tokens,
                reply,
                ending,
            )
        if lines:
            self._front.print_lines(text_lines("\n".join([*lines, ""]), "class:notice"))

    async def _counted(self, request: Request) -> Sequence[int]:
        """Tokens of each message; the estimate of the contract where the provider fails."""
        provider = self._conversation.provider
        try:
            tokens = (await provider.count_tokens(request.model, request.messages)).tokens
        # A provider may be anybody's plugin; its bug costs an exact figure.
        except Exception:
            tokens = []
        if len(tokens) != len(request.messages):
            counted = await Provider.count_tokens(provider, request.model, request.messages)
            tokens = counted.tokens
        return tokens

    def farewell(self) -> None:
        """The last lines of a run."""
        if self.flags["metrics"] and (summary := self.totals.line()):
            self._presenter.notice(f"This run: {summary}")
        if what := self.not_on_disk():
            self._presenter.notice(f"{what}; copy what you need from the screen.", "class:error")

    def not_on_disk(self) -> str:
        """How much of what was said is in memory only; empty: nothing is."""
        unsaved = len(self._conversation.unsaved)
        if not unsaved:
            return ""
        what = "1 message is" if unsaved == 1 else f"{unsaved} messages are"
        return f"{what} not in the store"

"""What the shell shows of itself: the greeting, the session, the toolbar, the figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from agno_shell.config import Config, settings
from agno_shell.contracts import Line, ToolbarItem, ToolbarView
from agno_shell.conversation.accounts.figures import is_reply, of_messages
from agno_shell.conversation.engine import Engine
from agno_shell.conversation.models import OFFLINE
from agno_shell.conversation.tree.branches import Place
from agno_shell.shell.frontend import Frontend
from agno_shell.shell.lines import text_lines, wrapped_line
from agno_shell.shell.present import Presenter
from agno_shell.shell.stored import last_exchanges
from agno_shell.toolkit.reports import figures_line, reply_line, trace_lines
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.text_table import text_width
from agno_shell.toolkit.wording import count

SEPARATOR = " · "

LONGEST_ITEM = 40
"""Characters."""


def toolbar_line(
    view: ToolbarView, items: Iterable[ToolbarItem], width: int, *, elsewhere: int = 0
) -> Line:
    """Session, model, agent and state, then what plugins add, as far as they fit;
    ``elsewhere`` is how many messages were added in other shells.

    The line ends before the last column, so that a narrower window does not wrap it
    before it can be drawn anew.
    """
    own = [
        ToolbarItem(view.session.name, "class:toolbar.session", 0),
        ToolbarItem(view.model, "class:toolbar", 10),
    ]
    if view.agent:
        own.append(ToolbarItem(f"agent {view.agent}", "class:toolbar", 20))
    if view.queued:
        own.append(ToolbarItem(f"{view.queued} waiting", "class:busy", 30))
    if elsewhere:
        own.append(ToolbarItem(f"{elsewhere} added elsewhere", "class:busy", 40))
    line: list[tuple[str, str]] = []
    left = width - 1
    for item in sorted([*own, *items], key=lambda item: item.order):
        text = clean_line(item.text, LONGEST_ITEM)
        needed = text_width(text) + (len(SEPARATOR) if line else 0)
        if not text or needed > left:
            continue
        if line:
            line.append(("class:toolbar", SEPARATOR))
        line.append((item.style or "class:toolbar", text))
        left -= needed
    return tuple(line)


OFFLINE_HINT = (
    "No model is set up: the offline provider answers. Set OPENAI_API_KEY, or use /model NAME.\n"
)
OFFLINE_WITH_BASE = (
    "A server is set up (api_base) but no model, so the built-in offline provider answers. "
    "Type /model NAME, with the name that the server knows.\n"
)
TAKEN_BACK = (
    "Everything that was said here was taken back. /redo brings it back, /tree shows all of it.\n"
)


class Status:
    """Reads the engine and shows what is true of it."""

    def __init__(
        self, engine: Engine, frontend: Frontend, presenter: Presenter, config: Config
    ) -> None:
        self._engine = engine
        self._frontend = frontend
        self._presenter = presenter
        self._last_exchanges = config[settings.SHELL_LAST_EXCHANGES]
        self.added_elsewhere: Callable[[], int] = lambda: 0
        """How many messages were added elsewhere since the user last went on here."""
        self.flags = {
            "trace": config[settings.SHELL_TRACE],
            "metrics": config[settings.SHELL_METRICS],
        }
        self._owed = False
        """Whether the user was told that something is not saved, and nothing since."""

    def greet(self, greeting: str) -> None:
        """The first lines of a run."""
        self._presenter.notice(greeting)
        self.session()
        if self._engine.model == OFFLINE:
            has_base = bool(self._engine.current.api_base)
            self._presenter.notice(OFFLINE_WITH_BASE if has_base else OFFLINE_HINT)
            return
        for caution in self._engine.models.cautions(self._engine.current.choice):
            self._presenter.notice(f"{caution}\n", "class:error")

    def session(self, place: Place | None = None) -> None:
        """The open session: its name, its model, its last exchanges, or those around a
        place in it."""
        session = self._engine.session
        count = session.message_count
        messages = "no messages yet" if not count else f"{count} message{'s' * (count != 1)}"
        address = self._engine.address
        where = f" at {address}" if address else ""
        agent = f" · agent {clean_line(session.agent)}" if session.agent else ""
        heading = (
            ("class:heading", clean_line(session.name)),
            ("class:notice", f" ({session.session_id[:8]}) · {messages} · model "),
            ("class:heading", clean_line(self._engine.model)),
            ("class:notice", where + agent),
        )
        self._frontend.print_lines([*wrapped_line(heading, self._frontend.width), ()])
        if session.agent and self._engine.current.agent is None:
            agent = clean_line(session.agent)
            self._presenter.notice(
                f"The agent {agent} of this session is not configured any more.\n"
            )
        if place:
            self._place(place)
        elif count and not self._engine.history:
            self._presenter.notice(TAKEN_BACK)
        else:
            history = self._engine.history
            self._presenter.messages(last_exchanges(history, self._last_exchanges))

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
            follow = count(place.later, "message", "follow")
            self._presenter.notice(
                f"… {follow}. What you type next goes on at the end of the conversation.\n"
            )

    def saving(self, *, tell: bool = True) -> None:
        """Say when everything is saved of which it was said that it is not; without
        ``tell`` the user knows."""
        owed = self._owed or self._presenter.not_saved is not None
        self._presenter.not_saved = None
        self._owed = bool(self._engine.journal.unsaved)
        if owed and not self._owed and tell:
            self._presenter.notice("Everything that was said is saved now.\n")

    def toolbar(self) -> None:
        """Make the toolbar anew, because something it shows has changed."""
        if not self._engine.open_session.is_open:
            return
        view = ToolbarView(
            session=self._engine.session,
            model=self._engine.model,
            agent=self._engine.session.agent,
            busy=self._frontend.busy,
            queued=self._frontend.queued,
        )
        items = self._engine.plugins.toolbar_items(view)
        self._frontend.set_toolbar(
            toolbar_line(view, items, self._frontend.width, elsewhere=self.added_elsewhere())
        )

    def changed_elsewhere(self, is_known: bool) -> None:
        """Something happened to the session elsewhere, of which the user knows or not."""
        self.saving(tell=not is_known)
        self.toolbar()

    def report(self) -> None:
        """The figures behind the turn that is over, as far as they are asked for."""
        step = self._engine.last_turn
        lines: list[str] = []
        replies = [reply for reply in self._engine.last_replies if is_reply(reply)]
        if self.flags["metrics"] and replies:
            is_one = len(replies) == 1
            lines.append(reply_line(replies[0]) if is_one else figures_line(of_messages(replies)))
        if self.flags["trace"] and step:
            lines += trace_lines(step, self._frontend.width)
        if any(lines):
            self._frontend.print_lines(text_lines("\n".join([*lines, ""]), "class:notice"))

    def farewell(self) -> None:
        """The last lines of a run."""
        if self.flags["metrics"] and (summary := figures_line(self._engine.ledger.run)):
            self._presenter.notice(f"This run: {summary}")
        if what := self.not_on_disk():
            self._presenter.error(f"{what}; copy what you need from the screen.")

    def not_on_disk(self) -> str:
        """How much of what was said is in memory only; empty: nothing is."""
        unsaved = len(self._engine.journal.unsaved)
        if not unsaved:
            return ""
        what = count(unsaved, "message", "are")
        return f"{what} not in the store"

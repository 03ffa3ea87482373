"""Telling the user what happens to the open session elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agno_shell.conversation.open_session import OpenSession
from agno_shell.conversation.recovery import told
from agno_shell.conversation.watch import MessagesLost, SessionBack, SessionDeleted, Watch
from agno_shell.shell.frontend import Frontend
from agno_shell.toolkit.wording import count

INTERVAL = 0.5
"""Seconds between two looks."""


class SessionMonitor:
    """Looks at the open session.

    The first messages that are added elsewhere are told, at once or when what is in work
    has ended; how many there are by now is in :attr:`added`, for the toolbar, until the
    user goes on here. ``changed`` is called when the session or that number has changed,
    and told whether the user knows.
    """

    def __init__(
        self,
        session: OpenSession,
        watch: Watch,
        frontend: Frontend,
        tell: Callable[[str], None],
        changed: Callable[[bool], None],
    ) -> None:
        self._session = session
        self._frontend = frontend
        self._tell = tell
        self._changed = changed
        self._watch = watch
        self._head: str | None = None
        """Where this shell stood at the last look."""
        self._settled = 0
        """What ``OpenSession.elsewhere`` was when the user last went on here."""
        self._shown = 0
        """What it was when the user was last told."""
        self._counted = 0
        """What it was at the last look."""
        self._told = False

    @property
    def added(self) -> int:
        """Messages that were added elsewhere since the user last went on here."""
        went_on = self._session.head != self._head
        return max(0, self._counted - (self._shown if went_on else self._settled))

    def settle(self) -> None:
        """The session was just opened: everything in it is known."""
        self._head = self._session.head
        self._settled = self._shown = self._counted = self._session.elsewhere
        self._told = False

    async def run(self) -> None:
        """Look every half second, for ever."""
        while True:
            await asyncio.sleep(INTERVAL)
            # A reply is not broken off by a notice, and what a command does to the
            # session is the shell's own doing; the toolbar counts meanwhile.
            if self._frontend.busy:
                await self.glance()
            else:
                await self.look()

    async def glance(self) -> None:
        """Bring the number in the toolbar up to date; it is told later."""
        await self._watch.glance()
        if self._counted != self._session.elsewhere:
            self._counted = self._session.elsewhere
            self._changed(True)

    async def look(self, *, for_command: bool = False) -> None:
        """Look once, and tell what is new; a command says itself what it has brought back."""
        before = self._session.record
        was_busy = self._frontend.busy
        news = await self._watch.look()
        if isinstance(news, SessionDeleted):
            self._tell(deleted(news, before.session_id) + "\n")
        elif isinstance(news, SessionBack) and (news.error or not for_command):
            self._tell(back(news, news.unsaved) + "\n")
        elif isinstance(news, MessagesLost):
            self._tell(told(news.messages) + "\n")
        if self._frontend.busy == was_busy:  # no turn has begun meanwhile
            self._tell_growth()
        if news or self._session.record != before:
            self._changed(not for_command)

    def _tell_growth(self) -> None:
        session = self._session
        if session.head != self._head:
            # The user went on here: what was told of before is behind them.
            was_shown = self._shown - self._settled
            self._head, self._settled, self._told = session.head, self._shown, False
            if was_shown:
                self._changed(True)
        if session.elsewhere == self._shown:
            return
        self._shown = self._counted = session.elsewhere
        if not self._told:
            self._told = True
            line = grown(self.added, session.id, self._watch.ahead)
            self._tell(line + "\n")
        self._changed(True)


def grown(added: int, session_id: str, ahead: bool) -> str:
    """Messages were added elsewhere; ``ahead``: opened anew, the session stands on them."""
    what = count(added, "message", "were")
    them = "it" if added == 1 else "them"
    if ahead:
        return (
            f"{what} added to this session elsewhere. /switch {session_id[:8]} goes on from "
            f"{them}; what you type next makes a branch of its own."
        )
    return (
        f"{what} added to this session elsewhere, on another branch. What you type next "
        "follows what you see here."
    )


def deleted(news: SessionDeleted, session_id: str) -> str:
    """The session is not in its place."""
    if news.missing == "trash":
        return (
            f"This session was deleted elsewhere and is in the trash. /undelete {session_id[:8]} "
            "brings it back; until then this shell keeps what it has, and what you type, in memory."
        )
    return (
        "This session is gone, and the trash does not have it: what this shell has of it is in "
        "memory only. /recover makes it a session again, /save PATH writes it to a file."
    )


def back(news: SessionBack, unsaved: int) -> str:
    """The session is in its place again."""
    if news.error is None:
        return "This session is back, and what was said here is saved in it."
    what = count(unsaved, "message", "are")
    return f"This session is back, but {what} still not saved: {news.error.sentence()}"

"""Whether the shell is to end, and with which status."""

from __future__ import annotations

from agno_shell.conversation.engine import Engine
from agno_shell.shell.entered_texts import EnteredTexts
from agno_shell.shell.frontend import Frontend
from agno_shell.shell.plugin_life import LEAVING_SECONDS
from agno_shell.shell.present import Presenter
from agno_shell.shell.status import Status


class Exit:
    """The user leaves, or has to."""

    def __init__(
        self,
        engine: Engine,
        frontend: Frontend,
        presenter: Presenter,
        status: Status,
        unsent: EnteredTexts,
    ) -> None:
        self._engine = engine
        self._frontend = frontend
        self._presenter = presenter
        self._status = status
        self._unsent = unsent
        self._signal_status = 0
        self._warned = False
        """Whether the user was just warned that leaving loses something."""
        self.is_wanted = False

    def want(self) -> None:
        """End the shell after what is in work."""
        self.is_wanted = True

    def must(self, number: int) -> None:
        """A signal ends the shell as Ctrl-D does: what was shown is kept, the terminal sane."""
        self._signal_status = 128 + number
        self.is_wanted = True
        self._frontend.leave()

    def goes_on(self) -> None:
        """Something was done since the user was warned."""
        if not self.is_wanted:
            self._warned = False

    async def stays(self) -> bool:
        """Whether the user rather stays, warned that leaving loses something. Asked once:
        one who leaves again at once, or is made to leave, is not kept."""
        journal = self._engine.journal
        await journal.save_again()
        await self._unsent.settled()
        losses = [*filter(None, (self._status.not_on_disk(), self._unsent.left_behind()))]
        if not losses or self._warned or self._signal_status or not self._frontend.has_user:
            return False
        self._warned, self.is_wanted = True, False
        for session_id in journal.unsaved_elsewhere:
            self._presenter.notice(f"/switch {session_id[:8]} opens a session that has some.")
        if journal.unsaved:
            self._presenter.notice("/save PATH writes the open conversation to a file.")
        return not await self._frontend.confirm(f"{'. '.join(losses)}. Leave anyway?")

    async def farewell(self) -> None:
        """The last lines, once everything else has ended."""
        await self._engine.journal.save_again()
        if self._engine.store.is_silent(LEAVING_SECONDS):
            self._engine.store.leave()
        self._status.saving()
        if self._frontend.has_refused or self._status.not_on_disk():
            self._presenter.has_failed = True
        self._status.farewell()
        await self._unsent.settled()
        if not self._warned and (what := self._unsent.left_behind()):
            self._presenter.notice(f"{what}.")
        await self._unsent.close()

    @property
    def exit_status(self) -> int:
        """0; 128 and the number of the signal that ended the shell; for a script 1 when anything
        that it asked for was not done."""
        if self._signal_status:
            return self._signal_status
        return int(self._presenter.has_failed and self._frontend.is_script)

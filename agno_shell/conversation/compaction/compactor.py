"""When the older turns are summed up, and what the user hears of it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from agno_shell.conversation.compaction.compaction import (
    KEPT_TURNS,
    Compaction,
    CompactionServices,
    Plan,
    undo,
)
from agno_shell.conversation.driver import Driver
from agno_shell.errors import AgnoShellError
from agno_shell.events import (
    Emit,
    Failed,
    Finished,
    Interrupted,
    NotSaved,
    Receipt,
    TurnEvent,
)
from agno_shell.toolkit.wording import count
from agno_shell.types import Message

FULL = 0.85
"""What the older turns are summed up at by themselves: this much of the room is taken."""

WORTH_IT = 5
"""By themselves only if they have one in so many tokens of the room at least."""

UNASKED_PARTS = 3
"""Requests that are made without asking first."""

NOTHING_CHANGED = "Nothing has changed: everything is sent as before."


class PendingCompaction(NamedTuple):
    """What is to be summed up by itself."""

    share: float
    """How full the window is."""
    compaction: Compaction
    plan: Plan


class CompactionTurn:
    """A compaction as a turn is shown. How it ended is explained apart: nothing of what a reply
    offers then fits it."""

    reply: Message | None = None

    def __init__(self, compaction: Compaction) -> None:
        self._compaction = compaction
        self.stop = compaction.stop

    async def run(self, emit: Emit) -> Message | None:
        def show(event: TurnEvent) -> None:
            emit(Finished() if isinstance(event, Failed | Interrupted) else event)

        return await self._compaction.run(show)


class Compactor:
    """Sums up when the user wants it, or by itself. ``run`` runs one as a turn."""

    def __init__(
        self,
        services: CompactionServices,
        driver: Driver,
        run: Callable[[CompactionTurn], Awaitable[object]],
    ) -> None:
        self._services = services
        self._driver = driver
        self._run_one = run
        self._given_up: set[str] = set()
        """Sessions in which it is not tried again by itself."""

    async def compact(self, instruction: str) -> Message | None:
        """See :meth:`~agno_shell.contracts.Engine.compact`."""
        compaction = Compaction(self._services, instruction)
        plan = await compaction.plan()
        if plan.parts > UNASKED_PARTS and self._driver.has_user:
            question = f"{count(plan.messages, 'message')} take about {plan.parts} requests to "
            if not await self._driver.confirm(f"{question}sum up. Go on?"):
                self._driver.notice(f"({NOTHING_CHANGED})")
                return None
        summary = await self._run(compaction, plan)
        if summary:
            self._given_up.discard(self._services.session.id)
        return summary

    async def uncompact(self) -> None:
        """See :meth:`~agno_shell.contracts.Engine.uncompact`."""
        saved = await undo(self._services)
        if isinstance(saved, NotSaved):
            self._driver.fail(saved.reason)

    async def after(self, reply: Message | None) -> None:
        """Sum up by itself when a turn has left the window nearly full."""
        session_id = self._services.session.id
        if reply is None or reply.status != "complete" or session_id in self._given_up:
            return
        if reply.tool_calls:  # it was stopped, or left off, before it had its answer
            return
        due: PendingCompaction | None = None

        async def look() -> None:
            nonlocal due
            due = await self._due()

        # To read and count a long conversation takes a while, which Ctrl-C ends.
        if not await self._driver.finished(look()) or due is None:
            return
        share, compaction, plan = due
        if plan.parts > UNASKED_PARTS:
            self._given_up.add(session_id)
            self._driver.notice(
                f"The older turns no longer fit the window. /compact sums them up, in about "
                f"{plan.parts} requests.\n"
            )
            return
        self._driver.notice(
            f"The window is {min(share, 1):.0%} full: the older turns are summed up. "
            "Ctrl-C stops it.\n"
        )
        if await self._run(compaction, plan, gap="\n") is None:
            self._given_up.add(session_id)
            self._driver.notice(
                "It is not tried again by itself in this session; /compact does it.\n"
            )

    async def _due(self) -> PendingCompaction | None:
        """What is to be summed up by now; None: nothing is, or it cannot be told."""
        requests, choice = self._services.requests, self._services.current.choice
        # Nobody asked for this; what is wrong is reported where it matters.
        try:
            prepared = await requests.compose(choice, asking=False)
            share = fullness(prepared.receipt)
            if share < FULL:
                return None
            compaction = Compaction(self._services)
            plan = await compaction.plan()
            window = (await requests.model(choice)).room_apart
        except AgnoShellError:
            return None
        return (
            PendingCompaction(share, compaction, plan) if plan.tokens * WORTH_IT >= window else None
        )

    async def _run(self, compaction: Compaction, plan: Plan, gap: str = "") -> Message | None:
        """Show it, and say what came of it; ``gap`` follows."""
        await self._run_one(CompactionTurn(compaction))
        ending, summary = compaction.ending, compaction.summary
        if summary is None:
            if isinstance(ending, Failed):
                what = f"{ending.message} {_next_step(ending.hint)}"
                self._driver.fail(f"{what} {NOTHING_CHANGED}{gap}")
            else:
                self._driver.fail(f"(stopped) {NOTHING_CHANGED}{gap}", "class:notice")
            return None
        model = await self._services.requests.model(self._services.current.choice)
        about = "" if model.counter.exact else "about "
        self._driver.notice(
            f"({count(plan.messages, 'message')} with {about}{plan.tokens:,} tokens "
            f"{'is' if plan.messages == 1 else 'are'} summed up; the last {KEPT_TURNS} turns are "
            f"sent as they are. /context shows what is sent, /compact --undo takes it back.){gap}"
        )
        return summary


def fullness(receipt: Receipt) -> float:
    """How much of the room for a request is taken; more than 1 where something is left out
    for want of it."""
    if any(each.why == "window" for each in receipt.left_out):
        return 1.01
    return receipt.tokens / max(1, receipt.window - receipt.reserve)


def _next_step(hint: str) -> str:
    """The hint of a failure for one who waits for a summary: what asks a question again, or
    goes on with its reply, is about another one here."""
    sentences = re.split(r"(?<=[.!?])\s+", hint)
    kept = [each for each in sentences if "/retry" not in each and "/continue" not in each]
    again = ["/compact tries it again."] if len(kept) < len(sentences) else []
    return " ".join([*kept, *again])

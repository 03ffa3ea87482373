"""Summing up the older turns, as the person sees it."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple

from agno_shell.conversation.compaction.compaction import KEPT_TURNS, Compaction, Plan, undo
from agno_shell.errors import AgnoShellError
from agno_shell.events import Failed, Finished, Interrupted, NotSaved, Receipt, TurnEvent
from agno_shell.shell.lines import one_line
from agno_shell.toolkit.wording import count
from agno_shell.types import Message

if TYPE_CHECKING:
    from agno_shell.conversation.turn import Turn
    from agno_shell.shell.loop import Shell

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
    """A compaction as the shell shows a turn. How it ended is said apart: nothing of what a
    reply offers then fits it."""

    def __init__(self, compaction: Compaction) -> None:
        self._compaction = compaction
        self.stop = compaction.stop
        self.reply: Message | None = None

    async def events(self) -> AsyncGenerator[TurnEvent, None]:
        async with aclosing(self._compaction.events()) as events:
            async for event in events:
                yield Finished() if isinstance(event, Failed | Interrupted) else event


class Compacting:
    """Sums up when the person wants it, or by itself."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._conversation = shell.conversation
        self._given_up: set[str] = set()
        """Sessions in which it is not tried again by itself."""

    async def compact(self, instruction: str) -> Message | None:
        """See :meth:`~agno_shell.contracts.ConversationControl.compact`."""
        compaction = Compaction(self._conversation, instruction)
        plan = await compaction.plan()
        if plan.parts > UNASKED_PARTS and self._shell.frontend.has_person:
            question = f"{count(plan.messages, 'message')} take about {plan.parts} requests to "
            if not await self._shell.frontend.confirm(f"{question}sum up. Go on?"):
                self._tell(f"({NOTHING_CHANGED})")
                return None
        summary = await self._run(compaction, plan)
        if summary:
            self._given_up.discard(self._conversation.session.session_id)
        return summary

    async def uncompact(self) -> None:
        """See :meth:`~agno_shell.contracts.ConversationControl.uncompact`."""
        saved = await undo(self._conversation)
        if isinstance(saved, NotSaved):
            self._shell.fail(one_line(saved.reason))

    async def after(self, turn: Turn) -> None:
        """Sum up by itself when a turn has left the window nearly full."""
        conversation = self._conversation
        session_id = conversation.session.session_id
        if turn.reply is None or turn.reply.status != "complete" or session_id in self._given_up:
            return
        if turn.reply.tool_calls:  # it was stopped, or left off, before it had its answer
            return
        due: PendingCompaction | None = None

        async def look() -> None:
            nonlocal due
            due = await self._due()

        # To read and count a long conversation takes a while, which Ctrl-C ends.
        if not await self._shell.finished(look()) or due is None:
            return
        share, compaction, plan = due
        if plan.parts > UNASKED_PARTS:
            self._given_up.add(session_id)
            self._tell(
                f"The older turns no longer fit the window. /compact sums them up, in about "
                f"{plan.parts} requests.\n"
            )
            return
        self._tell(
            f"The window is {min(share, 1):.0%} full: the older turns are summed up. "
            "Ctrl-C stops it.\n"
        )
        if await self._run(compaction, plan, gap="\n") is None:
            self._given_up.add(session_id)
            self._tell("It is not tried again by itself in this session; /compact does it.\n")

    async def _due(self) -> PendingCompaction | None:
        """What is to be summed up by now; None: nothing is, or it cannot be told."""
        conversation = self._conversation
        # Nobody asked for this; what is wrong is said where it matters.
        try:
            prepared = await conversation.requests.compose(conversation.choice, asking=False)
            share = fullness(prepared.receipt)
            if share < FULL:
                return None
            compaction = Compaction(conversation)
            plan = await compaction.plan()
            window = (await conversation.requests.model(conversation.choice)).room_apart
        except AgnoShellError:
            return None
        return (
            PendingCompaction(share, compaction, plan) if plan.tokens * WORTH_IT >= window else None
        )

    async def _run(self, compaction: Compaction, plan: Plan, gap: str = "") -> Message | None:
        """Show it, and say what came of it; ``gap`` follows."""
        await self._shell.run_turn(CompactionTurn(compaction))
        ending, summary = compaction.ending, compaction.summary
        if summary is None:
            if isinstance(ending, Failed):
                what = one_line(f"{ending.message} {_next_step(ending.hint)}")
                self._shell.fail(f"{what} {NOTHING_CHANGED}{gap}")
            else:
                self._shell.fail(f"(stopped) {NOTHING_CHANGED}{gap}", "class:notice")
            return None
        model = await self._conversation.requests.model(self._conversation.choice)
        about = "" if model.counter.exact else "about "
        self._tell(
            f"({count(plan.messages, 'message')} with {about}{plan.tokens:,} tokens "
            f"{'is' if plan.messages == 1 else 'are'} summed up; the last {KEPT_TURNS} turns are "
            f"sent as they are. /context shows what is sent, /compact --undo takes it back.){gap}"
        )
        return summary

    def _tell(self, text: str) -> None:
        self._shell.presenter.notice(text)


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

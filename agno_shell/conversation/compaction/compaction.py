"""Letting the model sum up the older turns. The originals stay; the summary is sent in
their place."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from agno_shell.conversation.accounts.budget import Budget
from agno_shell.conversation.accounts.figures import Ledger
from agno_shell.conversation.attempts import Attempts, RetryPolicy
from agno_shell.conversation.compaction import transcript
from agno_shell.conversation.compaction.transcript import MessageText
from agno_shell.conversation.journal import Journal
from agno_shell.conversation.models import OFFLINE, Choice, CurrentModel
from agno_shell.conversation.open_session import OpenSession
from agno_shell.conversation.reply import Reply, taken_by
from agno_shell.conversation.request.requests import Requests
from agno_shell.conversation.request.rules import effective
from agno_shell.conversation.session_editor import SessionEditor
from agno_shell.conversation.stopping import Stop
from agno_shell.conversation.tree.numbered import MessageReader
from agno_shell.errors import StorageError, UsageError
from agno_shell.events import (
    Emit,
    Ending,
    Failed,
    Finished,
    MessageSaved,
    NotSaved,
    ReasoningDelta,
    RequestPrepared,
    SpeakerChanged,
    TextDelta,
    TurnEvent,
)
from agno_shell.types import Message, Timing, Usage, new_id, now

KEPT_TURNS = 2
"""The last turns stay as they are."""

SMALLEST_SHARE = 4
"""A part of the conversation may have one in so many tokens of the room at least, however
long the summary before it is."""


class Plan(NamedTuple):
    """What a compaction is to sum up."""

    waiting: Sequence[MessageText]
    messages: int
    """How many those are."""
    tokens: int
    """How many tokens they have, about."""
    parts: int
    """In how many requests, about."""
    before: Message | None
    """The summary that is in force; the new one stands for it as well."""
    covers: str
    """The last message that is summed up."""


class CompactionServices(NamedTuple):
    """What every compaction of an engine works with."""

    session: OpenSession
    current: CurrentModel
    messages: MessageReader
    requests: Requests
    budget: Budget
    ledger: Ledger
    journal: Journal
    editor: SessionEditor
    policy: RetryPolicy


class Compaction:
    """One summary: :meth:`run` it once, stop it any time. Unless all of it comes, nothing
    changes."""

    def __init__(self, services: CompactionServices, instruction: str = "") -> None:
        self._services = services
        self._instruction = instruction
        self._stop = Stop()
        self._plan: Plan | None = None
        self._usages: list[Usage | None] = []
        self.ending: Ending | None = None
        """How it ended."""
        self.summary: Message | None = None
        """What stands for the older turns now."""

    def stop(self) -> None:
        """Give it up."""
        self._stop.set()

    async def plan(self) -> Plan:
        """What is to be summed up. Raises :class:`~agno_shell.errors.UsageError` where
        there is nothing."""
        if self._plan is None:
            self._plan = await _plan(self._services)
        return self._plan

    async def run(self, emit: Emit) -> Message | None:
        """The summary. Its text is emitted as it comes; what is summed up in parts before the
        last one comes as reasoning."""
        plan = await self.plan()
        waiting: Sequence[MessageText] = plan.waiting
        before = plan.before.content if plan.before else ""
        choices = self._services.current.choices()
        part = 0
        while True:
            part += 1
            piece, waiting = transcript.take(waiting, await self._room(choices[0], before))
            reply = Reply(self._services.session.head, choices[0])
            if waiting:
                emit(ReasoningDelta(f"\n\nPart {part} of about {max(plan.parts, part + 1)}:\n\n"))
            attempts = self._attempts(reply, choices, piece, before)
            ending = await attempts.run(_in_one_voice(emit, is_thought=bool(waiting)))
            written = reply.finish_as_one(ending)
            self._count(written.usage)
            before = written.content.strip()
            ending = _judged(ending, before)
            if not isinstance(ending, Finished) or not waiting:
                break
            # Who has answered goes on; a model that was down is not waited for again.
            choices = choices[choices.index(reply.choice) :]
        self.ending = ending
        emit(ending)
        if isinstance(ending, Finished):
            emit(await self._keep(plan, written))
        return self.summary

    def _attempts(
        self, reply: Reply, choices: tuple[Choice, ...], piece: str, before: str
    ) -> Attempts:
        """One request."""
        requests, budget = self._services.requests, self._services.budget

        async def prepare(choice: Choice) -> RequestPrepared:
            window = (await requests.model(choice)).window
            text = transcript.request(piece, before, self._instruction, window)
            prepared = await requests.apart(choice, transcript.TASK, text)
            await budget.check(choice, prepared)
            return prepared

        def begun(choice: Choice, _prepared: RequestPrepared) -> None:
            reply.begin(choice)

        provider, policy = self._services.current.models.provider, self._services.policy
        return Attempts(choices, provider, prepare, begun, policy, self._stop, taken_by(reply))

    def _count(self, usage: Usage | None) -> None:
        """What a part has used counts at once: the next one may pass the limit, and perhaps
        no summary comes of it all."""
        self._usages.append(usage)
        if usage is not None:
            self._services.ledger.add_usage(self._services.session.id, usage)

    async def _room(self, choice: Choice, before: str) -> int:
        """Tokens that a part of the conversation may have."""
        model = await self._services.requests.model(choice)
        asked = transcript.request("", before, self._instruction, model.window)
        message = Message(new_id(), "user", f"{transcript.TASK}\n{asked}", now())
        await model.counter.count([message])
        room = model.room_apart
        return max(room - model.counter.tokens(message), room // SMALLEST_SHARE)

    async def _keep(self, plan: Plan, written: Message) -> MessageSaved | NotSaved:
        services, session = self._services, self._services.session
        self.summary = Message(
            new_id(),
            "summary",
            written.content.strip(),
            now(),
            parent=session.head,
            model=written.model,
            usage=_sum(self._usages),
            timing=written.timing or Timing(),
            covers=plan.covers,
        )
        if any(self._usages):
            services.ledger.count_no_more(session.id, self.summary.id)
        saved = await services.journal.add(self.summary)
        await _point_to(services.editor, [plan.before] if plan.before else [], self.summary)
        return saved


async def _plan(services: CompactionServices) -> Plan:
    requests, choice = services.requests, services.current.choice
    if choice.provider == OFFLINE:
        raise UsageError(
            "Summing up takes a model, and none is in use.", hint="/model NAME uses one."
        )
    model = await requests.model(choice)
    summary, turns = await requests.not_summed_up()
    older = turns[:-KEPT_TURNS]
    messages = [each for turn in older for each in (await requests.as_sent(turn)).messages]
    if not messages:
        raise UsageError(
            f"There is nothing to sum up: the last {KEPT_TURNS} turns always stay as they are.",
            hint="/context shows what is sent.",
        )
    await model.counter.count(messages)
    tokens = [model.counter.tokens(message) for message in messages]
    return Plan(
        transcript.all_of(messages, tokens),
        sum(turn.spoken for turn in older),
        sum(tokens),
        # The summary that is carried along takes its room.
        -(-sum(tokens) * 5 // (4 * model.room_apart)),
        summary,
        older[-1].messages[-1].id,
    )


async def undo(services: CompactionServices) -> MessageSaved | NotSaved:
    """Send again what the newest summary stands for: its originals, with the summary before
    it, if there was one. Raises :class:`~agno_shell.errors.UsageError` without a summary."""
    path = await services.messages.path()
    led_to = effective(path)
    if not led_to:
        raise UsageError(
            "There is no summary here: everything is sent as it was said.",
            hint="/context shows what is sent.",
        )
    restored = led_to[-2] if len(led_to) > 1 else None
    message = Message(
        new_id(),
        "summary",
        restored.content if restored else "",
        now(),
        parent=services.session.head,
        covers=restored.covers if restored else None,
    )
    saved = await services.journal.add(message)
    gone = [each for each in path if each.role == "summary"]
    await _point_to(services.editor, gone, message if restored else None)
    return saved


async def _point_to(
    editor: SessionEditor, gone: Sequence[Message], summary: Message | None
) -> None:
    """Let the session name its summary as one of the messages that are always sent: it is
    found there when it stands too far back to be read."""
    ids = {message.id for message in gone}

    def change(pinned: Sequence[str]) -> Sequence[str]:
        return [*(each for each in pinned if each not in ids), *([summary.id] if summary else [])]

    # Without it, the summary still counts as long as it stands in the window.
    with suppress(StorageError):
        await editor.pin_anew(change)


def _judged(ending: Ending, text: str) -> Ending:
    """A summary of which the end is missing, or everything, stands for nothing."""
    if not isinstance(ending, Finished):
        return ending
    if ending.reason == "stop":
        return ending if text else Failed("server", "The model sent an empty summary.")
    said = {
        "length": "The summary reached the model's length limit.",
        "content_filter": "The provider's content filter ended the summary.",
    }.get(ending.reason, f"The summary ended early ({ending.reason}).")
    return Failed("other", said, "/compact can be told to be brief.")


def _in_one_voice(emit: Emit, *, is_thought: bool) -> Emit:
    """A summary is one text, whoever speaks in it. Of a part that is not the last one, the text
    is shown as a thought."""

    def pass_on(event: TurnEvent) -> None:
        if isinstance(event, TextDelta) and is_thought:
            emit(ReasoningDelta(event.text))
        elif not isinstance(event, SpeakerChanged):
            emit(event)

    return pass_on


def _sum(usages: Sequence[Usage | None]) -> Usage | None:
    """What several requests used together, as far as all of them said it."""
    known = [usage for usage in usages if usage]
    if len(known) < len(usages) or not known:
        return None
    columns = zip(*known, strict=True)
    return Usage(*(None if None in column else sum(column) for column in columns))

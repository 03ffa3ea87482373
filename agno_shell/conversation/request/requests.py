"""The request for the conversation as it stands, and the receipt for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from agno_shell.config.agents import FILE_MARK
from agno_shell.conversation.models import Choice, CurrentModel
from agno_shell.conversation.open_session import OpenSession
from agno_shell.conversation.request.agent_texts import read_pins
from agno_shell.conversation.request.contents import Contents
from agno_shell.conversation.request.counting import Counter
from agno_shell.conversation.request.earlier import Earlier, PathMessage
from agno_shell.conversation.request.receipts import Places, Row, left_out, whole_rows
from agno_shell.conversation.request.rules import (
    SentMessage,
    begins_turn,
    each_named,
    filtered,
    go_on,
    in_sequence,
    reply_reserve,
    summary_as_sent,
    valid,
    without_refused,
)
from agno_shell.conversation.request.selection import Backwards, Selection, Selector, SentTurn
from agno_shell.conversation.request.system_text import SystemText, system_message, tools_text
from agno_shell.conversation.tools.tool_registry import ToolRegistry
from agno_shell.conversation.tree.numbered import MessageReader
from agno_shell.errors import UsageError
from agno_shell.events import Receipt, ReceiptRow, Request, RequestPrepared, Why
from agno_shell.toolkit.guarding import quiet
from agno_shell.types import NOTHING, Message, ToolSchema, new_id, now

if TYPE_CHECKING:
    from agno_shell.config import Agent
    from agno_shell.plugins.manager import Plugins

KEPT_TURNS = 256
"""Turns as they were sent that are kept beyond those of the last request."""


WINDOW_PATIENCE = 5.0
"""Seconds for a provider to say how a server has a model set up."""


class Model:
    """What is known of a model, and where its window begins."""

    def __init__(self, window: int, window_known: bool, counter: Counter) -> None:
        self.window = window
        self.window_known = window_known
        self.counter = counter
        self.anchor: str | None = None
        """The first message of the window; None: it begins with the conversation."""

    @property
    def room_apart(self) -> int:
        """Tokens that a request may have that goes without the agent's parameters."""
        return max(1, self.window - reply_reserve(self.window, NOTHING))


class Frame(NamedTuple):
    """What a request holds whatever is chosen of the conversation."""

    system: Message | None
    tools: tuple[ToolSchema, ...]
    tools_text: Message | None
    """What describes the tools, for counting it."""
    reserve: int
    """Tokens that are kept free for the reply."""

    @property
    def messages(self) -> list[Message]:
        return [each for each in (self.system, self.tools_text) if each]


class Requests:
    """Makes requests for the open session. ``facts`` are what a model is told of where it
    runs; ``plugins`` see each request, and report what could not be read for it."""

    def __init__(
        self,
        session: OpenSession,
        current: CurrentModel,
        messages: MessageReader,
        contents: Contents,
        tool_registry: ToolRegistry,
        plugins: Plugins,
        facts: Mapping[str, Any],
    ) -> None:
        self._session = session
        self._current = current
        self._messages = messages
        self._contents = contents
        self._tool_registry = tool_registry
        self._plugins = plugins
        self._facts = facts
        self._models: dict[Choice, Model] = {}
        self._earlier = Earlier(session, messages)
        self._system = SystemText()
        self._tools: tuple[tuple[ToolSchema, ...], Message | None] = ((), None)
        self._turns: dict[tuple[str, str, int, bool], SentTurn] = {}
        """Turns as they were sent, by their first and last message, their length, and
        whether a later turn was refused."""
        self._told: set[str] = set()

    async def prepare(self, choice: Choice) -> RequestPrepared:
        """What is to be sent now to ``choice``."""
        return await self._filtered(choice, await self.compose(choice))

    async def receipt(self) -> Receipt:
        """What the next request holds beside its question, every token counted."""
        choice = self._current.choice
        before = await self._messages.before()
        composed = await self.compose(choice, asking=False, counted=True, before=before)
        return (await self._filtered(choice, composed)).receipt

    async def _filtered(self, choice: Choice, prepared: RequestPrepared) -> RequestPrepared:
        """The request as plugins want it, with the receipt for that."""
        request = await filtered(self._plugins, self._session.record, prepared.request)
        if request is prepared.request:
            return prepared
        return RequestPrepared(request, self._recounted(choice, prepared, request))

    async def compose(
        self,
        choice: Choice,
        *,
        asking: bool = True,
        counted: bool = False,
        before: int | None = None,
    ) -> RequestPrepared:
        """What is to be sent now to ``choice``, before any plugin has seen it.

        Without ``asking`` it is what a question that is still to come would go along with.
        ``counted``: no token is estimated that could be counted. ``before``: how many
        messages are before those that are loaded.
        """
        model = await self.model(choice)
        if asking:
            await self._look_at_window(choice, model)
        frame = await self._frame(model.window)
        named = await self._earlier.find(self._session.record.pinned)
        pinned = [
            (
                each,
                await self.as_sent(
                    SentTurn(turn[0].id, turn, 0, len(turn), refused_later=each.refused_later)
                ),
            )
            for each, turn in _each_turn_once(named)
        ]
        selecting = Selector(
            Backwards(self._session.path, _newest_summary(named)),
            model.counter,
            model.window - frame.reserve,
            always=frame.messages,
            pinned=[turn.messages for _each, turn in pinned],
            as_sent=self.as_sent,
            as_summary=summary_as_sent,
        )
        selection = await selecting.select(model.anchor, at_least=int(asking))
        turns = selection.turns
        model.anchor = None if selection.is_all or not turns else turns[0].first
        first = {turn.first for turn in turns}
        apart = [each for each in pinned if first.isdisjoint(m.id for m in each[0].turn)]
        rows = _rows(frame, selection, [turn for _each, turn in apart], pinned, asking)
        sent = in_sequence(message for message, _why in rows)
        parts = [part for each in sent for part in each.parts]
        if counted or selection.is_counted:
            await model.counter.count([*frame.messages, *parts])
        self._forget(model.counter, parts)
        receipt = _receipt(model, frame, whole_rows(sent, rows))
        places = await self._places(selection, before)
        receipt = receipt._replace(left_out=left_out(places, turns, apart))
        request = await self._request(choice, frame, sent)
        if asking and not request.asks:
            raise UsageError("There is nothing to send: the question is empty.")
        return RequestPrepared(request, receipt)

    async def _request(self, choice: Choice, frame: Frame, sent: Sequence[SentMessage]) -> Request:
        agent = self._current.agent
        messages = tuple(each.message for each in sent)
        return Request(
            choice.model,
            messages,
            agent.parameters if agent else NOTHING,
            self._current.api_base,
            frame.tools,
            self._current.reasoning,
            await self._contents.files(messages),
        )

    def _recounted(self, choice: Choice, prepared: RequestPrepared, request: Request) -> Receipt:
        """The receipt for a request that a plugin has changed."""
        receipt, counter = prepared.receipt, self._models[choice].counter
        known = _by_message(prepared)

        def rows(message: Message) -> Sequence[ReceiptRow]:
            before = known.get(message.id)
            if before and before[0] == message:
                return before[1]
            # Not known by its id: that stands for another text.
            tokens = counter.tokens(message._replace(id=f"changed:{hash(message.content)}"))
            return [ReceiptRow(message, tokens, before[1][-1].why if before else "recent")]

        changed = tuple(row for message in request.messages for row in rows(message))
        is_same = changed == receipt.rows
        return receipt._replace(rows=changed, estimated=receipt.estimated or not is_same)

    async def apart(self, choice: Choice, task: str, text: str) -> RequestPrepared:
        """A request with a task and a text, and nothing of the conversation or its agent."""
        model = await self.model(choice)
        system = Message(new_id(), "system", task, now())
        asked = Message(new_id(), "user", text, now())
        frame = Frame(None, (), None, reply_reserve(model.window, NOTHING))
        rows: list[Row] = [(system, "instructions", False), (asked, "question", False)]
        receipt = _receipt(model, frame, rows)
        request = Request(choice.model, (system, asked), api_base=self._current.api_base)
        return await self._filtered(choice, RequestPrepared(request, receipt))

    async def not_summed_up(self) -> tuple[Message | None, list[SentTurn]]:
        """The summary that is in force, and the turns that it does not stand for, as they
        stand on the path, oldest first."""
        named = await self._earlier.find(self._session.record.pinned)
        back = Backwards(self._session.path, _newest_summary(named))
        turns: list[SentTurn] = []
        while turn := await back.turn():
            turns.append(turn)
        turns.reverse()
        return back.summary, turns

    # What a request holds in any case ---------------------------------------------------

    async def model(self, choice: Choice) -> Model:
        """What is known of a model; it is asked for once."""
        if choice not in self._models:
            provider = self._current.models.provider(choice)
            known = await provider.context_window(choice.model)
            window = known or self._current.default_window
            self._models[choice] = Model(window, bool(known), Counter(provider, choice.model))
        return self._models[choice]

    async def _look_at_window(self, choice: Choice, model: Model) -> None:
        """A server may have a model set up otherwise than it was a moment ago."""
        provider = self._current.models.provider(choice)
        # A provider that cannot say it now says so when it is asked to answer; it may be
        # anybody's plugin, and its bug costs what it knows and not the turn.
        with quiet():
            async with asyncio.timeout(WINDOW_PATIENCE):
                window = await provider.current_window(choice.model, self._current.api_base)
            if isinstance(window, int) and window > 0:
                model.window, model.window_known = window, True

    async def _frame(self, window: int) -> Frame:
        agent = self._current.agent
        tools = tuple(await self._tool_registry.schemas())
        if tools != self._tools[0]:
            self._tools = (tools, tools_text(tools))
        made = system_message(
            agent.instructions if agent else "",
            self._facts,
            await self._agent_pins(agent),
            self._session.memories,
        )
        reserve = reply_reserve(window, agent.parameters if agent else NOTHING)
        return Frame(self._system.message(made), *self._tools, reserve)

    async def _agent_pins(self, agent: Agent | None) -> Sequence[str]:
        if agent is None or not agent.pins:
            return ()
        if not any(pin.startswith(FILE_MARK) for pin in agent.pins):
            return read_pins(agent.pins).texts
        read = await asyncio.to_thread(read_pins, agent.pins)
        for problem in read.problems:
            if problem not in self._told:
                self._told.add(problem)
                self._plugins.report(problem)
        return read.texts

    # What a request holds of the conversation -------------------------------------------

    async def as_sent(self, turn: SentTurn) -> SentTurn:
        """A turn of the path as it is sent."""
        key = (turn.first, turn.messages[-1].id, turn.length, turn.refused_later)
        if key not in self._turns:
            kept, refused = without_refused(turn.messages, turn.refused_later)
            sent = [await self._contents.as_sent(each) for each in valid(each_named(kept))]
            own = {message.id for message in turn.messages}
            empty = turn.spoken - refused - sum(message.id in own for message in sent)
            self._turns[key] = turn._replace(messages=sent, empty=empty, refused=refused)
        return self._turns[key]

    def _forget(self, counter: Counter, parts: Sequence[Message]) -> None:
        counter.keep(parts)
        if len(self._turns) > 2 * len(parts) + KEPT_TURNS:
            self._turns.clear()

    async def _places(self, selection: Selection, before: int | None) -> Places:
        """Where the window and the summary stand."""
        path, summary = self._session.path, selection.summary
        start = len(path.messages) - sum(turn.length for turn in selection.turns)
        if path.is_whole:
            before = 0
        if summary is None:
            return Places(start, None, None, before)
        ids = [summary.id, *([summary.covers] if summary.covers else [])]
        named = {each.message.id: each.place for each in await self._earlier.find(ids)}
        covered = named.get(summary.covers or "")
        return Places(
            start, None if covered is None else covered + 1, named.get(summary.id), before
        )


def _newest_summary(named: Sequence[PathMessage]) -> Message | None:
    return next((each.message for each in reversed(named) if not each.turn), None)


def _each_turn_once(named: Sequence[PathMessage]) -> list[tuple[PathMessage, tuple[Message, ...]]]:
    """The turns of pinned messages, in the order of the path."""
    by_first = {each.turn[0].id: (each, each.turn) for each in reversed(named) if each.turn}
    return list(reversed(by_first.values()))


def _rows(
    frame: Frame,
    selection: Selection,
    apart: Sequence[SentTurn],
    pinned: Sequence[tuple[PathMessage, SentTurn]],
    asking: bool,
) -> list[tuple[Message, Why]]:
    """What is sent, in its order, and why; ``apart`` are the pinned turns that stand before
    the window."""
    sent = [message for turn in (*apart, *selection.turns) for message in turn.messages]
    if asking and sent and sent[-1].role == "assistant":
        sent.append(go_on(sent[-1]))
    chosen = {message.id for _each, turn in pinned for message in turn.messages}
    asked = next((at for at in reversed(range(len(sent))) if begins_turn(sent[at])), 0)
    rows: list[tuple[Message, Why]] = []
    if frame.system:
        rows.append((frame.system, "instructions"))
    if selection.summary:
        rows.append((summary_as_sent(selection.summary), "summary"))
    for at, message in enumerate(sent):
        if asking and at >= asked:
            rows.append((message, "question"))
        else:
            rows.append((message, "pinned" if message.id in chosen else "recent"))
    return rows


def _receipt(model: Model, frame: Frame, rows: Sequence[Row]) -> Receipt:
    counter = model.counter
    every = [*frame.messages, *(message for message, _why, _joined in rows)]
    return Receipt(
        tuple(
            ReceiptRow(message, counter.tokens(message), why, joined)
            for message, why, joined in rows
        ),
        (),
        counter.tokens(frame.tools_text) if frame.tools_text else 0,
        model.window,
        model.window_known,
        frame.reserve,
        not (counter.exact and all(map(counter.is_counted, every))),
    )


def _by_message(prepared: RequestPrepared) -> dict[str, tuple[Message, list[ReceiptRow]]]:
    """The rows of each message of a request, by its id."""
    groups: list[list[ReceiptRow]] = []
    for row in prepared.receipt.rows:
        if row.joined:
            groups[-1].append(row)
        else:
            groups.append([row])
    pairs = zip(prepared.request.messages, groups, strict=True)
    return {message.id: (message, rows) for message, rows in pairs}

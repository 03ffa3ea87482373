"""What is sent: over whatever was said, and step by step over a long conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.config import Agent
from agno_shell.contracts import Storage, TokenCounts
from agno_shell.conversation.journal import Outbox
from agno_shell.conversation.models import Choice
from agno_shell.conversation.open_session import OpenSession
from agno_shell.conversation.path import FIRST_LOAD, Path
from agno_shell.conversation.request import requests
from agno_shell.conversation.request.contents import Contents
from agno_shell.conversation.request.requests import Requests
from agno_shell.conversation.request.rules import GO_ON, INTRODUCTION, is_empty, turns
from agno_shell.conversation.tree import branches
from agno_shell.conversation.tree.numbered import MessageReader
from agno_shell.errors import StorageError
from agno_shell.events import Receipt, RequestPrepared
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.testing.strict import request_problem
from agno_shell.testing.turn_events import events_of
from agno_shell.types import Memory, Message, Session, ToolCall, ToolSchema, new_id, now

CHOICE = Choice("scripted", "model-x")


class Words(ScriptedProvider):
    """One token a word, and what was asked to be counted."""

    def __init__(self, window: int) -> None:
        super().__init__(window=window)
        self.counted: list[int] = []

    async def count_tokens(self, model: str, messages: Sequence[Message]) -> TokenCounts:
        self.counted.append(len(messages))
        return TokenCounts([len(each.content.split()) for each in messages], exact=True)


class Belt:
    def __init__(self, *tools: ToolSchema) -> None:
        self.tools = tools

    async def schemas(self) -> tuple[ToolSchema, ...]:
        return self.tools


class Talk:
    """All that requests need of a conversation, without a session on a disk. A window of
    ``4 * room`` thirds leaves ``room`` tokens beside the reply."""

    def __init__(
        self,
        messages: Sequence[Message] = (),
        *,
        room: int = 10_000,
        pinned: Sequence[str] = (),
        before: Sequence[Message] = (),
    ) -> None:
        self.provider = Words(window=-(-room * 4 // 3))
        self.current: Any = SimpleNamespace(
            models=SimpleNamespace(provider=lambda _choice: self.provider),
            agent=None,
            api_base=None,
            reasoning=None,
            default_window=8_192,
        )
        self.facts: dict[str, Any] = {}
        self.tool_registry = Belt()
        self.plugins = SimpleNamespace(report=print)
        record = Session("0" * 8, "Test", now(), now(), pinned=tuple(pinned))
        self.stored = [
            each._replace(parent=previous.id if previous else None)
            for previous, each in pairwise([None, *before, *messages])
            if each
        ]
        self.reads: list[int | None] = []
        self.path = Path(self._read, self._read_to)
        self.path.set(self.stored[-FIRST_LOAD:])
        self.open_session = OpenSession()
        self.open_session.begin(record, self.path, [])
        reader: Any = self.reader
        numbered = MessageReader(self.open_session, reader, Outbox(reader, lambda *_: None))
        contents = Contents(self.open_session, reader, print)
        parts: list[Any] = [self.open_session, self.current, numbered, contents]
        parts += [self.tool_registry, self.plugins, self.facts]
        self.requests = Requests(*parts)

    async def _read(self, last: int) -> list[Message]:
        self.reads.append(last)
        return self.stored[-last:]

    async def _read_to(self, message_id: str, last: int) -> list[Message]:
        return branches.path_to(self.stored, message_id, last)

    async def reader(self, work: Callable[[Storage], Any]) -> Any:
        storage = SimpleNamespace(messages=self._stored, tree=self._stored)
        for name in ("outline", "part", "locate"):
            setattr(storage, name, partial(getattr(Storage, name), storage))
        return work(storage)  # type: ignore[arg-type]

    def _stored(self, _session_id: str, last: int | None = None) -> list[Message]:
        self.reads.append(last)
        return self.stored[-last:] if last else list(self.stored)

    def say(self, *messages: Message) -> None:
        for message in messages:
            message = message._replace(parent=self.path.head)
            self.stored.append(message)
            self.path.append(message)

    async def prepare(self, **how: Any) -> RequestPrepared:
        return await self.requests.compose(CHOICE, **how)

    async def receipt(self) -> Receipt:
        before = len(self.stored) - len(self.path.messages)
        return (await self.prepare(asking=False, counted=True, before=before)).receipt


def message(role: str, content: str = "", **fields: Any) -> Message:
    return Message(new_id(), role, content, now(), **fields)  # type: ignore[arg-type]


def exchange(number: int, words: int = 5) -> list[Message]:
    """A turn of ``2 * words`` words."""
    return [
        message("user", " ".join([f"q{number}"] * words)),
        message("assistant", " ".join([f"a{number}"] * words)),
    ]


def dialogue(count: int, words: int = 5) -> list[Message]:
    return [each for number in range(count) for each in exchange(number, words)]


def texts(prepared: RequestPrepared) -> list[str]:
    return [each.content.split()[0] for each in prepared.request.messages]


# What goes --------------------------------------------------------------------------------


async def test_a_short_conversation_goes_whole_and_nothing_is_counted() -> None:
    talk = Talk([*dialogue(3), message("user", "now?")])
    prepared = await talk.prepare()
    assert texts(prepared) == ["q0", "a0", "q1", "a1", "q2", "a2", "now?"]
    assert [row.why for row in prepared.receipt.rows] == ["recent"] * 6 + ["question"]
    assert prepared.receipt.left_out == ()
    assert prepared.receipt.estimated
    assert talk.provider.counted == []


async def test_a_receipt_is_counted() -> None:
    talk = Talk(dialogue(3))
    receipt = await talk.receipt()
    assert [row.tokens for row in receipt.rows] == [5] * 6
    assert (receipt.tokens, receipt.estimated) == (30, False)
    assert (receipt.window, receipt.window_known, receipt.reserve) == (13_334, True, 3_333)


async def test_the_newest_turns_go_that_fit_and_are_not_cut() -> None:
    talk = Talk([*dialogue(20), message("user", "now?")], room=100)
    prepared = await talk.prepare()
    # Three quarters of 100: the question, and seven turns of ten words.
    assert texts(prepared) == [
        *(f"{who}{number}" for number in range(13, 20) for who in "qa"),
        "now?",
    ]
    assert [tuple(each) for each in prepared.receipt.left_out] == [(26, "window", False)]


async def test_the_beginning_stays_until_the_window_is_full() -> None:
    talk = Talk([*dialogue(9), message("user", "q9 w w w w")], room=100)
    starts = []
    for number in range(10, 16):
        starts.append(texts(await talk.prepare())[0])
        talk.say(message("assistant", f"a{number - 1} w w w w"))
        talk.say(message("user", f"q{number} w w w w"))
    assert starts == ["q0", "q3", "q3", "q3", "q6", "q6"]


async def test_an_oversize_question_is_sent_all_the_same() -> None:
    talk = Talk([*dialogue(2), message("user", "huge " * 200)], room=100)
    assert texts(await talk.prepare()) == ["huge"]
    # A receipt is for a question that is still to come.
    talk = Talk(exchange(1, words=100), room=100)
    assert (await talk.receipt()).rows == ()


async def test_the_system_text_always_goes_and_takes_its_room() -> None:
    talk = Talk([*dialogue(20), message("user", "now?")], room=100)
    talk.open_session.memories = [Memory("1", "word " * 40, now())]
    prepared = await talk.prepare()
    assert prepared.request.messages[0].role == "system"
    assert prepared.receipt.rows[0].why == "instructions"
    assert texts(prepared)[1] == "q17"
    again = await talk.prepare()
    assert again.request.messages == prepared.request.messages, "the same objects, counted once"


async def test_tools_take_room_and_stand_in_the_receipt() -> None:
    talk = Talk([*dialogue(20), message("user", "now?")], room=100)
    talk.tool_registry.tools = (ToolSchema("clock", "Says the time. " * 10, {"type": "object"}),)
    prepared = await talk.prepare()
    assert prepared.request.tools == talk.tool_registry.tools
    assert prepared.receipt.tool_tokens > 30
    assert prepared.receipt.tokens <= 100
    assert texts(prepared)[0] == "q16"


async def test_who_is_to_go_on_is_asked_to() -> None:
    talk = Talk([message("user", "why?"), message("assistant", "Because", status="interrupted")])
    prepared = await talk.prepare()
    assert [each.content for each in prepared.request.messages] == ["why?", "Because", GO_ON]
    assert [row.why for row in prepared.receipt.rows] == ["recent", "recent", "question"]
    assert len((await talk.receipt()).rows) == 2


async def test_what_holds_nothing_is_left_out_and_said() -> None:
    talk = Talk([*dialogue(1), message("user", "again?"), message("assistant", "")])
    assert [tuple(each) for each in (await talk.receipt()).left_out] == [(1, "empty", False)]


# Pins -------------------------------------------------------------------------------------


async def test_pinned_turns_go_before_the_window() -> None:
    said = [*dialogue(20), message("user", "now?")]
    talk = Talk(said, room=100, pinned=[said[3].id, said[2].id, said[10].id])
    prepared = await talk.prepare()
    assert texts(prepared)[:5] == ["q1", "a1", "q5", "a5", "q15"]
    assert [row.why for row in prepared.receipt.rows[:5]] == ["pinned"] * 4 + ["recent"]
    assert prepared.receipt.tokens <= 100
    assert sum(each.messages for each in prepared.receipt.left_out) == 26


async def test_a_pin_in_the_window_stays_in_its_place_and_is_paid_once() -> None:
    said = [*dialogue(9), message("user", "now?")]
    talk = Talk(said, room=91, pinned=[said[10].id])
    prepared = await talk.prepare()
    assert talk.provider.counted, "it does not fit for certain"
    assert texts(prepared)[:12] == [f"{who}{number}" for number in range(6) for who in "qa"]
    assert [row.why for row in prepared.receipt.rows].count("pinned") == 2


async def test_a_pin_of_which_the_beginning_is_summed_up_goes_once() -> None:
    said = dialogue(3)
    summary = message("summary", "They counted.", covers=said[2].id)
    talk = Talk([*said, summary, message("user", "now?")], pinned=[said[3].id])
    assert texts(await talk.prepare())[1:] == ["a1", "q2", "a2", "now?"]


async def test_a_pin_is_found_however_far_back_and_looked_for_once() -> None:
    said = dialogue(600)
    talk = Talk([*said, message("user", "now?")], room=100, pinned=[said[9].id, "nowhere"])
    assert texts(await talk.prepare())[:3] == ["q4", "a4", "q594"]
    read = list(talk.reads)
    assert set(read) == {None}
    assert len(talk.open_session.path.messages) == FIRST_LOAD, "nothing else of it is kept"
    for number in range(3):
        talk.say(message("assistant", "so"), message("user", f"then {number}"))
        assert texts(await talk.prepare())[:2] == ["q4", "a4"]
    assert talk.reads == read


async def test_a_pin_on_another_branch_does_not_go() -> None:
    said = [*dialogue(3), message("user", "now?")]
    talk = Talk(said, pinned=[said[4].id])
    assert "q2" in texts(await talk.prepare())
    await talk.open_session.path.checkout(said[1].id)
    talk.say(message("user", "other"))
    prepared = await talk.prepare()
    assert texts(prepared) == ["q0", "a0", "other"]
    assert "pinned" not in [row.why for row in prepared.receipt.rows]


# Summaries --------------------------------------------------------------------------------


async def test_a_summary_goes_in_place_of_what_it_stands_for() -> None:
    said = dialogue(5)
    summary = message("summary", "They counted.", covers=said[5].id)
    talk = Talk([*said, summary, message("user", "now?")])
    prepared = await talk.prepare()
    begins = prepared.request.messages[0].content
    assert begins == f"{INTRODUCTION}\n\nThey counted.\n\nq3 q3 q3 q3 q3"
    assert texts(prepared)[1:] == ["a3", "q4", "a4", "now?"]
    rows = [(row.why, row.joined) for row in prepared.receipt.rows[:3]]
    assert rows == [("summary", False), ("recent", True), ("recent", False)]
    assert [tuple(each) for each in prepared.receipt.left_out] == [(6, "summary", False)]


async def test_a_summary_that_covers_nothing_brings_everything_back() -> None:
    said = dialogue(5)
    summary = message("summary", "They counted.", covers=said[5].id)
    talk = Talk([*said, summary, message("summary"), message("user", "now?")])
    prepared = await talk.prepare()
    assert texts(prepared)[0] == "q0"
    assert [tuple(each) for each in prepared.receipt.left_out] == [(2, "empty", False)]


async def test_what_is_covered_may_be_pinned() -> None:
    said = dialogue(5)
    summary = message("summary", "They counted.", covers=said[5].id)
    talk = Talk([*said, summary, message("user", "now?")], pinned=[said[0].id])
    prepared = await talk.prepare()
    assert prepared.request.messages[0].content.endswith("They counted.\n\nq0 q0 q0 q0 q0")
    assert texts(prepared)[1:3] == ["a0", "q3"]
    assert [tuple(each) for each in prepared.receipt.left_out] == [(4, "summary", False)]


async def test_a_summary_far_back_goes_where_the_session_names_it() -> None:
    said = dialogue(600)
    summary = message("summary", "They counted.", covers=said[5].id)
    talk = Talk([*said[:20], summary, *said[20:]], room=100, pinned=[summary.id])
    prepared = await talk.prepare(asking=False)
    assert prepared.receipt.rows[0].why == "summary"
    receipt = await talk.receipt()
    assert [tuple(each) for each in receipt.left_out] == [
        (6, "summary", False),
        (len(said) - 6 - len(receipt.rows) + 1, "window", False),
    ]


# Whatever was said --------------------------------------------------------------------


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[Message], list[str], int]:
    """Messages, pinned ids, and tokens beside the reply."""
    said: list[Message] = []
    for number in range(draw(st.integers(1, 14))):
        words = draw(st.integers(0, 30))
        said.append(message("user", " ".join([f"q{number}"] * words) or "?"))
        for part in range(draw(st.integers(0, 3))):
            kind = draw(st.sampled_from(["reply", "empty", "failed", "call", "orphan"]))
            text = f"a{number} " * draw(st.integers(1, 20))
            if kind == "call":
                call = ToolCall(f"{number}-{part}", "clock", "{}")
                said.append(message("assistant", "", tool_calls=(call,)))
                if draw(st.booleans()):
                    said.append(message("tool", "noon", tool_call_id=call.id))
            elif kind == "orphan":
                said.append(message("tool", text, tool_call_id="of nobody"))
            else:
                status = "failed" if kind == "failed" else "complete"
                said.append(message("assistant", text * (kind == "reply"), status=status))
        if draw(st.integers(0, 9)) == 0:
            covers = draw(st.sampled_from([None, *(each[-1].id for each in turns(said))]))
            said.append(message("summary", "sum " * draw(st.integers(1, 9)), covers=covers))
    pinned = draw(st.lists(st.sampled_from(said), max_size=2))
    return said, [each.id for each in pinned], draw(st.integers(10, 300))


@given(conversations())
async def test_whatever_was_said_is_sent_in_whole_turns_within_the_room(
    made: tuple[list[Message], list[str], int],
) -> None:
    said, pinned, room = made
    talk = Talk([*said, message("user", "now?")], room=room, pinned=pinned)
    prepared = await talk.prepare()
    receipt, sent = prepared.receipt, prepared.request.messages
    check_rows(prepared)
    assert sent[-1].content.endswith("now?")
    assert request_problem(prepared.request) == ""
    groups = turns(talk.stored)
    ids = {row.message.id for row in receipt.rows}
    for group in groups:
        whole = {each.id for each in group if not is_empty(each) and each.role != "tool"}
        assert not whole & ids or whole <= ids, "half a turn"
    # Newest first: behind the first turn that is not sent, only pinned ones are.
    is_sent = [any(each.id in ids for each in group) for group in groups]
    begin = len(groups) - is_sent[::-1].index(False) if False in is_sent else 0
    fixed = [each for each in groups[:begin] if any(one.id in pinned for one in each)]
    assert [g for g, there in zip(groups[:begin], is_sent, strict=False) if there] == [
        g for g in fixed if any(not is_empty(each) for each in g)
    ]
    if any(row.why == "recent" for row in receipt.rows):
        # But for the few words of sentences that stand between what was said.
        told = (row.message for row in receipt.rows if ":" not in row.message.id)
        tokens = sum(len(each.content.split()) for each in told)
        assert tokens <= receipt.window - receipt.reserve
    # All of it is accounted for.
    counted = await talk.receipt()
    places = {each.id for each in talk.stored}
    shown = sum(row.message.id in places for row in counted.rows)
    assert shown + sum(each.messages for each in counted.left_out) == len(talk.stored)


def check_rows(prepared: RequestPrepared) -> None:
    """The rows are what is sent, in its order, each with its part."""
    parts: list[list[str]] = []
    for row in prepared.receipt.rows:
        if not row.joined:
            parts.append([])
        parts[-1].append(row.message.content)
    sent = [each.content for each in prepared.request.messages]
    assert ["\n\n".join(filter(str.strip, part)) for part in parts] == sent


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=30, max_size=60))
async def test_what_was_sent_is_how_the_next_request_begins(said: list[tuple[int, int]]) -> None:
    room = 400
    talk = Talk(room=room)
    talk.facts["domain"] = "finance"
    before: tuple[Message, ...] = ()
    moved = spoken = 0
    for asked, answered in said:
        talk.say(message("user", "q " * asked))
        sent = (await talk.prepare()).request.messages
        moved += sent[: len(before)] != before
        before = sent
        talk.say(message("assistant", "a " * answered))
        spoken += asked + answered
    # Each time a quarter of the room is free again, but for the turn that would not fit.
    assert moved <= 1 + spoken // (room // 4 - 20)


# What it costs ----------------------------------------------------------------------------


async def test_only_what_is_new_is_counted_and_nothing_is_read_again() -> None:
    talk = Talk(dialogue(2_000), room=1_000)
    talk.say(message("user", "w w w w w"))
    await talk.prepare()
    reads = len(talk.reads)
    assert len(talk.open_session.path.messages) < 500
    talk.provider.counted.clear()
    for number in range(30):
        talk.say(message("assistant", "a a a a a"), message("user", f"q {number}"))
        await talk.prepare()
    assert talk.provider.counted == [2] * 30
    assert len(talk.reads) == reads


async def test_nothing_is_counted_again_where_everything_fits() -> None:
    # More bytes than tokens: it has to be counted to be sure.
    talk = Talk(dialogue(500, words=20), room=25_000)
    await talk.prepare(asking=False)
    assert sum(talk.provider.counted) == 1_000
    talk.provider.counted.clear()
    reads = len(talk.reads)
    talk.say(message("user", "more " * 20))
    assert len((await talk.prepare()).request.messages) == 1_001
    assert talk.provider.counted == [1]
    assert len(talk.reads) == reads


async def test_each_model_has_its_own_window() -> None:
    talk = Talk([*dialogue(20), message("user", "now?")], room=100)
    small = await talk.prepare()
    other = Choice("scripted", "model-y")
    talk.provider.window = 4_000
    large = await talk.requests.compose(other)
    assert (len(small.request.messages), len(large.request.messages)) == (15, 41)
    assert (await talk.prepare()).request.messages == small.request.messages


async def test_a_window_that_is_not_known_is_as_configured() -> None:
    talk = Talk(dialogue(1))
    talk.provider.window = None
    talk.current.default_window = 777
    receipt = await talk.receipt()
    assert (receipt.window, receipt.window_known) == (777, False)


# In a session -----------------------------------------------------------------------------


async def turn(talk: Any, text: str) -> None:
    await events_of(talk.turn(text))


async def test_the_receipt_is_what_the_next_request_holds(
    make_engine: Any, provider: ScriptedProvider
) -> None:
    provider.window = 150
    talk = make_engine(facts={"domain": "finance"})
    await talk.create("Test")
    same = 0
    for number in range(12):
        await turn(talk, f"question {number} with some words")
        receipt = await talk.requests.receipt()
        await turn(talk, f"and {number}?")
        sent = provider.requests[-1].messages
        if sent[:-1] == tuple(row.message for row in receipt.rows):
            same += 1
        else:
            # Nothing but the question has made it overflow.
            assert receipt.tokens + 3 > receipt.window - receipt.reserve
    assert same >= 10
    assert receipt.left_out


async def test_a_plugin_that_changes_the_request_changes_the_receipt(
    make_engine: Any, register: Any
) -> None:
    from dataclasses import replace

    def change(request: Any) -> Any:
        added = message("system", "Mind the gap.")
        first, *others = request.messages
        return replace(request, messages=(added, first._replace(content="***"), *others))

    talk = make_engine()
    await talk.create("Test")
    await turn(talk, "secret")
    register("change", prepare_request=change)
    receipt = await talk.requests.receipt()
    assert [row.message.content for row in receipt.rows] == ["Mind the gap.", "***", "echo: secret"]
    assert [row.tokens > 0 for row in receipt.rows] == [True] * 3
    assert receipt.estimated


async def test_memories_are_read_when_a_session_is_opened_and_not_with_each_turn(
    make_engine: Any, provider: ScriptedProvider
) -> None:
    class Watched(MemoryStorage):
        reads = 0

        def memories(self, session_id: str) -> list[Memory]:
            self.reads += 1
            return super().memories(session_id)

    storage = Watched()
    session_id = storage.create("Test").session_id
    storage.remember(session_id, "Tea, not coffee.")
    talk = make_engine(storage)
    await talk.open(session_id)
    await turn(talk, "one")
    await turn(talk, "two")
    assert storage.reads == 1
    assert "Tea, not coffee." in provider.requests[-1].messages[0].content
    assert provider.requests[0].messages[0] is provider.requests[1].messages[0]
    storage.remember(session_id, "No sugar.")
    await talk.refresh()
    await turn(talk, "three")
    assert "No sugar." in provider.requests[-1].messages[0].content
    await talk.create("Other")
    await turn(talk, "four")
    assert [each.role for each in provider.requests[-1].messages] == ["user"]


async def test_memories_that_cannot_be_read_keep_nobody_from_the_session(
    make_engine: Any, plugins: Any
) -> None:
    class Damaged(MemoryStorage):
        def memories(self, session_id: str) -> list[Memory]:
            raise StorageError("memory.json is damaged.")

    told: list[str] = []
    plugins.report = told.append
    talk = make_engine(Damaged())
    await talk.create("Test")
    await turn(talk, "one")
    assert len(talk.history) == 2
    assert told == ["memory.json is damaged."]


async def test_an_agent_brings_its_texts_its_parameters_and_how_much_it_thinks(
    make_engine: Any, provider: ScriptedProvider, plugins: Any, tmp_path: Any
) -> None:
    told: list[str] = []
    plugins.report = told.append
    file = tmp_path / "prices.txt"
    file.write_text("Tea: 2\n")
    pins = ("Be kind.", f"@{file}", "@/nowhere/at-all")
    agent = Agent("a", "Be exact.", parameters={"top_p": 0.5}, pins=pins, reasoning="low")
    talk = make_engine(agents={"a": agent})
    await talk.create("Test")
    await talk.set_agent("a")
    await turn(talk, "one")
    await turn(talk, "two")
    request = provider.requests[-1]
    assert request.messages[0].content == "Be exact.\n\nBe kind.\n\nTea: 2"
    assert (request.parameters, request.reasoning) == ({"top_p": 0.5}, "low")
    assert len(told) == 1
    assert "/nowhere/at-all" in told[0]
    file.write_text("Tea: 3\n")
    await talk.editor.update(reasoning="high")
    await turn(talk, "three")
    request = provider.requests[-1]
    assert request.messages[0].content.endswith("Tea: 3")
    assert request.reasoning == "high"


async def test_a_session_that_is_opened_again_is_read_again(make_engine: Any) -> None:
    storage = MemoryStorage()
    talk = make_engine(storage)
    session = await talk.create("Test")
    await turn(talk, "one")
    assert (await talk.requests.receipt()).tokens == 3
    messages = storage.store.sessions[session.session_id].messages
    messages[0] = messages[0]._replace(content="changed by hand")
    await talk.open(session.session_id)
    assert (await talk.requests.receipt()).tokens == 5


async def test_a_retry_keeps_the_beginning(make_engine: Any, provider: ScriptedProvider) -> None:
    provider.window = 100
    talk = make_engine()
    await talk.create("Test")
    for number in range(9):
        await turn(talk, f"{number} w w w w")
    sent = provider.requests[-1].messages
    question = talk.history[-2].id
    await events_of(talk.answer_turn(question))
    assert provider.requests[-1].messages == sent


# The window of a server -------------------------------------------------------------------


class Loaded(Words):
    """A server that has a model loaded with a window of its own."""

    def __init__(self, *windows: Any) -> None:
        super().__init__(window=100)
        self.windows = list(windows)
        self.asked: list[tuple[str, str | None]] = []

    async def current_window(self, model: str, api_base: str | None = None) -> Any:
        self.asked.append((model, api_base))
        window = self.windows.pop(0)
        if isinstance(window, BaseException):
            raise window
        return window


async def test_a_server_is_asked_for_its_window_whenever_something_is_sent() -> None:
    talk = Talk([message("user", "Hello")])
    talk.provider = Loaded(4096, 8192)
    talk.current.api_base = "http://127.0.0.1:1/v1"
    assert [(await talk.prepare()).receipt.window for _turn in range(2)] == [4096, 8192]
    assert talk.provider.asked == [("model-x", "http://127.0.0.1:1/v1")] * 2


async def test_to_look_at_the_next_request_asks_no_server() -> None:
    talk = Talk([message("user", "Hello")])
    talk.provider = Loaded()
    assert (await talk.receipt()).window == 100
    assert talk.provider.asked == []


@pytest.mark.parametrize("said", [None, 0, -5, "many", RuntimeError("a bug"), SystemExit(3)])
async def test_a_server_that_does_not_say_its_window_changes_nothing(said: Any) -> None:
    talk = Talk([message("user", "Hello")])
    talk.provider = Loaded(4096, said)
    assert (await talk.prepare()).receipt.window == 4096
    assert (await talk.prepare()).receipt.window == 4096


async def test_a_provider_that_never_says_it_holds_no_turn_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Never(Words):
        async def current_window(self, model: str, api_base: str | None = None) -> int | None:
            await asyncio.Event().wait()
            return None

    monkeypatch.setattr(requests, "WINDOW_PATIENCE", 0)
    talk = Talk([message("user", "Hello")])
    talk.provider = Never(window=100)
    assert (await talk.prepare()).receipt.window == 100

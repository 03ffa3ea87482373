from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agno_shell.conversation.compaction import compaction
from agno_shell.conversation.compaction.compaction import Compaction, undo
from agno_shell.conversation.compaction.transcript import TASK
from agno_shell.conversation.engine import Engine
from agno_shell.conversation.request.rules import INTRODUCTION
from agno_shell.errors import StorageError, UsageError
from agno_shell.events import (
    Failed,
    FellBack,
    Finished,
    Interrupted,
    MessageSaved,
    NotSaved,
    ReasoningDelta,
    RequestPrepared,
    Retrying,
    TextDelta,
    TurnEvent,
    UsageReported,
)
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.testing.turn_events import events_of
from agno_shell.types import Message, Usage

Make = Callable[..., Engine]


async def say(engine: Engine, *texts: str) -> None:
    for text in texts:
        await events_of(engine.turn(text))


async def run(compaction_: Compaction) -> list[Any]:
    return await events_of(compaction_)


async def sent(engine: Engine) -> list[str]:
    return [row.message.content for row in (await engine.requests.receipt()).rows]


@pytest.fixture
async def talk(make_engine: Make) -> Engine:
    """A session of four turns: ``one``, ``echo: one`` and so on."""
    made = make_engine()
    await made.create("Test")
    await say(made, "one", "two", "three", "four")
    return made


async def test_the_older_turns_become_a_summary(talk: Engine, provider: ScriptedProvider) -> None:
    usage = Usage(100, 10, cost=0.5)
    provider.scripts.append(["They ", "counted.", UsageReported(usage), Finished()])
    made = Compaction(talk.compaction_services, "keep every number")
    events = await run(made)
    assert [type(event) for event in events] == [
        RequestPrepared,
        TextDelta,
        TextDelta,
        UsageReported,
        Finished,
        MessageSaved,
    ]
    path = await talk.messages.path()
    summary = path[-1]
    assert summary == made.summary
    assert (summary.role, summary.content, summary.status) == (
        "summary",
        "They counted.",
        "complete",
    )
    assert (summary.covers, summary.parent) == (path[3].id, path[7].id)
    assert (summary.model, summary.usage) == ("model-x", usage)
    stored = await talk.store(lambda storage: storage.messages(talk.session.session_id))
    assert stored[-1] == summary
    assert await sent(talk) == [
        f"{INTRODUCTION}\n\nThey counted.",
        *("three", "echo: three", "four", "echo: four"),
    ]


async def test_what_is_asked_is_the_older_turns_as_text(
    talk: Engine, provider: ScriptedProvider
) -> None:
    talk.open_session.memories = []
    await run(Compaction(talk.compaction_services, "keep every number"))
    request = provider.requests[-1]
    task, asked = request.messages
    assert (task.role, task.content, asked.role) == ("system", TASK, "user")
    assert "[User]\ntwo\n\n[Model]\necho: two\n</conversation>" in asked.content
    assert "three" not in asked.content
    assert "keep every number" in asked.content
    assert (request.tools, dict(request.parameters)) == ((), {})


async def test_two_turns_are_too_few(make_engine: Make) -> None:
    made = make_engine()
    await made.create("Test")
    await say(made, "one", "two")
    with pytest.raises(UsageError, match="nothing to sum up: the last 2 turns"):
        await Compaction(made.compaction_services).plan()


async def test_without_a_model_there_is_no_summary(make_engine: Make) -> None:
    made = make_engine(default=None)
    await made.create("Test")
    await say(made, "one", "two", "three")
    with pytest.raises(UsageError, match="takes a model"):
        await Compaction(made.compaction_services).plan()


async def test_the_summary_before_goes_into_the_next_one(
    talk: Engine, provider: ScriptedProvider
) -> None:
    provider.scripts.append(["They counted to two.", Finished()])
    await run(Compaction(talk.compaction_services))
    await say(talk, "five", "six")
    provider.scripts.append(["They counted to four.", Finished()])
    await run(Compaction(talk.compaction_services))
    asked = provider.requests[-1].messages[-1].content
    assert "<summary>\nThey counted to two.\n</summary>" in asked
    assert "three" in asked
    assert "echo: two" not in asked
    assert "five" not in asked
    assert await sent(talk) == [
        f"{INTRODUCTION}\n\nThey counted to four.",
        *("five", "echo: five", "six", "echo: six"),
    ]


@pytest.mark.parametrize(
    ("script", "ends_with", "said"),
    [
        (["half", Failed("server", "It broke.")], Failed, "It broke."),
        ([Finished()], Failed, "empty summary"),
        (["  \n", Finished()], Failed, "empty summary"),
        (["half", Finished("length")], Failed, "length limit"),
        (["half", Finished("content_filter")], Failed, "filter"),
        (["half"], Failed, "without being finished"),
    ],
)
async def test_what_is_not_whole_changes_nothing(
    talk: Engine, provider: ScriptedProvider, script: Any, ends_with: type, said: str
) -> None:
    before, receipt = await talk.messages.path(), await sent(talk)
    provider.scripts.append(script)
    made = Compaction(talk.compaction_services)
    events = await run(made)
    assert isinstance(made.ending, ends_with)
    assert said in made.ending.message  # type: ignore[union-attr]
    assert events[-1] == made.ending
    assert made.summary is None
    assert await talk.messages.path() == before
    assert await sent(talk) == receipt
    assert talk.session.pinned == ()


async def test_it_can_be_stopped(talk: Engine, provider: ScriptedProvider) -> None:
    import asyncio

    before = await talk.messages.path()
    provider.scripts.append(["half", asyncio.Event()])
    made = Compaction(talk.compaction_services)

    def watch(event: TurnEvent) -> None:
        if isinstance(event, TextDelta):
            made.stop()

    await events_of(made, watch)
    assert made.ending == Interrupted()
    assert made.summary is None
    assert await talk.messages.path() == before


async def test_it_is_tried_again_and_another_model_is_asked(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    talk = make_engine(values={"provider.fallbacks": ("model-y",)})
    await talk.create("Test")
    await say(talk, "one", "two", "three")
    busy = Failed("server", "It is busy.", temporary=True)
    provider.scripts.extend([[busy], [busy], ["Summed up.", Finished()]])
    made = Compaction(talk.compaction_services)
    events = await run(made)
    assert {FellBack, Retrying} <= {type(event) for event in events}
    assert made.summary is not None
    assert made.summary.model == "model-y"


async def test_what_does_not_fit_is_summed_up_in_parts(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    talk = make_engine()
    provider.window = 1_000
    await talk.create("Test")
    await say(talk, "w " * 200, "x " * 1_500, "three", "four", "five")
    provider.requests.clear()
    provider.scripts.extend(
        [[f"Part {part}.", UsageReported(Usage(part, 1)), Finished()] for part in range(1, 20)]
    )
    made = Compaction(talk.compaction_services)
    plan = await made.plan()
    events = await run(made)
    requests = provider.requests
    assert len(requests) > 3
    assert abs(plan.parts - len(requests)) <= 2
    assert made.summary is not None
    assert made.summary.content == f"Part {len(requests)}."
    # What was summed up before is carried along, and nothing is left out.
    for number, request in enumerate(requests[1:], 1):
        assert f"<summary>\nPart {number}.\n</summary>" in request.messages[-1].content
    pieces = (each.messages[-1].content.partition("<conversation>")[2] for each in requests)
    words = " ".join(pieces).split()
    assert (words.count("w"), words.count("x"), words.count("three")) == (400, 3_000, 2)
    for request in requests:
        tokens = sum(len(message.content.split()) for message in request.messages)
        assert tokens <= 750
    # Only the last part is the text of the summary.
    shown = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert shown == made.summary.content
    thought = "".join(event.text for event in events if isinstance(event, ReasoningDelta))
    assert "Part 1 of about" in thought
    assert made.summary.usage is not None
    assert made.summary.usage[:2] == (sum(range(1, len(requests) + 1)), len(requests))


async def test_the_session_names_its_summary(talk: Engine, provider: ScriptedProvider) -> None:
    pinned = (await talk.messages.path())[0].id
    await talk.editor.update(pinned=(pinned,))
    await run(Compaction(talk.compaction_services))
    first = (await talk.messages.path())[-1].id
    assert talk.session.pinned == (pinned, first)
    await say(talk, "five", "six")
    await run(Compaction(talk.compaction_services))
    assert talk.session.pinned == (pinned, (await talk.messages.path())[-1].id)


async def test_undo_sends_the_originals_again(talk: Engine, provider: ScriptedProvider) -> None:
    before = await sent(talk)
    await run(Compaction(talk.compaction_services))
    assert await sent(talk) != before
    assert isinstance(await undo(talk.compaction_services), MessageSaved)
    assert await sent(talk) == before
    assert talk.session.pinned == ()
    marked = (await talk.messages.path())[-1]
    assert (marked.role, marked.content, marked.covers) == ("summary", "", None)
    with pytest.raises(UsageError, match="no summary here"):
        await undo(talk.compaction_services)


async def test_undo_brings_back_the_summary_before(
    talk: Engine, provider: ScriptedProvider
) -> None:
    everything = await sent(talk)
    provider.scripts.append(["First.", Finished()])
    await run(Compaction(talk.compaction_services))
    await say(talk, "five", "six")
    before = await sent(talk)
    await run(Compaction(talk.compaction_services))
    assert await sent(talk) != before
    await undo(talk.compaction_services)
    assert await sent(talk) == before
    restored = (await talk.messages.path())[-1]
    # It cost nothing, and no model was asked for it.
    assert (restored.content, restored.model, restored.usage) == ("First.", None, None)
    assert talk.session.pinned == (restored.id,)
    await undo(talk.compaction_services)
    assert (await sent(talk))[: len(everything)] == everything


async def test_a_summary_is_found_after_the_session_was_opened_again(
    make_engine: Make, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agno_shell.conversation.path.FIRST_LOAD", 4)
    storage = MemoryStorage()
    talk = make_engine(storage)
    await talk.create("Test")
    await say(talk, "one", "two", "three", "four")
    provider.scripts.append(["They counted.", Finished()])
    await run(Compaction(talk.compaction_services))
    await say(talk, *(f"more {number} w w w w" for number in range(20)))
    provider.window = 120
    again = make_engine(storage)
    await again.open(talk.session.session_id)
    rows = (await again.requests.receipt()).rows
    assert rows[0].why == "summary"
    assert rows[0].message.content.endswith("They counted.")
    assert len(again.history) < 49


async def test_a_summary_that_is_not_saved_counts_all_the_same(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    class Full(MemoryStorage):
        full = False

        def append(self, session_id: str, message: Message) -> Any:
            if self.full:
                raise StorageError("The disk is full.")
            return super().append(session_id, message)

    storage = Full()
    talk = make_engine(storage)
    await talk.create("Test")
    await say(talk, "one", "two", "three")
    storage.full = True
    made = Compaction(talk.compaction_services)
    assert isinstance((await run(made))[-1], NotSaved)
    assert made.summary is not None
    assert (await talk.requests.receipt()).rows[0].why == "summary"


async def test_a_plugin_sees_what_is_sent_to_be_summed_up(
    talk: Engine, provider: ScriptedProvider, register: Callable[..., None]
) -> None:
    from dataclasses import replace

    def hide(request: Any) -> Any:
        messages = [m._replace(content=m.content.replace("one", "***")) for m in request.messages]
        return replace(request, messages=tuple(messages))

    register("hide", prepare_request=hide)
    await run(Compaction(talk.compaction_services))
    assert "***" in provider.requests[-1].messages[-1].content
    assert "one\n" not in provider.requests[-1].messages[-1].content


async def test_a_broken_filter_stops_it(
    talk: Engine, provider: ScriptedProvider, register: Callable[..., None]
) -> None:
    register("hide", prepare_request=lambda request: 1 // 0)
    before = len(provider.requests)
    made = Compaction(talk.compaction_services)
    await run(made)
    assert isinstance(made.ending, Failed)
    assert "plugin hide (dist-hide 1) failed in prepare_request" in made.ending.message
    assert (len(provider.requests), made.summary) == (before, None)


async def test_what_was_refused_is_not_summed_up(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    talk = make_engine()
    await talk.create("Test")
    await say(talk, "one")
    provider.scripts.append([Failed("refused", "The filter.")])
    await say(talk, "poison", "three", "four")
    await run(Compaction(talk.compaction_services))
    assert "one" in provider.requests[-1].messages[-1].content
    assert "poison" not in provider.requests[-1].messages[-1].content


async def test_what_it_may_cost_is_watched(make_engine: Make, provider: ScriptedProvider) -> None:
    talk = make_engine(values={"provider.max_cost_per_session": 0.5})
    await talk.create("Test")
    await say(talk, "one", "two")
    provider.scripts.append(["three", UsageReported(Usage(1, 1, cost=0.6)), Finished()])
    await say(talk, "three")
    before = len(provider.requests)
    made = Compaction(talk.compaction_services)
    await run(made)
    assert isinstance(made.ending, Failed)
    assert "Nothing was sent" in made.ending.message
    assert len(provider.requests) == before


async def test_a_model_that_was_down_is_not_asked_for_each_part(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    talk = make_engine(values={"provider.fallbacks": ("model-y",)})
    provider.window = 1_000
    await talk.create("Test")
    await say(talk, "x " * 1_000, "two", "three")
    provider.requests.clear()
    provider.scripts.append([Failed("server", "It is down.", temporary=True)])
    made = Compaction(talk.compaction_services)
    await run(made)
    assert made.summary is not None
    models = [request.model for request in provider.requests]
    assert len(models) > 3
    assert models == ["model-x", *["model-y"] * (len(models) - 1)]


def test_as_many_turns_stay_as_is_said() -> None:
    assert compaction.KEPT_TURNS == 2


@pytest.mark.parametrize("ending", [Finished("length"), Failed("server", "Down.")])
async def test_what_a_summary_has_cost_counts_though_nothing_came_of_it(
    talk: Engine, provider: ScriptedProvider, ending: Any
) -> None:
    session_id = talk.session.session_id
    before = await talk.budget.spent(session_id)
    provider.scripts.append(["They", UsageReported(Usage(100, 10, cost=0.5)), ending])
    made = Compaction(talk.compaction_services)
    await run(made)
    assert made.summary is None
    after = await talk.budget.spent(session_id)
    assert (after.cost, after.replies) == (0.5, before.replies + 1)


async def test_what_a_summary_has_cost_counts_once(
    talk: Engine, provider: ScriptedProvider
) -> None:
    session_id = talk.session.session_id
    provider.scripts.append(["They", UsageReported(Usage(100, 10, cost=0.5)), Finished()])
    await run(Compaction(talk.compaction_services))
    for _ in range(2):
        assert (await talk.budget.spent(session_id)).cost == 0.5
        await talk.open(session_id)
        talk.budget.begin(session_id)


async def test_what_another_shell_has_pinned_meanwhile_stays_pinned(
    talk: Engine, provider: ScriptedProvider
) -> None:
    session_id, theirs = talk.session.session_id, talk.history[0].id
    await talk.store(lambda storage: storage.update(session_id, pinned=[theirs]))
    assert talk.session.pinned == ()  # this one has not looked yet
    provider.scripts.append(["They counted.", Finished()])
    made = Compaction(talk.compaction_services)
    await run(made)
    assert made.summary
    assert talk.session.pinned == (theirs, made.summary.id)

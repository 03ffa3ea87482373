from __future__ import annotations

from typing import Any

import pytest

from agno_shell.conversation.models import Choice
from agno_shell.conversation.reply import Reply, storable
from agno_shell.events import (
    Ending,
    Failed,
    Finished,
    Interrupted,
    ProviderToolFinished,
    ProviderToolStarted,
    ReasoningDelta,
    Retrying,
    SpeakerChanged,
    TextDelta,
    UsageReported,
)
from agno_shell.types import ProviderTool, Timing, ToolCall, Usage, grown

CHOICE = Choice("scripted", "model-x")
CALL = ToolCall("1", "clock", "{}")


def reply(*events: Any) -> Reply:
    made = Reply("parent", CHOICE)
    made.begin(CHOICE)
    for event in events:
        made.take(event)
    return made


async def test_a_reply_is_what_its_pieces_say() -> None:
    message = reply(
        TextDelta("Hel"), ReasoningDelta("hm"), TextDelta("lo"), UsageReported(Usage(3, 2))
    ).finish(Finished())
    assert (message.content, message.role, message.parent) == ("Hello", "assistant", "parent")
    assert (message.status, message.model) == ("complete", "model-x")
    assert message.usage == Usage(3, 2)
    assert message.timing
    assert message.timing.first_token is not None
    assert message.provider_data == {"scripted": {"reasoning": "hm"}}


async def test_the_reasoning_that_a_provider_hands_back_itself_is_kept_as_it_is() -> None:
    ending = Finished(provider_data={"reasoning": "its own"})
    message = reply(ReasoningDelta("hm"), TextDelta("yes")).finish(ending)
    assert message.provider_data == {"scripted": {"reasoning": "its own"}}


@pytest.mark.parametrize(
    ("ending", "status", "calls"),
    [
        (Finished("tool_calls"), "complete", (CALL,)),
        (Finished("stop"), "complete", (CALL,)),
        (Finished("length"), "incomplete", ()),
        (Failed("server", "Cut off."), "failed", ()),
        (Interrupted(), "interrupted", ()),
    ],
)
async def test_calls_count_only_in_a_whole_reply(
    ending: Ending, status: str, calls: tuple[ToolCall, ...]
) -> None:
    made = reply(CALL)
    assert made.tool_calls(ending) == calls
    message = made.finish(ending)
    assert (message.status, message.tool_calls) == (status, calls)


async def test_a_reply_of_calls_alone_is_not_empty() -> None:
    assert reply(CALL).judge(Finished()) == Finished()
    judged = reply(ReasoningDelta("hm")).judge(Finished())
    assert isinstance(judged, Failed)


async def test_who_answered_is_who_was_asked_last() -> None:
    made = reply()
    made.take(Retrying(Failed("server", "Busy."), 1.0, 2, 3))
    made.begin(Choice("scripted", "model-y"))
    made.take(TextDelta("Hello"))
    assert made.finish(Finished()).model == "model-y"


async def test_a_reply_that_was_never_asked_for_has_no_times() -> None:
    message = Reply(None, CHOICE).finish(Interrupted())
    assert message.timing == Timing()
    assert message.parent is None


async def test_why_a_reply_is_not_whole_is_kept_with_it() -> None:
    cut = reply(TextDelta("part")).finish(Failed("server", "Cut off.", "Hint."))
    assert cut.extra == {"error": {"kind": "server", "message": "Cut off."}}
    assert reply(TextDelta("part")).finish(Finished("length")).extra == {"finish_reason": "length"}


async def test_what_came_since_the_last_time_is_given_once() -> None:
    made = reply(ReasoningDelta("hm"))
    assert made.has_grown
    first = made.take_growth()
    assert (first.text, first.reasoning, first.provider) == ("", "hm", "scripted")
    assert not made.has_grown
    so_far = made.so_far()
    for event in (TextDelta("Hel"), ReasoningDelta(", so"), TextDelta("lo")):
        made.take(event)
    second = made.take_growth()
    assert (second.text, second.reasoning) == ("Hello", ", so")
    # Made later, in another thread, it is still what it was.
    message = so_far()
    assert (message.content, message.provider_data) == ("", {"scripted": {"reasoning": "hm"}})
    final = made.finish(Finished())
    assert {message.id, first.message_id, second.message_id} == {final.id}
    whole = grown(message, [second])
    assert whole.status == "interrupted"
    assert whole == final._replace(status="interrupted", timing=None)


async def test_half_a_character_waits_for_the_other_half() -> None:
    made = reply(TextDelta("a\ud83d"))
    assert made.take_growth().text == "a"
    assert not made.has_grown
    made.take(TextDelta("\ude00!"))
    assert made.take_growth().text == "\U0001f600!"
    made.take(TextDelta("\ud83d"))
    assert not made.has_grown
    assert made.finish(Finished()).content == "a\U0001f600!\ud83d"


@pytest.mark.parametrize("value", [float("nan"), object(), {1: object()}])
def test_what_json_cannot_say_is_left_out(value: object) -> None:
    assert storable({"x": value}) == {}
    assert storable({"x": 1}) == {"x": 1}


@pytest.mark.parametrize("reason", ["stop", "tool_calls"])
@pytest.mark.parametrize("pieces", [(), ("",), ("", " \n")])
async def test_a_reply_without_a_word_is_no_whole_one(reason: str, pieces: tuple[str, ...]) -> None:
    made = reply(*map(TextDelta, pieces))
    judged = made.judge(Finished(reason))
    assert isinstance(judged, Failed)
    assert made.finish(judged).content == "".join(pieces)
    assert made.finish(judged).status == ("incomplete" if any(pieces) else "failed")


async def test_a_character_that_came_in_two_halves_is_one() -> None:
    made = reply(*map(TextDelta, ("a\ud83d", "\ude00b", "\ud800")))
    assert made.finish(Finished()).content == "a\U0001f600b\ud800"


# Tools of the provider, and speakers -----------------------------------------------------

SEARCH = ToolCall("s1", "search", '{"q": "tides"}')


def tools(*events: Any, ending: Ending = Finished()) -> list[tuple[object, ...]]:  # noqa: B008
    message = reply(*events).finish(ending)
    return [(each.name, each.result, each.status, each.at) for each in message.provider_tools]


def test_a_tool_of_the_provider_is_kept_where_it_began() -> None:
    made = reply(
        TextDelta("I look. "),
        ProviderToolStarted(SEARCH),
        TextDelta("Wait. "),
        ProviderToolFinished(SEARCH, "Noon."),
        TextDelta("Noon."),
    ).finish(Finished())
    assert made.content == "I look. Wait. Noon."
    (tool,) = made.provider_tools
    assert tool._replace(seconds=None) == ProviderTool(*SEARCH, "Noon.", "complete", None, 8)
    assert tool.seconds is not None
    assert made.tool_calls == ()


def test_what_was_told_at_its_beginning_need_not_be_told_again() -> None:
    bare = ToolCall("s1", "", "")
    (tool,) = (
        reply(ProviderToolStarted(SEARCH), ProviderToolFinished(bare, "x"), TextDelta("y"))
        .finish(Finished())
        .provider_tools
    )
    assert (tool.name, tool.arguments) == ("search", SEARCH.arguments)
    assert tools(ProviderToolFinished(SEARCH, "x", "failed")) == [("search", "x", "failed", 0)]


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        (Interrupted(), "interrupted"),
        (Failed("server", "Cut off."), "incomplete"),
        (Finished(), "incomplete"),
    ],
)
def test_a_tool_that_the_reply_did_not_wait_for_says_so(ending: Ending, status: str) -> None:
    started = (TextDelta("é"), ProviderToolStarted(SEARCH))
    assert tools(*started, ending=ending) == [("search", "", status, 1)]


def test_tools_alone_are_no_answer() -> None:
    made = reply(ProviderToolStarted(SEARCH), ProviderToolFinished(SEARCH, "Noon."))
    judged = made.judge(Finished())
    assert isinstance(judged, Failed)
    message = made.finish(judged)
    assert (message.status, len(message.provider_tools)) == ("incomplete", 1)


def test_a_tool_that_others_speak_in_belongs_to_where_it_ends() -> None:
    made = reply(
        TextDelta("I ask. "),
        ProviderToolStarted(SEARCH),
        SpeakerChanged("Ada"),
        TextDelta("Noon."),
        SpeakerChanged(""),
        ProviderToolFinished(SEARCH, "told"),
        TextDelta("So: noon."),
    )
    messages = [*made.ended(), made.finish(Finished())]
    assert [len(each.provider_tools) for each in messages] == [0, 0, 1]
    assert messages[-1].provider_tools[0].at == 0
    assert list(made.ended()) == []


def test_what_has_come_is_told_of_who_speaks_now() -> None:
    made = reply(TextDelta("one"))
    assert made.take_growth().text == "one"
    made.take(SpeakerChanged("Ada"))
    made.take(TextDelta("two"))
    growth = made.take_growth()
    assert (growth.message_id, growth.text) == (made.message_id, "two")
    (ended,) = made.ended()
    assert made.so_far()().parent == ended.id
    assert not made.has_new_tools
    made.take(ProviderToolFinished(SEARCH, "Noon."))
    assert made.has_grown
    assert made.has_new_tools
    earlier = made.so_far()
    made.take_growth()
    assert (len(earlier().provider_tools), len(made.so_far()().provider_tools)) == (0, 1)


def test_half_a_character_at_the_end_of_a_speaker_stays_half() -> None:
    made = reply(TextDelta("a\ud83d"), SpeakerChanged("Ada"), TextDelta("\ude80b"))
    messages = [*made.ended(), made.finish(Finished())]
    assert [each.content for each in messages] == ["a\ud83d", "\ude80b"]


def test_as_one_message_it_has_the_text_of_all() -> None:
    made = reply(TextDelta("one"), SpeakerChanged("Ada"), TextDelta("two"))
    message = made.finish_as_one(Finished())
    assert (message.content, message.speaker) == ("one\n\ntwo", None)
    assert reply(TextDelta(" one")).finish_as_one(Finished()).content == " one"

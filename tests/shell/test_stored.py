from __future__ import annotations

from typing import Any

import pytest

from agno_shell.builtin.plain_renderer import PlainRenderer
from agno_shell.shell.stored import last_exchanges, message_lines
from agno_shell.types import NEXT_SPEAKER, Attachment, Message, ProviderTool, ToolCall, now


def shown(*messages: Message, width: int = 0) -> str:
    blocks = message_lines(messages, PlainRenderer(), width)
    lines = [line for block in blocks for line in block]
    return "\n".join("".join(text for _style, text in line) for line in lines)


def reply(content: str, **fields: Any) -> Message:
    return Message("r", "assistant", content, now(), **fields)


def test_a_question_with_its_attachments_and_its_reply() -> None:
    files = (Attachment("a.txt", "text/plain", "0", 12),)
    question = Message("q", "user", "Why?\nSo", now(), attachments=files)
    assert shown(question, reply("Because.\x1b")) == (
        "› Why?\n  So\n  [attached: a.txt · text/plain · 12 B]\n\nBecause.␛\n"
    )


def test_calls_and_results_take_a_line_each_and_stand_together() -> None:
    asked = reply("I look.", tool_calls=(ToolCall("1", "a", "{}"), ToolCall("2", "b", '{"x": 1}')))
    first = Message("1", "tool", "one\ntwo", now(), tool_call_id="1")
    second = Message("2", "tool", "no", now(), status="failed", tool_call_id="2")
    assert shown(asked, first, second, reply("Done.")) == (
        'I look.\n▷ a\n▷ b {"x": 1}\n  one two · 7 B\n  no · 2 B · failed\n\nDone.\n'
    )


def test_thoughts_are_one_line_whoever_had_them() -> None:
    private = {"litellm": {"reasoning": "I think so"}, "other": {"x": 1}, "third": "damaged"}
    assert shown(reply("Yes.", provider_data=private)) == "(thought · 3 words)\nYes.\n"


def test_a_summary_has_a_heading_and_is_told_apart() -> None:
    summary = Message("s", "summary", "We spoke of cups.\nBlue ones.", now(), covers="r")
    assert shown(summary) == (
        "Summary of what was said before\n│ We spoke of cups.\n│ Blue ones.\n"
    )
    assert "taken back" in shown(summary._replace(content="", covers=None))


@pytest.mark.parametrize(
    ("content", "status", "extra", "note"),
    [
        ("Hi", "interrupted", {}, "(stopped; what was shown is kept)"),
        ("", "interrupted", {}, "(stopped before any of the reply had come)"),
        ("Hi", "incomplete", {}, "(cut off; what came is kept)"),
        (
            "Hi",
            "incomplete",
            {"error": {"kind": "server", "message": "It broke."}},
            "(cut off; what came is kept: It broke)",
        ),
        ("", "failed", {"error": {"kind": "server", "message": "It\x1bbroke."}}, "(It␛broke)"),
        ("", "failed", {"error": "damaged"}, "(no answer came)"),
        ("", "failed", {}, "(no answer came)"),
        (
            "Hi",
            "incomplete",
            {"finish_reason": "length"},
            "(The reply reached its length limit and is not whole)",
        ),
        (
            "Hi",
            "incomplete",
            {"finish_reason": "content_filter"},
            "(The provider's content filter ended the reply)",
        ),
    ],
)
def test_what_is_not_whole_says_why(content: str, status: Any, extra: Any, note: str) -> None:
    lines = [*([content] if content else []), note, ""]
    assert shown(reply(content, status=status, extra=extra)) == "\n".join(lines)


def test_a_continuation_stands_right_below() -> None:
    text = shown(reply("Half a", status="interrupted"), reply("word."))
    assert text == "Half a\n(stopped; what was shown is kept; it goes on below)\n\nword.\n"


def test_an_empty_reply_takes_no_room() -> None:
    assert shown(reply("")) == ""


def test_an_exchange_is_a_question_and_all_that_answers_it() -> None:
    roles: Any = ["user", "assistant", "user", "assistant", "tool", "tool", "assistant", "user"]
    messages = [Message(str(at), role, "", now()) for at, role in enumerate(roles)]
    assert [each.id for each in last_exchanges(messages, 1)] == ["7"]
    assert [each.id for each in last_exchanges(messages, 2)] == ["2", "3", "4", "5", "6", "7"]
    assert last_exchanges(messages, 9) == messages
    assert last_exchanges(messages, 0) == ()


def test_each_speaker_stands_above_what_it_said() -> None:
    part: Any = {"extra": {"finish_reason": NEXT_SPEAKER}}
    said = [
        reply("One.", speaker="Ada\x1b", **part),
        reply("Two.", speaker="Ben", **part),
        reply("Three.", model="a-model"),
        reply("Four.", model="a-model"),
    ]
    assert shown(*said) == "Ada␛:\nOne.\n\nBen:\nTwo.\n\na-model:\nThree.\n\nFour.\n"


def test_what_the_provider_ran_stands_where_it_did() -> None:
    tools = (
        ProviderTool("2", "run", '{"code":\n"x"}', "late\x1b", "failed", 0.5, 7),
        ProviderTool("1", "search", "{}", "Noon.", at=7),
        ProviderTool("3", "look", at=99, status="incomplete"),
        ProviderTool("0", "note", "{}", at=-3),
    )
    assert shown(reply("I look.Noon.", provider_tools=tools)) == (
        "▷ note · run by the provider\n  0 B\n\nI look.\n\n"
        '▷ run {"code": "x"} · run by the provider\n  late␛ · 5 B · failed\n'
        "▷ search · run by the provider\n  Noon. · 5 B\n\n"
        "Noon.\n\n▷ look · run by the provider\n  0 B · not finished\n"
    )

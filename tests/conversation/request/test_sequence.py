from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agno_shell.conversation.request.rules import (
    BEGINNING,
    GO_ON,
    NO_OUTPUT,
    NO_REPLY,
    SYSTEM_SAID,
    in_sequence,
    is_empty,
)
from agno_shell.events import Request
from agno_shell.testing.strict import request_problem
from agno_shell.types import Attachment, Message, ToolCall, new_id, now

ONE = Attachment("a.png", "image/png", "1" * 64, 3)
TWO = Attachment("b.png", "image/png", "2" * 64, 3)


def message(role: str, content: str = "", **fields: Any) -> Message:
    return Message(new_id(), role, content, now(), **fields)  # type: ignore[arg-type]


def call(name: str) -> ToolCall:
    return ToolCall(f"id-{name}", name, "{}")


def sent(*messages: Message) -> list[tuple[str, str]]:
    return [(each.message.role, each.message.content) for each in in_sequence(messages)]


def test_questions_in_a_row_are_one_message_with_all_that_goes_with_them() -> None:
    first, second = message("user", "one", attachments=(ONE,)), message("user", "two")
    third = message("user", "", attachments=(TWO, ONE))
    failed = message("assistant", status="failed")
    (joined,) = in_sequence([first, failed, second, third])
    assert joined.message.content == "one\n\ntwo"
    assert joined.message.attachments == (ONE, TWO)
    assert joined.parts == (first, second, third)
    assert joined.message.id == "+".join(each.id for each in (first, second, third))


def test_there_is_one_system_message_and_it_is_the_first() -> None:
    assert sent(
        message("system", "Be kind."),
        message("system", "Rhyme."),
        message("user", "Hi"),
        message("assistant", "Hello"),
        message("system", "Now in prose."),
        message("user", "Go on"),
    ) == [
        ("system", "Be kind.\n\nRhyme."),
        ("user", "Hi"),
        ("assistant", "Hello"),
        ("user", f"{SYSTEM_SAID}\n\nNow in prose.\n\nGo on"),
    ]


def test_a_reply_has_a_question_before_it() -> None:
    replies = message("assistant", "Hello"), message("assistant", "again"), message("user", "Hi")
    assert sent(message("system", "x"), *replies) == [
        ("system", "x"),
        ("user", BEGINNING),
        ("assistant", "Hello"),
        ("user", GO_ON),
        ("assistant", "again"),
        ("user", "Hi"),
    ]
    assert sent(*replies)[0] == ("user", BEGINNING)


def test_results_have_an_answer_before_the_next_question() -> None:
    asked = message("assistant", "", tool_calls=(call("one"),))
    result = message("tool", " ", tool_call_id="id-one")
    assert sent(message("user", "?"), asked, result, message("user", "so?")) == [
        ("user", "?"),
        ("assistant", ""),
        ("tool", NO_OUTPUT),
        ("assistant", NO_REPLY),
        ("user", "so?"),
    ]
    assert sent(message("user", "?"), asked, result)[-1] == ("tool", NO_OUTPUT)


@st.composite
def histories(draw: st.DrawFn) -> list[Message]:
    """Anything, also what no program of ours would write."""
    made = []
    for _number in range(draw(st.integers(0, 14))):
        role = draw(st.sampled_from(["user", "assistant", "tool", "system", "summary"]))
        names = draw(st.lists(st.sampled_from("ab"), max_size=2)) if role == "assistant" else []
        files = draw(st.lists(st.sampled_from([ONE, TWO]), max_size=2)) if role == "user" else []
        made.append(
            message(
                role,
                draw(st.sampled_from(["", "  ", "words of it", "more"])),
                status=draw(st.sampled_from(["complete", "interrupted", "failed"])),
                tool_calls=tuple(map(call, names)),
                tool_call_id=f"id-{draw(st.sampled_from('ab'))}" if role == "tool" else None,
                attachments=tuple(files),
            )
        )
    return made


@given(histories())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_was_said_the_strictest_server_takes(history: list[Message]) -> None:
    question = message("user", "now?")
    made = in_sequence([*history, question])
    messages = tuple(each.message for each in made)
    files = {ONE.sha256: b"1", TWO.sha256: b"2"}
    assert request_problem(Request("m", messages, files=files)) == ""
    again = in_sequence(messages)
    assert tuple(each.message for each in again) == messages
    # Nothing that was said is lost.
    parts = {part.id for each in made for part in each.parts}
    lost = [each for each in history if each.id not in parts]
    assert all(is_empty(each) or each.role == "tool" for each in lost)


@given(histories(), histories())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_what_is_said_later_changes_nothing_before_it(
    history: list[Message], later: list[Message]
) -> None:
    now_sent = [each.message for each in in_sequence([*history, message("user", "now?")])]
    answered = [*history, message("user", "now?"), message("assistant", "so"), *later]
    assert [each.message.content for each in in_sequence(answered)][: len(now_sent)] == [
        each.content for each in now_sent
    ]
    unanswered = [*history, message("user", "now?"), *later]
    following = [each.message for each in in_sequence(unanswered)]
    last = len(now_sent) - 1
    assert following[:last] == now_sent[:last]
    assert following[last].content.startswith(now_sent[last].content)

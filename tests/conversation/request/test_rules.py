from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.conversation.request.rules import (
    GO_ON,
    NO_RESULT,
    is_empty,
    reply_reserve,
    turns,
    valid,
)
from agno_shell.types import Attachment, Message, ToolCall, new_id, now

FILE = Attachment("a.png", "image/png", "0" * 64, 3)


def message(role: str, content: str = "", **fields: Any) -> Message:
    return Message(new_id(), role, content, now(), **fields)  # type: ignore[arg-type]


def call(name: str) -> ToolCall:
    return ToolCall(f"id-{name}", name, "{}")


def result(name: str, content: str = "done") -> Message:
    return message("tool", content, tool_call_id=f"id-{name}")


def said(messages: list[Message]) -> list[tuple[str, str]]:
    return [(each.role, each.content) for each in messages]


def test_a_question_stays_with_all_that_answers_it() -> None:
    asked = [message("user", "1"), message("assistant", "a"), message("tool"), message("assistant")]
    again = [message("user", "2"), message("assistant", "b")]
    summary = message("summary", "s")
    assert turns([*asked, summary, *again]) == [asked, again]
    assert turns([*asked[1:], *again]) == [asked[1:], again]
    # What goes on behind a summary still belongs to the turn before it.
    assert turns([*again, summary, asked[1]]) == [[*again, asked[1]]]


@pytest.mark.parametrize(
    ("each", "empty"),
    [
        (message("assistant", " \n"), True),
        (message("assistant", "half", status="failed"), True),
        (message("assistant", "", tool_calls=(call("x"),)), False),
        (message("assistant", "half", status="interrupted"), False),
        (message("user", "  "), True),
        (message("user", "", attachments=(FILE,)), False),
        (message("tool", ""), False),
        (message("system", ""), True),
    ],
)
def test_what_holds_nothing_is_empty(each: Message, empty: bool) -> None:
    assert is_empty(each) is empty
    assert (each in valid([each])) is not (empty or each.role == "tool")


def test_a_call_without_a_result_gets_one() -> None:
    asked = message("assistant", "", tool_calls=(call("one"), call("two")))
    sent = valid([message("user", "?"), asked, result("two"), message("assistant", "so")])
    assert said(sent) == [
        ("user", "?"),
        ("assistant", ""),
        ("tool", NO_RESULT),
        ("tool", "done"),
        ("assistant", "so"),
    ]
    assert [each.tool_call_id for each in sent[2:4]] == ["id-one", "id-two"], "in their order"
    assert valid([asked])[1:] == valid([asked])[1:], "the same every time"
    assert [each.tool_call_id for each in valid([asked])[1:]] == ["id-one", "id-two"]


def test_a_result_without_its_call_is_left_out() -> None:
    asked = message("assistant", "", tool_calls=(call("one"),))
    assert said(valid([asked, result("other"), result("one"), result("one", "again")])) == [
        ("assistant", ""),
        ("tool", "done"),
    ]


def test_two_calls_of_the_same_id_have_two_results() -> None:
    asked = message("assistant", "", tool_calls=(call("x"), call("x")))
    assert said(valid([asked, result("x", "1"), result("x", "2")]))[1:] == [
        ("tool", "1"),
        ("tool", "2"),
    ]


def test_between_two_replies_the_model_is_asked_to_go_on() -> None:
    first, second = message("assistant", "half", status="interrupted"), message("assistant", "rest")
    assert said(valid([message("user", "?"), first, second])) == [
        ("user", "?"),
        ("assistant", "half"),
        ("user", GO_ON),
        ("assistant", "rest"),
    ]
    assert valid([first, second]) == valid([first, second])
    empty = message("assistant", "")
    assert said(valid([first, empty, second]))[1:] == [("user", GO_ON), ("assistant", "rest")]


ROLES = st.sampled_from(["user", "assistant", "tool", "system"])


@st.composite
def histories(draw: st.DrawFn) -> list[Message]:
    """Anything, also what no program of ours would write."""
    made = []
    for _number in range(draw(st.integers(0, 12))):
        role = draw(ROLES)
        names = draw(st.lists(st.sampled_from("ab"), max_size=2)) if role == "assistant" else []
        made.append(
            message(
                role,
                draw(st.sampled_from(["", "  ", "words of it"])),
                status=draw(st.sampled_from(["complete", "interrupted", "failed"])),
                tool_calls=tuple(map(call, names)),
                tool_call_id=f"id-{draw(st.sampled_from('ab'))}" if role == "tool" else None,
            )
        )
    return made


def check_valid(sent: list[Message]) -> None:
    """What every provider takes."""
    open_calls: list[str] = []
    before = ""
    for each in sent:
        if each.role == "tool":
            assert each.tool_call_id in open_calls
            open_calls.remove(each.tool_call_id)
        else:
            assert not open_calls, "a call without its result"
            assert each.content.strip() or each.tool_calls or each.attachments
        assert not (each.role == before == "assistant")
        open_calls += [made.id for made in each.tool_calls]
        before = each.role
    assert not open_calls


@given(histories())
def test_whatever_was_said_makes_a_valid_request(history: list[Message]) -> None:
    sent = valid(history)
    check_valid(sent)
    assert valid(sent) == sent
    # Turn by turn it is the same, but for replies that follow each other across turns.
    by_turn = valid([each for turn in turns(history) for each in valid(turn)])
    assert by_turn == sent
    own = [each for each in sent if each in history]
    assert own == [each for each in history if each in own], "in its order"
    lost = [each for each in history if each not in own]
    assert all(is_empty(each) or each.role == "tool" for each in lost)


@pytest.mark.parametrize(
    ("parameters", "reserve"),
    [
        ({}, 1000),
        ({"max_tokens": 10}, 10),
        ({"max_tokens": 9999}, 1000),
        ({"max_tokens": "x"}, 1000),
    ],
)
def test_room_is_kept_for_the_reply(parameters: dict[str, object], reserve: int) -> None:
    assert reply_reserve(4000, parameters) == reserve

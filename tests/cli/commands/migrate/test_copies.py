from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agno_shell.cli.commands.migrate.copies import (
    SessionCopy,
    difference,
    is_outdated,
    with_replies,
)
from agno_shell.types import ROOT, Memory, Message, Session

MOMENT = datetime(2026, 7, 20, 10, 30, tzinfo=UTC)
SESSION = Session("s", "Name", MOMENT, MOMENT)


def message(ident: str, parent: str | None = None, content: str = "", **fields: Any) -> Message:
    return Message(ident, "user", content or ident, MOMENT, parent, **fields)


TREE = [message("a"), message("b", "a"), message("c", "b")]


def copy(*messages: Message, later: int = 0, **fields: Any) -> SessionCopy:
    updated_at = MOMENT + timedelta(seconds=later)
    session = SESSION._replace(message_count=len(messages), updated_at=updated_at, **fields)
    return SessionCopy(session, list(messages))


# Replies that had not come to an end -----------------------------------------------------


@pytest.mark.parametrize(
    ("head", "parent", "stands_on", "follows"),
    [
        (None, "c", None, "c"),  # it answers the newest: the conversation stands on it
        ("b", "b", None, "b"),
        (None, "b", "c", "b"),  # it answers something earlier: the conversation stays
        ("a", "c", "a", "c"),
        (None, None, "c", None),
        (None, "lost", None, "c"),  # what it answers is not there: it follows the newest
        (ROOT, "c", ROOT, "c"),  # every turn was taken back, and stays so
        (ROOT, None, None, None),
    ],
)
def test_a_reply_becomes_an_interrupted_message(
    head: str | None, parent: str | None, stands_on: str | None, follows: str | None
) -> None:
    made = with_replies(SESSION._replace(head=head), TREE, [message("r", parent, "half")])
    assert made.messages == [*TREE, message("r", follows, "half", status="interrupted")]
    assert (made.session.head, made.session.message_count, made.replies) == (stands_on, 4, 1)


def test_several_replies_and_those_that_are_nothing() -> None:
    replies = [
        message("b", "a", "saved by now"),
        message("e", "c")._replace(content=""),
        message("r", "c"),
    ]
    made = with_replies(SESSION, TREE, [*replies, message("q", "c")])
    assert [each.id for each in made.messages] == ["a", "b", "c", "r", "q"]
    assert (made.session.head, made.replies) == ("r", 2)


def test_a_reply_in_an_empty_session() -> None:
    made = with_replies(SESSION, [], [message("r", None)])
    assert (made.session.head, made.messages[0].parent) == (None, None)


# Comparing -------------------------------------------------------------------------------


def test_no_difference() -> None:
    assert difference(copy(*TREE), copy(*TREE)) == ""
    assert difference(copy(), copy()) == ""


@pytest.mark.parametrize("field", ["name", "created_at", "description", "head", "api_base", "tags"])
def test_every_field_of_a_session_counts(field: str) -> None:
    changed = copy(*TREE, **dict[str, Any]({field: "x"}))
    assert difference(copy(*TREE), changed) == f"another {field.replace('_', ' ')}"


@pytest.mark.parametrize("field", Message._fields[1:])
def test_every_field_of_a_message_counts(field: str) -> None:
    other = TREE[1]._replace(**dict[str, Any]({field: "x"}))
    words = f"message 2 with another {field.replace('_', ' ')}"
    assert difference(copy(*TREE), copy(TREE[0], other, TREE[2])) == words


@pytest.mark.parametrize(("one", "other"), [(True, 1), (1, 1.0), (0, False)])
@pytest.mark.parametrize("field", ["extra", "provider_data"])
def test_what_python_takes_for_equal_and_json_does_not(field: str, one: Any, other: Any) -> None:
    mine, theirs = (
        message("a")._replace(**dict[str, Any]({field: {"x": [each]}})) for each in (one, other)
    )
    assert difference(copy(mine), copy(mine)) == ""
    assert difference(copy(mine), copy(theirs)).startswith("message 1 with another ")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (TREE[:1], "2 messages missing"),
        ([*TREE, message("d")], "1 message more"),
        ([TREE[0], TREE[2], message("d")], "1 message missing; 1 message more"),
        ([TREE[0], TREE[2], TREE[1]], "the messages in another order, or twice"),
        ([*TREE, TREE[0]], "the messages in another order, or twice"),
        (
            [TREE[0]._replace(content="x", model="m"), TREE[1]],
            "1 message missing; message 1 with another content and model",
        ),
    ],
)
def test_what_is_not_the_same_is_named(found: list[Message], words: str) -> None:
    assert difference(copy(*TREE), copy(*found)) == words


def test_the_time_of_the_newest_message_may_be_that_of_the_session() -> None:
    hour = timedelta(hours=1)
    ahead = TREE[2]._replace(created_at=MOMENT + hour)  # by a clock that then went back
    wanted = copy(*TREE[:2], ahead)
    for later, words in ((0, ""), (3600, ""), (3601, "another updated at")):
        found = copy(*TREE[:2], ahead, later=later)
        assert difference(wanted, found) == difference(found, wanted) == words
    assert not is_outdated(copy(*TREE[:2], ahead, later=3600), wanted)


def test_a_wrong_count_is_a_difference() -> None:
    lying = copy(*TREE)._replace(session=copy(*TREE).session._replace(message_count=2))
    assert difference(copy(*TREE), lying) == "another message count"


@pytest.mark.parametrize(
    ("found", "wanted", "outdated"),
    [
        (copy(*TREE[:2]), copy(*TREE, later=1), True),
        (copy(*TREE[:2]), copy(*TREE), True),
        (copy(*TREE, name="Old"), copy(*TREE, later=1), True),
        (copy(*TREE, name="New", later=1), copy(*TREE), False),
        (copy(*TREE[:2], name="New", later=2), copy(*TREE, later=1), False),
        (copy(*TREE, message("d")), copy(*TREE, later=1), False),
        (copy(TREE[1], TREE[0]), copy(*TREE[:2]), False),
        (copy(TREE[0], message("b", "a", "B")), copy(*TREE, later=1), False),
        (
            copy(TREE[0], message("b", "a", "hal", status="interrupted")),
            copy(TREE[0], message("b", "a", "half", status="interrupted")),
            True,
        ),
        (
            copy(TREE[0], message("b", "a", "half", status="interrupted")),
            copy(TREE[0], message("b", "a", "whole")),
            False,
        ),
    ],
)
def test_an_earlier_state_is_one_of_which_nothing_would_be_lost(
    found: SessionCopy, wanted: SessionCopy, outdated: bool
) -> None:
    assert is_outdated(found, wanted) is outdated


# What belongs to it beside its messages ---------------------------------------------------

BLUE, RED = (Memory(text, text, MOMENT) for text in ("blue", "red"))


def holding(*memories: Memory, files: str = "", later: int = 0, messages: int = 3) -> SessionCopy:
    made = copy(*TREE[:messages], later=later)
    return made._replace(memories=memories, contents=frozenset(files))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (holding(BLUE, RED, files="xy"), ""),
        (holding(BLUE, RED, files="xyz"), ""),
        (holding(BLUE, files="xy"), "1 thing to remember missing"),
        (holding(BLUE, RED, Memory("x", "x", MOMENT), files="xy"), "1 thing to remember more"),
        (holding(RED, BLUE, files="xy"), "other things to remember, or in another order"),
        (holding(BLUE, RED, RED, files="xy"), "other things to remember, or in another order"),
        (
            holding(BLUE, RED._replace(extra={"a": 1}), files="xy"),
            "other things to remember, or in another order",
        ),
        (holding(BLUE, RED, files="x"), "1 attached file missing"),
        (holding(messages=2), "1 message missing; 2 things to remember missing; 2 attached"),
    ],
)
def test_memories_and_attached_files_count(found: SessionCopy, words: str) -> None:
    found_difference = difference(holding(BLUE, RED, files="xy"), found)
    assert found_difference.startswith(words)
    assert bool(found_difference) == bool(words)


@pytest.mark.parametrize(
    ("found", "wanted", "outdated"),
    [
        (holding(), holding(BLUE), True),
        (holding(BLUE), holding(BLUE, RED), True),
        (holding(BLUE), holding(BLUE), False),
        (holding(BLUE), holding(), False),
        (holding(BLUE), holding(RED, RED), False),
        (holding(BLUE._replace(text="green")), holding(BLUE, RED), False),
        (holding(BLUE), holding(later=1), True),
        (holding(BLUE, later=1), holding(BLUE, RED), False),
        (holding(), holding(files="x"), True),
        (holding(files="x"), holding(), False),
    ],
)
def test_what_was_remembered_since_makes_a_copy_an_earlier_state(
    found: SessionCopy, wanted: SessionCopy, outdated: bool
) -> None:
    assert is_outdated(found, wanted) is outdated


def test_characters_are_those_of_the_messages() -> None:
    assert copy(message("a", None, "你好"), message("b", "a", "abc")).characters == 5

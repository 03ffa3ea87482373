from __future__ import annotations

from agno_shell.conversation.request.rules import INTRODUCTION, effective, summary_as_sent
from agno_shell.types import Message, new_id, now


def summary(content: str, covers: str | None) -> Message:
    return Message(new_id(), "summary", content, now(), covers=covers)


def test_a_summary_is_told_to_the_model_as_what_it_is() -> None:
    made = summary("They spoke of tea.", "1")
    sent = summary_as_sent(made)
    assert (sent.id, sent.role) == (made.id, "user")
    assert sent.content == f"{INTRODUCTION}\n\nThey spoke of tea."
    assert summary_as_sent(made) == sent


def test_the_newest_summary_is_in_force() -> None:
    said = Message("1", "user", "x", now())
    one, two = summary("one", "1"), summary("two", "5")
    assert effective([said]) == []
    assert effective([said, one, said]) == [one]
    assert effective([said, one, said, two]) == [one, two]


def test_one_that_covers_nothing_ends_all_of_them() -> None:
    one, two, three = summary("one", "1"), summary("two", "5"), summary("three", "9")
    assert effective([one, two, summary("", None)]) == []
    assert effective([one, two, summary("", None), three]) == [three]


def test_one_that_reaches_as_far_as_an_earlier_one_brings_it_back() -> None:
    one, two, three = summary("one", "1"), summary("two", "5"), summary("three", "9")
    again = summary("one", "1")
    assert effective([one, two, again]) == [again]
    assert effective([one, two, again, three]) == [again, three]
    assert effective([one, two, three, summary("two", "5")])[0] == one

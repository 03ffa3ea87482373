from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from agno_shell.builtin.json_storage import tree
from agno_shell.toolkit import json_records
from agno_shell.types import Message


def raw(ident: str | None, parent: Any = ..., content: str = "x") -> dict[str, Any]:
    fields: dict[str, Any] = {"content": content, "created_at": "2026-01-01T00:00:00+00:00"}
    if ident is not None:
        fields["id"] = ident
    if parent is not ...:
        fields["parent"] = parent
    return fields


def links(objects: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(message.id, message.parent) for message in tree.adopt(objects)[0]]


def test_settled_messages_stay_as_they_are() -> None:
    objects = [raw("a", None), raw("b", "a"), raw("c", "a"), raw("d", None)]
    assert links(objects) == [("a", None), ("b", "a"), ("c", "a"), ("d", None)]
    assert tree.adopt(objects)[1]


def test_messages_without_ids_are_a_chain_with_the_same_ids_every_time() -> None:
    objects = [raw(None), raw(None), raw(None)]
    first, second, third = (tree.placed_id(number) for number in range(3))
    assert links(objects) == links(objects) == [(first, None), (second, first), (third, second)]
    assert not tree.adopt(objects)[1]


def test_a_parent_that_is_not_there_is_the_one_before() -> None:
    assert links([raw("a", None), raw("c", "b"), raw("d", "c")]) == [
        ("a", None),
        ("c", "a"),
        ("d", "c"),
    ]


def test_a_parent_that_comes_later_makes_no_circle() -> None:
    assert links([raw("a", "b"), raw("b", "a")]) == [("a", None), ("b", "a")]
    assert links([raw("a", "a")]) == [("a", None)]


def test_a_line_that_is_there_twice_is_one_message() -> None:
    assert links([raw("a", None), raw("b", "a"), raw("b", "a")]) == [("a", None), ("b", "a")]


def test_of_two_messages_with_one_id_both_are_kept() -> None:
    objects = [raw("a", None), raw("b", "a"), raw("a", "b", "other"), raw("d", "a")]
    first = tree.placed_id(0)
    assert links(objects) == [(first, None), ("b", first), ("a", "b"), ("d", "a")]
    assert not tree.adopt(objects)[1]


def test_a_message_without_a_time_has_that_of_the_one_before() -> None:
    messages, _ = tree.adopt([raw("a", None), {"id": "b", "parent": "a", "content": ""}])
    assert messages[1].created_at == messages[0].created_at


def test_the_path_to_a_head() -> None:
    objects = [raw("a", None), raw("b", "a"), raw("c", "b"), raw("d", "a")]
    messages = tree.adopt(objects)[0]

    def ids(head: str | None) -> list[str]:
        return [message.id for message in tree.path(messages, head)]

    assert ids(None) == ["a", "d"]
    assert ids("c") == ["a", "b", "c"]
    assert ids("a") == ["a"]
    assert ids("gone") == ["a", "d"]
    assert tree.path([], None) == []


def test_a_long_chain_is_no_recursion() -> None:
    messages = [
        Message(str(n), "user", "", json_records.EPOCH, str(n - 1) if n else None)
        for n in range(50_000)
    ]
    assert tree.path(messages, None) == messages


TIMES = [None, "2026-01-01T12:00:00Z", "2026-01-02T12:00:00", 1767225600, "never"]


def test_a_tally_is_what_adopting_them_would_give() -> None:
    chance = random.Random(1)
    for _ in range(2000):
        objects = [
            {
                "role": "user",
                "content": chance.choice("xy"),
                **({"id": ident} if (ident := chance.choice([None, "a", "b", "c", 7])) else {}),
                chance.choice(["created_at", "timestamp"]): chance.choice(TIMES),
            }
            for _ in range(chance.randint(0, 4))
        ]
        for raw in objects:
            if chance.random() < 0.3:
                raw.pop("created_at", None)
                raw.pop("timestamp", None)
        messages, _settled = tree.adopt(objects, WRITTEN)
        newest = messages[-1].created_at if messages else None
        assert tree.tally(objects, WRITTEN) == (len(messages), newest), objects


WRITTEN = datetime(2020, 1, 1, tzinfo=UTC)

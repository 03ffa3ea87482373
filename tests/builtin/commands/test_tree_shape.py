"""Which turn stands where in the drawing of a tree, for every tree."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from agno_shell.builtin.commands.tree_shape import Row, rows, shortened
from agno_shell.types import ROOT, Message, now

MOMENT = now()

PLANS = st.lists(
    st.tuples(st.sampled_from(("user", "assistant", "tool")), st.integers(0, 60)), max_size=40
)
"""For each message its role, and how far back its parent was said; too far: none."""


def planted(plan: Sequence[tuple[str, int]]) -> list[Message]:
    messages: list[Message] = []
    for number, (role, back) in enumerate(plan):
        parent = f"m{number - back}" if 0 < back <= number else None
        messages.append(Message(f"m{number}", role, f"text {number}", MOMENT, parent))  # type: ignore[arg-type]
    return messages


def tree(*pairs: str) -> list[Message]:
    """``"b<a"``: b follows a. Capital letters are questions."""
    made = []
    for pair in pairs:
        name, _, parent = pair.partition("<")
        role = "user" if name[0].isupper() else "assistant"
        made.append(Message(name, role, name, MOMENT, parent or None))  # type: ignore[arg-type]
    return made


def drawn(found: Sequence[Row]) -> list[str]:
    return [
        ("* " if row.is_head else "  ")
        + row.lead
        + (f"{row.number} " if row.number else "")
        + (f"({row.left_out})" if row.left_out else " ".join(each.id for each in row.messages))
        for row in found
    ]


def test_a_conversation_without_branches_is_a_list_of_turns() -> None:
    messages = tree("A", "a<A", "B<a", "b1<B", "b2<b1", "C<b2", "c<C")
    assert drawn(rows(messages, "c")) == ["  1 A a", "  3 B b1 b2", "* 6 C c"]


def test_other_branches_are_moved_to_the_right_above_the_one_in_use() -> None:
    messages = tree(
        *("A", "a<A", "B<a", "b<B", "C<b", "c<C"),
        *("B2<a", "b2<B2", "C2<b2", "c2<C2"),
        *("B3<a", "b3<B3"),
    )
    assert drawn(rows(messages, "c2")) == [
        "  1 A a",
        "  ├─ B b",
        "  │  C c",
        "  ├─ B3 b3",
        "  3 B2 b2",
        "* 5 C2 c2",
    ]


def test_branches_have_branches() -> None:
    messages = tree("A", "a<A", "B<a", "b<B", "b2<B", "C<b2", "c<C", "D<b2", "d<D", "E<a", "e<E")
    assert drawn(rows(messages, "e")) == [
        "  1 A a",
        "  ├─ B",
        "  │  ├─ b",
        "  │  b2",
        "  │  ├─ C c",
        "  │  D d",
        "* 3 E e",
    ]


def test_a_second_reply_stands_beside_the_first() -> None:
    messages = tree("A", "a<A", "a2<A", "B<a2", "b<B")
    assert drawn(rows(messages, "a")) == ["  1 A", "  ├─ a2", "  │  B b", "* 2 a"]


def test_a_head_in_the_middle_parts_a_turn() -> None:
    messages = tree("A", "a<A", "B<a", "b<B")
    assert drawn(rows(messages, "B")) == ["  1 A a", "* 3 B", "  b"]


def test_before_the_first_message_nothing_is_on_the_path() -> None:
    messages = tree("A", "a<A", "B", "b<B")
    assert drawn(rows(messages, ROOT)) == ["  ├─ A a", "  B b"]


def test_what_lies_too_deep_is_moved_no_further() -> None:
    pairs = ["A"]
    for number in range(20):
        pairs += [f"S{number}<{pairs[-1].partition('<')[0]}", f"T{number}<S{number}"]
        pairs += [f"U{number}<S{number}", f"V{number}<S{number}"]
        pairs[-1], pairs[-3] = pairs[-3], pairs[-1]
    found = rows(tree(*pairs), ROOT)
    assert max(len(row.lead) for row in found) <= 8 * 3 + 3
    assert len(found) == len(pairs)


def test_turns_in_which_nothing_parts_are_left_out_and_can_be_asked_for() -> None:
    pairs = ["Q0", "a0<Q0"]
    for number in range(1, 30):
        pairs += [f"Q{number}<a{number - 1}", f"a{number}<Q{number}"]
    everything = rows(tree(*pairs), "a29")
    short = shortened(everything, {})
    assert drawn(short) == ["  1 Q0 a0", "  (28)", "* 59 Q29 a29"]
    more = shortened(everything, {short[1].key: 10})
    assert drawn(more)[9:13] == ["  19 Q9 a9", "  21 Q10 a10", "  (8)", "  39 Q19 a19"]
    assert more[11].key == short[1].key
    assert shortened(everything, {short[1].key: 20}) == everything


@given(PLANS, st.integers(-1, 45))
def test_every_message_is_drawn_once_and_the_head_is_marked_once(
    plan: list[tuple[str, int]], head: int
) -> None:
    messages = planted(plan)
    where = messages[head].id if 0 <= head < len(messages) else ROOT
    found = rows(messages, where)
    seen = [message.id for row in found for message in row.messages]
    assert sorted(seen) == sorted(message.id for message in messages)
    marked = [row.messages[-1].id for row in found if row.is_head]
    assert marked == ([where] if where else [])


@given(PLANS, st.integers(-1, 45))
def test_whatever_is_left_out_every_end_is_there(plan: list[tuple[str, int]], head: int) -> None:
    messages = planted(plan)
    where = messages[head].id if 0 <= head < len(messages) else ROOT
    everything = rows(messages, where)
    short = shortened(everything, {})
    parents = [message.parent for message in messages]
    ends = {message.id for message in messages} - set(parents)
    parts = {each for each in parents if each is not None and parents.count(each) > 1}
    shown = {message.id for row in short for message in row.messages}
    assert ends | parts | ({where} - {ROOT}) <= shown
    left_out = sum(row.left_out for row in short)
    assert left_out + sum(1 for row in short if row.messages) == len(everything)
    assert sum(row.is_head for row in short) == bool(where)


@given(PLANS, st.integers(0, 45))
def test_the_numbers_are_those_of_the_path(plan: list[tuple[str, int]], head: int) -> None:
    messages = planted(plan)
    by_id = {message.id: message for message in messages}
    path: list[str] = []
    step = messages[head] if head < len(messages) else None
    while step is not None:
        path.insert(0, step.id)
        step = by_id.get(step.parent or "")
    numbers = {
        message.id: row.number + place
        for row in rows(messages, path[-1] if path else ROOT)
        if row.number is not None
        for place, message in enumerate(row.messages)
    }
    assert numbers == {message_id: number for number, message_id in enumerate(path, 1)}


def test_a_damaged_tree_ends() -> None:
    circle = [
        Message("a", "user", "a", MOMENT, "b"),
        Message("b", "assistant", "b", MOMENT, "a"),
        Message("c", "user", "c", MOMENT, "gone"),
    ]
    assert drawn(rows(circle, "c")) == ["* 1 c"]
    assert drawn(rows(circle, "a")) == ["  c"]


def test_a_very_long_conversation_is_no_deep_recursion() -> None:
    pairs = ["Q0"]
    for number in range(1, 5_000):
        pairs += [f"a{number}<Q{number - 1}", f"Q{number}<a{number}"]
    found = rows(tree(*pairs), "Q10")
    assert len(found) == 5_001
    assert [row.left_out for row in shortened(found, {}) if row.left_out] == [9, 4_989]

"""What is looked at of a long session's tree: some of it, and that as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.builtin.commands import tree as tree_command
from agno_shell.builtin.commands import tree_page
from agno_shell.builtin.commands.tree_shape import rows, shortened
from agno_shell.testing.fake_context import FakeContext
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.types import Message, now

PLANS = st.lists(
    st.tuples(st.sampled_from(("user", "assistant")), st.sampled_from((1, 1, 1, 1, 1, 2, 9, 30))),
    min_size=1,
    max_size=150,
)
MOMENT = now()


def planted(plan: Any, make_context: Callable[..., Any] = FakeContext) -> Any:
    """A context with these messages, and the messages."""
    storage = MemoryStorage()
    session_id = storage.create("Planted").session_id
    storage.set_current(session_id)
    said: list[Any] = []
    for number, (role, back) in enumerate(plan):
        parent = said[-back].id if back <= len(said) else None
        said.append(Message(f"m{number}", role, f"text {number}", MOMENT, parent))
        storage.append(session_id, said[-1])
    return make_context(storage=storage), said


async def page(context: Any, head: Any, limit: Any, more: Any = None) -> Any:
    outline = await context.engine.messages.outline()
    return await tree_page.load(context.engine.messages, outline, head, limit, more or Counter())


@given(PLANS, st.integers(0, 149), st.integers(1, 12), st.integers(2, 5))
async def test_what_is_looked_at_is_as_in_the_whole_tree(
    plan: Any, at: Any, limit: Any, edge: Any
) -> None:
    context, said = planted(plan)
    place = at % len(said)
    head = said[place].id
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tree_page, "EDGE", edge)
        patch.setattr(tree_page, "_NEAR", 3)
        found = await page(context, place, limit)
        whole = await page(context, place, 10_000, Counter(range(1)))
    everything = {row.messages[0].id: row for row in rows(said, head)}
    drawn = rows(found.messages, head, found.gaps)
    for row in drawn:
        if row.messages and (known := everything.get(row.messages[0].id)):
            assert row.number == known.number
            assert row.is_head == known.is_head
    shown = shortened(drawn, {})
    assert sum(row.is_head for row in shown) == 1
    # Nothing is counted twice, and of all segments nothing is missing.
    for each in (found, whole):
        real = [message.id for message in each.messages if message.id not in each.gaps]
        assert len(set(real)) == len(real)
        assert set(real) <= {message.id for message in said}
    missing = len(said) - (len(whole.messages) - len(whole.gaps))
    assert missing == sum(whole.gaps.values())


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch, make_context: Callable[..., Any]) -> Any:
    """A context with 600 messages, to be drawn as if they were very many."""
    monkeypatch.setattr(tree_command, "WHOLE", 10)
    context, said = planted([("user", 1), ("assistant", 1)] * 300, make_context)
    return context, said


async def test_more_is_read_when_it_is_asked_for(long: Any, type_line: Callable[..., Any]) -> None:
    context, _said = long
    read = []
    real = context.engine.messages.saved

    async def saved(start: Any, stop: Any) -> Any:
        read.append(stop - start)
        return await real(start, stop)

    context.engine.messages.saved = saved
    context.ui.choices.extend([1, None])
    await type_line(context, "/tree")
    first, second = (
        ["".join(text for _style, text in line) for line in context.ui.offered[0]],
        ["".join(text for _style, text in line) for line in context.ui.offered[1]],
    )
    assert first[0].startswith("  1 text 0")
    assert first[1] == "  … 596 messages"
    assert first[2].startswith("* 599 text 598")
    assert len(second) == 2 + 2 * tree_command.OPENED + 1
    assert second[1].startswith("  3 text 2")
    assert read[:2] == [tree_page.EDGE, tree_page.EDGE]
    assert sum(read) < 350


async def test_branches_far_from_the_head_are_left_out_until_they_are_asked_for() -> None:
    plan = [("user", 1), ("assistant", 1), ("assistant", 2)] * 40
    context, said = planted(plan)
    found = await page(context, len(said) - 1, 5)
    assert tree_page.BEFORE in found.gaps
    drawn = rows(found.messages, said[-1].id, found.gaps)
    path = rows(said, said[-1].id)
    assert (
        next(row for row in drawn if row.is_head).number
        == next(row for row in path if row.is_head).number
    )
    assert len(found.messages) < 20
    assert len((await page(context, len(said) - 1, 1000)).messages) == len(said)

"""Numbers and places say what the whole path and the whole tree say."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from agno_shell.conversation.engine import Engine
from agno_shell.conversation.tree import outline
from agno_shell.errors import StorageError
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.types import Message, Stretch, new_id, now


class Failing(MemoryStorage):
    fails = False

    def append(self, session_id: str, message: Message):  # type: ignore[no-untyped-def]
        if self.fails:
            raise StorageError("The disk is full.")
        return super().append(session_id, message)


@pytest.fixture
async def talk(make_engine: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Twelve messages of which five are loaded, beside another branch."""
    monkeypatch.setattr("agno_shell.conversation.path.FIRST_LOAD", 5)
    storage = Failing()
    session = storage.create("Test")
    parent: str | None = None
    for number in range(12):
        message = Message(new_id(), "user", str(number), now(), parent)
        storage.append(session.session_id, message)
        if number == 6:
            aside = Message(new_id(), "user", "aside", now(), parent)
            storage.append(session.session_id, aside)
        parent = message.id
    talk = make_engine(storage)
    await talk.open(session.session_id)
    assert len(talk.history) == 5
    return talk


async def agrees(talk: Engine) -> None:
    path, tree, numbered = await talk.messages.path(), await talk.messages.tree(), talk.messages
    by_id = {each.id: each for each in tree}
    step, expected = talk.open_session.head, []
    while step is not None:
        expected.append(by_id[step])
        step = by_id[step].parent
    assert path == expected[::-1]
    assert await numbered.length() == len(path)
    assert await numbered.before() == len(path) - len(talk.history)
    for start, stop in ((0, 3), (5, 9), (6, 8), (0, 99), (99, 100), (3, 3)):
        assert await numbered.part(start, stop) == path[start:stop]
        assert await numbered.saved(start, stop) == tree[start:stop]
    every = {each.id: number for number, each in enumerate(path, 1)}
    assert await numbered.numbers([*by_id, "nowhere"]) == every
    assert [await numbered.place(each.id) for each in tree] == list(range(len(tree)))
    assert await numbered.place("nowhere") is None
    stretches = await numbered.outline()
    for place, message in enumerate(tree):
        runs = outline.runs_to(stretches, place)
        found = [tree[at] for start, stop in runs for at in range(start, stop)]
        assert found[-1] == message
        assert all(two.parent == one.id for one, two in pairwise(found))
        assert found[0].parent is None


async def test_a_path_of_which_the_end_is_loaded(talk: Engine) -> None:
    await agrees(talk)
    await talk.open_session.path.read_further()
    await agrees(talk)
    while await talk.open_session.path.read_further():
        pass
    await agrees(talk)


async def test_standing_elsewhere(talk: Engine) -> None:
    tree = await talk.messages.tree()
    aside = next(each for each in tree if each.content == "aside")
    for message in (aside, tree[2], tree[-1], tree[0]):
        await talk.open_session.path.checkout(message.id)
        await agrees(talk)
    await talk.open_session.path.checkout(None)
    assert await talk.messages.length() == 0
    assert await talk.messages.part(0, 9) == []


async def test_what_is_not_saved_yet_has_its_number_and_its_place(talk: Engine) -> None:
    storage = await talk.store(lambda s: s)
    storage.fails = True
    for number in range(2):
        await talk.journal.add(
            Message(new_id(), "user", f"new {number}", now(), talk.open_session.head)
        )
    assert len(talk.unsaved) == 2
    await agrees(talk)
    tree = await talk.messages.tree()
    await talk.open_session.path.checkout(tree[3].id)
    await talk.journal.add(Message(new_id(), "user", "aside", now(), talk.open_session.head))
    await agrees(talk)


def test_parts_of_a_path() -> None:
    stretches = [Stretch(0, 5, None), Stretch(5, 7, 2), Stretch(7, 9, 5), Stretch(9, 10, None)]
    runs = outline.runs_to(stretches, 8)
    assert runs == [(0, 3), (5, 6), (7, 9)]
    assert outline.length(runs) == 6
    assert outline.within(runs, 2, 5) == [(2, 3), (5, 6), (7, 8)]
    assert outline.within(runs, -3, 1) == [(0, 1)]
    assert outline.within(runs, 6, 9) == []
    assert [outline.number(runs, place) for place in range(10)] == [
        *(1, 2, 3, None, None, 4, None, 5, 6, None)
    ]
    assert outline.runs_to(stretches, 9) == [(9, 10)]

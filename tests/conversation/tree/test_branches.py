from __future__ import annotations

import pytest

from agno_shell.conversation.tree import branches
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.types import Message, new_id, now


class Library(MemoryStorage):
    """Remembers how much of a session was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int | None] = []

    def messages(self, session_id: str, last: int | None = None) -> list[Message]:
        self.asked.append(last)
        return super().messages(session_id, last)

    def part(self, session_id: str, start: int, stop: int) -> list[Message]:
        self.asked.append(stop - start)
        return super().part(session_id, start, stop)


def chain(
    storage: MemoryStorage, session_id: str, texts: list[str], parent: str | None
) -> list[Message]:
    made = []
    for text in texts:
        made.append(Message(new_id(), "user", text, now(), parent=parent))
        storage.append(session_id, made[-1])
        parent = made[-1].id
    return made


def texts(messages: object) -> list[str]:
    return [message.content for message in messages]


@pytest.fixture
def storage() -> Library:
    return Library()


def test_a_message_stands_between_its_neighbours(storage: Library) -> None:
    session_id = storage.create("One").session_id
    made = chain(storage, session_id, list("abcdefgh"), None)
    place = branches.around(storage, session_id, made[3].id)
    assert place
    assert (texts(place.before), place.message, texts(place.after)) == (
        ["b", "c"],
        made[3],
        ["e", "f"],
    )
    assert (place.later, place.on_the_way) == (2, True)


def test_the_first_and_the_last_message_have_neighbours_on_one_side(storage: Library) -> None:
    session_id = storage.create("One").session_id
    made = chain(storage, session_id, list("abcd"), None)
    first, last = (branches.on_path(made, made[index].id) for index in (0, -1))
    assert first
    assert last
    assert (texts(first.before), texts(first.after), first.later) == ([], ["b", "c"], 1)
    assert (texts(last.before), texts(last.after), last.later) == (["b", "c"], [], 0)


def test_no_more_is_read_than_is_shown(storage: Library) -> None:
    session_id = storage.create("One").session_id
    made = chain(storage, session_id, [str(number) for number in range(100)], None)
    for place in (97, 80, 3, 0):
        storage.asked.clear()
        found = branches.around(storage, session_id, made[place].id)
        assert found
        assert found.later == max(0, 100 - place - 1 - 2)
        assert sum(filter(None, storage.asked)) <= branches.BEFORE + branches.AFTER + 2


def test_a_message_on_another_branch_is_shown_with_what_follows_it_there(
    storage: Library,
) -> None:
    session_id = storage.create("One").session_id
    root, answer = chain(storage, session_id, ["root", "answer"], None)
    left = chain(storage, session_id, ["left", "left 2"], answer.id)
    chain(storage, session_id, ["right", "right 2"], answer.id)
    place = branches.around(storage, session_id, left[0].id)
    assert place
    assert (texts(place.before), texts(place.after)) == (["root", "answer"], ["left 2"])
    assert (place.later, place.on_the_way) == (0, False)
    assert root.parent is None


def test_a_message_that_is_not_there_has_no_place(storage: Library) -> None:
    session_id = storage.create("One").session_id
    chain(storage, session_id, ["a"], None)
    assert branches.around(storage, session_id, new_id()) is None

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import pytest

from agno_shell.conversation.engine import Engine
from agno_shell.conversation.request.earlier import Earlier, turn_around
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.types import Message, new_id, now

ROLES = ("user", "assistant", "summary", "assistant", "user", "assistant")


def messages(*roles: str) -> list[Message]:
    made: list[Message] = []
    for number, role in enumerate(roles):
        parent = made[-1].id if made else None
        made.append(Message(new_id(), role, str(number), now(), parent))  # type: ignore[arg-type]
    return made


def contents(said: Any) -> str:
    return "".join(each.content for each in said)


@pytest.mark.parametrize(
    ("place", "turn"), [(0, "013"), (1, "013"), (2, ""), (3, "013"), (4, "45"), (5, "45")]
)
def test_a_message_belongs_to_a_turn(place: int, turn: str) -> None:
    assert contents(turn_around(messages(*ROLES), place)) == turn


def test_a_turn_may_have_no_question() -> None:
    assert contents(turn_around(messages("assistant", "assistant", "user"), 1)) == "01"


class Watched(MemoryStorage):
    """Counts what is read, and looked for, beyond the end of the path."""

    reads = 0

    def part(self, session_id: str, start: int, stop: int) -> list[Message]:
        self.reads += 1
        return super().part(session_id, start, stop)

    def locate(self, session_id: str, message_ids: Collection[str]) -> dict[str, int]:
        self.reads += 1
        return super().locate(session_id, message_ids)


@pytest.fixture
async def far(
    make_engine: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch
) -> tuple[Engine, list[Message], Watched]:
    """A path of 12 messages of which 5 are loaded, in the middle of a turn."""
    monkeypatch.setattr("agno_shell.conversation.path.FIRST_LOAD", 5)
    storage = Watched()
    session = storage.create("Test")
    said = messages(*["user", "assistant", "assistant"] * 4)
    for message in said:
        storage.append(session.session_id, message)
    talk = make_engine(storage)
    await talk.open(session.session_id)
    assert len(talk.history) == 5
    return talk, said, storage


async def test_what_is_loaded_is_found_there(far: Any) -> None:
    talk, said, storage = far
    (found,) = await Earlier(talk.open_session, talk.messages).find([said[10].id])
    assert (found.place, found.message) == (3, said[10])
    assert list(found.turn) == said[9:12]
    assert storage.reads == 0


async def test_what_is_further_back_is_found_once_in_the_order_of_the_path(far: Any) -> None:
    talk, said, storage = far
    earlier = Earlier(talk.open_session, talk.messages)
    ids = [said[9].id, said[4].id, said[0].id, "nowhere"]
    await earlier.find(ids)
    once = storage.reads
    for _time in range(3):
        found = await earlier.find(ids)
        assert [each.message for each in found] == [said[0], said[4], said[9]]
        assert [each.place for each in found] == [-7, -3, 2]
        assert list(found[1].turn) == said[3:6]
    assert storage.reads == once > 0


async def test_a_turn_of_which_the_end_is_loaded_is_whole(far: Any) -> None:
    talk, said, _storage = far
    (found,) = await Earlier(talk.open_session, talk.messages).find([said[6].id])
    assert list(found.turn) == said[6:9]


async def test_what_was_found_holds_while_the_path_goes_on(far: Any) -> None:
    talk, said, storage = far
    earlier = Earlier(talk.open_session, talk.messages)
    ids = [said[1].id, said[8].id]
    await earlier.find(ids)
    once = storage.reads
    talk.open_session.path.append(messages("user")[0])
    await talk.open_session.path.checkout(said[9].id)
    assert [each.message.id for each in await earlier.find(ids)] == ids
    assert storage.reads == once > 0
    # Read further back, places are others.
    await talk.open_session.path.read_further()
    assert len(talk.history) > 5
    places = [each.place for each in await earlier.find(ids)]
    assert places == [talk.history.index(said[2]) - 1, talk.history.index(said[8])]


async def test_what_was_taken_back_is_not_found(far: Any) -> None:
    talk, said, storage = far
    earlier = Earlier(talk.open_session, talk.messages)
    assert await earlier.find([said[10].id])
    await talk.open_session.path.checkout(said[8].id)
    assert await earlier.find([said[10].id]) == []
    reads = storage.reads
    assert await earlier.find([said[10].id]) == []
    assert storage.reads == reads
    await talk.open_session.path.checkout(said[11].id)
    assert await earlier.find([said[10].id])


async def test_nothing_is_looked_for_in_vain(far: Any) -> None:
    talk, _said, storage = far
    assert await Earlier(talk.open_session, talk.messages).find([]) == []
    assert storage.reads == 0

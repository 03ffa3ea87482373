from __future__ import annotations

import pytest

from agno_shell.conversation import path as module
from agno_shell.conversation.path import Path
from agno_shell.conversation.tree import branches
from agno_shell.types import Message, new_id, now


def chain(length: int, parent: str | None = None) -> list[Message]:
    said: list[Message] = []
    for number in range(length):
        role = "user" if number % 2 == 0 else "assistant"
        before = said[-1].id if said else parent
        said.append(Message(new_id(), role, str(number), now(), parent=before))  # type: ignore[arg-type]
    return said


class Kept:
    """What a storage has, and how much was read of it."""

    def __init__(self, *branches: list[Message]) -> None:
        self.tree_ = [message for branch in branches for message in branch]
        self.stored_path = [*branches[0]] if branches else []
        self.read_: list[int] = []
        self.trees = 0

    async def read(self, last: int) -> list[Message]:
        self.read_.append(last)
        return self.stored_path[-last:]

    async def read_to(self, message_id: str, last: int) -> list[Message]:
        self.trees += 1
        return branches.path_to(self.tree_, message_id, last)

    def path(self) -> Path:
        made = Path(self.read, self.read_to)
        made.set(self.stored_path[-module.FIRST_LOAD :])
        return made


@pytest.fixture(autouse=True)
def four_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_LOAD", 4)


async def test_a_short_path_is_whole_at_once() -> None:
    kept = Kept(chain(3))
    path = kept.path()
    assert path.is_whole
    assert not await path.read_further()
    assert kept.read_ == []


async def test_earlier_messages_are_read_as_much_again_each_time() -> None:
    kept = Kept(chain(20))
    path = kept.path()
    lengths = [len(path.messages)]
    while await path.read_further():
        lengths.append(len(path.messages))
    assert lengths == [4, 8, 16, 20]
    assert list(path.messages) == kept.stored_path
    assert path.is_whole


async def test_what_was_said_since_stays_at_the_end() -> None:
    kept = Kept(chain(6))
    path = kept.path()
    said = chain(1, parent=path.head)[0]
    path.append(said)
    await path.read_further()
    assert list(path.messages) == [*kept.stored_path, said]
    assert path.head == said.id


async def test_standing_on_an_earlier_message_reads_nothing() -> None:
    kept = Kept(chain(6))
    path = kept.path()
    await path.checkout(kept.stored_path[3].id)
    assert list(path.messages) == kept.stored_path[2:4]
    assert kept.trees == 0
    assert await path.read_further()
    assert list(path.messages) == kept.stored_path[:4]
    assert not await path.read_further()


async def test_standing_on_another_branch_reads_the_end_of_it() -> None:
    trunk = chain(6)
    branch = chain(3, parent=trunk[1].id)
    kept = Kept(trunk, branch)
    path = kept.path()
    await path.checkout(branch[-1].id)
    assert list(path.messages) == [trunk[1], *branch]
    assert kept.trees == 1
    assert await path.read_further()
    assert list(path.messages) == [*trunk[:2], *branch]
    assert path.is_whole
    assert not await path.read_further()
    assert kept.trees == 2
    assert kept.read_ == []


async def test_standing_before_the_first_message() -> None:
    path = Kept(chain(6)).path()
    await path.checkout(None)
    assert list(path.messages) == []
    assert path.head is None
    assert path.is_whole


async def test_the_way_back_is_found_when_the_storage_stands_on_another_branch() -> None:
    trunk = chain(8)
    other = chain(2, parent=trunk[0].id)
    kept = Kept(trunk, other)
    path = kept.path()
    kept.stored_path = [trunk[0], *other]
    while await path.read_further():
        pass
    assert list(path.messages) == trunk
    assert path.is_whole


async def test_new_ids_are_taken_over() -> None:
    kept = Kept(chain(2))
    path = kept.path()
    first, second = kept.stored_path
    path.rename({first.id: "new"})
    assert [message.id for message in path.messages] == ["new", second.id]
    assert path.messages[1].parent == "new"

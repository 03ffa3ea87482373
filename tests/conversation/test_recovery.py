"""What was saved and is not in the store any more is noticed, and brought back when asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.conversation.engine import Engine
from agno_shell.conversation.watch import MessagesLost, Watch
from agno_shell.errors import UsageError
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.turn_events import events_of
from agno_shell.types import Message, new_id, now


class Lab(NamedTuple):
    engine: Engine
    watch: Watch
    storage: Storage
    file: Path

    async def ask(self, text: str) -> None:
        await events_of(self.engine.turn(text))

    def stored(self) -> list[str]:
        """What stands in the file, as the next shell reads it."""
        return [each.content for each in self.storage.messages(self.session_id)]

    @property
    def session_id(self) -> str:
        return self.engine.session.session_id

    @property
    def shown(self) -> list[str]:
        return [each.content for each in self.engine.history]


@pytest.fixture
async def lab(make_engine: Callable[..., Engine], tmp_path: Path) -> Lab:
    storage = open_storage(StorageOptions(str(tmp_path / "sessions")))
    engine = make_engine(storage)
    session = await engine.create("Test")
    made = Lab(
        engine,
        engine.watch,
        storage,
        tmp_path / "sessions" / session.session_id / "messages.json",
    )
    await made.ask("one")
    await made.ask("two")
    assert await made.watch.look() is None
    return made


ALL = ["one", "echo: one", "two", "echo: two"]


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def removed(file: Path) -> None:
    file.unlink()


def rolled_back(file: Path) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:3], lines[-1]]))


def replaced(file: Path) -> None:
    """By as many other messages."""
    others = [
        {"id": new_id(), "role": "user", "content": f"other {number}", "created_at": str(now())}
        for number in range(4)
    ]
    file.write_text(json.dumps(others))


def torn(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])


DAMAGES: dict[Callable[[Path], None], int] = {
    emptied: 4,
    removed: 4,
    rolled_back: 2,
    replaced: 4,
    torn: 3,
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
async def test_what_is_lost_is_noticed_once_and_brought_back(
    lab: Lab, damage: Callable[[Path], None]
) -> None:
    ids = [each.id for each in lab.engine.history]
    damage(lab.file)
    before = [each for each in lab.storage.tree(lab.session_id) if each.id not in ids]
    lost = await lab.watch.look()
    assert isinstance(lost, MessagesLost)
    assert lost.messages >= DAMAGES[damage] - 1
    assert await lab.watch.look() is None, "it is said once"
    assert lab.shown == ALL
    recovered = await lab.engine.recovery.recover()
    assert recovered == (lost.messages, None)
    assert lab.stored() == ALL
    assert [each.id for each in lab.storage.messages(lab.session_id)] == ids
    after = lab.storage.tree(lab.session_id)
    assert [each for each in after if each.id not in ids] == before, "what was there stays"
    assert await lab.watch.look() is None
    assert lab.engine.open_session.elsewhere in (0, len(before))
    with pytest.raises(UsageError, match="has everything"):
        await lab.engine.recovery.recover()


@pytest.mark.parametrize("damage", [emptied, removed, rolled_back])
async def test_what_is_lost_is_noticed_with_the_next_message_at_the_latest(
    lab: Lab, damage: Callable[[Path], None]
) -> None:
    damage(lab.file)
    await lab.ask("three")
    assert lab.engine.recovery.is_doubtful
    lost = await lab.watch.look()
    assert lost == MessagesLost(DAMAGES[damage])
    assert lab.shown == [*ALL, "three", "echo: three"]
    # The question that was saved without its forerunners is said once more behind them.
    await lab.engine.recovery.recover()
    assert lab.stored() == [*ALL, "three", "echo: three"]
    assert [each.id for each in lab.engine.history] == [
        each.id for each in lab.storage.messages(lab.session_id)
    ]
    await lab.ask("four")
    assert lab.stored() == [*ALL, "three", "echo: three", "four", "echo: four"]
    assert await lab.watch.look() is None


async def test_a_loss_that_was_seen_at_a_glance_is_told_afterwards(lab: Lab) -> None:
    rolled_back(lab.file)
    await lab.watch.glance()
    await lab.watch.glance()
    assert await lab.watch.look() == MessagesLost(2)


async def test_what_comes_back_by_itself_is_not_lost(lab: Lab) -> None:
    data = lab.file.read_bytes()
    removed(lab.file)
    assert await lab.watch.look() == MessagesLost(4)
    lab.file.write_bytes(data)
    assert await lab.watch.look() is None
    assert not lab.engine.recovery.lost
    emptied(lab.file)
    assert await lab.watch.look() == MessagesLost(4), "lost again, it is said again"


async def test_a_session_that_is_gone_is_made_again(lab: Lab) -> None:
    import shutil

    await lab.engine.store(lambda each: each.remember(lab.session_id, "a fact"))
    await lab.engine.refresh()
    shutil.rmtree(lab.file.parent)
    await lab.watch.look()
    await lab.ask("three")
    assert lab.engine.open_session.missing == "gone"
    recovered = await lab.engine.recovery.recover()
    assert recovered.messages == 6
    assert lab.engine.open_session.missing is None
    assert lab.engine.journal.unsaved == []
    assert lab.stored() == [*ALL, "three", "echo: three"]
    assert [each.text for each in lab.storage.memories(lab.session_id)] == ["a fact"]
    await lab.ask("four")
    assert lab.stored()[-1] == "echo: four"


async def test_nothing_is_asked_for_while_nothing_is_lost(
    make_engine: Callable[..., Engine],
) -> None:
    class Counting(MemoryStorage):
        def __init__(self) -> None:
            super().__init__()
            self.asked: list[int] = []

        def lacks(self, session_id: str, message_ids: Any) -> set[str]:
            self.asked.append(len(message_ids))
            return super().lacks(session_id, message_ids)

    storage = Counting()
    engine = make_engine(storage)
    session = await engine.create("Test")
    watch = engine.watch
    for number in range(20):
        storage.append(session.session_id, Message(new_id(), "user", f"{number}", now()))
    await engine.open(session.session_id)
    assert await watch.look() is None
    assert await watch.look() is None
    assert max(storage.asked) <= 3
    assert len(storage.asked) == 1

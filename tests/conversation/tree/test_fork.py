"""A session made of the beginning of another one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from agno_shell.conversation.engine import Engine
from agno_shell.conversation.tree import outline
from agno_shell.conversation.tree.fork import held, stored
from agno_shell.errors import StorageError, UsageError
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.turn_events import events_of
from agno_shell.types import (
    Attachment,
    Message,
    Session,
    ToolCall,
    Usage,
    new_id,
    now,
)


def chain(*messages: Message) -> list[Message]:
    linked: list[Message] = []
    for message in messages:
        linked.append(message._replace(parent=linked[-1].id if linked else None))
    return linked


def said(role: str, content: str, **fields: object) -> Message:
    return Message(new_id(), role, content, now(), **fields)  # type: ignore[arg-type]


async def test_everything_goes_with_a_fork(make_engine: Callable[..., Engine]) -> None:
    storage = MemoryStorage()
    session = storage.create("Bread", "how to bake", model="a-model", agent="poet")
    digest = storage.attach(session.session_id, b"flour")
    file = Attachment("list.txt", "text/plain", digest, 5)
    path = chain(
        said("user", "What is in it?", attachments=(file,)),
        said("assistant", "", tool_calls=(ToolCall("c1", "read", "{}"),), model="a-model"),
        said("tool", "flour", tool_call_id="c1"),
        said("assistant", "Flour.", usage=Usage(3, 2), provider_data={"p": {"reasoning": "hm"}}),
        said("user", "Thanks", status="complete", extra={"later": 1}),
        said("assistant", "Welc", status="interrupted"),
    )
    path += [said("summary", "in short", parent=path[-1].id, covers=path[3].id)]
    for message in path:
        storage.append(session.session_id, message)
    storage.remember(session.session_id, "The oven is small.")
    storage.update(
        session.session_id,
        pinned=(path[0].id, new_id()),
        reasoning="high",
        api_base="http://127.0.0.1:9/v1",
        tags=("kitchen",),
    )
    engine = make_engine(storage)
    await engine.open(session.session_id)
    before = (storage.open(session.session_id), storage.tree(session.session_id))
    made = await engine.moves.fork("Cake", None)

    copy = storage.messages(made.session_id)
    ids = dict(zip([each.id for each in path], [each.id for each in copy], strict=True))
    assert not set(ids) & set(ids.values())
    assert copy == [
        each._replace(
            id=ids[each.id],
            parent=ids.get(each.parent or ""),
            covers=ids.get(each.covers or ""),
        )
        for each in path
    ]
    assert storage.tree(made.session_id) == copy
    assert made.pinned == (copy[0].id,)
    kept = ("description", "model", "agent", "reasoning", "api_base", "tags")
    assert [getattr(made, key) for key in kept] == [getattr(before[0], key) for key in kept]
    assert (made.name, made.head, made.message_count) == ("Cake", None, 7)
    assert made.created_at >= before[0].updated_at
    assert [each.text for each in storage.memories(made.session_id)] == ["The oven is small."]
    assert storage.attachment(made.session_id, digest) == b"flour"
    assert (storage.open(session.session_id), storage.tree(session.session_id)) == before


async def test_a_fork_goes_up_to_a_message_of_any_branch(engine: Engine) -> None:
    moves = engine.moves
    for text in ("one", "two"):
        await events_of(engine.turn(text))
    second = engine.history[1]
    other = engine.history[2]
    await moves.undo(1)
    for message, expected in ((second, ["one", "echo: one"]), (other, ["one", "echo: one", "two"])):
        made = await moves.fork("Part", message.id)
        found = await engine.store(lambda s, made=made: s.messages(made.session_id))  # type: ignore[misc]
        assert [each.content for each in found] == expected
    assert [each.content for each in engine.history] == ["one", "echo: one"]


async def test_nothing_cannot_be_forked(engine: Engine) -> None:
    with pytest.raises(UsageError, match="nothing to fork"):
        await engine.moves.fork("Empty", None)
    with pytest.raises(UsageError, match="nothing to fork"):
        await engine.moves.fork("Empty", new_id())


async def test_what_is_not_saved_is_in_the_fork(
    make_engine: Callable[..., Engine],
) -> None:
    class Full(MemoryStorage):
        def append(self, session_id: str, message: Message) -> Session:
            raise StorageError("The disk is full.")

    storage = Full()
    engine = make_engine(storage)
    await engine.create("Test")
    await events_of(engine.turn("one"))
    made = await engine.moves.fork("Saved", None)
    assert [each.content for each in storage.messages(made.session_id)] == ["one", "echo: one"]


def test_what_a_summary_covers_is_on_its_path() -> None:
    path = chain(said("user", "one"), said("summary", "s", covers="gone"))
    messages = list(held(path))
    assert messages[1].covers is None
    assert messages[1].parent == messages[0].id


def long_session(storage: MemoryStorage, length: int) -> tuple[Session, list[Message]]:
    """A session with another branch in its middle."""
    session = storage.create("Long")
    path = chain(*(said("user", str(number)) for number in range(length)))
    for place, message in enumerate(path):
        storage.append(session.session_id, message)
        if place == length // 2:
            storage.append(session.session_id, said("user", "aside", parent=message.parent))
    return session, path


def test_copies_are_a_sequence_that_holds_a_part_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outline, "READ_TOGETHER", 3)
    storage = MemoryStorage()
    session, path = long_session(storage, 20)
    runs = outline.path_to(storage, session.session_id, path[-1].id)
    assert runs
    told: list[int] = []
    copies = stored(storage, session.session_id, runs, told.append)
    every = list(copies)
    assert [each.content for each in every] == [str(number) for number in range(20)]
    assert [each.parent for each in every] == [None, *(each.id for each in every[:-1])]
    assert not {each.id for each in every} & {each.id for each in path}
    assert len({each.id for each in every}) == len(copies) == 20
    assert told[-1] == 20
    assert len(told) > 6
    # Asked for again, each is the same.
    assert list(copies) == every
    assert [copies[at] for at in (0, 7, -1)] == [every[at] for at in (0, 7, -1)]
    assert copies[5:8] == every[5:8]
    with pytest.raises(IndexError):
        copies[20]


async def test_a_fork_that_is_stopped_leaves_nothing(
    make_engine: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outline, "READ_TOGETHER", 2)
    storage = MemoryStorage()
    session, _path = long_session(storage, 20)
    engine = make_engine(storage)
    await engine.open(session.session_id)
    loop, seen, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def told(done: int, count: int) -> None:
        assert (done, count) == (2, 20)
        loop.call_soon_threadsafe(seen.set)
        assert go_on.wait(10)

    task = asyncio.create_task(engine.moves.fork("Copy", None, told))
    await asyncio.wait_for(seen.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    assert [each.name for each in await engine.reader(lambda s: s.sessions())] == ["Long"]
    made = await engine.moves.fork("Copy", None)
    assert made.message_count == 20

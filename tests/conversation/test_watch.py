"""Two handles on one storage: ``conversation`` is ours, ``other`` another shell's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from agno_shell.conversation.engine import Engine
from agno_shell.conversation.reply import Reply
from agno_shell.conversation.reply_writer import ReplyWriter
from agno_shell.conversation.watch import SessionBack, SessionDeleted, Watch
from agno_shell.errors import StorageError
from agno_shell.events import (
    Finished,
    MessageSaved,
    NotSaved,
    RequestPrepared,
    TextDelta,
    TurnEvent,
)
from agno_shell.testing.memory_storage import MemoryStorage, MemoryStore
from agno_shell.testing.turn_events import events_of
from agno_shell.types import Message, Session, new_id, now


class Ours(MemoryStorage):
    """Counts how often more than the version is asked for."""

    opened = 0
    broken = False

    def version(self, session_id: str) -> object:
        if self.broken:
            raise StorageError("The disk is gone.")
        return super().open(session_id)

    def open(self, session_id: str) -> Session:
        self.opened += 1
        return super().open(session_id)


class Two(NamedTuple):
    engine: Engine
    watch: Watch
    ours: Ours
    other: MemoryStorage
    session_id: str

    def says(self, text: str, parent: str | None = None) -> Message:
        """The other shell saves a message, behind its newest one or ``parent``."""
        path = self.other.messages(self.session_id, last=1)
        parent = parent or (path[-1].id if path else None)
        message = Message(new_id(), "user", text, now(), parent=parent)
        self.other.append(self.session_id, message)
        return message

    async def ask(self, text: str) -> list[Any]:
        return await events_of(self.engine.turn(text))


@pytest.fixture
async def two(make_engine: Callable[..., Engine]) -> Two:
    store = MemoryStore()
    ours, other = Ours(store), MemoryStorage(store)
    engine = make_engine(ours)
    session = await engine.create("Shared")
    watch = engine.watch
    await watch.look()
    return Two(engine, watch, ours, other, session.session_id)


async def test_what_this_shell_does_itself_is_never_news(two: Two) -> None:
    for text in ("one", "two"):
        await two.ask(text)
        assert await two.watch.look() is None
    await two.engine.set_model("model-y")
    reply = Reply(two.engine.open_session.head, two.engine.current.choice)
    keeping = ReplyWriter(two.engine.store, two.session_id, reply, print, two.engine.journal.add)
    await keeping.take([TextDelta("so f")])
    assert await two.watch.look() is None
    assert two.engine.open_session.elsewhere == 0
    assert not two.watch.ahead


async def test_nothing_is_read_while_nothing_changes(two: Two) -> None:
    before = two.ours.opened
    for _look in range(5):
        assert await two.watch.look() is None
    assert two.ours.opened == before


async def test_messages_of_another_shell_are_counted(two: Two) -> None:
    await two.ask("one")
    two.says("theirs")
    two.says("theirs, too")
    assert await two.watch.look() is None
    assert two.engine.open_session.elsewhere == 2
    assert two.watch.ahead
    two.says("and more")
    await two.watch.look()
    assert two.engine.open_session.elsewhere == 3


async def test_a_message_between_two_of_ours_is_counted(two: Two) -> None:

    def watch(event: TurnEvent) -> None:
        if isinstance(event, RequestPrepared):
            two.says("in between")

    await events_of(two.engine.turn("question"), watch)
    assert two.engine.open_session.elsewhere == 1
    await two.watch.look()
    assert two.engine.open_session.elsewhere == 1
    assert not two.watch.ahead  # the newest message is ours


async def test_both_answering_the_same_message_makes_two_branches(
    two: Two, make_engine: Callable[..., Engine]
) -> None:
    await two.ask("start")
    other = make_engine(two.other)
    await other.open(two.session_id)
    await two.ask("ours")
    await events_of(other.turn("theirs"))
    await two.ask("ours again")
    tree = {message.id: message for message in two.other.tree(two.session_id)}
    assert len(tree) == 8
    ours = [message.content for message in two.other.messages(two.session_id)]
    assert ours == [
        "start",
        "echo: start",
        "ours",
        "echo: ours",
        "ours again",
        "echo: ours again",
    ]
    path = [message.content for message in other.history]
    assert path == ["start", "echo: start", "theirs", "echo: theirs"]
    assert all(tree[m.id].parent == m.parent for m in (*other.history, *two.engine.history))


async def test_opened_again_the_session_stands_where_the_other_shell_does(two: Two) -> None:
    await two.ask("start")
    theirs = two.says("theirs")
    await two.engine.open(two.session_id)
    await two.watch.look()
    assert two.engine.open_session.head == theirs.id
    assert two.engine.open_session.elsewhere == 0
    assert not two.watch.ahead


async def test_another_name_is_taken_and_another_model_is_not(two: Two) -> None:
    await two.engine.set_model("model-here")
    two.other.update(two.session_id, name="Renamed", model="model-there", agent="poet")
    assert await two.watch.look() is None
    session = two.engine.session
    assert (session.name, session.model, session.agent) == ("Renamed", "model-here", None)
    await two.engine.refresh()
    assert two.engine.session.model == "model-there"


async def test_a_storage_that_cannot_be_read_is_no_news(two: Two) -> None:
    two.ours.broken = True
    assert await two.watch.look() is None
    two.ours.broken = False
    two.says("theirs")
    await two.watch.look()
    assert two.engine.open_session.elsewhere == 1


async def test_a_deleted_session_is_news_once_and_what_is_said_is_kept(two: Two) -> None:
    await two.ask("before")
    trashed = two.other.delete(two.session_id)
    assert await two.watch.look() == SessionDeleted("trash")
    assert await two.watch.look() is None
    events = await two.ask("meanwhile")
    [question, reply] = [event for event in events if isinstance(event, NotSaved)]
    assert "in the trash" in question.reason
    assert f"/undelete {two.session_id[:8]} brings it back." in question.reason
    assert reply.message.content == "echo: meanwhile"
    assert len(two.engine.unsaved) == 2
    two.other.restore(trashed.trash_id)
    assert await two.watch.look() == SessionBack(None)
    assert await two.watch.look() is None
    assert two.engine.journal.unsaved == []
    said = [message.content for message in two.other.messages(two.session_id)]
    assert said == ["before", "echo: before", "meanwhile", "echo: meanwhile"]
    assert two.engine.open_session.elsewhere == 0


async def test_a_deletion_that_saving_has_found_is_told_there(two: Two) -> None:
    trashed = two.other.delete(two.session_id)
    await two.ask("meanwhile")
    assert await two.watch.look() is None
    two.other.restore(trashed.trash_id)
    # It looks as it did when this shell looked last.
    assert await two.watch.look() == SessionBack(None)
    assert two.other.open(two.session_id).message_count == 2


async def test_what_was_purged_is_gone(two: Two) -> None:
    trashed = two.other.delete(two.session_id)
    assert await two.watch.look() == SessionDeleted("trash")
    two.other.purge(trashed.trash_id)
    [*_events, last] = await two.ask("meanwhile")
    assert isinstance(last, NotSaved)
    assert "the trash does not have it" in last.reason


async def test_what_cannot_be_saved_in_a_restored_session_is_still_not_saved(two: Two) -> None:
    trashed = two.other.delete(two.session_id)
    await two.ask("meanwhile")
    two.other.restore(trashed.trash_id)

    def full(session_id: str, message: Message) -> Session:
        raise StorageError("The disk is full.")

    two.ours.append = full  # type: ignore[method-assign]
    news = await two.watch.look()
    assert isinstance(news, SessionBack)
    assert str(news.error) == "The disk is full."
    assert len(two.engine.journal.unsaved) == 2


async def test_a_message_that_a_failed_write_left_behind_is_no_other_shells(two: Two) -> None:
    def torn(session_id: str, message: Message) -> Session:
        MemoryStorage.append(two.ours, session_id, message)
        raise StorageError("It could not be put back.")

    two.ours.append = torn  # type: ignore[method-assign]
    await two.engine.journal.add(Message(new_id(), "user", "torn", now()))
    await two.watch.look()
    assert two.engine.open_session.elsewhere == 0


async def test_the_watch_follows_to_another_session(two: Two) -> None:
    second = await two.engine.create("Second")
    two.says("in the first")
    assert await two.watch.look() is None
    assert two.engine.open_session.elsewhere == 0
    two.other.append(second.session_id, Message(new_id(), "user", "in the second", now()))
    await two.watch.look()
    assert two.engine.open_session.elsewhere == 1


async def test_what_is_said_while_a_session_is_read_is_shown_and_no_news(two: Two) -> None:
    late = [Message(new_id(), "user", "late", now())]
    read = two.ours.open

    def slow(session_id: str) -> Session:
        session = read(session_id)
        if late:
            two.other.append(session_id, late.pop())
        return session

    two.ours.open = slow  # type: ignore[method-assign]
    await two.engine.open(two.session_id)
    assert [message.content for message in two.engine.history] == ["late"]
    assert two.engine.session.message_count == 1
    await two.ask("next")
    assert two.engine.open_session.elsewhere == 0


async def test_a_session_deleted_behind_the_question_is_answered_all_the_same(two: Two) -> None:
    for text in ("one", "two"):
        await two.ask(text)
    await two.engine.open(two.session_id)

    def watch(event: TurnEvent) -> None:
        if isinstance(event, MessageSaved) and event.message.role == "user":
            two.other.delete(two.session_id)

    first, *rest = await events_of(two.engine.turn("three"), watch)
    assert isinstance(first, MessageSaved)
    assert any(isinstance(event, Finished) for event in rest)
    assert isinstance(rest[-1], NotSaved)
    assert rest[-1].message.content == "echo: three"


async def test_unsaved_messages_stay_where_they_were_said(two: Two) -> None:
    await two.ask("begin")
    two.other.delete(two.session_id)
    await two.ask("unsaved")
    two.other.restore(two.other.trash()[0].trash_id)
    two.says("theirs")
    await two.engine.open(two.session_id)
    said = ["begin", "echo: begin", "unsaved", "echo: unsaved"]
    assert [message.content for message in two.engine.history] == said
    assert [message.content for message in two.other.messages(two.session_id)] == said
    assert two.engine.journal.unsaved == []
    second = await two.engine.create("Second")
    assert two.engine.session.session_id == second.session_id


async def test_unsaved_messages_stay_on_their_branch_when_the_head_has_moved(two: Two) -> None:
    await two.ask("begin")
    ours = two.ours.append

    def full(session_id: str, message: Message) -> Session:
        raise StorageError("The disk is full.")

    two.ours.append = full  # type: ignore[method-assign]
    root = two.engine.history[0].id
    await two.ask("unsaved")
    two.says("theirs", parent=root)
    await two.engine.open(two.session_id)
    said = ["begin", "echo: begin", "unsaved", "echo: unsaved"]
    assert [message.content for message in two.engine.history] == said
    two.ours.append = ours  # type: ignore[method-assign]
    await two.ask("more")
    assert [m.content for m in two.other.messages(two.session_id)] == [*said, "more", "echo: more"]


async def test_a_reply_whose_beginning_was_rescued_is_kept_whole_beside_it(two: Two) -> None:
    trashed = None

    def watch(event: TurnEvent) -> None:
        nonlocal trashed
        if isinstance(event, Finished):
            trashed = two.other.delete(two.session_id)

    await events_of(two.engine.turn("question"), watch)
    assert trashed is not None
    await two.ask("meanwhile")
    [reply, *_later] = two.engine.journal.unsaved
    two.other.restore(trashed.trash_id)
    # As a storage does with what it has kept of a reply when nobody writes it any more.
    beginning = reply._replace(content="ec", status="interrupted", usage=None, timing=None)
    two.other.append(two.session_id, beginning)
    assert await two.watch.look() == SessionBack(None)
    tree = two.other.tree(two.session_id)
    assert [message.content for message in tree].count("echo: question") == 1
    assert len({message.id for message in tree}) == len(tree) == 5
    path = two.other.messages(two.session_id)
    assert [message.content for message in path] == [
        "question",
        "echo: question",
        "meanwhile",
        "echo: meanwhile",
    ]
    assert list(two.engine.history) == path
    assert two.engine.open_session.elsewhere == 0
    assert not two.watch.ahead

"""Taking back, trying again and branching off, in one shell and beside another one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from agno_shell.conversation.engine import Engine
from agno_shell.conversation.path import FIRST_LOAD
from agno_shell.conversation.tree.moves import Moves
from agno_shell.conversation.turn import Turn
from agno_shell.errors import StorageError, UsageError
from agno_shell.events import Failed, Finished
from agno_shell.testing.memory_storage import MemoryStorage, MemoryStore
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.testing.turn_events import events_of
from agno_shell.types import ROOT, Message, Session, ToolCall, new_id, now

Make = Callable[..., Engine]


@pytest.fixture
def moves(engine: Engine) -> Moves:
    return engine.moves


async def finish(turn: Turn) -> Message:
    await events_of(turn)
    assert turn.reply
    return turn.reply


async def say(engine: Engine, *texts: str) -> None:
    for text in texts:
        await finish(engine.turn(text))


def texts(messages: Sequence[Message]) -> list[str]:
    return [message.content for message in messages]


def path(engine: Engine) -> list[str]:
    return texts(engine.history)


async def stored(engine: Engine) -> list[str]:
    """What another shell would find."""
    session_id = engine.session.session_id
    return texts(await engine.store(lambda storage: storage.messages(session_id)))


# Back and forth --------------------------------------------------------------------------


async def test_undo_steps_back_before_the_last_question(engine: Engine, moves: Moves) -> None:
    await say(engine, "one", "two")
    assert texts(await moves.undo(1)) == ["two"]
    assert path(engine) == ["one", "echo: one"] == await stored(engine)
    assert len(await engine.messages.tree()) == 4
    await say(engine, "three")
    assert path(engine) == ["one", "echo: one", "three", "echo: three"]
    assert engine.history[2].parent == engine.history[1].id


async def test_the_first_question_can_be_taken_back(engine: Engine, moves: Moves) -> None:
    await say(engine, "one", "two")
    assert texts(await moves.undo(9)) == ["two", "one"]
    assert path(engine) == [] == await stored(engine)
    assert engine.session.head == ROOT
    await say(engine, "uno")
    assert engine.history[0].parent is None
    assert path(engine) == ["uno", "echo: uno"] == await stored(engine)


async def test_a_turn_goes_with_everything_that_answers_it(engine: Engine, moves: Moves) -> None:
    await say(engine, "one", "two")
    for role, text in (("assistant", "asks"), ("tool", "told"), ("assistant", "and says")):
        await engine.journal.add(
            Message(new_id(), role, text, now(), parent=engine.open_session.head)  # type: ignore[arg-type]
        )
    await engine.journal.add(
        Message(
            new_id(),
            "summary",
            "in short",
            now(),
            engine.open_session.head,
            covers=engine.open_session.head,
        )
    )
    await moves.undo(1)
    assert path(engine) == ["one", "echo: one"]


async def test_nothing_to_take_back_or_to_bring_back_is_said(engine: Engine, moves: Moves) -> None:
    with pytest.raises(UsageError, match="nothing to take back"):
        await moves.undo(1)
    with pytest.raises(UsageError, match="nothing to bring back"):
        await moves.redo(1)
    await say(engine, "one")
    with pytest.raises(UsageError, match="nothing to bring back"):
        await moves.redo(1)


async def test_redo_goes_back_the_way_it_came(engine: Engine, moves: Moves) -> None:
    await say(engine, "one", "two", "three")
    whole = path(engine)
    # A newer branch than the one that is left now.
    question = engine.history[2]
    await finish(engine.turn_from(await moves.edit(question.id, "zwei")))
    newer = path(engine)
    await moves.go_to((await engine.messages.tree())[5].id)
    assert path(engine) == whole
    await moves.undo(1)
    await moves.undo(2)
    assert texts(await moves.redo(1)) == ["one"]
    assert texts(await moves.redo(9)) == ["two", "three"]
    assert path(engine) == whole == await stored(engine)
    assert newer[-1] == "echo: zwei"


async def test_what_is_said_ends_the_way_back(engine: Engine, moves: Moves) -> None:
    await say(engine, "one", "two")
    await moves.undo(1)
    await say(engine, "other")
    with pytest.raises(UsageError, match="nothing to bring back"):
        await moves.redo(1)
    await moves.undo(1)
    await moves.redo(1)
    assert path(engine)[-1] == "echo: other"


async def test_after_a_restart_the_newest_branch_comes_back(make_engine: Make) -> None:
    store = MemoryStore()
    before = make_engine(MemoryStorage(store))
    session = await before.create("Test")
    await say(before, "one", "two")
    await finish(before.turn_from(await before.moves.edit(before.history[2].id, "zwei")))
    await say(before, "drei")
    await before.moves.undo(9)
    after = make_engine(MemoryStorage(store))
    await after.open(session.session_id)
    assert path(after) == []
    again = after.moves
    assert texts(await again.redo(1)) == ["one"]
    assert texts(await again.redo(5)) == ["zwei", "drei"]
    assert path(after) == ["one", "echo: one", "zwei", "echo: zwei", "drei", "echo: drei"]


async def test_redo_leads_on_from_where_the_way_back_ends(make_engine: Make) -> None:
    store = MemoryStore()
    before = make_engine(MemoryStorage(store))
    session = await before.create("Test")
    await say(before, "one", "two", "three")
    await before.moves.undo(1)
    after = make_engine(MemoryStorage(store))
    await after.open(session.session_id)
    again = after.moves
    await again.undo(2)
    assert texts(await again.redo(3)) == ["one", "two", "three"]


async def test_another_session_has_another_way_back(engine: Engine, moves: Moves) -> None:
    first = engine.session
    await say(engine, "one")
    await moves.undo(1)
    await engine.create("Other")
    with pytest.raises(UsageError):
        await moves.redo(1)
    await engine.open(first.session_id)
    await moves.redo(1)
    assert path(engine) == ["one", "echo: one"]


async def test_more_is_read_where_the_turns_are_long_ago(make_engine: Make) -> None:
    storage = MemoryStorage()
    session = storage.create("Long")
    parent = None
    for number in range(3 * FIRST_LOAD):
        role = "assistant" if number % 2 else "user"
        message = Message(new_id(), role, str(number), now(), parent)  # type: ignore[arg-type]
        storage.append(session.session_id, message)
        parent = message.id
    engine = make_engine(storage)
    await engine.open(session.session_id)
    assert len(engine.history) == FIRST_LOAD
    moves = engine.moves
    assert len(await moves.undo(FIRST_LOAD)) == FIRST_LOAD
    assert engine.history[-1].content == str(FIRST_LOAD - 1)
    whole = await engine.messages.path()
    assert texts(whole) == [str(number) for number in range(FIRST_LOAD)]
    assert texts(await moves.undo(9 * FIRST_LOAD))[-1] == "0"
    assert await engine.messages.path() == []
    await moves.redo(9 * FIRST_LOAD)
    assert len(await engine.messages.path()) == 3 * FIRST_LOAD


class Counting(MemoryStorage):
    """Counts how often every message is read."""

    trees = 0

    def tree(self, session_id: str) -> list[Message]:
        self.trees += 1
        return super().tree(session_id)


async def test_a_step_back_and_forth_reads_only_the_end_of_the_path(
    make_engine: Make,
) -> None:
    storage = Counting()
    engine = make_engine(storage)
    await engine.create("Test")
    await say(engine, *map(str, range(FIRST_LOAD)))
    moves = engine.moves
    await moves.undo(3)
    await moves.redo(2)
    await moves.go_to((await engine.messages.tree())[-1].id)
    storage.trees = 0
    await moves.undo(1)
    await moves.redo(1)
    assert engine.history[-1].content == f"echo: {FIRST_LOAD - 1}"
    assert len(engine.history) == FIRST_LOAD
    assert storage.trees == 0


class Full(MemoryStorage):
    """A storage whose disk is full until it is freed."""

    full = False

    def append(self, session_id: str, message: Message) -> Session:
        if self.full:
            raise StorageError("The disk is full.", hint="Make room.")
        return super().append(session_id, message)


async def test_while_something_is_not_saved_the_conversation_stays(
    make_engine: Make,
) -> None:
    storage = Full()
    engine = make_engine(storage)
    await engine.create("Test")
    moves = engine.moves
    await say(engine, "one")
    storage.full = True
    await say(engine, "two")
    before = path(engine)
    for move in (moves.undo(1), moves.redo(1), moves.go_to(ROOT)):
        with pytest.raises(StorageError, match="2 messages are not saved yet") as caught:
            await move
        assert "stays where it is: The disk is full." in str(caught.value)
        assert caught.value.hint == "Make room."
    assert path(engine) == before
    storage.full = False
    assert texts(await moves.undo(1)) == ["two"]
    assert len(storage.tree(engine.session.session_id)) == 4


async def test_a_question_that_is_not_saved_can_be_asked_again(make_engine: Make) -> None:
    storage = Full()
    engine = make_engine(storage)
    await engine.create("Test")
    storage.full = True
    await say(engine, "one")
    await finish(engine.turn_from((await engine.moves.retry(None)).start))
    storage.full = False
    await say(engine, "two")
    assert len(storage.tree(engine.session.session_id)) == 5
    assert await stored(engine) == ["one", "echo: one", "two", "echo: two"]


# Beside another shell --------------------------------------------------------------------


async def test_two_shells_take_back_and_say_and_lose_nothing(make_engine: Make) -> None:
    store = MemoryStore()
    one, two = (make_engine(MemoryStorage(store)) for _shell in range(2))
    session = await one.create("Test")
    await say(one, "begin", "more")
    await two.open(session.session_id)
    back = one.moves
    await back.undo(1)
    await say(two, "from two")
    assert path(one) == ["begin", "echo: begin"]
    await say(one, "from one")
    assert path(one)[2:] == ["from one", "echo: from one"]
    assert path(two)[4:] == ["from two", "echo: from two"]
    tree = await one.messages.tree()
    assert len(tree) == 8
    assert len({message.id for message in tree}) == 8
    await back.undo(1)
    await back.redo(1)
    assert path(one)[2:] == ["from one", "echo: from one"]
    again = make_engine(MemoryStorage(store))
    await again.open(session.session_id)
    assert path(again) == path(one)
    # What one takes back is no news for the other, and what it says is.
    await two.watch.look()
    assert (one.open_session.elsewhere, two.open_session.elsewhere) == (2, 2)


# Once more -------------------------------------------------------------------------------


async def test_retry_puts_a_second_reply_beside_the_first(
    engine: Engine, moves: Moves, provider: ScriptedProvider
) -> None:
    await say(engine, "one", "two")
    provider.scripts.append(["better", Finished()])
    again = await moves.retry("model-b")
    assert again.message.content == "two"
    reply = await finish(engine.turn_from(again.start))
    assert (reply.content, reply.model) == ("better", "model-b")
    assert texts(provider.requests[-1].messages) == ["one", "echo: one", "two"]
    assert path(engine) == ["one", "echo: one", "two", "better"] == await stored(engine)
    assert len(await engine.messages.tree()) == 5
    await say(engine, "three")
    assert provider.requests[-1].model == "model-x"


async def test_retry_without_a_question_is_said(moves: Moves) -> None:
    with pytest.raises(UsageError, match="no question to answer"):
        await moves.retry(None)


async def test_a_retry_of_which_nothing_came_leaves_what_was_there(
    engine: Engine, moves: Moves, provider: ScriptedProvider
) -> None:
    await say(engine, "one")
    await moves.undo(1)
    await moves.redo(1)
    provider.scripts.append([Failed("server", "Broken.")])
    await finish(engine.turn_from((await moves.retry(None)).start))
    assert path(engine) == ["one", "echo: one"] == await stored(engine)
    # Nor is it what comes back after a restart.
    await moves.undo(1)
    await engine.moves.redo(1)
    assert path(engine) == ["one", "echo: one"]


async def test_an_edited_question_stands_beside_the_first(
    engine: Engine, moves: Moves, provider: ScriptedProvider
) -> None:
    await say(engine, "one", "two", "three")
    old = engine.history[2]
    await finish(engine.turn_from(await moves.edit(old.id, "zwei")))
    assert path(engine) == ["one", "echo: one", "zwei", "echo: zwei"]
    assert engine.history[2].parent == old.parent
    assert texts(provider.requests[-1].messages) == ["one", "echo: one", "zwei"]
    first = engine.history[0]
    await finish(engine.turn_from(await moves.edit(first.id, "uno")))
    assert path(engine) == ["uno", "echo: uno"] == await stored(engine)
    assert engine.history[0].parent is None


async def test_only_questions_can_be_edited_and_not_into_nothing(
    engine: Engine, moves: Moves
) -> None:
    await say(engine, "one")
    question, reply = engine.history
    for message_id in (reply.id, new_id()):
        with pytest.raises(UsageError, match="Only a question"):
            await moves.edit(message_id, "other")
    with pytest.raises(UsageError, match="cannot be empty"):
        await moves.edit(question.id, " \n")


# Going on --------------------------------------------------------------------------------


async def test_a_reply_that_was_cut_off_is_gone_on_with(
    engine: Engine, moves: Moves, provider: ScriptedProvider
) -> None:
    provider.scripts.append(["The first half", Failed("server", "Gone.")])
    await say(engine, "one")
    half = engine.history[-1]
    assert half.status == "incomplete"
    provider.scripts.append([" and the second.", Finished()])
    again = await moves.resume()
    assert again.message == half
    reply = await finish(engine.turn_from(again.start))
    assert (reply.parent, reply.status) == (half.id, "complete")
    assert path(engine) == ["one", "The first half", " and the second."]
    with pytest.raises(UsageError, match="The last reply is whole"):
        await moves.resume()


async def test_a_reply_of_which_nothing_came_is_asked_for_again(
    engine: Engine, moves: Moves, provider: ScriptedProvider
) -> None:
    provider.scripts.append([Failed("server", "Gone.")])
    await say(engine, "one")
    assert engine.history[-1].status == "failed"
    again = await moves.resume()
    assert again.message.content == "one"
    await finish(engine.turn_from(again.start))
    assert path(engine) == ["one", "echo: one"]


async def test_results_of_tools_are_gone_on_from(
    engine: Engine, moves: Moves, provider: ScriptedProvider
) -> None:
    provider.scripts.append([ToolCall("c1", "clock", "{}"), Finished("tool_calls")])
    provider.scripts.append([Failed("server", "Gone.")])
    await say(engine, "what time is it?")
    assert [each.role for each in engine.history] == [
        "user",
        "assistant",
        "tool",
        "assistant",
    ]
    tool = engine.history[2]
    provider.scripts.append(["Late.", Finished()])
    reply = await finish(engine.turn_from((await moves.resume()).start))
    assert reply.parent == tool.id


async def test_a_reply_that_a_crash_cut_off_is_gone_on_with(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    store = MemoryStore()
    handle = MemoryStorage(store)
    session = handle.create("Test")
    question = Message(new_id(), "user", "one", now())
    handle.append(session.session_id, question)
    half = Message(new_id(), "assistant", "The first", now(), parent=question.id)
    handle.save_partial(session.session_id, half)
    handle.close()
    after = make_engine(MemoryStorage(store))
    await after.open(session.session_id)
    provider.scripts.append([" and the rest.", Finished()])
    await finish(after.turn_from((await after.moves.resume()).start))
    assert path(after) == ["one", "The first", " and the rest."]
    assert [each.status for each in after.history] == ["complete", "interrupted", "complete"]


async def test_where_nothing_was_said_nothing_can_go_on(moves: Moves) -> None:
    with pytest.raises(UsageError, match="nothing has been said"):
        await moves.resume()


# Elsewhere -------------------------------------------------------------------------------


async def test_any_message_can_be_stood_on(engine: Engine, moves: Moves) -> None:
    await say(engine, "one", "two")
    left = engine.history[-1]
    await moves.undo(2)
    await say(engine, "uno")
    await moves.go_to(left.id)
    assert path(engine) == ["one", "echo: one", "two", "echo: two"]
    assert await stored(engine) == path(engine)
    await moves.go_to(ROOT)
    assert path(engine) == []
    with pytest.raises(StorageError):
        await moves.go_to(new_id())
    assert path(engine) == []


async def test_a_step_elsewhere_ends_the_way_back(engine: Engine, moves: Moves) -> None:
    await say(engine, "one")
    await moves.retry(None)
    await finish(engine.turn_from((await moves.retry(None)).start))
    older, newer = (await engine.messages.tree())[1:]
    await moves.go_to(older.id)
    await moves.undo(1)
    await moves.go_to(newer.id)
    await moves.go_to(ROOT)
    await moves.redo(1)
    assert engine.history[-1].id == newer.id

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from agno_shell.contracts import Command, CommandContext
from agno_shell.errors import StorageError
from agno_shell.events import Failed, Finished, ReasoningDelta, UsageReported
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.types import Message, Session, Usage, new_id, now

SitDown = Callable[..., Any]


async def test_a_message_is_answered_and_kept(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    storage = MemoryStorage()
    seat = await sit_down(storage)
    seat.type("Hello\r")
    await seat.sees("echo: Hello")
    await seat.leaves()
    (session,) = storage.sessions()
    assert [m.content for m in storage.messages(session.session_id)] == ["Hello", "echo: Hello"]
    assert "› Hello" in seat.terminal.text()


async def test_without_sessions_one_is_made_with_a_default_name(sit_down: SitDown) -> None:
    storage = MemoryStorage()
    seat = await sit_down(storage)
    await seat.leaves()
    (session,) = storage.sessions()
    assert session.name.startswith("Session 20")
    assert storage.current() == session.session_id


async def test_the_current_session_is_opened_with_its_last_exchanges(sit_down: SitDown) -> None:
    storage = MemoryStorage()
    seat = await sit_down(storage, new="First")
    seat.type("remember the milk\r")
    await seat.sees("echo: remember the milk")
    await seat.leaves()
    again = await sit_down(storage)
    await again.sees("First")
    await again.sees("› remember the milk")
    await again.sees("echo: remember the milk")


async def test_the_words_that_leave(sit_down: SitDown) -> None:
    for word in ("exit", "quit", "/exit", "/quit"):
        seat = await sit_down()
        seat.type(f"{word}\r")
        await asyncio.wait_for(seat.task, 20)


async def test_control_c_stops_the_reply_keeps_it_and_stays(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    storage = MemoryStorage()
    provider.scripts.append(["a first line\nhalf a sec", asyncio.Event(), "ond", Finished()])
    seat = await sit_down(storage)
    seat.type("Go\r")
    await seat.sees("half a sec")
    seat.type("\x03")
    await seat.sees("stopped")
    seat.type("Still here?\r")
    await seat.sees("echo: Still here?")
    (session,) = storage.sessions()
    reply = storage.messages(session.session_id)[1]
    assert (reply.content, reply.status) == ("a first line\nhalf a sec", "interrupted")


async def test_control_c_clears_the_line_and_up_brings_it_back(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    seat = await sit_down()
    seat.type("a long draft")
    await seat.sees("› a long draft")
    seat.type("\x03")
    await seat.sees_not("a long draft")
    # The history is read again off the loop.
    await seat.until(lambda: len(seat.shell.frontend.buffer._working_lines) > 1)
    seat.type("\x1b[A")
    await seat.sees("› a long draft")
    assert provider.requests == []


async def test_what_is_typed_while_a_reply_streams_waits_its_turn(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    gate = asyncio.Event()
    provider.scripts.append(["slow", gate, " answer", Finished()])
    seat = await sit_down()
    seat.type("one\r")
    await seat.sees("slow")
    seat.type("two\rthr")
    await seat.sees("1 waiting")
    await seat.sees("› thr")
    assert len(provider.requests) == 1
    gate.set()
    await seat.sees("echo: two")
    seat.type("ee\r")
    await seat.sees("echo: three")


async def test_control_c_gives_waiting_messages_back(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    provider.scripts.append(["slow", asyncio.Event(), Finished()])
    seat = await sit_down()
    seat.type("one\r")
    await seat.sees("slow")
    seat.type("two\rthree\r")
    await seat.sees("2 waiting")
    seat.type("\x03")
    await seat.until(lambda: seat.shell.frontend.buffer.text == "two\nthree")
    assert len(provider.requests) == 1


async def test_control_d_while_a_reply_streams_keeps_it(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    storage = MemoryStorage()
    provider.scripts.append(["so far", asyncio.Event(), Finished()])
    seat = await sit_down(storage)
    seat.type("Go\r")
    await seat.sees("so far")
    await seat.leaves()
    (session,) = storage.sessions()
    reply = storage.messages(session.session_id)[1]
    assert (reply.content, reply.status) == ("so far", "interrupted")


async def test_an_unknown_command_names_the_nearest_and_is_never_sent(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    seat = await sit_down()
    seat.type("/sesions\r")
    await seat.sees("There is no command /sesions. Did you mean /sessions?")
    assert provider.requests == []


async def test_an_empty_message_is_not_sent(sit_down: SitDown, provider: ScriptedProvider) -> None:
    seat = await sit_down()
    seat.type("  \r\r")
    seat.type("real\r")
    await seat.sees("echo: real")
    assert len(provider.requests) == 1


async def test_a_failure_is_one_line_and_the_next_message_works(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    provider.scripts.append([Failed("unreachable", "Nobody answers at 127.0.0.1:9.", "Start it.")])
    seat = await sit_down()
    seat.type("Hi\r")
    await seat.sees("Nobody answers at 127.0.0.1:9. Start it.")
    provider.scripts.append(["by now", Finished()])
    seat.type("Again\r")
    await seat.sees("by now")
    assert provider.requests[-1].messages[-1].content == "Hi\n\nAgain"


async def test_a_refused_question_is_said_not_to_be_sent_again(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    provider.scripts.append([Failed("refused", "The filter does not let it through.")])
    seat = await sit_down()
    seat.type("Hi\r")
    await seat.sees("It is not sent again by itself;")
    seat.type("/context\r")
    await seat.sees("Not sent: 1 message that was refused")
    seat.type("Again\r")
    await seat.sees("echo: Again")
    seat.type("/undo\r")
    await seat.sees("Taken back")
    seat.type("/retry\r")
    await seat.sees("echo: Hi")


async def test_nothing_a_model_says_acts_on_the_terminal(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    provider.scripts.append(["\x1b[2Jgone? \x1b]0;title\x07 \r\n\x9b31m", Finished()])
    seat = await sit_down()
    seat.type("Hi\r")
    await seat.sees("␛[2Jgone? ␛]0;title␇")
    await seat.sees("Welcome.")
    await seat.sees("‹U+009B›31m")
    assert "\x1b]0;" not in seat.terminal.getvalue()


async def test_metrics_and_trace_follow_the_reply(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    seat = await sit_down()
    seat.type("/metrics on\r/trace on\r")
    await seat.until(lambda: seat.shell.status.flags == {"trace": True, "metrics": True})
    provider.scripts.append(["two words", UsageReported(Usage(5, 2, cost=0.5)), Finished()])
    seat.type("How much?\r")
    await seat.sees("5 tokens in · 2 out")
    await seat.sees("$0.5000")
    await seat.sees("├─ request")
    await seat.sees("model-x: 1 message, ")
    await seat.sees("│  └─ finish       stop")
    await seat.leaves()
    await seat.sees("This run: 1 reply · 5 tokens in · 2 out")


async def test_reasoning_is_live_only(sit_down: SitDown, provider: ScriptedProvider) -> None:
    gate = asyncio.Event()
    provider.scripts.append([ReasoningDelta("let me think"), gate, "Done.", Finished()])
    seat = await sit_down()
    seat.type("Why?\r")
    await seat.sees("let me think")
    gate.set()
    await seat.sees("Done.")
    await seat.sees_not("let me think")


async def test_a_command_that_has_a_bug_is_named(
    sit_down: SitDown, provider: ScriptedProvider, monkeypatch: Any
) -> None:
    seat = await sit_down()

    def broken(context: Any, arguments: str) -> None:
        raise ZeroDivisionError("oops")

    commands = seat.shell.engine.plugins.commands
    commands._items["info"] = commands.get("info")._replace(run=broken)
    seat.type("/info\r")
    await seat.sees("/info failed: ZeroDivisionError: oops")
    seat.type("on\r")
    await seat.sees("echo: on")


async def test_control_c_ends_a_command_that_hangs(sit_down: SitDown) -> None:
    seat = await sit_down()

    async def hang(context: Any, arguments: str) -> None:
        await asyncio.Event().wait()

    commands = seat.shell.engine.plugins.commands
    commands._items["info"] = commands.get("info")._replace(run=hang)
    seat.type("/info\r")
    await seat.until(lambda: seat.shell.work._stop is not None)
    seat.type("\x03")
    await seat.sees("(stopped)")
    seat.type("on\r")
    await seat.sees("echo: on")


class Full(MemoryStorage):
    """A storage whose disk is full until it is freed."""

    full = False

    def append(self, session_id: str, message: Message) -> Session:
        if self.full:
            raise StorageError("The disk is full.")
        return super().append(session_id, message)


async def test_what_was_not_saved_survives_a_switch_and_is_saved_at_the_end(
    sit_down: SitDown,
) -> None:
    storage = Full()
    first, second = storage.create("First"), storage.create("Second")
    storage.set_current(first.session_id)
    seat = await sit_down(storage)
    storage.full = True
    seat.type("precious\r")
    await seat.sees("echo: precious")
    await seat.sees("The message was not saved: The disk is full.")
    seat.type("/switch Second\r")
    await seat.until(lambda: seat.shell.engine.session.session_id == second.session_id)
    storage.full = False
    await seat.leaves()
    assert storage.messages(second.session_id) == []
    kept = [message.content for message in storage.messages(first.session_id)]
    assert kept == ["precious", "echo: precious"]


async def test_who_leaves_is_told_which_other_session_has_what_is_not_saved(
    sit_down: SitDown,
) -> None:
    storage = Full()
    first = storage.create("First")
    storage.create("Second")
    storage.set_current(first.session_id)
    seat = await sit_down(storage)
    storage.full = True
    seat.type("precious\r")
    await seat.sees("The reply was not saved either.")
    seat.type("/switch Second\r")
    await seat.sees("Second (")
    seat.type("\x04")
    await seat.sees(f"/switch {first.session_id[:8]} opens a session that has some.")
    await seat.sees("2 messages are not in the store. Leave anyway?")


class Unreadable(MemoryStorage):
    def open(self, session_id: str) -> Session:
        session = super().open(session_id)
        if session.name == "Broken":
            raise StorageError("Its messages.json is a folder.")
        return session


async def test_a_session_that_cannot_be_read_does_not_keep_one_from_the_others(
    sit_down: SitDown,
) -> None:
    storage = Unreadable()
    storage.set_current(storage.create("Broken").session_id)
    seat = await sit_down(storage)
    await seat.reads("Its messages.json is a folder.")
    await seat.sees("no messages yet")
    seat.type("Hello\r")
    await seat.sees("echo: Hello")


async def test_clear_leaves_nothing_behind(sit_down: SitDown) -> None:
    seat = await sit_down()
    seat.type("hello\r")
    await seat.sees("echo: hello")
    seat.type("/clear\r")
    await seat.until(lambda: "echo: hello" not in "".join(seat.terminal.screen.display))
    assert not any("/clear" in line for line in seat.terminal.screen.display)


async def in_trouble(sit_down: SitDown) -> Any:
    """A seat at a shell in which one exchange could not be saved."""
    storage = Full()
    seat = await sit_down(storage)
    storage.full = True
    seat.type("precious\r")
    await seat.sees("The reply was not saved either.")
    await seat.until(lambda: not seat.shell.frontend.busy)
    return seat


async def test_who_leaves_with_unsaved_messages_is_asked_once_and_may_stay(
    sit_down: SitDown,
) -> None:
    seat = await in_trouble(sit_down)
    seat.type("\x04")
    await seat.sees("2 messages are not in the store. Leave anyway? [y/N]")
    await seat.sees("/save PATH writes the open conversation to a file.")
    seat.type("\r")
    seat.type("still here\r")
    await seat.sees("echo: still here")
    await seat.until(lambda: not seat.shell.frontend.busy)
    seat.type("/exit\r")
    await seat.sees("4 messages are not in the store. Leave anyway? [y/N]")
    seat.type("y\r")
    assert await asyncio.wait_for(seat.task, 20) == 0
    await seat.sees("4 messages are not in the store; copy what you need from the screen.")


async def test_control_d_twice_leaves_whatever_is_not_saved(sit_down: SitDown) -> None:
    seat = await in_trouble(sit_down)
    seat.type("\x04\x04")
    assert await asyncio.wait_for(seat.task, 20) == 0


async def test_the_word_exit_twice_leaves_whatever_is_not_saved(sit_down: SitDown) -> None:
    seat = await in_trouble(sit_down)
    seat.type("exit\r")
    await seat.sees("Leave anyway?")
    seat.type("n\r")
    seat.type("exit\r")
    assert await asyncio.wait_for(seat.task, 20) == 0


async def test_a_signal_is_not_asked_back(sit_down: SitDown) -> None:
    seat = await in_trouble(sit_down)
    seat.shell.leaving.must(15)
    assert await asyncio.wait_for(seat.task, 20) == 128 + 15
    assert "Leave anyway" not in seat.terminal.text()


async def test_a_signal_ends_the_question_whether_to_leave(sit_down: SitDown) -> None:
    seat = await in_trouble(sit_down)
    seat.type("\x04")
    await seat.sees("Leave anyway?")
    seat.shell.leaving.must(1)
    assert await asyncio.wait_for(seat.task, 20) == 128 + 1


async def test_a_terminal_that_went_away_is_not_asked(sit_down: SitDown) -> None:
    seat = await in_trouble(sit_down)
    seat.keyboard.close()
    assert await asyncio.wait_for(seat.task, 20) == 0


async def test_who_can_be_saved_at_the_last_moment_is_not_asked(sit_down: SitDown) -> None:
    seat = await in_trouble(sit_down)
    seat.shell.engine.store._storage.full = False
    await seat.leaves()
    assert "Leave anyway" not in seat.terminal.text()
    await seat.sees("Everything that was said is saved now.")


def conversation_in(storage: MemoryStorage, session_id: str, number: int) -> list[Message]:
    made: list[Message] = []
    for index in range(number):
        role = "user" if index % 2 == 0 else "assistant"
        parent = made[-1].id if made else None
        made.append(Message(new_id(), role, f"said {index:03}", now(), parent=parent))  # type: ignore[arg-type]
        storage.append(session_id, made[-1])
    return made


async def test_a_session_opens_at_a_message_and_goes_on_at_its_end(sit_down: SitDown) -> None:
    storage = MemoryStorage()
    long = storage.create("Long").session_id
    made = conversation_in(storage, long, 300)
    seat = await sit_down(storage, new="Here")
    await seat.shell.engine.switch(long, made[20].id)
    await seat.sees("… 277 messages follow.")
    shown = seat.terminal.text()
    assert [f"said {n:03}" in shown for n in (17, 18, 19, 20, 21, 22, 23)] == [
        False,
        *[True] * 5,
        False,
    ]
    before, _mark, after = shown.partition("▸ This is the message:")
    assert "said 019" in before
    assert after.lstrip().startswith("› said 020")
    assert storage.open(long).head is None
    seat.type("on\r")
    await seat.sees("echo: on")
    await seat.until(lambda: not seat.shell.frontend.busy)
    assert storage.messages(long)[-2].parent == made[-1].id


async def test_a_session_opens_at_a_message_of_its_end_or_of_another_branch(
    sit_down: SitDown,
) -> None:
    storage = MemoryStorage()
    session_id = storage.create("Short").session_id
    made = conversation_in(storage, session_id, 4)
    other = Message(new_id(), "user", "said aside", now(), parent=made[1].id)
    storage.append(session_id, other)
    seat = await sit_down(storage, new="Here")
    context = seat.shell.context
    await context.engine.switch(session_id, other.id)
    await seat.sees("› said aside")
    assert "follow" not in seat.terminal.text()
    await context.engine.switch(session_id, made[3].id)
    await seat.sees("This is on another branch.")
    assert "said 003" in seat.terminal.text()
    await context.engine.switch(session_id, new_id())
    await seat.sees("That message is not in the session any more.")


async def test_what_was_healed_is_told_with_the_whole_path(sit_down: SitDown) -> None:
    seat = await sit_down()
    copy = "/home/" + "a-folder-with-a-long-name/" * 30 + "messages.json.before-20260101T000000Z"
    seat.shell.engine.plugins.report(f"A file was damaged. It is kept as {copy}.")
    await seat.until(lambda: f"{copy}." in seat.terminal.text().replace("\n", ""))


async def test_the_watch_ends_with_the_shell(sit_down: SitDown) -> None:
    def running() -> set[str]:
        return {task.get_coro().__qualname__ for task in asyncio.all_tasks()}  # type: ignore[union-attr]

    seat = await sit_down()
    assert "SessionMonitor.run" in running()
    await seat.leaves()
    assert "SessionMonitor.run" not in running()


async def test_a_command_asks_for_a_line_and_the_draft_comes_back(
    sit_down: SitDown, register: Any, provider: ScriptedProvider
) -> None:
    async def name(context: CommandContext, _text: str) -> None:
        context.ui.print(f"named {await context.ui.ask('Which name?')!r}")

    register("namer", register_commands=lambda: [Command("name", "Asks.", name)])
    seat = await sit_down()
    seat.type("/name\ra draft")
    await seat.sees("Which name?")
    seat.type("yes, 2026\r")
    await seat.sees("named 'yes, 2026'")
    await seat.sees("› a draft")
    assert provider.requests == [], "an answer is no message"
    seat.type("\x15/name\r")
    await seat.until(lambda: seat.terminal.text().count("Which name?") == 1)
    seat.type("\x03")
    await seat.sees("named ''")

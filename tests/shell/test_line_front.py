from __future__ import annotations

import asyncio
import io
import queue
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from prompt_toolkit.completion import DummyCompleter

from agno_shell.config import Config
from agno_shell.contracts import Tool, ToolBox, ToolFactory
from agno_shell.conversation.conversation import Conversation
from agno_shell.errors import UsageError
from agno_shell.events import Finished
from agno_shell.shell.front import Option
from agno_shell.shell.line_front import READ_AHEAD, LineFront
from agno_shell.shell.lookout import Lookout
from agno_shell.shell.loop import Shell
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.types import ToolCall, ToolSchema


@pytest.fixture
def run(make_conversation: Callable[..., Conversation]) -> Any:
    """Runs a shell on the given bytes; returns what it printed."""

    async def run_shell(
        typed: bytes,
        *,
        ask: bool = False,
        storage: MemoryStorage | None = None,
        boxes: Sequence[ToolFactory] = (),
    ) -> str:
        sink = io.StringIO()
        conversation = make_conversation(storage, boxes=boxes)
        front = LineFront(io.BytesIO(typed), sink, ask=ask)
        renderer = conversation.plugins.renderers.get("plain").open(None)  # type: ignore[arg-type]
        shell = Shell(
            conversation,
            front,
            renderer,
            Config(),
            remember=lambda _values: None,
            greeting="Welcome.",
        )
        await asyncio.wait_for(shell.run(new="Test"), 10)
        return sink.getvalue()

    return run_shell


async def test_each_line_is_a_message(run: Any, provider: ScriptedProvider) -> None:
    storage = MemoryStorage()
    printed = await run(b"one\r\n\ntwo", storage=storage)
    assert "echo: one" in printed
    assert "echo: two" in printed
    (session,) = storage.sessions()
    assert session.message_count == 4


async def test_commands_work_and_leave(run: Any, provider: ScriptedProvider) -> None:
    printed = await run(b"/info\n/exit\nnever sent\n")
    assert "Test" in printed
    assert provider.requests == []


async def test_nothing_is_coloured_and_nothing_foreign_acts(
    run: Any, provider: ScriptedProvider
) -> None:
    provider.scripts.append(["**bold** \x1b[31m", Finished()])
    printed = await run(b"hi\n")
    assert "**bold** ␛[31m" in printed
    assert "\x1b" not in printed


async def test_binary_lines_are_refused_in_one_sentence(
    run: Any, provider: ScriptedProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = await run(b"\x7fELF\x00\x01\n\xff\xfe\xfa\ntext\n")
    assert "echo: text" in printed
    assert len(provider.requests) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "binary" in said[0]
    assert "not UTF-8 (byte 1)" in said[1]


async def test_a_person_at_a_plain_terminal_gets_a_prompt_and_is_asked(run: Any) -> None:
    storage = MemoryStorage()
    storage.create("Doomed")
    printed = await run(b"/delete Doomed\ny\n", ask=True, storage=storage)
    assert printed.count("> ") >= 2
    assert "[y/N]" in printed
    assert [session.name for session in storage.sessions()] == ["Test"]


async def test_a_question_at_the_end_of_the_input_is_answered_with_no(run: Any) -> None:
    storage = MemoryStorage()
    storage.create("Doomed")
    await run(b"/delete Doomed\n", storage=storage)
    assert len(storage.sessions()) == 2


async def test_an_interrupt_stops_the_reply(
    make_conversation: Callable[..., Conversation], provider: ScriptedProvider
) -> None:
    front = LineFront(io.BytesIO(b""), io.StringIO(), ask=False)
    stopped: list[bool] = []
    await front.start(
        interrupted=lambda: stopped.append(True),
        queue_changed=lambda: None,
        completer=DummyCompleter(),
    )
    front._interrupt()
    assert stopped == [True]


async def test_leaving_does_not_wait_for_what_was_read_ahead() -> None:
    front = LineFront(io.BytesIO(b"line\n" * 1000), io.StringIO(), ask=False)
    await front.start(
        interrupted=lambda: None, queue_changed=lambda: None, completer=DummyCompleter()
    )
    assert await front.read() == "line"
    front.leave()
    assert await front.read() is None


async def test_an_endless_input_does_not_fill_the_memory() -> None:
    class Endless(io.RawIOBase):
        lines = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            self.lines += 1
            return b"line\n"

    source = Endless()
    front = LineFront(source, io.StringIO(), ask=False)  # type: ignore[arg-type]
    await front.start(
        interrupted=lambda: None, queue_changed=lambda: None, completer=DummyCompleter()
    )
    for _line in range(10):
        assert await front.read() == "line"
    assert source.lines <= 10 + READ_AHEAD + 1
    front.leave()


async def test_a_line_that_is_too_long_is_refused_whole(
    run: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agno_shell.shell.line_front.LONGEST_LINE", 100)
    printed = await run(b"x" * 250 + b"\nshort\n")
    assert "echo: short" in printed
    assert "xxx" not in printed
    assert "was not sent" in capsys.readouterr().err


async def test_an_input_that_cannot_be_read_is_its_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Broken(io.RawIOBase):
        def readline(self, size: int | None = -1, /) -> bytes:
            raise OSError(9, "Bad file descriptor")

    front = LineFront(Broken(), io.StringIO(), ask=False)  # type: ignore[arg-type]
    await front.start(
        interrupted=lambda: None, queue_changed=lambda: None, completer=DummyCompleter()
    )
    assert await front.read() is None
    assert "Bad file descriptor" in capsys.readouterr().err


async def test_a_question_is_cleaned_and_what_is_no_answer_is_read_again() -> None:
    sink = io.StringIO()
    front = LineFront(io.BytesIO(b"/sessions\n"), sink, ask=True)
    await front.start(
        interrupted=lambda: None, queue_changed=lambda: None, completer=DummyCompleter()
    )
    assert await front.confirm("Delete \x1b[31m?") is False
    assert "\x1b" not in sink.getvalue()
    assert await front.read() == "/sessions"
    assert await front.confirm("Again?") is False
    assert await front.confirm("And again?") is False
    assert await front.read() is None


async def front_on(typed: bytes, *, ask: bool = True) -> tuple[LineFront, io.StringIO]:
    sink = io.StringIO()
    front = LineFront(io.BytesIO(typed), sink, ask=ask)
    await front.start(
        interrupted=lambda: None, queue_changed=lambda: None, completer=DummyCompleter()
    )
    return front, sink


OPTIONS = [(("", f"option {number}"), ("bold", "\x1b[2J")) for number in range(12)]


@pytest.mark.parametrize(
    ("typed", "picked"),
    [(b"1\n", 0), (b" 12 \n", 11), (b"\n", None), (b"", None), (b"\xd9\xa3\n", None)],
)
async def test_a_line_is_chosen_by_its_number(typed: bytes, picked: int | None) -> None:
    front, sink = await front_on(typed)
    assert await front.choose(OPTIONS) == picked
    assert " 1  option 0␛[2J\n" in sink.getvalue()
    assert "12  option 11␛[2J\n" in sink.getvalue()
    assert sink.getvalue().endswith("Number, or Enter for none: ")


@pytest.mark.parametrize("typed", ["a message", "13", "0", "-1", "9" * 5000])
async def test_what_is_no_number_of_the_list_is_read_again(typed: str) -> None:
    front, _sink = await front_on(typed.encode() + b"\n")
    assert await front.choose(OPTIONS) is None
    assert await front.read() == typed


@pytest.mark.parametrize("ask", [True, False])
async def test_the_session_is_watched_for_a_person_and_not_for_a_pipe(
    run: Any, ask: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched: list[bool] = []

    async def watch(_self: Lookout) -> None:
        watched.append(True)

    monkeypatch.setattr(Lookout, "run", watch)
    await run(b"one\n", ask=ask)
    assert watched == [True] * ask


async def test_nobody_is_asked_to_choose_in_a_pipe() -> None:
    front, sink = await front_on(b"1\n", ask=False)
    assert not front.has_person
    assert await front.choose(OPTIONS) is None
    assert sink.getvalue() == ""
    assert await front.read() == "1"


async def test_there_is_no_person_behind_the_end_of_the_input() -> None:
    front, _sink = await front_on(b"")
    assert front.has_person
    assert await front.read() is None
    assert not front.has_person
    # Whoever asks all the same is not left waiting.
    assert await front.confirm("Sure?") is False
    assert await front.choose(OPTIONS) is None


async def test_what_is_printed_while_the_prompt_waits_stands_on_lines_of_its_own() -> None:
    front, sink = await front_on(b"")
    front._prompt("> ")
    front._waiting = True
    front.print_lines([(("", "news"),), ()])
    assert sink.getvalue() == "> \nnews\n> "


class Typist(io.RawIOBase):
    """An input whose lines a test gives one by one; it blocks until there is one."""

    def __init__(self) -> None:
        self._lines: queue.Queue[bytes] = queue.Queue()

    def type(self, line: bytes) -> None:
        self._lines.put(line)

    def readline(self, _size: int | None = -1) -> bytes:
        return self._lines.get()


ANSWERS = (Option("y", "Yes"), Option("n", "No"))


@pytest.fixture
async def at_a_dumb_terminal() -> Any:
    """A started front, what it prints, and the person in front of it."""
    typist, sink = Typist(), io.StringIO()
    front = LineFront(typist, sink, ask=True)  # type: ignore[arg-type]
    await front.start(interrupted=list, queue_changed=list, completer=DummyCompleter())  # type: ignore[arg-type]
    yield front, sink, typist
    typist.type(b"")
    await front.stop()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("line", "answer"), [(b"y\n", 0), (b"N\n", 1), (b"\n", 1), (b"", None), (b"\xff\n", None)]
)
async def test_a_choice_is_a_letter(at_a_dumb_terminal: Any, line: bytes, answer: int) -> None:
    front, sink, typist = at_a_dumb_terminal
    asked = asyncio.create_task(front.ask_choice(ANSWERS, default=1))
    await until(lambda: "A letter, or Enter for n: " in sink.getvalue())
    assert "y  Yes\nn  No\n" in sink.getvalue()
    typist.type(line)
    assert await asyncio.wait_for(asked, 5) == answer


async def test_lines_typed_before_a_choice_are_read_after_it(at_a_dumb_terminal: Any) -> None:
    front, sink, typist = at_a_dumb_terminal
    typist.type(b"y\n")
    typist.type(b"second\n")
    await until(lambda: front._lines.qsize() == 2)
    asked = asyncio.create_task(front.ask_choice(ANSWERS, default=1))
    await until(lambda: "A letter" in sink.getvalue())
    typist.type(b"words\n")
    assert await asyncio.wait_for(asked, 5) is None
    assert [await front.read() for _line in range(3)] == ["y", "second", "words"]


async def test_an_input_that_has_ended_answers_nothing(at_a_dumb_terminal: Any) -> None:
    front, _sink, typist = at_a_dumb_terminal
    typist.type(b"said\n")
    typist.type(b"")
    await until(lambda: front._lines.qsize() == 2)
    assert await asyncio.wait_for(front.ask_choice(ANSWERS, default=0), 5) is None
    assert await front.read() == "said"
    assert await front.read() is None
    assert not front.has_person


async def test_in_a_pipe_nobody_is_asked_and_no_tool_runs(
    run: Any, provider: ScriptedProvider
) -> None:
    called = []

    class Box(ToolBox):
        async def tools(self) -> Any:
            async def work(arguments: Any) -> str:
                called.append(arguments)
                return "done"

            return [Tool(ToolSchema("write", "", {"type": "object"}), work)]

    call = ToolCall("c", "write", '{"x": 1}')
    provider.scripts.extend([[call, Finished("tool_calls")], ["I see.", Finished()]])
    boxes = [ToolFactory("box", "", lambda _options: Box())]
    printed = await run(b"go\ny\n", boxes=boxes)
    assert '▷ write {"x": 1}' in printed
    assert "(Nobody is here to be asked whether write may run; it was not run.)" in printed
    assert "failed" in printed
    assert "I see." in printed
    assert called == []
    assert provider.requests[2].messages[-1].content == "y"


async def test_what_is_piped_in_names_no_files(
    run: Any, provider: ScriptedProvider, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_text("s")
    for ask in (False, True):
        storage = MemoryStorage()
        await run(b"read @secret\n", ask=ask, storage=storage)
        [session] = storage.sessions()
        question = storage.messages(session.session_id)[0]
        assert [each.name for each in question.attachments] == ["secret"] * ask


async def test_there_is_no_editor_and_no_clipboard_and_what_would_fill_the_input_is_shown(
    at_a_dumb_terminal: Any,
) -> None:
    front, sink, _typist = at_a_dumb_terminal
    with pytest.raises(UsageError, match="An editor cannot be shown here"):
        await front.edit("text")
    assert front.copy("text") is False
    front.fill("change\nme\x1b")
    assert "change\nme␛\n" in sink.getvalue()

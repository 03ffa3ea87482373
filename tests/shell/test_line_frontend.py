from __future__ import annotations

import asyncio
import io
import queue
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from prompt_toolkit.completion import DummyCompleter

from agno_shell.config import Config
from agno_shell.contracts import Command, Tool, ToolBox, ToolFactory
from agno_shell.conversation.engine import Engine
from agno_shell.errors import StorageError, UsageError
from agno_shell.events import Failed, Finished
from agno_shell.shell.first_session import FirstSession
from agno_shell.shell.frontend import Option
from agno_shell.shell.line_frontend import READ_AHEAD, LineFrontend
from agno_shell.shell.loop import Shell
from agno_shell.shell.session_monitor import SessionMonitor
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.types import Message, Session, ToolCall, ToolSchema


class Typist(io.RawIOBase):
    """An input whose lines a test gives one by one; it blocks until there is one."""

    def __init__(self) -> None:
        self._lines: queue.Queue[bytes] = queue.Queue()

    def type(self, line: bytes) -> None:
        self._lines.put(line)

    def readline(self, _size: int | None = -1) -> bytes:
        return self._lines.get()


@pytest.fixture
async def at_a_dumb_terminal() -> Any:
    """A started front, what it prints, and the person in front of it."""
    typist, sink = Typist(), io.StringIO()
    frontend = LineFrontend(typist, sink, ask=True)  # type: ignore[arg-type]
    await frontend.start(interrupted=list, queue_changed=list, completer=DummyCompleter())  # type: ignore[arg-type]
    yield frontend, sink, typist
    typist.type(b"")
    await frontend.stop()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.001)


@pytest.fixture
def make_shell(make_engine: Callable[..., Engine]) -> Callable[..., Shell]:
    """Makes a shell at a front."""

    def make(
        frontend: LineFrontend,
        storage: MemoryStorage | None = None,
        *,
        boxes: Sequence[ToolFactory] = (),
    ) -> Shell:
        engine = make_engine(storage, boxes=boxes)
        renderer = engine.plugins.renderers.get("plain").open(None)  # type: ignore[arg-type]
        return Shell(
            engine,
            frontend,
            renderer,
            Config(),
            remember=lambda _values: None,
            greeting="Welcome.",
        )

    return make


@pytest.fixture
def run(make_shell: Callable[..., Shell]) -> Any:
    """Runs a shell on the given bytes; returns what it printed. It has to end with the exit
    status that is given."""

    async def run_shell(
        typed: bytes,
        *,
        ask: bool = False,
        storage: MemoryStorage | None = None,
        boxes: Sequence[ToolFactory] = (),
        status: int = 0,
    ) -> str:
        sink = io.StringIO()
        shell = make_shell(LineFrontend(io.BytesIO(typed), sink, ask=ask), storage, boxes=boxes)
        assert await asyncio.wait_for(shell.run(FirstSession(new="Test")), 10) == status
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
    printed = await run(b"\x7fELF\x00\x01\n\xff\xfe\xfa\ntext\n", status=1)
    assert "echo: text" in printed
    assert len(provider.requests) == 1
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "agno-shell: Line 1 of the input is binary, not text, and was not sent.",
        "agno-shell: Line 2 of the input is not UTF-8 (byte 1 of it, 0xff) and was not sent.",
    ]


async def test_a_person_at_a_plain_terminal_gets_a_prompt_and_is_asked(
    make_shell: Any,
) -> None:
    storage = MemoryStorage()
    storage.create("Doomed")
    typist, sink = Typist(), io.StringIO()
    running = asyncio.create_task(make_shell(LineFrontend(typist, sink, ask=True), storage).run())  # type: ignore[arg-type]
    await until(lambda: sink.getvalue().endswith("> "))
    typist.type(b"/delete Doomed\n")
    await until(lambda: sink.getvalue().endswith("[y/N] "))
    typist.type(b"y\n")
    await until(lambda: not storage.sessions() or storage.sessions()[0].name != "Doomed")
    typist.type(b"")
    assert await asyncio.wait_for(running, 20) == 0
    assert [each.session.name for each in storage.trash()] == ["Doomed"]


async def test_in_a_pipe_nobody_answers_and_the_next_line_is_no_answer(
    run: Any, provider: ScriptedProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    storage = MemoryStorage()
    storage.create("Doomed")
    await run(b"/delete Doomed\ny\n", storage=storage, status=1)
    assert len(storage.sessions()) == 2
    assert [request.messages[-1].content for request in provider.requests] == ["y"]
    said = capsys.readouterr().err
    assert said.startswith("agno-shell: line 1: Nobody is here to answer: Delete session 'Doomed'")
    assert said.endswith("--yes answers yes beforehand.\n")
    await run(b"/delete Doomed --yes\n", storage=storage)
    assert "Doomed" not in [session.name for session in storage.sessions()]


class Refusing(MemoryStorage):
    """A storage that takes no messages."""

    def append(self, session_id: str, message: Message) -> Session:
        raise StorageError("Full.")


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (b"/nothing\n", "line 1: There is no command /nothing."),
        (b"\n/history x\n", "line 2: /history takes a number"),
        (b"/broken\n", "line 1: /broken failed: ZeroDivisionError: division by zero"),
        (b"fails\n", "line 1: Down."),
        (b"\xe9t\xe9\n", "Line 1 of the input is not UTF-8 (byte 1 of it, 0xe9) and was not sent."),
    ],
)
async def test_a_script_is_told_what_failed_and_the_lines_behind_it_are_done(
    run: Any,
    provider: ScriptedProvider,
    register: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    typed: bytes,
    reason: str,
) -> None:
    if typed == b"fails\n":
        provider.scripts.append([Failed("connection", "Down.")])
    broken = Command("broken", "Always fails.", lambda _context, _text: 1 / 0)  # type: ignore[arg-type,return-value]
    register("broken", register_commands=lambda: [broken])
    printed = await run(typed + b"and on\n", status=1)
    # A question that nobody has answered goes with the next one.
    assert ("echo: fails\n\nand on" if typed == b"fails\n" else "echo: and on") in printed
    assert reason not in printed
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"agno-shell: {reason}")


async def test_a_script_is_told_what_is_in_no_store(
    run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = await run(b"hello\n", storage=Refusing(), status=1)
    assert "echo: hello" in printed
    assert "2 messages are not in the store" in capsys.readouterr().err


async def test_a_reply_that_breaks_off_is_shown_and_is_a_failure(
    run: Any, provider: ScriptedProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.scripts.append(["so far", Failed("connection", "Cut off.")])
    printed = await run(b"hello\n", status=1)
    assert "so far" in printed
    assert "Cut off." not in printed
    assert "line 1: Cut off." in capsys.readouterr().err


async def test_what_is_stopped_is_a_failure(
    make_shell: Any, provider: ScriptedProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.scripts.append(["so far\n", asyncio.Event(), Finished()])
    sink = io.StringIO()
    frontend = LineFrontend(io.BytesIO(b"hello\nand on\n"), sink, ask=False)
    running = asyncio.create_task(make_shell(frontend).run())
    await until(lambda: "so far" in sink.getvalue())
    frontend._interrupt()
    assert await asyncio.wait_for(running, 20) == 1
    assert "echo: and on" in sink.getvalue()
    assert "line 1: (stopped; what was shown is kept" in capsys.readouterr().err


async def test_for_a_person_errors_stay_on_the_screen_and_leaving_is_no_failure(
    make_shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    sink = io.StringIO()
    frontend = LineFrontend(io.BytesIO(b"/nothing\n"), sink, ask=True)
    assert await asyncio.wait_for(make_shell(frontend).run(), 5) == 0
    assert "There is no command /nothing." in sink.getvalue()
    assert capsys.readouterr().err == ""


async def test_an_interrupt_stops_the_reply(
    make_engine: Callable[..., Engine], provider: ScriptedProvider
) -> None:
    frontend = LineFrontend(io.BytesIO(b""), io.StringIO(), ask=False)
    stopped: list[bool] = []
    await frontend.start(
        interrupted=lambda: stopped.append(True),
        queue_changed=lambda: None,
        completer=DummyCompleter(),
    )
    frontend._interrupt()
    assert stopped == [True]


async def test_leaving_does_not_wait_for_what_was_read_ahead() -> None:
    frontend = LineFrontend(io.BytesIO(b"line\n" * 1000), io.StringIO(), ask=False)
    await frontend.start(
        interrupted=lambda: None, queue_changed=lambda: None, completer=DummyCompleter()
    )
    assert await frontend.read() == "line"
    frontend.leave()
    assert await frontend.read() is None


async def test_an_endless_input_does_not_fill_the_memory() -> None:
    class Endless(io.RawIOBase):
        lines = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            self.lines += 1
            return b"line\n"

    source = Endless()
    frontend = LineFrontend(source, io.StringIO(), ask=False)  # type: ignore[arg-type]
    await frontend.start(
        interrupted=lambda: None, queue_changed=lambda: None, completer=DummyCompleter()
    )
    for _line in range(10):
        assert await frontend.read() == "line"
    assert source.lines <= 10 + READ_AHEAD + 1
    frontend.leave()


async def test_a_line_that_is_too_long_is_refused_whole(
    run: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agno_shell.shell.line_frontend.LONGEST_LINE", 100)
    printed = await run(b"first\n" + b"x" * 250 + b"\nshort\n\xff\n", status=1)
    assert "echo: short" in printed
    assert "xxx" not in printed
    too_long, latin = capsys.readouterr().err.splitlines()
    assert "Line 2 of the input is longer than" in too_long
    assert "Line 4 of the input is not UTF-8" in latin


async def test_an_input_that_cannot_be_read_is_its_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Broken(io.RawIOBase):
        def readline(self, size: int | None = -1, /) -> bytes:
            raise OSError(9, "Bad file descriptor")

    frontend = LineFrontend(Broken(), io.StringIO(), ask=False)  # type: ignore[arg-type]
    await frontend.start(
        interrupted=lambda: None, queue_changed=lambda: None, completer=DummyCompleter()
    )
    assert await frontend.read() is None
    assert "Bad file descriptor" in capsys.readouterr().err


async def test_a_question_is_cleaned_and_what_is_no_answer_is_read_again(
    at_a_dumb_terminal: Any,
) -> None:
    frontend, sink, typist = at_a_dumb_terminal
    asked = asyncio.create_task(frontend.confirm("Delete \x1b[31m?"))
    await until(lambda: sink.getvalue().endswith("[y/N] "))
    assert "\x1b" not in sink.getvalue()
    typist.type(b"/sessions\n")
    assert await asyncio.wait_for(asked, 20) is False
    assert await frontend.read() == "/sessions"


@pytest.mark.parametrize(
    ("line", "answer"), [(b"y\n", True), (b" YES \n", True), (b"n\n", False), (b"\n", False)]
)
async def test_a_question_takes_yes_or_no(
    at_a_dumb_terminal: Any, line: bytes, answer: bool
) -> None:
    frontend, sink, typist = at_a_dumb_terminal
    typist.type(b"y\n")  # typed before there was a question
    await until(lambda: frontend._lines.qsize() == 1)
    asked = asyncio.create_task(frontend.confirm("Sure?"))
    await until(lambda: sink.getvalue().endswith("[y/N] "))
    typist.type(line)
    assert await asyncio.wait_for(asked, 20) is answer
    assert await frontend.read() == "y"


async def test_the_end_of_the_input_is_no_answer(at_a_dumb_terminal: Any) -> None:
    frontend, sink, typist = at_a_dumb_terminal
    asked = asyncio.create_task(frontend.confirm("Sure?"))
    await until(lambda: sink.getvalue().endswith("[y/N] "))
    typist.type(b"")
    assert await asyncio.wait_for(asked, 20) is None
    assert await frontend.read() is None
    assert await asyncio.wait_for(frontend.confirm("And now?"), 20) is None


async def front_on(typed: bytes, *, ask: bool = True) -> tuple[LineFrontend, io.StringIO]:
    sink = io.StringIO()
    frontend = LineFrontend(io.BytesIO(typed), sink, ask=ask)
    await frontend.start(
        interrupted=lambda: None, queue_changed=lambda: None, completer=DummyCompleter()
    )
    return frontend, sink


async def test_in_a_pipe_a_question_takes_no_line() -> None:
    frontend, sink = await front_on(b"y\n", ask=False)
    assert await asyncio.wait_for(frontend.confirm("Sure?"), 20) is None
    assert sink.getvalue() == ""
    assert await frontend.read() == "y"


OPTIONS = [(("", f"option {number}"), ("bold", "\x1b[2J")) for number in range(12)]


async def choose(at_a_dumb_terminal: Any, typed: bytes) -> int | None:
    """Type something at the list of options."""
    frontend, sink, typist = at_a_dumb_terminal
    picked: asyncio.Task[int | None] = asyncio.create_task(frontend.choose(OPTIONS))
    await until(lambda: sink.getvalue().endswith("Number, or Enter for none: "))
    typist.type(typed)
    return await asyncio.wait_for(picked, 20)


@pytest.mark.parametrize(
    ("typed", "picked"),
    [(b"1\n", 0), (b" 12 \n", 11), (b"\n", None), (b"", None), (b"\xd9\xa3\n", None)],
)
async def test_a_line_is_chosen_by_its_number(
    at_a_dumb_terminal: Any, typed: bytes, picked: int | None
) -> None:
    assert await choose(at_a_dumb_terminal, typed) == picked
    shown = at_a_dumb_terminal[1].getvalue()
    assert " 1  option 0␛[2J\n" in shown
    assert "12  option 11␛[2J\n" in shown


@pytest.mark.parametrize("typed", ["a message", "13", "0", "-1", "9" * 5000])
async def test_what_is_no_number_of_the_list_is_read_again(
    at_a_dumb_terminal: Any, typed: str
) -> None:
    assert await choose(at_a_dumb_terminal, typed.encode() + b"\n") is None
    assert await at_a_dumb_terminal[0].read() == typed


@pytest.mark.parametrize("ask", [True, False])
async def test_the_session_is_watched_for_a_person_and_not_for_a_pipe(
    run: Any, ask: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched: list[bool] = []

    async def watch(_self: SessionMonitor) -> None:
        watched.append(True)

    monkeypatch.setattr(SessionMonitor, "run", watch)
    await run(b"one\n", ask=ask)
    assert watched == [True] * ask


async def test_nobody_is_asked_to_choose_in_a_pipe() -> None:
    frontend, sink = await front_on(b"1\n", ask=False)
    assert not frontend.has_user
    assert await asyncio.wait_for(frontend.choose(OPTIONS), 20) is None
    assert sink.getvalue() == ""
    assert await frontend.read() == "1"


async def test_there_is_no_person_behind_the_end_of_the_input() -> None:
    frontend, _sink = await front_on(b"")
    assert frontend.has_user
    assert await frontend.read() is None
    assert not frontend.has_user
    # Whoever asks all the same is not left waiting.
    assert await asyncio.wait_for(frontend.confirm("Sure?"), 20) is None
    assert await asyncio.wait_for(frontend.choose(OPTIONS), 20) is None


async def test_what_is_printed_while_the_prompt_waits_stands_on_lines_of_its_own() -> None:
    frontend, sink = await front_on(b"")
    frontend._prompt("> ")
    frontend._waiting = True
    frontend.print_lines([(("", "news"),), ()])
    assert sink.getvalue() == "> \nnews\n> "


ANSWERS = (Option("y", "Yes"), Option("n", "No"))


@pytest.mark.parametrize(
    ("line", "answer"), [(b"y\n", 0), (b"N\n", 1), (b"\n", 1), (b"", None), (b"\xff\n", None)]
)
async def test_a_choice_is_a_letter(at_a_dumb_terminal: Any, line: bytes, answer: int) -> None:
    frontend, sink, typist = at_a_dumb_terminal
    asked = asyncio.create_task(frontend.ask_choice(ANSWERS, default=1))
    await until(lambda: "A letter, or Enter for n: " in sink.getvalue())
    assert "y  Yes\nn  No\n" in sink.getvalue()
    typist.type(line)
    assert await asyncio.wait_for(asked, 20) == answer


async def test_a_question_takes_the_next_line_and_nothing_typed_before_it(
    at_a_dumb_terminal: Any,
) -> None:
    frontend, sink, typist = at_a_dumb_terminal
    typist.type(b"first\n")
    await until(lambda: frontend._lines.qsize() == 1)
    asked = asyncio.create_task(frontend.ask("Which name?"))
    await until(lambda: "Which name? " in sink.getvalue())
    typist.type(b" Tax 2026 \n")
    assert await asyncio.wait_for(asked, 20) == "Tax 2026"
    assert await frontend.read() == "first"


async def test_in_a_pipe_nobody_answers_a_question() -> None:
    frontend, sink = await front_on(b"Tax 2026\n", ask=False)
    assert await frontend.ask("Which name?") is None
    assert "Which name?" not in sink.getvalue()


async def test_lines_typed_before_a_choice_are_read_after_it(at_a_dumb_terminal: Any) -> None:
    frontend, sink, typist = at_a_dumb_terminal
    typist.type(b"y\n")
    typist.type(b"second\n")
    await until(lambda: frontend._lines.qsize() == 2)
    asked = asyncio.create_task(frontend.ask_choice(ANSWERS, default=1))
    await until(lambda: "A letter" in sink.getvalue())
    typist.type(b"words\n")
    assert await asyncio.wait_for(asked, 20) is None
    assert [await frontend.read() for _line in range(3)] == ["y", "second", "words"]


async def test_an_input_that_has_ended_answers_nothing(at_a_dumb_terminal: Any) -> None:
    frontend, _sink, typist = at_a_dumb_terminal
    typist.type(b"said\n")
    typist.type(b"")
    await until(lambda: frontend._lines.qsize() == 2)
    assert await asyncio.wait_for(frontend.ask_choice(ANSWERS, default=0), 20) is None
    assert await frontend.read() == "said"
    assert await frontend.read() is None
    assert not frontend.has_user


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
    frontend, sink, _typist = at_a_dumb_terminal
    with pytest.raises(UsageError, match="An editor cannot be shown here"):
        await frontend.edit("text")
    assert frontend.copy("text") is False
    frontend.fill("change\nme\x1b")
    assert "change\nme␛\n" in sink.getvalue()

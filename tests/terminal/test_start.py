"""What a person sees first, also where something is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from agno_shell.testing.terminal import CTRL_C, CTRL_D, Terminal

Start = Callable[..., Terminal]


def test_a_fresh_start_names_what_is_missing_and_answers(start: Start, home: Path) -> None:
    terminal = start()
    terminal.expect("No model is set up")
    assert terminal.sees("OPENAI_API_KEY")
    assert terminal.sees("model offline")
    terminal.type("the blue cup\r")
    terminal.expect("You said: “the blue cup”")
    terminal.type("what did I say?\r")
    terminal.expect("you: “the blue cup”")
    terminal.type("exit\r")
    assert terminal.wait() == 0
    index = json.loads((home / "sessions" / "sessions.json").read_text())
    assert [session["message_count"] for session in index["sessions"]] == [4]


def test_the_terminal_is_left_as_it_was_found(start: Start, open_terminal: Start) -> None:
    untouched = open_terminal().settings()
    terminal = start()
    assert terminal.settings() != untouched
    terminal.type(CTRL_D)
    assert terminal.wait() == 0
    assert terminal.settings() == untouched
    assert terminal.written.rfind(b"\x1b[?2004l") > terminal.written.rfind(b"\x1b[?2004h")
    assert b"\x1b[?25l" not in terminal.written[terminal.written.rfind(b"\x1b[?25h") :]
    assert "\n".join(terminal.screen()).count("›") == 0


def test_a_terminal_that_a_killed_shell_left_raw_still_works(
    start: Start, program: Path, environ: dict[str, str]
) -> None:
    terminal = start()
    terminal.kill()
    terminal.start([str(program)], environ)
    terminal.expect(" lists the commands", times=2)
    terminal.type("still there?\r")
    terminal.expect("You said: “still there?”")


def test_ctrl_c_clears_the_line_and_never_leaves(start: Start) -> None:
    terminal = start()
    terminal.type("not this")
    terminal.expect_screen("› not this")
    terminal.type(CTRL_C)
    terminal.until(lambda: "› not this" not in "\n".join(terminal.screen()))
    terminal.type(CTRL_C + CTRL_C + "but this\r")
    terminal.expect("You said: “but this”")
    assert not terminal.sees("“not this")


def test_a_dumb_terminal_gets_plain_lines(start: Start, environ: dict[str, str]) -> None:
    environ["TERM"] = "dumb"
    terminal = start(prompt=">")
    terminal.type("hello\r")
    terminal.expect("You said: “hello”")
    terminal.type("/exit\r")
    assert terminal.wait() == 0
    assert b"\x1b" not in terminal.written


def test_no_color_means_no_color(start: Start, environ: dict[str, str]) -> None:
    environ["NO_COLOR"] = "1"
    terminal = start()
    terminal.type("hello\r")
    terminal.expect("You said: “hello”")
    terminal.expect("`OPENAI_API_KEY`")  # as it is written: nothing could set it apart
    terminal.type("/exit\r")
    assert terminal.wait() == 0
    colours = {cell.fg for row in terminal.buffer.buffer.values() for cell in row.values()}
    assert colours == {"default"}


def test_a_broken_config_file_is_one_line(start: Start, configure: Callable[[str], Path]) -> None:
    path = configure("[provider]\nmodle = 'x'\n")
    terminal = start(prompt="")
    assert terminal.wait() == 2
    said = " ".join(line for line in terminal.lines() if line)
    for part in (str(path), "line 2", "modle", "model"):
        assert part in said.replace(" ", "") or part in said
    assert "Traceback" not in said


def test_a_plugin_that_raises_is_named_and_the_shell_goes_on(
    start: Start, install: Callable[[str, str], None]
) -> None:
    install("broken", "raise RuntimeError('no luck today')")
    install("raising", RAISING)
    terminal = start()
    terminal.expect("no luck today")
    terminal.type("hello\r")
    terminal.expect("You said: “hello”")
    terminal.expect("a bug in the hook")
    terminal.type("/plugins\r")
    terminal.expect("raising 1.0")
    terminal.type("/exit\r")
    assert terminal.wait() == 0
    assert "Traceback" not in terminal.text()


RAISING = """
from agno_shell import hookimpl

@hookimpl
def on_message_saved(session, message):
    raise ValueError("a bug in the hook")
"""


def test_no_plugins_keeps_a_broken_one_out(
    start: Start, install: Callable[[str, str], None]
) -> None:
    install("broken", "raise RuntimeError('no luck today')")
    terminal = start("--no-plugins")
    terminal.type("/plugins\r")
    terminal.expect("renderer pygments")
    assert not terminal.sees("no luck today")


def test_a_folder_of_the_former_system_opens_as_it_is(
    start: Start, configure: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = write_old_layout(tmp_path / "old")
    configure(f'[storage]\npath = "{folder}"\n')
    terminal = start()
    terminal.expect("Budget talk (11111111)")
    assert terminal.sees("What is a budget?")
    assert terminal.sees("A plan for money.")
    terminal.type("list\r")
    terminal.expect("was in another layout and was rewritten; the old file is kept as")
    terminal.expect("reply: “A plan for money.”")
    terminal.type("/exit\r")
    assert terminal.wait() == 0
    messages = json.loads((folder / SESSION / "messages.json").read_text())
    contents = [message["content"] for message in messages]
    assert contents[:3] == ["What is a budget?", "A plan for money.", "list"]
    assert len(contents) == 4


SESSION = "11111111-2222-3333-4444-555555555555"


def write_old_layout(folder: Path) -> Path:
    """Naive local times, pretty-printed JSON, messages of role, content and timestamp."""
    record = {
        "session_id": SESSION,
        "name": "Budget talk",
        "created_at": "2025-07-20T10:30:00.123456",
        "updated_at": "2025-07-20T10:31:00.123456",
        "message_count": 2,
        "description": None,
    }
    messages = [
        {"role": "user", "content": "What is a budget?", "timestamp": "2025-07-20T10:30:30.1"},
        {"role": "assistant", "content": "A plan for money.", "timestamp": "2025-07-20T10:31:00.1"},
    ]
    (folder / SESSION).mkdir(parents=True)
    index = {"current_session_id": SESSION, "sessions": [record]}
    (folder / "sessions.json").write_text(json.dumps(index, indent=2))
    (folder / SESSION / "messages.json").write_text(json.dumps(messages, indent=2))
    return folder

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agno_shell.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "a b.txt").write_text("hi")
    (tmp_path / "my dir").mkdir()
    (tmp_path / "my dir" / "x.txt").write_text("x")
    return tmp_path


def attached(context: Any) -> Any:
    return [each.name for each in context.engine.attachments.waiting]


async def test_files_are_attached_and_listed_and_taken_away(
    context: Any, type_line: Callable[..., Any], folder: Any
) -> None:
    printed = (await type_line(context, "/attach notes.txt 'a b.txt'")).split("\n")
    assert printed == [
        "Attached: notes.txt · text/plain · 5 B. It goes with your next message.",
        "Attached: a b.txt · text/plain · 2 B. It goes with your next message.",
    ]
    printed = (await type_line(context, "/attach")).split("\n")
    assert printed[:2] == ["1  notes.txt · text/plain · 5 B", "2  a b.txt · text/plain · 2 B"]
    assert printed[2].startswith("They go with your next message.")
    printed = await type_line(context, "/attach --remove 1")
    assert printed == "Not attached any more: notes.txt."
    assert attached(context) == ["a b.txt"]


async def test_nothing_is_attached_yet(context: Any, type_line: Callable[..., Any]) -> None:
    printed = await type_line(context, "/attach")
    assert printed == "Nothing is attached. /attach PATH takes in a file, as @PATH does."


async def test_a_path_with_blanks_alone_needs_no_quotes(
    context: Any, type_line: Callable[..., Any], folder: Any
) -> None:
    await type_line(context, "/attach a b.txt")
    assert attached(context) == ["a b.txt"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/attach --remove", "needs a number"),
        ("/attach --remove 1", "There is no attachment 1: nothing is attached."),
        ("/attach --remove x", "takes a number"),
    ],
)
async def test_what_cannot_be_taken_away(
    context: Any, type_line: Callable[..., Any], line: str, message: Any
) -> None:
    with pytest.raises(UsageError, match=message):
        await type_line(context, line)


async def test_a_pasted_text_is_attached(context: Any, type_line: Callable[..., Any]) -> None:
    await type_line(context, "/attach - first\nsecond")
    (attachment,) = context.engine.attachments.waiting
    session_id = context.engine.session.session_id
    assert attachment.name == "text.md"
    assert context.memory.attachment(session_id, attachment.sha256) == b"first\nsecond"


@pytest.mark.parametrize(("written", "expected"), [("a note", ["text.md"]), ("  ", []), (None, [])])
async def test_a_text_is_written_in_the_editor(
    context: Any, type_line: Callable[..., Any], written: Any, expected: Any
) -> None:
    context.ui.edits.append(written)
    printed = await type_line(context, "/attach -")
    assert attached(context) == expected
    assert (printed == "Nothing was attached.") == (not expected)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("", ['"a b.txt"', '"my dir/', "notes.txt"]),
        ("no", ["notes.txt"]),
        ("notes.txt ", ['notes.txt "a b.txt"', 'notes.txt "my dir/', "notes.txt notes.txt"]),
        ("'a b.txt' no", ["'a b.txt' notes.txt"]),
        ("'a", ["'a b.txt'"]),
        ('"my dir/', ['"my dir/x.txt"']),
        ("--re", ["--remove "]),
    ],
)
async def test_the_last_path_is_completed(
    context: Any, complete: Callable[..., Any], folder: Any, typed: str, offered: Any
) -> None:
    assert [each.text for each in await complete(context, f"/attach {typed}")] == offered


async def test_numbers_are_completed(
    context: Any, type_line: Callable[..., Any], complete: Callable[..., Any], folder: Any
) -> None:
    await type_line(context, "/attach notes.txt")
    assert await complete(context, "/attach --remove ") == [("--remove 1", "notes.txt")]

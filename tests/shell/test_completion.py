from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from agno_shell.contracts import Command, Completion
from agno_shell.errors import UsageError
from agno_shell.shell import completion as module
from agno_shell.shell.completion import ShellCompleter, completes, fuzzy, match
from agno_shell.testing.fake_context import FakeContext


async def offer(_context: Any, argument: str) -> Iterable[Completion]:
    if argument == "broken":
        raise UsageError("no")
    return [Completion("Quarterly report", "12 messages"), Completion("Holiday plans")]


COMMANDS = {
    "switch": Command("switch", "Open a session.", lambda context, args: None, complete=offer),
    "sessions": Command("sessions", "List them.", lambda context, args: None),
}


async def complete(text: str) -> list[tuple[str, int]]:
    completer = ShellCompleter(lambda: COMMANDS, lambda _command: FakeContext())
    found = completer.get_completions_async(Document(text), CompleteEvent())
    return [(completion.text, completion.start_position) async for completion in found]


async def test_commands_complete_by_name() -> None:
    assert await complete("/sw") == [("/switch", -3)]
    assert [text for text, _start in await complete("/s")] == ["/switch", "/sessions"]


async def test_arguments_complete_fuzzily_and_replace_all_that_was_typed() -> None:
    assert await complete("/switch qrep") == [("Quarterly report", -4)]
    assert await complete("/switch holiday pl") == [("Holiday plans", -10)]
    assert len(await complete("/switch ")) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "/nothing x",
        "/sessions x",
        "/switch a\nb",
        "/switch broken",
        "/switch/",
        " /sw",
    ],
)
async def test_there_is_nothing_to_offer(text: str) -> None:
    assert await complete(text) == []


async def test_many_candidates_are_filtered_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGE", 1)
    assert await complete("/switch qrep") == [("Quarterly report", -4)]


def test_foreign_names_are_made_visible_in_the_menu() -> None:
    (found,) = fuzzy([Completion("evil\x1b[2J", "m\x07")], "")
    assert found.text == "evil\x1b[2J"
    assert found.display_text == "evil␛[2J"
    assert found.display_meta_text == "m␇"


def test_a_name_of_equal_characters_is_matched_quickly() -> None:
    assert fuzzy([Completion("a" * 2000)], "a" * 30 + "b") == []
    assert len(fuzzy([Completion("a" * 2000)], "a" * 30)) == 1


def test_the_nearest_characters_are_marked() -> None:
    assert match("a xx abc", "abc") == [5, 6, 7]
    assert match("abc", "") == []
    assert match("abc", "ca") is None


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "a b.txt").write_text("")
    (tmp_path / "my dir").mkdir()
    (tmp_path / "my dir" / "x.txt").write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("see @no", [("@notes.txt", -3)]),
        ("first\n(@", [('@"a b.txt"', -1), ('@"my dir/', -1), ("@notes.txt", -1)]),
        ('x @"my dir/', [('@"my dir/x.txt"', -9)]),
        ("/tmp/x: see @no", [("@notes.txt", -3)]),
        ("me@no", []),
        ("see @notes.txt and", []),
    ],
)
async def test_file_names_complete_behind_an_at_sign(
    folder: Path, typed: str, offered: list[tuple[str, int]]
) -> None:
    assert await complete(typed) == offered
    assert completes(Document(typed)) == bool(offered)


@pytest.mark.parametrize("text", ["hello", "a / b", "me@example.org "])
def test_prose_is_not_completed_unasked(text: str) -> None:
    assert not completes(Document(text))
    assert completes(Document("/" + text))
    assert not completes(Document("/tmp/" + text))

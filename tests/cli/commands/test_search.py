from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from agno_shell.cli.commands import search
from agno_shell.contracts import Progress
from agno_shell.errors import SessionNotFoundError, UsageError
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.types import Message, local_time, new_id

AT = datetime(2026, 7, 20, 8, 30, tzinfo=UTC)


@pytest.fixture
def storage() -> Any:
    storage = MemoryStorage()
    session = storage.create("Tea time")
    storage.append(session.session_id, Message("m1", "user", "Where are the blue cups?", AT))
    storage.append(
        session.session_id, Message("m2", "assistant", "Blue\ncups: in the kitchen.", AT, "m1")
    )
    storage.create("Empty")
    return storage


@pytest.fixture
def find(storage: Any, run: Any) -> Any:
    """Searches; returns the exit status and what was written."""

    def find(text: str, out: Any = None, **options: Any) -> Any:
        return run(search, {"words": [text], **options}, storage, out=out)[:2]

    return find


class Terminal(io.StringIO):
    """A stream that says that it is a terminal, and is one of 80 columns."""

    def isatty(self) -> Any:
        return True

    def fileno(self) -> Any:
        return 99


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Any:
    real = os.get_terminal_size
    monkeypatch.setattr(
        os,
        "get_terminal_size",
        lambda fd: os.terminal_size((80, 24)) if fd == 99 else real(fd),
    )
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


def test_hits_are_a_heading_and_a_snippet_each(storage: Any, find: Any) -> None:
    (session,) = [each for each in storage.sessions() if each.name == "Tea time"]
    status, shown = find("cups")
    assert status == 0
    heading = f"{session.session_id[:8]}  Tea time  {local_time(AT)}"
    assert shown.split("\n\n") == [
        f"{heading}  user\n  Where are the blue cups?",
        f"{heading}  assistant\n  Blue cups: in the kitchen.\n",
    ]


def test_options_narrow_the_search(find: Any) -> None:
    assert find("cups", role="user")[1].count("cups") == 1
    assert find("cups", limit=1)[1].count("cups") == 1
    assert find("cups", session="Tea time")[0] == 0
    assert find("cups", session="Empty")[0] == 1
    assert find("cups", since=datetime(2027, 1, 1, tzinfo=UTC))[0] == 1
    with pytest.raises(SessionNotFoundError):
        find("cups", session="No such")


def test_words_are_bold_on_a_terminal_and_only_by_our_own_hand(
    storage: Any, find: Any, terminal: Any
) -> None:
    storage.append(
        storage.create("\x1b[31mred\n").session_id,
        Message(new_id(), "user", "the \x1b[5m needle \x1b[1m\u202e", AT),
    )
    _status, shown = find("needle", terminal)
    assert "the ␛[5m \x1b[1mneedle\x1b[22m ␛[1m‹U+202E›" in shown
    assert shown.replace("\x1b[1m", "").replace("\x1b[22m", "").count("\x1b") == 0
    assert "␛[31mred" in shown
    assert "\x1b[1mcups\x1b[22m" in find("cups", Terminal())[1]


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_plain_where_bold_is_not_wanted(
    find: Any, terminal: Any, monkeypatch: pytest.MonkeyPatch, variable: Any, value: Any
) -> None:
    monkeypatch.setenv(variable, value)
    assert "\x1b" not in find("cups", terminal)[1]


def test_json_says_everything(storage: Any, find: Any) -> None:
    (session,) = [each for each in storage.sessions() if each.name == "Tea time"]
    status, shown = find("CUPS blue", role="assistant", json=True)
    assert status == 0
    assert json.loads(shown) == [
        {
            "session_id": session.session_id,
            "session_name": "Tea time",
            "message_id": "m2",
            "role": "assistant",
            "created_at": "2026-07-20T08:30:00+00:00",
            "snippet": "Blue cups: in the kitchen.",
            "matches": [[0, 4], [5, 9]],
            "content": "Blue\ncups: in the kitchen.",
        }
    ]
    assert find("nothing", json=True) == (1, "[]\n")


@pytest.mark.parametrize(
    ("text", "options", "sentence"),
    [
        ("saucer", {}, "No message in 2 sessions holds 'saucer'."),
        ("sau\x1bcer", {}, "No message in 2 sessions holds 'sau␛cer'."),
        ("cups", {"role": "tool"}, "No message in 2 sessions holds 'cups' within these limits."),
        ("cups", {"session": "Empty"}, "No message of that session holds 'cups'."),
        ("*?", {}, "There is no letter, digit or symbol in that, so nothing was searched."),
    ],
)
def test_nothing_found_is_reported(find: Any, text: str, options: Any, sentence: Any) -> None:
    assert find(text, **options) == (1, sentence + "\n")


def test_a_storage_that_cannot_search(storage: Any, find: Any) -> None:
    storage.can_search = False
    with pytest.raises(UsageError, match="cannot search") as raised:
        find("cups")
    assert "[storage] plugin" in raised.value.hint


def test_what_takes_long_says_so_on_a_terminal_alone(
    storage: Any, monkeypatch: pytest.MonkeyPatch, terminal: Any, run: Any
) -> None:
    monkeypatch.setattr(search, "_QUIET", -1.0)
    steps = []

    def prepare() -> Iterator[Any]:
        for done in range(3):
            steps.append(done)
            yield Progress(done, 2)

    monkeypatch.setattr(storage, "prepare_search", prepare)
    pipe = io.StringIO()
    for err in (pipe, terminal):
        assert run(search, {"words": ["cups"]}, storage, err=err).status == 0
    assert pipe.getvalue() == ""
    assert "Indexing 0 of 2 sessions …" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r")
    assert len(steps) == 6

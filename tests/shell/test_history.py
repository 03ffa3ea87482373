from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from agno_shell.shell.history import LONGEST_ENTRY, InputHistory, worth_keeping


def test_entries_survive_newest_first_in_a_file_of_their_owner(tmp_path: Path) -> None:
    path = tmp_path / "state" / "history"
    history = InputHistory(path)
    history.append_string("one")
    history.append_string("two\nlines ✓")
    assert list(InputHistory(path).load_history_strings()) == ["two\nlines ✓", "one"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "text",
    [
        " begins with a space",
        "",
        "my key is sk-fake0000000000000000000000",
        "export OPENAI_API_KEY=fake-value-0000",
        "AIzaFAKEFAKEFAKEFAKEFAKEFAKEFAKEFAKE",
        "ghp_fakefakefakefakefake0000",
        "Authorization: Bearer fakefakefake",
        "-----BEGIN RSA PRIVATE KEY-----",
        "x" * (LONGEST_ENTRY + 1),
    ],
)
def test_what_looks_like_a_key_or_begins_with_a_space_is_not_written(
    tmp_path: Path, text: str
) -> None:
    assert not worth_keeping(text)
    history = InputHistory(tmp_path / "history")
    history.append_string(text)
    assert not (tmp_path / "history").exists()


@pytest.mark.parametrize(
    "text", ["What is a token bucket?", "the key idea", "/model openai/gpt-4o", "ask-me-anything"]
)
def test_ordinary_text_is_kept(text: str) -> None:
    assert worth_keeping(text)


def test_damaged_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_bytes(b'"one"\n{"no": 1}\n\xff\xfe\n"half\n"two"\n')
    assert list(InputHistory(path).load_history_strings()) == ["two", "one"]


def test_a_history_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    history = InputHistory(tmp_path / "file" / "history")
    history.append_string("typed")
    assert list(history.get_strings()) == ["typed"]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("")
    (tmp_path / "history").symlink_to(target)
    InputHistory(tmp_path / "history").append_string("typed")
    assert target.read_text() == ""


def test_only_the_end_of_a_long_file_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agno_shell.shell.history.LOAD_BYTES", 20)
    path = tmp_path / "history"
    path.write_text("".join(f'"entry {number}"\n' for number in range(9)))
    assert list(InputHistory(path).load_history_strings()) == ["entry 8"]
    assert path.read_text().startswith('"entry 0"')


def test_a_torn_last_line_does_not_swallow_the_next_entry(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_bytes(b'"one"\n"cut o')
    history = InputHistory(path)
    history.append_string("two")
    history.append_string("three")
    assert path.read_bytes() == b'"one"\n"cut o\n"two"\n"three"\n'
    assert list(InputHistory(path).load_history_strings()) == ["three", "two", "one"]


def test_what_is_typed_twice_in_a_row_is_one_up_away_and_kept(tmp_path: Path) -> None:
    history = InputHistory(tmp_path / "history")
    history.append_draft("draft")
    for text in ("draft", "draft", "other", "draft"):
        history.append_string(text)
    assert history.get_strings() == ["draft", "other", "draft"]
    assert list(InputHistory(tmp_path / "history").load_history_strings()) == [
        "draft",
        "other",
        "draft",
    ]


APPENDS = """
import sys
from agno_shell.shell.history import InputHistory
history = InputHistory(sys.argv[1])
for number in range(50):
    history.append_string(f"{sys.argv[2]} {number} " + sys.argv[2] * 20_000)
"""


def test_long_entries_of_two_shells_never_mix(tmp_path: Path) -> None:
    path = tmp_path / "history"
    shells = [
        subprocess.Popen([sys.executable, "-c", APPENDS, str(path), letter]) for letter in "ab"
    ]
    assert [shell.wait(60) for shell in shells] == [0, 0]
    # A shell that meets the other one's write half-way begins a line of its own: one is empty.
    entries = [json.loads(line) for line in path.read_bytes().splitlines() if line]
    assert Counter(entry[0] for entry in entries) == {"a": 50, "b": 50}
    assert all(set(entry.split(" ", 2)[2]) == {entry[0]} for entry in entries)

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agno_shell.base.options import CommonOptions
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.cli.commands import doctor
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.types import Message, new_id, now

Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "home"
    path.mkdir(0o700)
    for name in [name for name in os.environ if name.startswith("AGNO_SHELL_")]:
        monkeypatch.delenv(name)
    for name in [name for name in os.environ if name.endswith("_API_KEY")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AGNO_SHELL_HOME", str(path))
    return path


@pytest.fixture
def storage(home: Path) -> Storage:
    return open_storage(StorageOptions(str(home / "sessions")))


@pytest.fixture
def ask(home: Path, run: Callable[..., tuple[int, str, str]]) -> Ask:
    """The exit status and what was written; without plugins of other distributions."""

    def ask(config: str = "", **given: Any) -> tuple[int, str]:
        if config:
            (home / "config.toml").touch(0o600)
            (home / "config.toml").write_text(config)
        status, out, err = run(doctor, given, common=CommonOptions(no_plugins=True))
        assert err == "", "there is no terminal to write a passing line on"
        return status, out

    return ask


def say(storage: Storage, name: str) -> Path:
    session_id = storage.create(name).session_id
    storage.append(session_id, Message(new_id(), "user", "Hello", now()))
    return Path(storage._root) / session_id


def test_all_is_well(ask: Ask, storage: Storage) -> None:
    say(storage, "a")
    say(storage, "b")
    status, text = ask()
    assert status == 0
    *_notes, last = text.splitlines()
    assert last.startswith("Looked at the configuration, ")
    assert last.endswith(" and 2 sessions with 2 messages: all is well.")


def test_what_is_wrong_is_reported_and_then_mended(ask: Ask, storage: Storage) -> None:
    path = say(storage, "a") / "messages.json"
    path.write_bytes(path.read_bytes()[:-2])
    status, text = ask()
    assert status == 1
    assert f"  {path}: It is damaged; 1 message can be read." in text
    assert text.endswith(
        "agno-shell doctor --repair mends what can be mended without losing anything.\n"
    )
    status, text = ask(repair=True)
    assert status == 0
    assert "things were mended." in text
    status, text = ask(repair=True)
    assert (status, "all is well" in text) == (0, True)


def test_a_wrong_configuration_is_a_finding_and_the_storage_is_looked_at(
    ask: Ask, storage: Storage
) -> None:
    path = say(storage, "a") / "messages.json"
    path.write_bytes(b"")
    status, text = ask("[")
    assert status == 1
    assert "config.toml, line 1" in text
    assert f"{path}: It is empty" in text


def test_what_is_right_in_a_wrong_configuration_holds(
    ask: Ask, tmp_path: Path, storage: Storage
) -> None:
    say(storage, "in the default place")
    other = open_storage(StorageOptions(str(tmp_path / "other")))
    say(other, "1")
    say(other, "2")
    _status, text = ask(f'storage.path = "{tmp_path}/other"\nstorage.pth = "x"\n')
    assert "2 sessions with 2 messages" in text


@pytest.mark.parametrize("wrong", [True, False])
def test_json(wrong: bool, ask: Ask, storage: Storage) -> None:
    path = say(storage, "a") / "messages.json"
    if wrong:
        path.write_bytes(b"[")
    status, text = ask(json=True)
    found = json.loads(text)
    assert status == wrong
    assert {"where", "problem", "advice", "healed", "note", "repairable"} == set(found[0])
    assert [each["where"] for each in found if not each["note"]][:1] == [str(path)] * wrong


@pytest.mark.parametrize("setting", ["storage", "provider", "renderer"])
def test_a_missing_part_is_reported_once(setting: str, ask: Ask) -> None:
    status, text = ask(f'{setting}.plugin = "nowhere"')
    assert status == 1
    assert text.count(f"There is no {setting} called 'nowhere'") == 1


def test_without_a_home_there_is_one_finding(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGNO_SHELL_HOME", "relative")
    status, text = ask(json=True)
    (finding,) = json.loads(text)
    assert status == 1
    assert "AGNO_SHELL_HOME" in finding["problem"]


def test_looking_makes_nothing(ask: Ask, home: Path) -> None:
    assert ask(repair=True)[0] == 0
    assert list(home.iterdir()) == []


def test_a_line_stands_on_a_terminal_as_long_as_it_takes(ask: Ask) -> None:
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (24, 80))
    with open(follower, "w") as err, open(leader, "rb", buffering=0) as shown:
        with doctor._waiting("Looking …", err):
            assert shown.read(100).decode() == "Looking …"
        assert shown.read(100).decode() == "\r" + " " * len("Looking …") + "\r"


def test_the_command_line(home: Path, storage: Storage) -> None:
    (say(storage, "a") / "messages.json").write_bytes(b"[")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "agno_shell", "doctor", "--no-plugins", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    found = run()
    assert (found.returncode, "damaged" in found.stdout, found.stderr) == (1, True, "")
    mended = run("--repair", "--json")
    assert (mended.returncode, mended.stderr) == (0, "")
    assert any(each["healed"] for each in json.loads(mended.stdout))

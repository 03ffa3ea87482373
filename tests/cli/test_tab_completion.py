"""What is offered, and real shells that complete with it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agno_shell import cli
from agno_shell.builtin.json_storage.store import JsonStorage
from agno_shell.cli import completion_scripts, tab_completion
from agno_shell.cli.tab_completion import SOURCES
from agno_shell.contracts import StorageOptions
from agno_shell.types import Message, Session, new_id, now

AGNO_SHELL = os.path.join(sysconfig.get_path("scripts"), "agno-shell")

NAMES = {
    "Wh": "What is a monad?",
    "it": "it's",
    "sa": 'say "hi"',
    "a:": "a:b c",
    "東": "東京 trip",
    "co": "cost $HOME `id`",
    "se": "semi;colon & more",
    "ba": "back\\slash",
    "'Ta": "Tax: 2026 {a,b} [x]*!",
    '"qu': "quite plain",
}
"""What is typed of the name of a session, and the name."""

SAMPLE = ["it", "東", "'Ta"]

CONFIG = """
[provider]
model = "openai/gpt-4o"
fallbacks = ["ollama_chat/llama3.2"]
[agents.poet]
instructions = "Answer in verse."
[agents."the analyst"]
model = "anthropic/claude"
description = "careful\\u001b[2J with numbers"
"""


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[JsonStorage]:
    kept = JsonStorage(StorageOptions(str(tmp_path / "home" / "sessions")))
    yield kept
    kept.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    monkeypatch.setenv("AGNO_SHELL_HOME", str(folder))
    return folder


# What is offered --------------------------------------------------------------------------


def offered(source: str, prefix: str = "", **given: Any) -> list[str]:
    return list(SOURCES[source](prefix, given))


def test_sessions_go_by_name_or_by_id_where_that_names_nothing(
    home: Path, storage: JsonStorage
) -> None:
    tax, one, two, dash = (storage.create(name) for name in ("Tax 2026", "twin", "twin", "-x"))
    expected = ["Tax 2026", *(each.session_id[:8] for each in (one, two, dash))]
    assert sorted(offered("sessions")) == sorted(expected)
    begun = tax.session_id[:11]
    assert begun in offered("sessions", begun)


def test_names_that_act_on_a_terminal_are_not_offered(home: Path, storage: JsonStorage) -> None:
    session = storage.create("a\x1b[2Jb")
    storage.create("c\u202ed")
    found = complete("agno-shell session --set ")
    assert session.session_id[:8] in found
    assert not {char for text in found for char in text} & {"\x1b", "\u202e"}


def test_the_trash_goes_by_name_too(home: Path, storage: JsonStorage) -> None:
    gone = storage.delete(storage.create("Gone").session_id)
    storage.delete(storage.create("twin").session_id)
    other = storage.delete(storage.create("twin").session_id)
    assert {"Gone", other.trash_id} <= set(offered("trash"))
    assert gone.trash_id not in offered("trash")


def test_the_turns_of_the_session_that_is_named(home: Path, storage: JsonStorage) -> None:
    session = storage.create("Tax")
    first = _say(storage, session, "Why?")
    second = _say(storage, session, "How?", first.id)
    storage.set_current(storage.create("Other").session_id)
    assert offered("turns", session="Tax") == [second.id[:8], first.id[:8]]
    assert offered("turns") == []


def test_agents_and_models(home: Path, storage: JsonStorage) -> None:
    storage.create("x", model="used/before")
    storage.create("y", model="used/\x1b[2J")
    assert offered("agents") == ["poet", "the analyst"]
    expected = ["openai/gpt-4o", "ollama_chat/llama3.2", "anthropic/claude", "used/before"]
    assert set(offered("models")) == {*expected, "used/\x1b[2J"}
    assert complete("agno-shell --model open") == ["openai/gpt-4o"]
    assert "\x1b" not in "".join(complete("agno-shell --model used"))
    assert complete("agno-shell chat -a t") == ["the\\ analyst"]


def test_settings_and_what_they_may_be(home: Path) -> None:
    assert "provider.model" in offered("setting_names")
    assert complete("agno-shell config --set shell.edi") == ["shell.editing_mode="]
    assert complete("agno-shell config --set shell.editing_mode=") == ["emacs", "vi"]
    assert complete("agno-shell config --set shell.trace=t") == ["true"]
    assert complete("agno-shell config --set provider.model=openai") == ["openai/gpt-4o"]


def test_storages_are_those_that_are_installed(home: Path) -> None:
    assert "json" in complete("agno-shell migrate --from ")


@pytest.mark.parametrize("option", ["chat --attach", "--config", "migrate --to-path"])
def test_files(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my file.txt").touch()
    (tmp_path / "mine").mkdir()
    (tmp_path / "other").touch()
    assert complete(f"agno-shell {option} my") == ["my\\ file.txt"]
    assert sorted(complete(f"agno-shell {option} m")) == ["mine/", "my\\ file.txt"]


def test_an_option_with_a_text_of_your_own_offers_nothing(home: Path) -> None:
    assert complete("agno-shell chat --goal ") == []
    assert complete("agno-shell session --create ") == []


def test_a_broken_configuration_offers_nothing_and_says_nothing(home: Path) -> None:
    (home / "config.toml").write_text("[provider\n")
    assert complete("agno-shell session --set ") == []


def test_commands_and_options(home: Path) -> None:
    assert complete("agno-shell se") == ["session", "search"]
    assert complete("agno-shell trace --l") == ["--list", "--limit", "--log"]


def test_a_tab_costs_no_plugin_and_no_event_loop(home: Path, storage: JsonStorage) -> None:
    storage.create("Tax")
    ran = _run_completion("agno-shell session --set ", "-X", "importtime")
    imported = {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines()}
    assert "agno_shell.cli.tab_completion" in imported
    slow = {"asyncio", "pluggy", "litellm", "prompt_toolkit", "agno_shell.plugins.manager"}
    assert not imported & slow


def complete(line: str) -> list[str]:
    """What bash gets for a line with the cursor at its end."""
    ran = _run_completion(line)
    assert ran.stderr == ""
    found = Path(os.environ["AGNO_SHELL_HOME"], "offered").read_text(encoding="utf-8")
    return [each.removesuffix(" ") for each in found.split("\v") if each]


def _run_completion(line: str, *options: str) -> subprocess.CompletedProcess[str]:
    environ = {
        **os.environ,
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_SHELL": "bash",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "_ARGCOMPLETE_COMP_WORDBREAKS": " \t\n\"'><=;|&(:",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(Path(os.environ["AGNO_SHELL_HOME"], "offered")),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "PYTHONUTF8": "1",
    }
    return subprocess.run(
        [sys.executable, *options, "-m", "agno_shell"],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )


def _say(storage: JsonStorage, session: Session, text: str, parent: str | None = None) -> Message:
    message = Message(new_id(), "user", text, now(), parent)
    storage.append(session.session_id, message)
    return message


# Real shells ------------------------------------------------------------------------------


BEFORE = {
    "zsh": (".zshrc", "autoload -U compinit; compinit -u -D\n"),
    "fish": (".config/fish/config.fish", ""),
}
"""What a user of the shell has already."""


class Shell:
    """An interactive shell that was started after the line of ``--help`` was run."""

    def __init__(self, name: str, home: Path, folder: Path) -> None:
        import pexpect

        folder.mkdir()
        (folder / "a file 東.toml").touch()
        environ = {
            "AGNO_SHELL_HOME": str(home),
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "PATH": os.pathsep.join([os.path.dirname(AGNO_SHELL), os.environ["PATH"]]),
            "TERM": "dumb" if name == "bash" else "xterm",
        }
        if name in BEFORE:
            path, text = BEFORE[name]
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        install = ["sh", "-ec", completion_scripts.INSTALL[name]]
        subprocess.run(install, env=environ, cwd=folder, check=True, timeout=60)
        self._process = pexpect.spawn(
            name,
            ["-i"],
            env=environ,
            cwd=str(folder),
            encoding="utf-8",
            dimensions=(40, 200),
            timeout=60,
        )
        self.type("echo in''stalled\r")
        self.expect("installed\r")

    def type(self, keys: str) -> None:
        """Without waiting: what is typed while a shell completes is read when it has."""
        self._process.send(keys)

    def until(self, done: Callable[[], bool]) -> bool:
        """Let the shell work until something is so; False when it is not in the end."""
        import pexpect

        deadline = time.monotonic() + 20
        while not done():
            if time.monotonic() > deadline:
                return False
            with contextlib.suppress(pexpect.TIMEOUT):
                self._process.read_nonblocking(10_000, 0.02)
        return True

    def expect(self, text: str) -> None:
        self._process.expect_exact(text)

    def close(self) -> None:
        self._process.close(force=True)


@pytest.fixture
def start(home: Path, tmp_path: Path) -> Iterator[Callable[[str], Shell]]:
    running: list[Shell] = []

    def start(name: str) -> Shell:
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
        running.append(Shell(name, home, tmp_path / "folder"))
        return running[-1]

    yield start
    for shell in running:
        shell.close()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    "some", [SAMPLE, pytest.param([*NAMES], marks=pytest.mark.slow)], ids=["some", "all"]
)
@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_a_real_shell_completes_sessions_files_and_agents(
    start: Callable[[str], Shell], home: Path, storage: JsonStorage, name: str, some: list[str]
) -> None:
    for each in NAMES.values():
        storage.create(each)
    shell = start(name)

    def current() -> str | None:
        index = json.loads((home / "sessions" / "sessions.json").read_text(encoding="utf-8"))
        names = {each["session_id"]: each["name"] for each in index["sessions"]}
        return names.get(index["current_session_id"])

    for typed in some:
        wanted = NAMES[typed]
        shell.type(f"agno-shell session --set {typed}\t\r")
        assert shell.until(lambda wanted=wanted: current() == wanted), (typed, current())  # type: ignore[misc]
    shell.type("agno-shell config --path --config a\t\r")
    shell.expect("folder/a file 東.toml\r")
    shell.type("agno-shell agents --show the\t\r")
    shell.expect("anthropic/claude\r")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_tcsh_completes_what_holds_no_blanks(start: Callable[[str], Shell]) -> None:
    shell = start("tcsh")
    shell.type("agno-shell agents --show po\t\r")
    shell.expect("Answer in verse.\r")


@pytest.mark.parametrize("shell", completion_scripts.INSTALL)
def test_each_script_says_how_it_is_installed(
    capsys: pytest.CaptureFixture[str], shell: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--print-completion", shell])
    assert caught.value.code == 0
    script = capsys.readouterr().out
    assert completion_scripts.INSTALL[shell] in script
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    assert completion_scripts.INSTALL[shell] in capsys.readouterr().out


def test_every_source_that_an_option_names_is_there() -> None:
    from agno_shell.cli.arguments import build_parser
    from agno_shell.cli.parser import COMMAND

    waiting = [build_parser()]
    named = set()
    while waiting:
        for action in waiting.pop()._actions:
            if action.dest == COMMAND:
                waiting += list(dict(action.choices or {}).values())
            named.add(getattr(action, "completes", None))
    assert named - {None} == set(tab_completion.SOURCES)

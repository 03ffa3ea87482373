from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from agno_shell import cli
from agno_shell.cli import commands
from agno_shell.cli.arguments import build_parser, command_names, summary_of
from agno_shell.cli.parser import COMMAND

COMMANDS = command_names()


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_complete_and_has_examples(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([*command.split(), "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "examples:" in text
    assert "--config FILE" in text
    assert "--no-plugins" in text
    # argparse keeps these lines as they are; the usage of several actions has no blank.
    _usage, _blank, below = text.partition("\n\n")
    assert max(map(len, below.splitlines())) <= 100


def test_every_option_has_a_help_text() -> None:
    waiting = [build_parser()]
    while waiting:
        for action in waiting.pop()._actions:
            if action.dest == COMMAND:
                waiting += list(dict(action.choices or {}).values())
            else:
                assert action.help, action


def test_only_the_command_that_is_asked_for_is_built() -> None:
    parser = build_parser()
    commands = next(action for action in parser._actions if action.dest == COMMAND)
    parser.parse_args(["session", "--list"])
    built: Any = commands.choices
    assert [*built] == [*COMMANDS]
    assert [*built._parsers] == ["session"]
    assert "trace" in built
    assert "frob" not in built


def test_the_usual_commands_come_first_and_none_is_forgotten() -> None:
    assert COMMANDS[:3] == ["chat", "session", "search"]
    assert len(COMMANDS) >= 10


def test_a_command_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in ("zebra.py", "_helper.py", "notes.txt", "chat.py", "horse/__init__.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    (tmp_path / "gone" / "__pycache__").mkdir(parents=True)
    monkeypatch.setattr("agno_shell.cli.arguments._FOLDER", str(tmp_path))
    assert command_names() == ["chat", "horse", "zebra"]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_summary_that_is_read_is_the_one_of_the_module(name: str) -> None:
    module = import_module(f"agno_shell.cli.commands.{name}")
    assert summary_of(name) == module.SUMMARY
    assert module.SUMMARY


def test_the_list_of_commands_imports_none_of_them() -> None:
    code = "from agno_shell.base import installed; installed.may_have = lambda _group: False\n"
    code += "import sys; from agno_shell import cli; import atexit; atexit.register(lambda: print("
    code += "[each for each in sys.modules if 'commands' in each])); cli.main(['--help'])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "copy all sessions" in ran.stdout
    assert ran.stdout.splitlines()[-1] == "[]"


NEW = """
SUMMARY = "count the sessions"


def add(parser):
    parser.description = "Count them."
    parser.add_argument("--twice", action="store_true", help="say it twice")


def run(context, given):
    text = f"{len(context.open_storage().sessions())} sessions\\n"
    context.out.write(text * (2 if "twice" in given else 1))
    return 0
"""


def test_a_new_command_needs_nothing_but_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "count.py").write_text(NEW)
    monkeypatch.setattr("agno_shell.cli.arguments._FOLDER", str(tmp_path))
    monkeypatch.setattr(commands, "__path__", [str(tmp_path)])
    monkeypatch.setenv("AGNO_SHELL_HOME", str(tmp_path / "home"))
    assert cli.main(["count", "--twice", "--no-plugins"]) == 0
    assert capsys.readouterr().out == "0 sessions\n0 sessions\n"
    for arguments, shown in ((["--help"], "count the sessions"), (["count", "-h"], "say it twice")):
        with pytest.raises(SystemExit):
            cli.main(arguments)
        assert shown in capsys.readouterr().out
    with pytest.raises(SystemExit):
        cli.main(["coutn"])
    assert "did you mean count?" in capsys.readouterr().err

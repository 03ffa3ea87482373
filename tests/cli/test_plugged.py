"""Commands that plugins bring."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agno_shell import cli
from agno_shell.app import chat, parts
from agno_shell.cli.arguments import command_names
from agno_shell.plugins import distributions
from agno_shell.plugins.manager import Plugins

PLUGIN = """
from contextlib import closing

from agno_shell import ProviderError, Subcommand, hookimpl

def add(parser):
    parser.description = "Roll dice."
    parser.add_argument("--sides", type=int, metavar="N", help="how many")
    parser.add_argument("command", nargs="?", help="what else to do")

def run(context, given):
    what = given.get("command")
    if what == "fail":
        raise ProviderError("There are no dice.", hint="Buy some.")
    if what == "crash":
        raise RuntimeError("broken\x1b")
    if what == "leave":
        raise SystemExit(7)
    if what == "stop":
        raise KeyboardInterrupt
    if what == "wrong":
        context.wrong_usage("that is no number of sides")
    if what == "say":
        return "done"
    sides = given.get("sides", context.settings.get("sides", 6))
    with closing(context.open_storage()) as storage:
        context.out.write(f"{sides} sides, {len(storage.sessions())} sessions\\n")
        context.out.write(context.paths.config_file + "\\n")
    return 3

@hookimpl
def register_subcommands():
    return [Subcommand("dice", "roll 100% \x1bdice", add, run)]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir(0o700)
    (folder / "config.toml").touch(0o600)
    monkeypatch.setenv("AGNO_SHELL_HOME", str(folder))
    return folder


@pytest.fixture
def dice(home: Path, install: Callable[[str, str], None]) -> None:
    install("dice", PLUGIN)


def end_of(*arguments: str) -> object:
    """The exit status where the parser, or a command, ends the program."""
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    return caught.value.code


def test_it_gets_what_a_builtin_one_gets(
    dice: None, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["session", "--create", "Tax"]) == 0
    (home / "config.toml").write_text("[plugins.dice]\nsides = 20")
    capsys.readouterr()
    assert cli.main(["dice"]) == 3
    assert capsys.readouterr().out == f"20 sides, 1 sessions\n{home}/config.toml\n"
    other = home / "other.toml"
    other.touch(0o600)
    assert cli.main(["dice", "--sides", "4", "--config", str(other)]) == 3
    assert capsys.readouterr().out.startswith("4 sides, 1 sessions\n")
    assert cli.main(["--config", str(other), "dice"]) == 3
    assert capsys.readouterr().out.startswith("6 sides, 1 sessions\n")


@pytest.mark.parametrize(
    ("what", "status", "error"),
    [
        ("fail", 1, "agno-shell: There are no dice. Buy some.\n"),
        (
            "crash",
            1,
            "agno-shell: The command dice of the plugin dice failed: RuntimeError: broken␛. "
            '[plugins] off = ["dice"] in the configuration switches the plugin off.\n',
        ),
        (
            "say",
            1,
            "agno-shell: The command dice of the plugin dice failed: it returned str, not an exit "
            'status. [plugins] off = ["dice"] in the configuration switches the plugin off.\n',
        ),
        ("stop", 130, ""),
    ],
)
def test_what_goes_wrong_in_it_is_one_sentence(
    dice: None, capsys: pytest.CaptureFixture[str], what: str, status: int, error: str
) -> None:
    assert cli.main(["dice", what]) == status
    assert capsys.readouterr().err == error


def test_it_may_end_the_program(dice: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert end_of("dice", "leave") == 7
    assert end_of("dice", "wrong") == 2
    error = capsys.readouterr().err
    assert error.startswith("usage: agno-shell dice [-h]")
    assert error.endswith("agno-shell dice: error: that is no number of sides\n")
    assert end_of("dice", "--side", "6") == 2
    assert "there is no option --side; did you mean --sides?" in capsys.readouterr().err
    assert end_of("--model", "m", "dice") == 2
    assert "--model goes with chat and not with dice" in capsys.readouterr().err


def test_help_lists_it_and_shows_its_options(
    dice: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end_of("--help") == 0
    lines = capsys.readouterr().out.splitlines()
    assert ["dice", "roll", "100%", "␛dice"] in [line.split() for line in lines]
    assert end_of("dice", "--help") == 0
    shown = capsys.readouterr().out
    assert "Roll dice." in shown
    assert "--sides N" in shown
    assert "--no-plugins" in shown


@pytest.mark.parametrize("arguments", [["--no-plugins", "dice"], ["dice", "--no-plugins"]])
def test_there_is_none_without_plugins(
    dice: None, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert end_of(*arguments) == 2
    assert "there is no command dice" in capsys.readouterr().err
    assert end_of("--no-plugins", "--help") == 0
    assert "dice" not in capsys.readouterr().out


def test_one_that_is_switched_off_is_not_imported(
    dice: None, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "config.toml").write_text('[plugins]\noff = ["dice"]')
    assert end_of("dice") == 2
    assert "there is no command dice" in capsys.readouterr().err
    assert "plugin_dice" not in sys.modules


def test_a_slip_is_reported_with_the_commands_of_plugins(
    dice: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end_of("dise") == 2
    assert "did you mean dice?" in capsys.readouterr().err


def test_a_wrong_configuration_ends_a_command_and_not_the_help(
    dice: None, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "config.toml").write_text("[provider\n")
    assert end_of("--help") == 0
    shown = capsys.readouterr()
    assert "dice" not in shown.out
    assert shown.err == ""
    assert cli.main(["dice"]) == 2
    assert f"{home}/config.toml, line 1" in capsys.readouterr().err


def test_no_plugin_is_looked_for_where_all_is_built_in(
    dice: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("a plugin was looked for")

    monkeypatch.setattr(distributions, "entry_points_of", fail)
    monkeypatch.setattr(parts, "plugins_of", fail)
    assert cli.main(["session", "--list"]) == 0
    assert end_of("--version") == 0
    assert end_of("plugins", "--help") == 0


@pytest.mark.parametrize("arguments", ["--agent dice chat", "--new dice", "--session=dice"])
def test_a_value_of_an_option_is_no_command(
    dice: None, monkeypatch: pytest.MonkeyPatch, arguments: str
) -> None:
    monkeypatch.setattr(chat, "chat", lambda *_, **__: 0)
    monkeypatch.setattr(parts, "plugins_of", None)
    assert cli.main(arguments.split()) == 0


@pytest.mark.parametrize(("code", "status"), [("7", 7), ("None", 0), ("'why'", 1)])
def test_its_status_holds_where_a_thread_of_it_does_not_end(
    home: Path, tmp_path: Path, install: Callable[[str, str], None], code: str, status: int
) -> None:
    install(
        "dice",
        f"""
        import threading

        from agno_shell import Subcommand, hookimpl

        def run(context, given):
            threading.Thread(target=threading.Event().wait, name="dice").start()
            raise SystemExit({code})

        @hookimpl
        def register_subcommands():
            return [Subcommand("dice", "Roll.", lambda parser: None, run)]
        """,
    )
    ran = subprocess.run(
        [sys.executable, "-m", "agno_shell", "dice"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == status
    assert "thread 'dice'" in ran.stderr


# What is registered -----------------------------------------------------------------------


def register(install: Callable[[str, str], None], subcommand: str) -> tuple[Plugins, list[str]]:
    install(
        "other",
        f"""
        from agno_shell import Subcommand, hookimpl

        def nothing(*_):
            return 0

        @hookimpl
        def register_subcommands():
            return [{subcommand}]
        """,
    )
    reports: list[str] = []
    plugins = Plugins(report=reports.append)
    plugins.load_installed()
    return plugins, reports


@pytest.mark.parametrize("name", command_names())
def test_a_name_of_the_program_is_taken(install: Callable[[str, str], None], name: str) -> None:
    plugins, [report] = register(install, f"Subcommand({name!r}, 'Mine.', nothing, nothing)")
    assert f"The subcommand '{name}' is registered by subcommands (agno-shell " in report
    assert "so that of other (dist-other 1.2) is not used" in report
    assert plugins.subcommands.owner(name) == "subcommands"


@pytest.mark.parametrize(
    ("subcommand", "reason"),
    [
        ("Subcommand('-x', 'x', nothing, nothing)", "the name of a Subcommand is '-x'"),
        ("Subcommand('a b', 'x', nothing, nothing)", "the name of a Subcommand is 'a b'"),
        ("Subcommand('dice', 6, nothing, nothing)", "the summary of the Subcommand 'dice' is"),
        ("Subcommand('dice', 'x', None, nothing)", "the add of the Subcommand 'dice' is None"),
        ("Subcommand('dice', 'x', nothing, 'run')", "the run of the Subcommand 'dice' is of the"),
        ("'dice'", "it returned str, not Subcommand"),
    ],
)
def test_what_could_not_be_used_is_refused(
    install: Callable[[str, str], None], subcommand: str, reason: str
) -> None:
    plugins, [report] = register(install, subcommand)
    assert reason in report
    assert set(plugins.subcommands.all()) == set(command_names())


def test_options_that_are_there_already_are_an_error_of_the_plugin(
    home: Path, install: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    add = "lambda parser: parser.add_argument('--config')"
    register(install, f"Subcommand('dice', 'Roll.', {add}, nothing)")
    assert cli.main(["dice"]) == 1
    error = capsys.readouterr().err
    assert error.startswith(
        "agno-shell: The command dice of the plugin other failed: ArgumentError"
    )


def test_it_may_have_commands_of_its_own(
    home: Path, install: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    install(
        "nested",
        """
        from agno_shell import Subcommand, hookimpl

        def add(parser):
            parser.add_argument("--loud", action="store_true")
            below = parser.add_subparsers(dest="what", required=True)
            below.add_parser("roll").add_argument("--sides", type=int)

        def run(context, given):
            context.out.write(f"{given}")
            return 0

        @hookimpl
        def register_subcommands():
            return [Subcommand("dice", "Roll.", add, run)]
        """,
    )
    assert cli.main(["dice", "--loud", "roll", "--sides", "6"]) == 0
    assert eval(capsys.readouterr().out) == {"loud": True, "what": "roll", "sides": 6}


# Completion by Tab ------------------------------------------------------------------------


def test_its_options_are_completed(dice: None, home: Path, tmp_path: Path) -> None:
    line = "agno-shell dice --s"
    environ = {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_SHELL": "bash",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(home / "offered"),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    ran = subprocess.run(
        [sys.executable, "-m", "agno_shell"],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stderr == ""
    assert (home / "offered").read_text() == "--sides"

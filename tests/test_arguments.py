from __future__ import annotations

from typing import Any

import pytest

from agno_shell import cli
from agno_shell.arguments import build_parser

COMMANDS = (
    "chat",
    "session",
    "search",
    "agents",
    "trace",
    "metrics",
    "provider",
    "doctor",
    "migrate",
    "plugins",
    "config",
)


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
            if action.dest == "command":
                waiting += list(dict(action.choices or {}).values())
            else:
                assert action.help, action


def test_only_the_command_that_is_asked_for_is_built() -> None:
    parser = build_parser()
    commands = next(action for action in parser._actions if action.dest == "command")
    parser.parse_args(["session", "--list"])
    built: Any = commands.choices
    assert [*built] == [*COMMANDS]
    assert [*built._parsers] == ["session"]
    assert "trace" in built
    assert "frob" not in built

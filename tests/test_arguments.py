from __future__ import annotations

import pytest

from agno_shell import cli
from agno_shell.arguments import build_parser

COMMANDS = ("chat", "session", "search", "doctor", "migrate", "plugins", "config")


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


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_a_completion_script(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--print-completion", shell])
    assert caught.value.code == 0
    script = capsys.readouterr().out
    assert "agno-shell" in script
    for command in COMMANDS:
        assert command in script
    assert "api-base" in script

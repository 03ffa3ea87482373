"""What no command can take: each of them works all the same, or says one clear sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.commands.plugin import register_commands
from agno_shell.errors import AgnoShellError, UsageError
from agno_shell.testing.fake_context import run

COMMANDS = {command.name: command for command in register_commands()}

NONSENSE = (
    *("abc", "0", "-1", "1.5", "99999999999999999999", "9" * 5000, "٣", "1_0", "1 2 3", "N"),
    *("--nope", "--", "-- ", "--yes --yes", "--at", "--at x", "--at 99", "--model", "--model --x"),
    *("--since never x", "--role nobody x", "--limit", "--default", "--undo", "--full x"),
    *('"', "'x", "\\", "on off", "on", "off x", "code 0", "code x", "new", "new --", "repair x"),
    *("../../../nothing/x", "~nobody/x", "a=b", "%s%n", "{}", "[x]", "x" * 300, "a\0b"),
    *("\u202eabc", "\x1b[2J", "\ud800", "👩‍👩‍👧", "( x", "*", "a\tb", "a\nb"),
)


@pytest.mark.parametrize("name", COMMANDS)
async def test_nonsense_is_refused_in_one_sentence(
    make_context: Callable[..., Any], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("EDITOR", "VISUAL"):
        monkeypatch.delenv(variable, raising=False)
    command = COMMANDS[name]
    for text in NONSENSE:
        context = make_context(has_user=False)
        if not command.usage:
            with pytest.raises(UsageError, match=f"/{name} takes no arguments"):
                await run(context, command, text)
        try:
            await run(context, command, text)
        except AgnoShellError as error:
            said = error.sentence()
            assert re.fullmatch(r"[^\n]{10,1000}", said), (text, said)
            assert not re.search(r"[A-Z][a-z]+(Error|Exception)\b|errno|None", said), (text, said)
        assert len(context.ui.text) < 100_000, text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/forget x", "/forget takes a number from 1 up, not 'x'. Usage: /forget N"),
        ("/undo \u202ex", "/undo takes a number from 1 up, not '‹U+202E›x'. Usage: /undo [N]"),
        ("/info all", "/info takes no arguments, not 'all'."),
        ("/exit now", "/exit takes no arguments, not 'now'."),
    ],
)
async def test_what_is_wrong_is_named(
    make_context: Callable[..., Any], type_line: Callable[..., Any], line: str, said: Any
) -> None:
    with pytest.raises(UsageError) as raised:
        await type_line(make_context(), line)
    assert raised.value.sentence() == said

from __future__ import annotations

import io
import json
from typing import Any

from agno_shell.cli.commands.plugins import list_plugins

GOOD = {
    "name": "echo",
    "distribution": "agno-shell-echo",
    "version": "0.1.0",
    "provides": ["provider echo", "command /echo"],
    "load_seconds": 0.00123,
    "state": "loaded",
    "error": None,
}
BROKEN: dict[str, Any] = {
    "name": "bro\x1bken",
    "distribution": "x",
    "version": "1",
    "provides": [],
    "load_seconds": None,
    "state": "failed",
    "error": "ImportError: no\nmodule\x9b",
}


def shown(rows: list[dict[str, Any]], **options: Any) -> str:
    out = io.StringIO()
    list_plugins(rows, out, **options)
    return out.getvalue()


def test_the_table() -> None:
    heading, good, broken, error = shown([GOOD, BROKEN]).splitlines()
    assert heading.split() == [
        "Name",
        "Distribution",
        "Version",
        "Load",
        "Time",
        "State",
        "Provides",
    ]
    assert good.split() == (
        [
            "echo",
            "agno-shell-echo",
            "0.1.0",
            "1.2",
            "ms",
            "loaded",
            "provider",
            "echo,",
            "command",
            "/echo",
        ]
    )
    assert broken.split() == ["bro␛ken", "x", "1", "failed"]
    assert error == "bro␛ken: ImportError: no module‹U+009B›"


def test_json() -> None:
    text = shown([GOOD, BROKEN], as_json=True)
    assert json.loads(text) == [GOOD, BROKEN]
    assert text.isascii()
    assert "\x1b" not in text


def test_nothing_installed() -> None:
    assert shown([]) == "No plugin is installed.\n"
    assert shown([], as_json=True) == "[]\n"

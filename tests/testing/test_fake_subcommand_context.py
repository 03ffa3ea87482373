from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agno_shell import Subcommand, SubcommandContext
from agno_shell.errors import UsageError
from agno_shell.testing import FakeSubcommandContext, MemoryStorage


def add(parser: Any) -> None:
    parser.add_argument("words", nargs="*")
    parser.add_argument("--loud", action="store_true")
    parser.add_argument("--most", type=int, default=3)


def run(context: SubcommandContext, given: Mapping[str, Any]) -> int:
    if "loud" in given and "config" in given:
        context.wrong_usage("loud is not configured")
    context.out.write(repr(dict(given)))
    return 5


SUBCOMMAND = Subcommand("say", "Say it.", add, run)


def test_a_line_is_parsed_as_the_program_does() -> None:
    context = FakeSubcommandContext()
    assert context.run(SUBCOMMAND, "'a b' c --no-plugins") == 5
    expected = {"most": 3, "no_plugins": True, "words": ["a b", "c"]}
    assert eval(context.out.getvalue()) == expected


def test_what_the_parser_refuses_ends_and_what_the_command_refuses_is_raised() -> None:
    context = FakeSubcommandContext()
    with pytest.raises(SystemExit):
        context.run(SUBCOMMAND, "--most many")
    with pytest.raises(UsageError, match="loud is not configured"):
        context.run(SUBCOMMAND, "--loud --config x")


def test_storage_settings_and_paths_are_those_that_were_given(tmp_path: Path) -> None:
    storage = MemoryStorage()
    context = FakeSubcommandContext(storage, settings={"a": 1}, home=str(tmp_path))
    assert context.open_storage() is storage
    assert context.settings == {"a": 1}
    assert context.paths.sessions_dir == os.path.join(tmp_path, "sessions")

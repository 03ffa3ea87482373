from __future__ import annotations

from typing import Any

import pytest

from agno_shell.contracts import (
    Command,
    ProviderFactory,
    RendererFactory,
    StorageFactory,
    Subcommand,
    ToolFactory,
)
from agno_shell.errors import PluginError
from agno_shell.plugins.record_checks import _CHECKS, check

SOUND = Command("dice", "Roll a die.", print, "[SIDES]", "Or more.", None, ("roll",), True)


@pytest.mark.parametrize(
    "record",
    [Command, ProviderFactory, RendererFactory, StorageFactory, Subcommand, ToolFactory],
)
def test_every_field_of_every_record_is_looked_at(record: Any) -> None:
    assert set(record._fields) <= set(_CHECKS)


@pytest.mark.parametrize(
    "record",
    [
        SOUND,
        SOUND._replace(summary="", aliases=["würfeln", "w-2"], complete=print),  # type: ignore[arg-type]
        StorageFactory("json", "", print),  # type: ignore[arg-type]
        ProviderFactory("mine", "Mine.", print),  # type: ignore[arg-type]
    ],
)
def test_a_sound_record_is_taken(record: Any) -> None:
    check(record)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"summary": None}, "the summary of the Command 'dice' is None, not a text"),
        (
            {"summary": "a\nb"},
            "the summary of the Command 'dice' has several lines; it must be one",
        ),
        ({"run": None}, "the run of the Command 'dice' is None, not a function"),
        ({"run": "roll"}, "the run of the Command 'dice' is of the type str, not a function"),
        ({"complete": 5}, "the complete of the Command 'dice' is of the type int, not a function"),
        ({"usage": 1}, "the usage of the Command 'dice' is of the type int, not a text"),
        ({"details": b"x"}, "the details of the Command 'dice' is of the type bytes, not a text"),
        ({"aliases": "roll"}, "aliases of the Command 'dice' are of the type str, not a tuple"),
        ({"aliases": (None,)}, "the aliases of the Command 'dice' is None, not a text"),
        ({"multiline": 1}, "the multiline of the Command 'dice' is of the type int, not True or"),
        ({"name": None}, "the name of a Command is None, not a text"),
        ({"name": ""}, "the name of a Command is ''; it must be one word"),
        ({"name": "two words"}, "the name of a Command is 'two words'; it must be one word"),
        ({"name": "a\x1b[2J"}, "it must be one word"),
        ({"name": "/dice"}, "it must begin with neither - nor /"),
        ({"name": "d" * 61}, "at most 60 letters"),
    ],
)
def test_what_cannot_be_used_is_named(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(PluginError) as error:
        check(SOUND._replace(**change))
    assert problem in str(error.value)

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agno_shell.base.options import CommonOptions
from agno_shell.base.paths import find_paths
from agno_shell.cli.commands import agents as command
from agno_shell.config import load_config
from agno_shell.errors import AgnoShellError

Do = Callable[..., str]

OWN = """# mine
[agents.analyst]
model = "anthropic/claude"
description = "careful\\u001b[2J"
instructions = "Be exact."
pins = ["one", "two"]
"""


@pytest.fixture
def do(
    tmp_path: Path, run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> Do:
    (tmp_path / "config.toml").write_text(OWN)
    monkeypatch.setenv("AGNO_SHELL_HOME", str(tmp_path))

    def do(action: str, name: str = "", **given: Any) -> str:
        common = given.pop("common", CommonOptions())
        status, out, err = run(command, {action: name, **given}, common=common)
        assert (status, err) == (0, "")
        return out

    return do


def agents(folder: Path) -> dict[str, Any]:
    return dict(load_config(find_paths({"AGNO_SHELL_HOME": str(folder)}), environ={}).agents)


def test_the_list(do: Do, tmp_path: Path) -> None:
    assert do("list").splitlines() == [
        "Agent    Model             What it does",
        "analyst  anthropic/claude  careful␛[2J",
    ]
    (record,) = json.loads(do("list", json=True))
    assert record["name"] == "analyst"
    assert record["pins"] == ["one", "two"]
    (tmp_path / "config.toml").unlink()
    assert do("list").startswith("No agents are set up. Make one with agno-shell agents --create")


def test_one_is_made_shown_and_removed(do: Do, tmp_path: Path) -> None:
    table = {
        "instructions": "Answer\nin verse.",
        "temperature": 0.9,
        "pin": ["p"],
        "parameters": {"max_tokens": 5},
    }
    shown = do("create", "the poet", **table)
    assert shown == f"Created agent 'the poet' in {tmp_path}/shell.toml\n"
    assert (tmp_path / "config.toml").read_text() == OWN
    made = agents(tmp_path)["the poet"]
    assert made.instructions == "Answer\nin verse."
    assert made.parameters == {"temperature": 0.9, "max_tokens": 5}
    assert do("show", "the poet").splitlines() == [
        "Agent:        the poet",
        "Instructions: Answer",
        "              in verse.",
        "Pins:         p",
        "Parameters:   temperature=0.9, max_tokens=5",
    ]
    do("create", "other", model="m")
    assert do("remove", "the poet") == "Removed agent 'the poet'\n"
    assert set(agents(tmp_path)) == {"analyst", "other"}


@pytest.mark.parametrize(
    ("action", "name", "table", "complaint"),
    [
        ("create", "analyst", {"model": "m"}, "an agent 'analyst' already. Take another name, or"),
        ("create", "None", {"model": "m"}, "An agent cannot be called 'None'."),
        ("create", "x", {"description": "d"}, "needs instructions or a model of its own"),
        ("create", "x\x1b", {"model": "m"}, "must have a name of 1 to 60 printable characters"),
        ("create", "x", {"model": "m", "temperature": -1.0}, "temperature must be a number"),
        ("create", "x", {"model": "m", "parameters": {"api_key": "k"}}, "is no model parameter"),
        ("create", "x", {"model": "m", "pin": ["@house-rules.md"]}, "by a path that is not whole"),
        ("show", "Analist", {}, "There is no agent 'Analist'. Did you mean 'analyst'?"),
        ("remove", "zzz", {}, "There is no agent 'zzz'. Configured agents: analyst."),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    do: Do, tmp_path: Path, action: str, name: str, table: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(AgnoShellError) as caught:
        do(action, name, **table)
    assert complaint in caught.value.sentence()
    assert caught.value.exit_code == 2
    assert not (tmp_path / "shell.toml").exists()


def test_one_of_your_own_file_is_left_and_its_line_named(do: Do, tmp_path: Path) -> None:
    with pytest.raises(AgnoShellError) as caught:
        do("remove", "analyst")
    assert f"Delete the table that begins at {tmp_path}/config.toml, line 2." in str(
        caught.value.sentence()
    )
    assert (tmp_path / "config.toml").read_text() == OWN


def test_a_file_of_your_own_that_is_named_is_one_too(do: Do, tmp_path: Path) -> None:
    named = tmp_path / "named.toml"
    named.write_text("[agents.here]\nmodel = 'm'\n")
    common = CommonOptions(str(named))
    assert "here" in do("list", common=common)
    with pytest.raises(AgnoShellError, match="stands in your own file") as caught:
        do("remove", "here", common=common)
    assert f"{named}, line 1" in caught.value.hint


def test_one_that_stands_in_both_files_comes_back(do: Do, tmp_path: Path) -> None:
    (tmp_path / "shell.toml").write_text("[agents.analyst]\nmodel = 'other'\n")
    assert do("remove", "analyst").splitlines() == [
        "Removed agent 'analyst'",
        f"The agent 'analyst' at {tmp_path}/config.toml, line 2 applies again.",
    ]
    assert agents(tmp_path)["analyst"].model == "anthropic/claude"


def test_no_key_is_shown(do: Do, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[agents.a.parameters]\nmy_token = 'fake0000'\n")
    assert "fake" not in do("show", "a") + do("list", json=True) + do("show", "a", json=True)

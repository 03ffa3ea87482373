from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agno_shell import settings
from agno_shell.config import load_config
from agno_shell.errors import ConfigError
from agno_shell.oneshot.config import run, without_secrets
from agno_shell.options import CommonOptions
from agno_shell.paths import find_paths

Shown = Callable[..., str]

USER = """
[provider]
model = "x/\\u202Ey"
[plugins]
off = ["a", "b"]
[agents.analyst]
instructions = "Say\\n\\"why\\"."
temperature = 0.5
parameters.max_tokens = 100
[plugins.echo]
since = 2024-01-01
"""


@pytest.fixture
def shown(tmp_path: Path) -> Shown:
    def run_action(action: Any, user: str = "", **options: Any) -> str:
        (tmp_path / "config.toml").write_text(user)
        out = io.StringIO()
        environ = {"AGNO_SHELL_HOME": str(tmp_path), "AGNO_SHELL_SHELL_TRACE": "yes"}
        assert run(CommonOptions(**options), action, environ, out) == 0
        return out.getvalue()

    return run_action


def test_show_names_every_setting_with_its_source(shown: Shown, tmp_path: Path) -> None:
    text = shown("show", USER, overrides={"shell.metrics": True})
    assert 'plugin = "json"  # default\n' in text
    assert f"# {tmp_path}/config.toml, line 3\n" in text
    assert "trace = true  # AGNO_SHELL_SHELL_TRACE\n" in text
    assert "metrics = true  # the command line\n" in text
    for setting in settings.ALL:
        assert f"\n{setting.name.rpartition('.')[2]} = " in text


def test_what_is_shown_can_be_loaded_again_and_means_the_same(shown: Shown, tmp_path: Path) -> None:
    user = USER.replace("\\u202E", "")
    text = shown("show", user)
    (tmp_path / "again").mkdir()
    paths = find_paths({"AGNO_SHELL_HOME": str(tmp_path)})
    before = load_config(paths, environ={"AGNO_SHELL_SHELL_TRACE": "yes"})
    Path(paths.config_file).write_text(text)
    after = load_config(paths, environ={})
    assert {s.name: after[s] for s in settings.ALL} == {s.name: before[s] for s in settings.ALL}
    assert after.agents == before.agents
    assert after.plugin_tables == before.plugin_tables


def test_nothing_foreign_acts_on_the_terminal(shown: Shown) -> None:
    text = shown("show", USER)
    assert "\u202e" not in text
    assert "x/‹U+202E›y" in text


def test_no_key_is_shown(shown: Shown) -> None:
    text = shown(
        "show",
        """
        provider.api_key_env = "MY_KEY"
        [agents.a]
        instructions = "Use sk-fake-0000-1111 and Bearer fake0000."
        parameters = {my_token = "fake0000", max_tokens = 5}
        [plugins.x]
        password = "fake0000"
        nested = {"api-key" = "fake0000", apikey = ["fake0000"], url = "https://me:fake0000@host/"}
        key_env = "NAME"
        keyboard = "us"
        """,
    )
    assert "fake" not in text
    for kept in ('api_key_env = "MY_KEY"', "max_tokens = 5", 'key_env = "NAME"', 'keyboard = "us"'):
        assert kept in text


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("top_k", 5, 5),
        ("key", 5, "(hidden)"),
        ("text", "a gsk_fake00000000 b", "a (hidden) b"),
        ("text", "task-force-of-eight", "task-force-of-eight"),
        ("list", [{"secret": 1, "x": 2}], [{"secret": "(hidden)", "x": 2}]),
    ],
)
def test_what_looks_like_a_key(name: str, value: Any, expected: Any) -> None:
    assert without_secrets(value, name) == expected


def test_path_helps_even_where_the_file_is_wrong(shown: Shown, tmp_path: Path) -> None:
    assert shown("path", "not toml") == f"{tmp_path}/config.toml\n"
    assert shown("path", config_file="/elsewhere/x.toml") == "/elsewhere/x.toml\n"


def test_check(shown: Shown, tmp_path: Path) -> None:
    assert shown("check", "shell.trace = true") == f"{tmp_path}/config.toml is right.\n"
    with pytest.raises(ConfigError, match=r"line 1: shell\.trace must be"):
        shown("check", "shell.trace = 1")


def test_check_without_a_file_and_with_a_slip(tmp_path: Path) -> None:
    out = io.StringIO()
    environ = {"AGNO_SHELL_HOME": str(tmp_path), "AGNO_SHELL_PROVIDER_MODLE": "x"}
    assert run(CommonOptions(), "check", environ, out) == 0
    first, second = out.getvalue().splitlines()
    assert first == "There is no configuration file; the defaults are in force."
    assert "Did you mean AGNO_SHELL_PROVIDER_MODEL?" in second

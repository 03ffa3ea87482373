from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agno_shell.base.options import CommonOptions
from agno_shell.base.paths import find_paths
from agno_shell.cli.commands import config as command
from agno_shell.cli.hidden import without_secrets
from agno_shell.config import load_config, settings
from agno_shell.errors import AgnoShellError

Shown = Callable[..., str]
Run = Callable[..., tuple[int, str, str]]

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
def shown(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Shown:
    monkeypatch.setenv("AGNO_SHELL_HOME", str(tmp_path))
    monkeypatch.setenv("AGNO_SHELL_SHELL_TRACE", "yes")

    def shown(action: str, user: str = "", keys: Any = (), **options: Any) -> str:
        (tmp_path / "config.toml").write_text(user)
        given: dict[str, Any] = {"json": True} if options.pop("json", False) else {}
        if action in ("set", "unset"):
            given[action] = keys
        elif action == "get":
            [given["get"]] = keys
        else:
            given["action"] = action
        status, out, err = run(command, given, common=CommonOptions(**options))
        assert (status, err) == (0, "")
        return out

    return shown


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


@pytest.fixture
def checked(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Check a configuration: the status, and what was written to stdout and to stderr."""
    monkeypatch.setenv("AGNO_SHELL_HOME", str(tmp_path))

    def check_it(user: str | None = None, **options: Any) -> tuple[int, str, str]:
        if user is not None:
            (tmp_path / "config.toml").write_text(user)
        return run(command, {"action": "check"}, common=CommonOptions(**options))

    return check_it


def test_check(checked: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    assert checked("shell.trace = true") == (0, f"{tmp_path}/config.toml is right.\n", "")
    status, out, err = checked("shell.trace = 1\nprovidr.model = 1")
    assert (status, out) == (2, "")
    first, second = err.splitlines()
    assert (
        first == f"agno-shell: {tmp_path}/config.toml, line 1: shell.trace must be true or false."
    )
    assert "line 2" in second


@pytest.mark.parametrize(
    ("user", "complaint"),
    [
        ("[renderer]\ntheme = 'monokay'", "Did you mean 'monokai'?"),
        ("[renderer]\nplugin = 'pigments'", "Did you mean 'pygments'?"),
        ("[storage]\nplugin = 'jsn'", "line 2: There is no storage called 'jsn'. Did you mean"),
        ("[provider]\nplugin = 'litelm'", "Did you mean 'litellm'?"),
        ("[plugins]\noff = ['pygment']", 'Did you mean "pygments"?'),
        ("[tools]\non = ['nothing.at.all']", "line 2: There is no tool box called 'nothing'."),
        ("[Renderer]\ntheme = 'vim'", 'line 1: there is no setting "Renderer". Did you mean "rend'),
        ("[AGENTS.x]", 'line 1: there is no setting "AGENTS". Did you mean "agents"?'),
        ("[provider]\nMODEL = 'x'", 'Did you mean "provider.model"? Small and capital letters'),
    ],
)
def test_what_is_named_must_be_there(
    checked: Callable[..., tuple[int, str, str]], user: str, complaint: str
) -> None:
    status, out, err = checked(user)
    assert (status, out) == (2, "")
    assert complaint in err
    assert err.count("\n") == 1


def test_a_table_of_a_plugin_that_is_not_there_is_worth_knowing(
    checked: Callable[..., tuple[int, str, str]],
) -> None:
    status, out, err = checked("[plugins.gone]\nx = 1")
    assert (status, err) == (0, "")
    assert "[plugins.gone]: No plugin of this name is installed." in out


def test_check_without_a_file_and_with_a_slip(
    checked: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGNO_SHELL_PROVIDER_MODLE", "x")
    status, out, err = checked()
    first, second = out.splitlines()
    assert first == "There is no configuration file; the defaults apply."
    assert "Did you mean AGNO_SHELL_PROVIDER_MODEL?" in second
    assert (status, err) == (0, "")


# Changing it ------------------------------------------------------------------------------


def test_a_setting_is_kept_and_forgotten_again(shown: Shown, tmp_path: Path) -> None:
    mine = '# mine\n[provider]\nmodel = "a"\n'
    keys = ("provider.model=openai/b", "shell.metrics = yes", "provider.fallbacks=x, y")
    assert shown("set", mine, keys=keys).splitlines() == [
        "Set provider.model = openai/b",
        "Set shell.metrics = true",
        "Set provider.fallbacks = x, y",
    ]
    assert (tmp_path / "config.toml").read_text() == mine
    assert shown("get", mine, keys=("provider.model",)) == "openai/b\n"
    assert shown("get", mine, keys=("provider.fallbacks",)) == "x, y\n"
    assert shown("get", mine, keys=("provider.fallbacks",), json=True) == '["x", "y"]\n'
    assert shown("unset", mine, keys=("provider.model",)).splitlines() == [
        "Unset provider.model",
        f"Effective: a ({tmp_path}/config.toml, line 3)",
    ]
    assert shown("get", mine, keys=("shell.metrics",)) == "true\n"


def test_what_counts_more_is_named(shown: Shown) -> None:
    assert shown("set", keys=("shell.trace=no",)).splitlines() == [
        "Set shell.trace = false",
        "Effective: true (AGNO_SHELL_SHELL_TRACE)",
    ]


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("provider.modle=x", 'There is no setting "provider.modle". Did you mean "provider.model"'),
        ("provider.api_key=sk-fake-00000000", "A key is not written here"),
        ("shell.metrics=maybe", "shell.metrics must be true or false."),
        ("provider.limits.connect=fast", "provider.limits.connect must be a number."),
        ("provider.reasoning=much", "provider.reasoning must be"),
        ("provider.model", "--set provider.model has no value. It takes KEY=VALUE."),
    ],
)
def test_a_wrong_change_changes_nothing(
    shown: Shown, tmp_path: Path, key: str, complaint: str
) -> None:
    with pytest.raises(AgnoShellError) as caught:
        shown("set", keys=("shell.metrics=true", key))
    assert complaint in caught.value.sentence()
    assert caught.value.exit_code == 2
    assert "fake" not in caught.value.sentence()
    assert not (tmp_path / "shell.toml").exists()


def test_as_json(shown: Shown, tmp_path: Path) -> None:
    record = json.loads(shown("show", USER, json=True))
    assert record["settings"]["provider.model"] == {
        "value": "x/\u202ey",
        "source": f"{tmp_path}/config.toml, line 3",
    }
    assert record["agents"]["analyst"]["parameters"] == {"temperature": 0.5, "max_tokens": 100}

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agno_shell.base.paths import Paths, find_paths
from agno_shell.config import Agent, Config, load_config, new_agent, remember, settings
from agno_shell.config.writing import toml_value
from agno_shell.errors import ConfigError

Load = Callable[..., Config]


def test_what_is_remembered_is_in_force_and_the_persons_file_is_untouched(
    load: Load, paths: Paths
) -> None:
    user = '# mine\nprovider.model = "user"\n'
    load(user)
    remember(paths, {"provider.model": "shell", "plugins.off": ("a", "b"), "shell.trace": True})
    config = load_config(paths, environ={})
    assert config[settings.PROVIDER_MODEL] == "shell"
    assert config[settings.PLUGINS_OFF] == ("a", "b")
    assert config[settings.SHELL_TRACE] is True
    assert Path(paths.config_file).read_text() == user


def test_other_keys_stay_and_none_forgets(load: Load, paths: Paths) -> None:
    load("", 'provider.model = "x"\nshell.trace = true\n[plugins.echo]\ncolour = "blue"')
    remember(paths, {"provider.model": None, "shell.metrics": True, "renderer.theme": None})
    config = load_config(paths, environ={})
    assert config[settings.PROVIDER_MODEL] == ""
    assert config[settings.SHELL_TRACE] is True
    assert config[settings.SHELL_METRICS] is True
    assert config.plugin_settings("echo") == {"colour": "blue"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"provider.modle": "x"}, "there is no setting|There is no setting"),
        ({"shell.trace": "on"}, r"shell\.trace must be true or false"),
    ],
)
def test_what_is_no_setting_is_not_written(
    paths: Paths, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        remember(paths, values)
    assert not Path(paths.shell_config_file).exists()


def test_a_damaged_file_is_named_and_kept(load: Load, paths: Paths) -> None:
    Path(paths.shell_config_file).write_text("not toml")
    with pytest.raises(ConfigError, match=r"shell\.toml, line 1"):
        remember(paths, {"shell.trace": True})
    assert Path(paths.shell_config_file).read_text() == "not toml"


@pytest.fixture
def mask(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    # The folder of the test is made before; what has no rights at all is closed to its owner.
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
@pytest.mark.usefixtures("mask")
@pytest.mark.parametrize("mask", [0, 0o022, 0o777], indirect=True)
def test_the_file_is_0600_in_0700_folders_whatever_the_umask(tmp_path: Path) -> None:
    home = tmp_path / "a" / "b"
    paths = find_paths({"AGNO_SHELL_HOME": str(home)})
    remember(paths, {"shell.trace": True})
    remember(paths, {"shell.metrics": True})
    assert stat.S_IMODE((home / "shell.toml").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700
    assert [path.name for path in home.iterdir()] == ["shell.toml"]


@pytest.mark.parametrize("call", ["os.replace", "os.fsync", "os.mkdir", "os.open"])
def test_a_failed_write_is_one_sentence_and_leaves_the_old_file(
    load: Load, paths: Paths, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    if call == "os.mkdir":
        paths = find_paths({"AGNO_SHELL_HOME": f"{Path(paths.config_file).parent}/new"})
    else:
        load("", "shell.trace = true")

    real_open = os.open

    def full(*arguments: Any) -> int:
        if call == "os.open" and not arguments[1] & os.O_CREAT:
            return real_open(*arguments)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(call, full)
        with pytest.raises(
            ConfigError, match=r"shell\.toml could not be written: No space left on device\."
        ):
            remember(paths, {"shell.metrics": True})
    if call != "os.mkdir":
        folder = Path(paths.shell_config_file).parent
        assert Path(paths.shell_config_file).read_text() == "shell.trace = true"
        assert not list(folder.glob("*.new"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\n\x1b\"'", '"a\\n\\u001b\\"\'"'),
        ((), "[]"),
        (("a", "b"), '["a", "b"]'),
        (1.0, "1.0"),
        (True, "true"),
    ],
)
def test_a_value_is_one_line_of_toml(value: Any, text: str) -> None:
    assert toml_value(value) == text


def test_a_value_that_is_no_text_is_one_sentence(paths: Paths) -> None:
    with pytest.raises(ConfigError, match="Not remembered"):
        remember(paths, {"provider.model": "a \udc80"})
    assert not os.path.exists(paths.shell_config_file)


def test_a_new_agent_is_there_for_later_runs_and_the_persons_file_is_untouched(
    load: Load, paths: Paths
) -> None:
    user = '# mine\n[agents.analyst]\nmodel = "x"\n'
    load(user, "shell.trace = true")
    text = 'Say "no"\n\tin two lines, \\ and Grüße.'
    made = new_agent(paths, "poet 2.0", {"instructions": text, "model": "y/z"})
    assert made == Agent("poet 2.0", text, "y/z", parameters={})
    config = load_config(paths, environ={})
    assert config.agents["poet 2.0"] == made
    assert config.agents["analyst"].model == "x"
    assert config[settings.SHELL_TRACE] is True
    assert Path(paths.config_file).read_text() == user
    assert stat.S_IMODE(os.stat(paths.shell_config_file).st_mode) == 0o600


def test_a_name_that_the_shell_has_written_is_not_written_over(paths: Paths) -> None:
    new_agent(paths, "poet", {"instructions": "one"})
    before = Path(paths.shell_config_file).read_bytes()
    with pytest.raises(ConfigError, match="has an agent 'poet' already"):
        new_agent(paths, "poet", {"instructions": "two"})
    assert Path(paths.shell_config_file).read_bytes() == before
    new_agent(paths, "other", {})
    assert load_config(paths, environ={}).agents["poet"].instructions == "one"


@pytest.mark.parametrize(
    ("name", "table", "message"),
    [
        ("", {}, "must have a name of 1 to 60 printable characters"),
        ("a\x1b", {}, "must have a name"),
        ("a", {"instructions": 1}, "The new agent: agents.a.instructions must be text in quotes"),
        ("a", {"instruction": "x"}, "The new agent: an agent has no key"),
        ("a", {"instructions": "a \udc80"}, "Not remembered"),
    ],
)
def test_what_would_be_wrong_in_the_file_is_not_written(
    paths: Paths, name: str, table: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        new_agent(paths, name, table)
    assert not os.path.exists(paths.shell_config_file)


def test_agents_that_are_no_tables_are_not_replaced(load: Load, paths: Paths) -> None:
    Path(paths.shell_config_file).write_text("agents = 1\n")
    with pytest.raises(ConfigError):
        new_agent(paths, "poet", {"instructions": "x"})
    assert Path(paths.shell_config_file).read_text() == "agents = 1\n"

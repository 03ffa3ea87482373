"""Loading that reports everything that is wrong instead of ending at the first of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agno_shell.base.paths import Paths
from agno_shell.config import Config, load_config, settings
from agno_shell.errors import ConfigError


def load(
    paths: Paths, user: str, shell: str = "", **given: object
) -> tuple[Config, list[ConfigError]]:
    Path(paths.config_file).write_text(user)
    Path(paths.shell_config_file).write_text(shell)
    problems: list[ConfigError] = []
    options = {"environ": {}, **given}
    return load_config(paths, problem=problems.append, **options), problems  # type: ignore[arg-type]


def test_each_problem_is_reported_and_what_is_right_holds(paths: Paths) -> None:
    config, problems = load(
        paths,
        """
        nonsense = 1
        storage.path = "~"
        [provider]
        model = "right"
        modle = "wrong"
        limits.connect = "soon"
        [agents.good]
        model = "a"
        [agents.bad]
        temperature = -1
        [plugins]
        off = "x"
        wrong = 5
        echo.loud = true
        """,
        "shell.trace = 3\nshell.metrics = true",
        environ={"AGNO_SHELL_SHELL_TOOLBAR": "x", "HOME": "/home/somebody"},
        overrides={"renderer.theme": 5, "renderer.plugin": "plain"},
    )
    assert [str(problem).partition(": ")[2][:30] or str(problem) for problem in problems] == [
        'there is no setting "nonsense"',
        'there is no setting "provider.',
        "provider.limits.connect must b",
        "agents.bad.temperature must be",
        "plugins.off must be a list of ",
        'there is no setting "plugins.w',
        "shell.trace must be true or fa",
        "The environment variable AGNO_SHELL_SHELL_TOOLBAR must be true or false.",
        "renderer.theme must be text in",
    ]
    assert config[settings.PROVIDER_MODEL] == "right"
    assert config[settings.RENDERER_PLUGIN] == "plain"
    assert config[settings.SHELL_METRICS] is True
    assert config[settings.SHELL_TOOLBAR] is True
    assert config.storage_path == "/home/somebody"
    assert list(config.agents) == ["good"]
    assert config.plugin_settings("echo") == {"loud": True}


def test_a_file_that_cannot_be_read_leaves_the_other_one(paths: Paths) -> None:
    config, (problem,) = load(paths, "[", "shell.trace = true")
    assert "line 1" in str(problem)
    assert config[settings.SHELL_TRACE] is True
    assert config.files == (paths.shell_config_file,)


def test_a_storage_path_that_cannot_be_found_is_the_default_one(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(_uid: int) -> None:
        raise KeyError

    monkeypatch.setattr("pwd.getpwuid", nobody)
    config, (problem,) = load(paths, 'storage.path = "~/chats"')
    assert "No home folder" in str(problem)
    assert config.storage_path == paths.sessions_dir


def test_without_a_listener_the_first_problem_ends_it(paths: Paths) -> None:
    Path(paths.config_file).write_text("a = 1\nb = 2")
    with pytest.raises(ConfigError, match='"a"'):
        load_config(paths, environ={})

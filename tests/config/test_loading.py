from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agno_shell.base.paths import Paths, find_paths
from agno_shell.config import Config, load_config, settings
from agno_shell.errors import ConfigError

Load = Callable[..., Config]


def test_without_any_file_the_defaults_are_in_force(paths: Paths) -> None:
    config = load_config(paths, environ={})
    for setting in settings.ALL:
        assert config[setting] == setting.default
        assert config.source(setting) == "default"
    assert config.storage_path == paths.sessions_dir
    assert config.files == ()
    assert not config.agents


def test_a_run_without_files_imports_nothing_slow(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from agno_shell.config import load_config\n"
        "from agno_shell.base.paths import find_paths\n"
        "load_config(find_paths(os.environ), environ=os.environ)\n"
        "print(*sys.modules)\n"
    )
    environ = {**os.environ, "AGNO_SHELL_HOME": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-I", "-c", code], env=environ, capture_output=True)
    slow = "asyncio dataclasses difflib inspect logging pathlib platformdirs pluggy tomllib tomli_w"
    loaded = set(ran.stdout.decode().split())
    assert "agno_shell.config.loading" in loaded, ran.stderr
    assert not loaded & set(slow.split())


def test_each_source_wins_over_the_one_before(load: Load, paths: Paths) -> None:
    model = settings.PROVIDER_MODEL
    user, shell = '[provider]\nmodel = "user"', '\n\nprovider.model = "shell"'
    variable = {"AGNO_SHELL_PROVIDER_MODEL": "variable"}
    option = {"provider.model": "option"}

    def value_and_source(config: Config) -> tuple[str, str]:
        return config[model], config.source(model)

    assert value_and_source(load()) == ("", "default")
    assert value_and_source(load(user)) == ("user", f"{paths.config_file}, line 2")
    assert value_and_source(load(user, shell)) == ("shell", f"{paths.shell_config_file}, line 3")
    assert value_and_source(load(user, shell, environ=variable)) == (
        "variable",
        "AGNO_SHELL_PROVIDER_MODEL",
    )
    assert value_and_source(load(user, shell, environ=variable, overrides=option)) == (
        "option",
        "the command line",
    )


def test_sources_are_laid_key_by_key(load: Load) -> None:
    config = load("[provider.limits]\nconnect = 1\nfirst_token = 2", "provider.limits.connect = 3")
    assert config.limits() == {
        "connect": 3.0,
        "first_token": 2.0,
        "between_tokens": 60.0,
        "whole_reply": 900.0,
        "reply_bytes": 16_777_216,
        "tries": 3,
        "retry_after": 60.0,
    }


def test_an_empty_variable_counts_as_not_set(load: Load) -> None:
    config = load('provider.model = "user"', environ={"AGNO_SHELL_PROVIDER_MODEL": ""})
    assert config[settings.PROVIDER_MODEL] == "user"


def test_the_storage_path_is_whole_whatever_the_working_directory(load: Load) -> None:
    config = load('storage.path = "~/chats/"', environ={"HOME": "/home/someone"})
    assert config.storage_path == "/home/someone/chats"


def test_plugin_tables_are_free_and_laid_key_by_key(load: Load) -> None:
    config = load(
        '[plugins]\noff = ["a"]\n[plugins.echo]\nx = 1\ny = {z = 2024-01-01}\n',
        "[plugins.echo]\nx = 2\n[plugins.other]",
    )
    assert config[settings.PLUGINS_OFF] == ("a",)
    assert config.plugin_settings("echo")["x"] == 2
    assert config.plugin_settings("echo")["y"]["z"].year == 2024
    assert set(config.plugin_tables) == {"echo", "other"}
    assert config.plugin_settings("unknown") == {}


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[provider]\n\nmodle = 'x'", 'line 3: there is no setting "provider.modle".', "model"),
        ("model = 'x'", 'line 1: there is no setting "model".', '"provider.model"'),
        ("[providers]\nmodel = 'x'", 'line 1: there is no setting "providers".', '"provider"'),
        (
            "[provider.limits]\nconect = 1",
            'line 2: there is no setting "provider.limits.conect"',
            "connect",
        ),
        ("\nprovider = {limits = {x = 1}}", 'line 2: there is no setting "provider.limits.x"', ""),
        ("[zzz]", 'line 1: there is no setting "zzz".', "config --show"),
        (
            "provider.api_key = 'sk-fake-0000'",
            'no setting "provider.api_key"',
            "environment variable",
        ),
        ("\n[shell]\ntrace = 1", "line 3: shell.trace must be true or false.", ""),
        (
            "[shell]\nediting_mode = 'nano'",
            'line 2: shell.editing_mode must be "emacs" or "vi".',
            "",
        ),
        ("provider = 'x'", "line 1: provider must be a table, [provider].", ""),
        ("[[provider]]\n", "line 1: provider must be a table, [provider].", ""),
        ("agents = 1", "line 1: agents must be tables", ""),
        ("plugins = 1", "line 1: plugins must be a table", ""),
        ("[plugins]\non = ['x']", 'line 2: there is no setting "plugins.on".', "off"),
        ("[plugins]\noff = 'x'", "line 2: plugins.off must be a list of texts.", ""),
        ("[provider\nmodel = 1", "line 1, column 10: this is not TOML: expected ']'", ""),
        ("[provider]\nmodel = gpt", "line 2, column 9: this is not TOML: invalid value.", "quotes"),
        (
            "a = 1\na = 2",
            "line 2, at the end: this is not TOML: cannot overwrite a value.",
            "a is in line 1 already. Remove one",
        ),
        (
            "[provider]\nmodel = 'a'\n[shell]\n[provider]\n",
            "line 4, column 10: this is not TOML: cannot declare",
            "[provider] is in line 1 already: put all of it there.",
        ),
        (
            "[provider]\nmodel = 'a'\nmodel = 'b'\n",
            "line 3, column 12: this is not TOML: cannot overwrite",
            "provider.model is in line 2 already. Remove one",
        ),
        ('[storage]\npath = "C:\\Users\\me"\n', "line 2, column", r"path = 'C:\Users\me'"),
        ('[storage]\npath = "C:\\data"\n', "line 2, column", "in single quotes"),
        ("[Provider]\nmodel = 'a'", "line 1: there is no setting", 'mean "provider"? Small'),
        ("[PROVIDER.limits]\ntries = 1", "line 1: there is no setting", 'mean "provider"? Small'),
        ("[provider]\nMODEL = 'a'", "line 2: there is no setting", 'mean "provider.model"? Small'),
        ("[agents.a]\nModel = 'a'", "line 2: an agent has no key", 'mean "model"? Small'),
        ("[provider]\nAPI_KEY = 'a'", "line 2: there is no setting", "A key is not written here"),
        ("x = [1,\n2", "line 2, at the end: this is not TOML: unclosed array.", ""),
        ("x = " + "9" * 5000, "this is not TOML: exceeds the limit", ""),
        ("x = " + "[" * 50_000, "nested too deeply", ""),
        ("plugins." + "x." * 60 + "y = 1", "nested too deeply", ""),
        ("plugins.x = " + "[" * 55 + "]" * 55, "nested too deeply", ""),
        (b"a = 1\nb = '\xff'", "line 2: the file is not UTF-8.", "UTF-8"),
        (b"\xff\xfea\x00", "line 1: the file is not UTF-8.", "UTF-8"),
        (b"\0\0\0", "line 1, column 1: this is not TOML", ""),
    ],
)
def test_a_wrong_file_is_one_sentence_with_file_line_and_key(
    load: Load, paths: Paths, text: str | bytes, message: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert str(caught.value).startswith(paths.config_file)
    assert message in str(caught.value)
    assert hint in caught.value.hint
    assert "sk-fake" not in caught.value.sentence()


def test_the_shells_file_is_checked_as_well(load: Load, paths: Paths) -> None:
    with pytest.raises(ConfigError, match=r"shell\.toml, line 1: shell\.trace must be"):
        load("shell.trace = true", "shell.trace = 1")


@pytest.mark.parametrize("text", [b"\xef\xbb\xbfshell.trace = true", b"shell.trace = true\r\n"])
def test_a_byte_order_mark_and_windows_lines_are_read(load: Load, text: bytes) -> None:
    assert load(text)[settings.SHELL_TRACE] is True


def test_a_wrong_variable_is_named_and_its_value_is_not(load: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load(environ={"AGNO_SHELL_PROVIDER_LIMITS_CONNECT": "sk-fake-0000"})
    assert str(caught.value) == (
        "The environment variable AGNO_SHELL_PROVIDER_LIMITS_CONNECT must be a number."
    )


def test_a_misspelt_variable_is_a_warning_and_a_plugins_own_is_none(load: Load) -> None:
    config = load(
        environ={
            "AGNO_SHELL_PROVIDER_MODLE": "x",
            "AGNO_SHELL_ECHO_COLOUR": "x",
            "AGNO_SHELL_HOME": "/x",
            "AGNO_SHELL_PROVIDER_MODEL": "x",
        }
    )
    (warning,) = config.warnings
    assert "AGNO_SHELL_PROVIDER_MODLE" in warning
    assert "Did you mean AGNO_SHELL_PROVIDER_MODEL?" in warning


def test_a_wrong_override_is_named(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"command line: provider\.api_base must be a web addr"):
        load(overrides={"provider.api_base": "localhost"})
    with pytest.raises(ConfigError, match=r'no setting "provider\.modle"'):
        load(overrides={"provider.modle": "x"})


def test_a_file_that_is_named_must_exist(paths: Paths, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.toml")
    with pytest.raises(ConfigError, match="There is no configuration file"):
        load_config(paths, file=missing, environ={})
    environ = {"AGNO_SHELL_CONFIG": missing, "AGNO_SHELL_HOME": str(tmp_path)}
    with pytest.raises(ConfigError, match="There is no configuration file"):
        load_config(find_paths(environ), environ=environ)


def test_a_named_file_takes_the_place_of_the_persons(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.toml").write_text("shell.trace = 'wrong'")
    (tmp_path / "other.toml").write_text("shell.metrics = true")
    monkeypatch.chdir(tmp_path)
    config = load_config(paths, file="other.toml", environ={})
    assert config[settings.SHELL_METRICS] is True
    assert config.files == (str(tmp_path / "other.toml"),)


def test_nothing_is_read_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("config.toml", "shell.toml", "agno-shell.toml", ".env", "pyproject.toml"):
        (tmp_path / name).write_text('provider.api_base = "http://planted.example"\n')
    monkeypatch.chdir(tmp_path)
    paths = find_paths({"AGNO_SHELL_HOME": str(tmp_path / "home")})
    assert load_config(paths, environ={})[settings.PROVIDER_API_BASE] == ""


def test_a_folder_a_fifo_and_a_huge_file_are_refused(paths: Paths) -> None:
    path = Path(paths.config_file)
    path.mkdir()
    with pytest.raises(ConfigError, match="is a folder"):
        load_config(paths, environ={})
    path.rmdir()
    path.write_bytes(b"#" * (1 << 20) + b"#")
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        load_config(paths, environ={})
    path.unlink()
    if hasattr(os, "mkfifo"):
        os.mkfifo(path)
        with pytest.raises(ConfigError, match="not a plain file"):
            load_config(paths, environ={})


def test_an_unreadable_file_is_named_with_the_reason(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(ConfigError, match=r"config\.toml could not be read: Permission denied\."):
        load_config(paths, environ={})


def test_a_path_that_no_file_can_have_is_one_sentence(paths: Paths) -> None:
    with pytest.raises(ConfigError, match="forbidden sign"):
        load_config(paths, file="a\0b", environ={})


FRAGMENTS = st.sampled_from(
    b"""[provider]|[agents.a]|[plugins.b]|[[agents]]|\n|model| = |'x'|\"\"\"|\xff|\0|{|}|,|#|.|1|
    temperature = nan|parameters.a.b = 1979-05-27|'\\u0000'|off = []|[provider.limits]|
    connect = 1e999|""".split(b"|")
)


@given(st.binary(max_size=200) | st.lists(FRAGMENTS, max_size=12).map(b"".join))
@example(b"[agents]\n'' = {}")
@example(b"agents.a.parameters." + b".".join([b"x"] * 500) + b" = 1")
@example(b"plugins." + b".".join([b"x"] * 500) + b" = 1")
@example(b"x." * 500 + b"y = 1")
def test_whatever_the_bytes_are_only_a_config_error_comes_out(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = find_paths({"AGNO_SHELL_HOME": folder})
        Path(paths.config_file).write_bytes(data)
        try:
            config = load_config(paths, environ={})
        except ConfigError as error:
            refused = error
        else:
            for setting in settings.ALL:
                assert type(config[setting]) is setting.kind
                assert config.source(setting)
            return
        assert str(refused).startswith(paths.config_file)
        assert "\n" not in refused.hint

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from agno_shell.base.paths import find_paths
from agno_shell.errors import ConfigError

posix = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the XDG folders")


def test_one_folder_holds_everything() -> None:
    paths = find_paths({"AGNO_SHELL_HOME": "/data/shell"})
    assert paths.config_file == "/data/shell/config.toml"
    assert paths.shell_config_file == "/data/shell/shell.toml"
    assert paths.sessions_dir == "/data/shell/sessions"
    assert all(path.startswith("/data/shell/") for path in paths)
    assert len(set(paths)) == len(paths)


def test_the_one_folder_may_begin_with_a_tilde() -> None:
    paths = find_paths({"AGNO_SHELL_HOME": "~/shell", "HOME": "/home/someone"})
    assert paths.sessions_dir == "/home/someone/shell/sessions"


@pytest.mark.parametrize("variable", ["AGNO_SHELL_HOME", "AGNO_SHELL_CONFIG"])
@pytest.mark.parametrize("value", ["shell", "./shell", "../shell", "~someone/shell", "/a\0b"])
def test_a_path_that_depends_on_the_working_directory_is_refused(variable: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"{variable} must be a whole path"):
        find_paths({variable: value, "HOME": "/home/someone"})


def test_another_user_file_moves_nothing_else() -> None:
    usual = find_paths({"AGNO_SHELL_HOME": "/data"})
    named = find_paths({"AGNO_SHELL_HOME": "/data", "AGNO_SHELL_CONFIG": "/etc/x.toml"})
    assert named == usual._replace(config_file="/etc/x.toml")


@posix
@pytest.mark.parametrize(
    "environ",
    [
        {"HOME": "/home/someone"},
        {"HOME": "/home/someone", "XDG_CONFIG_HOME": "/x/config", "XDG_CACHE_HOME": "/x/cache"},
        {"HOME": "/home/someone", "XDG_DATA_HOME": "/x/data", "XDG_STATE_HOME": "/x/state"},
        {"HOME": "/home/someone", "XDG_DATA_HOME": "relative", "XDG_CONFIG_HOME": ""},
    ],
)
def test_the_folders_are_those_of_platformdirs(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    platformdirs = pytest.importorskip("platformdirs")
    for kind in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.delenv(f"XDG_{kind}_HOME", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    folders = platformdirs.PlatformDirs("agno-shell", appauthor=False)
    paths = find_paths(environ)
    assert paths.config_file == str(Path(folders.user_config_dir) / "config.toml")
    assert paths.sessions_dir == str(Path(folders.user_data_dir) / "sessions")
    assert paths.history_file == str(Path(folders.user_state_dir) / "history")
    assert paths.cache_dir == folders.user_cache_dir


@posix
@pytest.mark.parametrize("folder", ["/run/user/1000", "relative", ""])
def test_sockets_are_where_the_system_keeps_them(folder: str) -> None:
    environ = {"HOME": "/home/someone", "XDG_RUNTIME_DIR": folder}
    usual = folder if folder.startswith("/") else f"/run/user/{os.getuid()}"
    assert find_paths(environ).runtime_dir == f"{usual}/agno-shell"


@posix
@pytest.mark.parametrize("environ", [{}, {"HOME": ""}, {"HOME": "somewhere"}])
def test_without_a_usable_home_the_user_list_is_asked(environ: dict[str, str]) -> None:
    import pwd

    home = pwd.getpwuid(os.getuid()).pw_dir
    assert find_paths(environ).sessions_dir == f"{home}/.local/share/agno-shell/sessions"


@posix
@pytest.mark.parametrize("environ", [{}, {"HOME": ""}])
def test_a_user_without_an_entry_gets_one_sentence(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(_uid: int) -> None:
        raise KeyError("uid not found")

    monkeypatch.setattr("pwd.getpwuid", unknown)
    with pytest.raises(ConfigError, match="No home folder was found") as caught:
        find_paths(environ)
    assert "AGNO_SHELL_HOME" in caught.value.hint


@posix
def test_a_user_without_an_entry_needs_no_home_where_all_folders_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pwd.getpwuid", lambda _uid: pytest.fail("the home was asked for"))
    environ = {f"XDG_{kind}_HOME": f"/x/{kind}" for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    assert find_paths(environ).cache_dir == "/x/CACHE/agno-shell"


def test_a_path_that_no_file_can_have_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match="AGNO_SHELL_HOME holds a character"):
        find_paths({"AGNO_SHELL_HOME": "/data/\ud800"})

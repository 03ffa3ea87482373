"""Where this user's files are; nothing is created here, and nothing is read.

Paths are plain text: ``pathlib`` costs as much at start-up as all of ``session --list``.
"""

# Annotations are not left as text here (PEP 563): a named tuple would compile each of them
# at every start.

import os
import sys
from collections.abc import Mapping
from typing import NamedTuple

from agno_shell.errors import ConfigError

APPLICATION = "agno-shell"
HOME_VARIABLE = "AGNO_SHELL_HOME"
CONFIG_VARIABLE = "AGNO_SHELL_CONFIG"
LOG_VARIABLE = "AGNO_SHELL_LOG"


class Paths(NamedTuple):
    """Absolute paths of everything that is kept for one user."""

    config_file: str
    """The file that the user writes."""
    shell_config_file: str
    """The file that the shell writes by itself; it overrides the user's file."""
    sessions_dir: str
    history_file: str
    """What was typed."""
    cache_dir: str
    log_dir: str
    entered_dir: str
    """What was entered and is not sent yet."""
    runtime_dir: str
    """Sockets of processes that run for several shells; empty where the system has no folder for
    such things."""


def find_paths(environ: Mapping[str, str]) -> Paths:
    """The paths for this environment.

    ``AGNO_SHELL_HOME`` puts everything under one folder; ``AGNO_SHELL_CONFIG`` names
    another file of the user's. Otherwise the platform's folders are used: on Linux
    those of the XDG Base Directory Specification 0.8. Raises ``ConfigError`` where no
    home folder can be found, or a variable holds a relative path.
    """
    root = environ.get(HOME_VARIABLE, "")
    if root:
        root = absolute(root, HOME_VARIABLE, environ)
        config = state = data = root
        cache, log, runtime = _join(root, "cache"), _join(root, "log"), _join(root, "run")
    elif sys.platform in ("win32", "darwin"):
        config, data, state, cache, log = _platform_folders()
        runtime = ""
    else:
        config, data, state, cache = _xdg_folders(environ)
        log, runtime = _join(state, "log"), _xdg_runtime_folder(environ)
    named = environ.get(CONFIG_VARIABLE, "")
    return Paths(
        config_file=absolute(named, CONFIG_VARIABLE, environ)
        if named
        else _join(config, "config.toml"),
        shell_config_file=_join(config, "shell.toml"),
        sessions_dir=_join(data, "sessions"),
        history_file=_join(state, "history"),
        cache_dir=cache,
        log_dir=log,
        entered_dir=_join(state, "entered"),
        runtime_dir=runtime,
    )


def absolute(path: str, variable: str, environ: Mapping[str, str]) -> str:
    """``path`` with ``~`` resolved; it must not depend on the working directory.

    ``variable`` is what the error names.
    """
    if path == "~" or path.startswith(("~/", "~" + os.sep)):
        path = _home(environ) + path[1:]
    if not os.path.isabs(path) or "\0" in path:
        raise ConfigError(f"{variable} must be a whole path, beginning with / or ~.")
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        raise ConfigError(
            f"{variable} holds a character that no file name of this system can hold.",
            hint="In this locale, a UTF-8 one may help: LC_ALL=C.UTF-8.",
        ) from None
    return os.path.normpath(path)


def _join(folder: str, *names: str) -> str:
    return os.path.join(folder, *names)


def _xdg_folders(environ: Mapping[str, str]) -> tuple[str, str, str, str]:
    """Config, data, state and cache. Same answers as platformdirs, whose import costs
    more than the rest of ``session --list``; a test compares the two."""
    found = []
    for variable, default in (
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_DATA_HOME", ".local/share"),
        ("XDG_STATE_HOME", ".local/state"),
        ("XDG_CACHE_HOME", ".cache"),
    ):
        folder = environ.get(variable, "")
        if not os.path.isabs(folder):  # the specification: a relative path is ignored
            folder = _join(_home(environ), default)
        found.append(_join(folder, APPLICATION))
    return found[0], found[1], found[2], found[3]


def _xdg_runtime_folder(environ: Mapping[str, str]) -> str:
    """Without the variable, as over ssh into some systems, where they make it by themselves."""
    folder = environ.get("XDG_RUNTIME_DIR", "")
    return _join(folder if os.path.isabs(folder) else f"/run/user/{os.getuid()}", APPLICATION)


def _platform_folders() -> tuple[str, str, str, str, str]:
    import platformdirs

    folders = platformdirs.PlatformDirs(APPLICATION, appauthor=False, roaming=False)
    try:
        config, data, state = (
            folders.user_config_dir,
            folders.user_data_dir,
            folders.user_state_dir,
        )
        cache, log = folders.user_cache_dir, folders.user_log_dir
    except (OSError, RuntimeError, KeyError, ValueError):
        raise _no_home() from None
    return config, data, state, cache, log


def _home(environ: Mapping[str, str]) -> str:
    home = environ.get("USERPROFILE" if sys.platform == "win32" else "HOME", "")
    if os.path.isabs(home):
        return home
    if sys.platform != "win32":
        import pwd

        try:
            home = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:  # a user id without an entry, as in containers
            home = ""
    if not os.path.isabs(home):
        raise _no_home()
    return home


def _no_home() -> ConfigError:
    return ConfigError(
        "No home folder was found: HOME is not set and this user has no entry in the user list.",
        hint=f"Set {HOME_VARIABLE} to a folder where agno-shell may keep its files.",
    )

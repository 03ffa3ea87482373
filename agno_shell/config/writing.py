"""What the shell writes by itself goes to a file of its own.

So the comments and the order in the user's file survive.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agno_shell.base.paths import Paths
from agno_shell.config.loading import check_setting
from agno_shell.config.toml_file import read_toml
from agno_shell.errors import ConfigError
from agno_shell.toolkit.whole_files import write_whole

if TYPE_CHECKING:
    from agno_shell.config.agents import Agent

_HEADING = """\
# Written by agno-shell, for example by /model --default, /agent new or agno-shell config --set.
# It is laid over config.toml.
# A line that is removed here is forgotten; the whole file may be deleted.

"""


def remember(paths: Paths, values: Mapping[str, Any]) -> None:
    """Keep settings, by dotted name, for later runs; ``None`` forgets one.

    Everything else in the shell's file stays. Raises ``ConfigError`` for a name or a
    value that is no setting's, and when the file cannot be read or written.
    """
    for name, value in values.items():
        if value is not None:
            check_setting(name, value, lambda: "Not remembered: ")
    table = _written(paths)
    for name, value in values.items():
        _put(table, name.split("."), value)
    _write(paths, table)


def new_agent(paths: Paths, name: str, table: Mapping[str, Any]) -> Agent:
    """Keep a table ``[agents.NAME]`` for later runs; returns the agent.

    Raises ``ConfigError`` for a table that would be wrong in the configuration file, for
    a name that the shell has written before, and when the file cannot be read or written.
    """
    from agno_shell.config.agents import make_agent

    agent = make_agent(name, table)
    written = _written(paths)
    agents = _agents(paths, written)
    if name in agents:
        raise ConfigError(
            f"{paths.shell_config_file} has an agent {name!r} already.",
            hint="Take another name, or remove its table from that file.",
        )
    written["agents"] = {**agents, name: dict(table)}
    _write(paths, written)
    return agent


def remove_agent(paths: Paths, name: str) -> None:
    """Remove the table ``[agents.NAME]`` that the shell has written.

    Raises ``ConfigError`` for a name that it has not written, and when the file cannot be
    read or written. Nothing else of the file changes, and nothing of the user's own file.
    """
    written = _written(paths)
    agents = _agents(paths, written)
    if name not in agents:
        raise ConfigError(f"{paths.shell_config_file} has no agent {name!r}.")
    written["agents"] = {key: table for key, table in agents.items() if key != name}
    if not written["agents"]:
        del written["agents"]
    _write(paths, written)


def place_of_agent(path: str, name: str) -> str | None:
    """``FILE, line N`` of the table ``[agents.NAME]`` in the file at ``path``; None where
    there is no such table. Raises ``ConfigError`` for a file that cannot be read."""
    file = read_toml(path)
    agents = file.table.get("agents") if file else None
    if file is None or not isinstance(agents, dict) or name not in agents:
        return None
    return file.place(("agents", name))


def _agents(paths: Paths, written: Mapping[str, Any]) -> dict[str, Any]:
    agents = written.get("agents", {})
    if not isinstance(agents, dict):
        raise ConfigError(f"{paths.shell_config_file}: agents must be tables, [agents.NAME].")
    return agents


def _written(paths: Paths) -> dict[str, Any]:
    """What the shell has written so far."""
    file = read_toml(paths.shell_config_file)
    return dict(file.table) if file else {}


def _write(paths: Paths, table: Mapping[str, Any]) -> None:
    import tomli_w

    try:
        data = (_HEADING + tomli_w.dumps(table)).encode()
    except UnicodeEncodeError:
        raise ConfigError("Not remembered: the value holds a byte that is no text.") from None
    _replace(paths.shell_config_file, data)


def toml_value(value: Any) -> str:
    """The text of one setting's value behind the ``=``, on one line."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    import tomli_w

    return tomli_w.dumps({"x": value}).removeprefix("x = ").rstrip("\n")


def _put(table: dict[str, Any], names: list[str], value: Any) -> None:
    for name in names[:-1]:
        below = table.setdefault(name, {})
        if not isinstance(below, dict):
            below = table[name] = {}
        table = below
    if value is None:
        table.pop(names[-1], None)
    else:
        table[names[-1]] = list(value) if isinstance(value, tuple) else value


def _replace(path: str, data: bytes) -> None:
    """Put ``data`` in the place of the file: a reader sees the old or the new one."""
    try:
        _make_folder(os.path.dirname(path))
        write_whole(path, [data], replace=True)
    except OSError as error:
        reason = error.strerror or "unknown"
        raise ConfigError(f"{path} could not be written: {reason}.") from None


def _make_folder(path: str) -> None:
    """Like ``makedirs``, which gives its mode to the last folder only."""
    if os.path.isdir(path):
        return
    _make_folder(os.path.dirname(path))
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:  # another shell was quicker; a file there fails at the next step
        return
    os.chmod(path, 0o700)

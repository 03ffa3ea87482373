"""Who may read and change the files that are not the storage's."""

from __future__ import annotations

import os
import shlex
import stat
import sys
from collections.abc import Iterable, Iterator

from agno_shell.toolkit.disk_space import Obstacle, nearest_folder, obstacle
from agno_shell.toolkit.owners import user_name
from agno_shell.types import Finding

_EVERYBODY_ELSE = 0o077
_CHANGING = 0o022


def private(path: str, *, repair: bool) -> Iterator[Finding]:
    """What is wrong with a file or folder that only its owner is to read; with ``repair``
    the rights are set. A missing one is well.

    A symbolic link is the user's own choice, such as a folder of dotfiles: all that matters is
    that no other user can change the file behind it.
    """
    status = _status(path)
    if status is None:
        return
    if stat.S_ISLNK(status.st_mode):
        yield from unchanged_by_others(path)
        return
    if os.geteuid() == 0 != status.st_uid:
        name = user_name(status.st_uid)
        advice = f"Run agno-shell as {name}, or give root a folder of its own: AGNO_SHELL_HOME."
        problem = f"It belongs to {name}, who may not get at what root writes there."
        yield Finding(path, problem, advice)
        return
    if os.geteuid() != status.st_uid:
        command = f'sudo chown "$(id -u)" {shlex.quote(path)}'
        yield Finding(path, "Another user owns it.", f"Take it back with: {command}")
        return
    if not status.st_mode & _EVERYBODY_ELSE:
        return
    mode = 0o700 if stat.S_ISDIR(status.st_mode) else 0o600
    problem, command = "Others may read it.", f"chmod {mode:o} {shlex.quote(path)}"
    if not repair:
        yield Finding(path, problem, f"Set its rights with: {command}", repairable=True)
        return
    try:
        os.chmod(path, mode)
    except OSError as error:
        yield Finding(path, problem, f"Its rights could not be set: {error.strerror}.")
    else:
        yield Finding(path, problem, "Its rights were set.", healed=True)


def unchanged_by_others(path: str) -> Iterator[Finding]:
    """What is wrong with a file that anybody may read: that others can change it."""
    if sys.platform == "win32":
        return
    try:
        status = os.stat(path)
    except OSError:
        return  # the code that reads it reports why it cannot be read
    if status.st_mode & _CHANGING:
        command = f"chmod go-w {shlex.quote(os.path.realpath(path))}"
        yield Finding(path, "Others may change it.", f"Set its rights with: {command}")


def writable(purposes: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """Whether something can be kept in folders, or they can be made. ``purposes`` has each
    folder with a main clause that says what cannot be done without it; what keeps all of
    them from being written is reported once."""
    obstacles: dict[tuple[object, ...], tuple[str, Obstacle, list[str]]] = {}
    for folder, purpose in purposes:
        place = nearest_folder(folder)
        if not os.path.isdir(place):
            found: Obstacle | None = Obstacle("It is no folder", "Move it away.", False)
        else:
            found = obstacle(place)
        if found is not None:
            where = os.stat(place).st_dev if found.of_the_disk else place
            obstacles.setdefault((found.problem, where), (place, found, []))[2].append(purpose)
    for place, found, parts in obstacles.values():
        without = ", ".join(dict.fromkeys(parts))
        yield Finding(place, f"{found.problem}; {without}.", found.advice)


def regular(path: str, purpose: str) -> Iterator[Finding]:
    """Whether there is a plain file, or nothing yet."""
    status = _status(path)
    if status is not None and not stat.S_ISREG(status.st_mode):
        link = stat.S_ISLNK(status.st_mode)
        what = "It is a symbolic link, which is not followed" if link else "It is no plain file"
        yield Finding(path, f"{what}; {purpose}.", "Move it away.")


def _status(path: str) -> os.stat_result | None:
    if sys.platform == "win32":
        return None  # the modes there say nothing of who may read
    try:
        return os.lstat(path)
    except OSError:
        return None  # missing; or its folder is shut, which is found there

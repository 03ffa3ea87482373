"""Why nothing can be kept in a folder, as far as can be known without writing."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

_LITTLE = 64 * 1024
"""Bytes. With less, nothing can be replaced."""


class Obstacle(NamedTuple):
    """What keeps files out of a folder."""

    problem: str
    """The main clause of a sentence: ``The disk is full (12 kB are free)``."""
    advice: str
    """One sentence."""
    of_the_disk: bool
    """Whether it holds for every folder on the same disk."""


def obstacle(folder: str) -> Obstacle | None:
    """What keeps new files out of a folder that exists; None if nothing is seen."""
    if sys.platform != "win32":
        found = _obstacle_of_disk(folder)
        if found is not None:
            return found
    if os.access(folder, os.W_OK | os.X_OK):
        return None
    return Obstacle("It cannot be written", f"Look at who owns it: {_owner(folder)}.", False)


def nearest_folder(path: str) -> str:
    """``path``, or what there is of the way to it."""
    while not os.path.lexists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path


def _obstacle_of_disk(folder: str) -> Obstacle | None:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None
    if disk.f_flag & os.ST_RDONLY:
        advice = "Mount it so that it can be written, or choose folders on another one."
        return Obstacle("The disk is read-only", advice, True)
    free = (disk.f_bfree if os.geteuid() == 0 else disk.f_bavail) * disk.f_frsize
    if disk.f_blocks and free < _LITTLE:
        problem = f"The disk is full ({free:,} bytes are free)"
        return Obstacle(problem, "Free some space on it.", True)
    if disk.f_files and disk.f_ffree == 0:
        return Obstacle("The disk takes no more files", "Remove some that are not needed.", True)
    return None


def _owner(folder: str) -> str:
    from agno_shell.toolkit.owners import user_name

    try:
        return f"{folder} belongs to {user_name(os.stat(folder).st_uid)}"
    except OSError:
        return folder

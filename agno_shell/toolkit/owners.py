"""Whose files these are: another user's files are not used without a warning."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator

_GROUP, _WORLD = stat.S_IWGRP, stat.S_IWOTH


def remarks(folders: tuple[str, ...], configuration: tuple[str, ...]) -> Iterator[str]:
    """Warnings about files that another user owns, or can change: a sentence or two each.
    ``configuration`` says where messages and keys go; it may belong to root."""
    if sys.platform == "win32":
        return
    me = os.geteuid()
    for path in configuration:
        status = _status(path)
        if status is None:
            continue
        if status.st_uid not in (me, 0):
            yield (
                f"{path} belongs to {user_name(status.st_uid)}, and you are {user_name(me)}: it"
                f" says where your messages and keys go. {_WAY_OUT}"
            )
        elif _others_may_change(status):
            yield (
                f"Others may change {path}, which says where your messages and keys go."
                " agno-shell doctor shows how to set its rights."
            )
    for path in folders:
        status = _status(path)
        if status is not None and status.st_uid != me:
            yield (
                f"{path} belongs to {user_name(status.st_uid)}, and you are {user_name(me)}:"
                f" {_what_follows(path, status.st_uid)} {_WAY_OUT}"
            )


_WAY_OUT = "AGNO_SHELL_HOME names another folder."


def _what_follows(path: str, owner: int) -> str:
    if os.access(path, os.W_OK | os.X_OK):
        return f"what is written there is yours, and {user_name(owner)} may not get at it."
    return "nothing can be kept there."


def user_name(uid: int) -> str:
    """``user NAME``, or ``user 1234`` where the number has no name; ``root``."""
    import pwd

    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return name if uid == 0 else f"user {name}"


def _others_may_change(status: os.stat_result) -> bool:
    if status.st_mode & stat.S_ISVTX:
        return False  # a folder such as /tmp, in which nobody replaces the files of others
    if status.st_mode & _WORLD:
        return True
    return bool(status.st_mode & _GROUP) and not _is_private_group(status)


def _is_private_group(status: os.stat_result) -> bool:
    """Whether the group is its owner's alone, as most systems make one for each user."""
    import grp
    import pwd

    try:
        return grp.getgrgid(status.st_gid).gr_name == pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        return False


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None  # missing, or in a closed folder: the code that uses it reports that

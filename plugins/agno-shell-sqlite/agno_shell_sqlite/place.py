"""Where the database is, and creating its file.

SQLite makes files with the umask, follows symbolic links and creates what is missing;
so the file is made here, private from the start, and looked at before SQLite opens it.
"""

from __future__ import annotations

import errno
import os
import stat

FILE = "sessions.sqlite3"
ENDINGS = (".db", ".sqlite", ".sqlite3")
FILE_MODE = 0o600
FOLDER_MODE = 0o700

Identity = tuple[int, int]
"""Device and inode: the file behind a path, whatever it is called."""


def database_path(path: str) -> str:
    """The database for ``[storage] path``: itself if it ends like one, else in this folder."""
    path = os.path.abspath(path)
    if path.lower().endswith(ENDINGS) and not os.path.isdir(path):
        return path
    return os.path.join(path, FILE)


def identity(path: str) -> Identity | None:
    """Which file is there; None if nothing is. ``OSError`` for what is no regular file."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, "a symbolic link is not followed", path)
    if not stat.S_ISREG(status.st_mode):
        reason = "a folder, not a file" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise OSError(errno.EINVAL, reason, path)
    return status.st_dev, status.st_ino


def create(path: str) -> None:
    """Make an empty file that only its owner can read, durably, unless there is one."""
    folder = os.path.dirname(path)
    make_folders(folder)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    try:
        fd = os.open(path, flags, FILE_MODE)
    except FileExistsError:
        return  # another shell was faster
    try:
        if hasattr(os, "fchmod"):
            os.fchmod(fd, FILE_MODE)
    finally:
        os.close(fd)
    sync_folder(folder)


def make_folders(path: str) -> None:
    """Make a private folder, and those above it, where they are missing, durably."""
    if os.path.isdir(path):
        return
    above = os.path.dirname(path)
    if above != path:
        make_folders(above)
    try:
        os.mkdir(path, FOLDER_MODE)
        os.chmod(path, FOLDER_MODE)
    except FileExistsError:
        if not os.path.isdir(path):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path) from None
    sync_folder(above)


def sync_folder(path: str) -> None:
    """Return when the names in a folder survive a power cut."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows keeps them by itself
        return
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def uri(path: str, parameters: str) -> str:
    """The path as SQLite takes it with parameters (https://sqlite.org/uri.html)."""
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    if os.sep == "\\":
        quoted = "/" + quoted.replace("\\", "/")
    return f"file:{quoted}?{parameters}"


def can_change(path: str) -> bool:
    """Whether files can be made beside the database, which WAL needs even for reading."""
    return os.access(os.path.dirname(path), os.W_OK)

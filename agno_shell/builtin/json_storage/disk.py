"""Every call that changes the disk, and reading that cannot be led astray.

Nothing else in this package writes, so a test can make any call fail by putting
another object in the place of :data:`os` here. All functions raise ``OSError``.

Files are born 0600 and folders 0700 whatever the umask says. The last part of a
path is never a symbolic link, and what is opened is a regular file: neither a
planted link nor a FIFO leads out of the data folder or hangs the shell.
"""

# pathlib costs 6 ms at every start, and cannot open a file without following links.

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

FILE_MODE = 0o600
FOLDER_MODE = 0o700

_CLOEXEC = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
# O_NONBLOCK: opening a FIFO would wait for its other end before it can be refused.
_GUARDED = _CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_REPLACE_PATIENCE = 2.5
"""Seconds for which a virus scanner may hold a file on Windows."""


# Reading ---------------------------------------------------------------------------------


def open_to_read(path: str) -> int:
    """A descriptor of a regular file."""
    return _open_regular(path, os.O_RDONLY)


def read(path: str) -> bytes:
    """The whole of a regular file."""
    fd = open_to_read(path)
    try:
        return read_all(fd)
    finally:
        os.close(fd)


def read_all(fd: int) -> bytes:
    """Everything behind a descriptor, from its beginning."""
    return read_at(fd, 0, os.fstat(fd).st_size)


def read_at(fd: int, offset: int, length: int) -> bytes:
    """``length`` bytes from ``offset``, or fewer at the end of the file."""
    os.lseek(fd, offset, os.SEEK_SET)
    parts = []
    while length > 0 and (part := os.read(fd, length)):
        parts.append(part)
        length -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def status(path: str) -> os.stat_result | None:
    """What ``lstat`` says, or None if there is nothing."""
    try:
        return os.lstat(path)
    except FileNotFoundError:
        return None


def status_of(fd: int) -> os.stat_result:
    return os.fstat(fd)


def names(path: str) -> list[str]:
    """What is in a folder; nothing if there is no folder."""
    try:
        return os.listdir(path)
    except FileNotFoundError:
        return []


def is_folder(path: str) -> bool:
    """Whether this is a folder itself, and no symbolic link to one."""
    try:
        require_folder(path)
    except OSError:
        return False
    return True


def require_folder(path: str) -> None:
    """Refuse what is not a folder itself: a symbolic link to one is not."""
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        raise OSError(errno.ELOOP, "a symbolic link is not followed", path)
    if not stat.S_ISDIR(mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)


def _open_regular(path: str, flags: int) -> int:
    if not hasattr(os, "O_NOFOLLOW") and stat.S_ISLNK(os.lstat(path).st_mode):
        raise OSError(errno.ELOOP, "a symbolic link is not followed", path)
    try:
        fd = os.open(path, flags | _GUARDED)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "a symbolic link is not followed", path) from error
        raise
    mode = os.fstat(fd).st_mode
    if not stat.S_ISREG(mode):
        os.close(fd)
        reason = "a folder, not a file" if stat.S_ISDIR(mode) else "not a regular file"
        raise OSError(errno.EINVAL, reason, path)
    return fd


# Writing ---------------------------------------------------------------------------------


def open_to_write(path: str) -> int:
    """A descriptor of a regular file that exists, to read and to write."""
    return _open_regular(path, os.O_RDWR)


def create(path: str) -> int:
    """A descriptor of a new, empty file; FileExistsError if there is something."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _GUARDED, FILE_MODE)
    _set_mode(fd, FILE_MODE)
    return fd


def open_lock(path: str) -> int:
    """A descriptor of a lock file, made when missing."""
    try:
        return _open_regular(path, os.O_RDWR)
    except FileNotFoundError:
        try:
            return create(path)
        except FileExistsError:
            return _open_regular(path, os.O_RDWR)


def close(fd: int) -> None:
    os.close(fd)


def write_at(fd: int, offset: int, data: bytes) -> None:
    """Write all of ``data``, however short the single writes are."""
    os.lseek(fd, offset, os.SEEK_SET)
    view = memoryview(data)
    while view:
        written = os.write(fd, view)
        if written == 0:
            raise OSError(errno.EIO, "the file took no more bytes")
        view = view[written:]


def truncate(fd: int, size: int) -> None:
    os.ftruncate(fd, size)


def sync(fd: int) -> None:
    """Return when the data, and the size of the file, survive a power cut."""
    if sys.platform == "darwin":
        import fcntl

        # fsync on macOS stops at the drive's cache (fsync(2), F_FULLFSYNC).
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
    elif hasattr(os, "fdatasync"):
        os.fdatasync(fd)
    else:
        os.fsync(fd)


def sync_folder(path: str) -> None:
    """Return when the names in a folder survive a power cut; nothing on Windows."""
    if sys.platform == "win32":
        return
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(path: str) -> None:
    """Make one folder; FileExistsError if there is something."""
    os.mkdir(path, FOLDER_MODE)
    os.chmod(path, FOLDER_MODE)


def make_folders(path: str) -> None:
    """Make a folder and those above it where they are missing."""
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    if parent and parent != path:
        make_folders(parent)
    try:
        make_folder(path)
    except FileExistsError:
        if not os.path.isdir(path):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path) from None


def ensure_folder(path: str) -> None:
    """Make a folder inside the data folder; what is there must be one, and no link."""
    try:
        make_folder(path)
    except FileExistsError:
        require_folder(path)


def create_whole(path: str, data: bytes) -> None:
    """A new file with ``data`` in it, durable but for its name in the folder."""
    fd = create(path)
    try:
        try:
            write_at(fd, 0, data)
            sync(fd)
        finally:
            os.close(fd)
    except BaseException:
        remove_quietly(path)
        raise


def replace(path: str, data: bytes) -> None:
    """Put a new file in the place of ``path`` at once: the old bytes or the new ones,
    never a mixture, and durable on return."""
    temporary = f"{path}.{os.urandom(6).hex()}.tmp"
    create_whole(temporary, data)
    try:
        move(temporary, path)
    except BaseException:
        remove_quietly(temporary)
        raise
    sync_folder(os.path.dirname(path))


def create_by_link(path: str, data: bytes) -> None:
    """A new file that is there with all its bytes or not at all; what another program
    has made in the meantime stays."""
    temporary = f"{path}.{os.urandom(6).hex()}.tmp"
    create_whole(temporary, data)
    try:
        with suppress(FileExistsError):
            os.link(temporary, path, follow_symlinks=False)
    finally:
        remove_quietly(temporary)


def move(source: str, target: str) -> None:
    """Rename, over what is there."""
    if sys.platform != "win32":
        os.replace(source, target)
        return
    _patiently(lambda: os.replace(source, target))


def remove(path: str) -> None:
    os.unlink(path)


def remove_quietly(path: str) -> None:
    """Remove a file on the way out of an error, which must stay the one reported."""
    with suppress(OSError):
        os.unlink(path)


def remove_tree(path: str) -> None:
    """Delete a folder and all in it; symbolic links are removed, not followed."""
    require_folder(path)
    for entry in list(os.scandir(path)):
        if entry.is_dir(follow_symlinks=False):
            remove_tree(entry.path)
        else:
            os.unlink(entry.path)
    os.rmdir(path)


def remove_tree_quietly(path: str) -> None:
    """Remove a folder on the way out of an error, which must stay the one reported."""
    with suppress(OSError):
        remove_tree(path)


def _set_mode(fd: int, mode: int) -> None:
    if hasattr(os, "fchmod"):
        os.fchmod(fd, mode)


def _patiently(action: Callable[[], None]) -> None:
    import time

    deadline = time.monotonic() + _REPLACE_PATIENCE
    while True:
        try:
            return action()
        except PermissionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)

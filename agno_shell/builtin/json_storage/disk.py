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
    from collections.abc import Iterable

FILE_MODE = 0o600
FOLDER_MODE = 0o700
STAYS_OPEN = sys.platform != "win32"
"""Whether a file can be renamed or removed by others while its descriptor is kept."""

_CLOEXEC = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
# O_NONBLOCK: opening a FIFO would wait for its other end before it can be refused.
_GUARDED = _CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_HAS_NOFOLLOW = hasattr(os, "O_NOFOLLOW")
_HAS_PREAD = hasattr(os, "pread")
_HAS_ADVICE = hasattr(os, "posix_fadvise")
_BEGUN_AT_MOST = 64 * 1024
"""Bytes. With more the disk is busy so long that nothing is won, and what is on it already
would have to be read from it again."""
_REPLACE_PATIENCE = 2.5
"""Seconds for which a virus scanner may hold a file on Windows."""


# Reading ---------------------------------------------------------------------------------


def open_to_read(path: str) -> int:
    """A descriptor of a regular file."""
    return _open_regular(path, os.O_RDONLY)[0]


def open_and_look(path: str, *, to_write: bool = False) -> tuple[int, os.stat_result]:
    """A descriptor of a regular file, and what ``fstat`` says of it."""
    return _open_regular(path, os.O_RDWR if to_write else os.O_RDONLY)


def read(path: str) -> bytes:
    """The whole of a regular file."""
    fd, found = open_and_look(path)
    try:
        return read_at(fd, 0, found.st_size)
    finally:
        os.close(fd)


def read_at(fd: int, offset: int, length: int) -> bytes:
    """``length`` bytes from ``offset``, or fewer at the end of the file."""
    part = _read_part(fd, offset, length)
    if len(part) == length:
        return part
    parts = []
    while part:
        parts.append(part)
        offset += len(part)
        length -= len(part)
        part = _read_part(fd, offset, length)
    return b"".join(parts)


def _read_part(fd: int, offset: int, length: int) -> bytes:
    if _HAS_PREAD:
        return os.pread(fd, length, offset)
    os.lseek(fd, offset, os.SEEK_SET)
    return os.read(fd, length)


def status(path: str) -> os.stat_result | None:
    """What ``lstat`` says, or None if there is nothing, also because what should be a folder
    on the way to it is a file."""
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
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
    """Whether this is a folder itself, and no symbolic link to one. Raises ``OSError``
    where that cannot be known."""
    found = status(path)
    return found is not None and stat.S_ISDIR(found.st_mode)


def require_folder(path: str) -> None:
    """Refuse what is not a folder itself: a symbolic link to one is not."""
    mode = os.lstat(path).st_mode
    if stat.S_ISDIR(mode):
        return
    if stat.S_ISLNK(mode):
        raise OSError(errno.ELOOP, "a symbolic link is not followed", path)
    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)


def _open_regular(path: str, flags: int) -> tuple[int, os.stat_result]:
    if not _HAS_NOFOLLOW and stat.S_ISLNK(os.lstat(path).st_mode):
        raise OSError(errno.ELOOP, "a symbolic link is not followed", path)
    try:
        fd = os.open(path, flags | _GUARDED)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "a symbolic link is not followed", path) from error
        raise
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        os.close(fd)
        reason = "a folder, not a file" if stat.S_ISDIR(found.st_mode) else "not a regular file"
        raise OSError(errno.EINVAL, reason, path)
    return fd, found


class FileHandle:
    """A regular file whose descriptor stays open between two uses, to read and to write.

    Using it again costs one look at its path instead of opening, looking and closing. A file
    that another program has put at the path counts, and is opened instead.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self.fd = -1
        """-1 while the file is not open."""
        self._file = (-1, -1)

    def look(self) -> os.stat_result | None:
        """What the open file is now; None, and it is closed, if it is not the one at the path
        any more."""
        if self.fd < 0:
            return None
        found = status(self._path)
        # As long as it is open here, no other file can get its number.
        if found is not None and (found.st_dev, found.st_ino) == self._file:
            return found
        self.close()
        return None

    def open(self) -> os.stat_result:
        """Open the file that is at the path, and return its status."""
        self.fd, found = open_and_look(self._path, to_write=True)
        self._file = (found.st_dev, found.st_ino)
        return found

    def rest(self) -> None:
        """End a use; nobody could rename or remove an open file on Windows."""
        if not STAYS_OPEN:
            self.close()

    def close(self) -> None:
        """Close the file; it may be opened again."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            close(fd)

    def __del__(self) -> None:
        self.close()


# Writing ---------------------------------------------------------------------------------


def open_to_write(path: str) -> int:
    """A descriptor of a regular file that exists, to read and to write."""
    return _open_regular(path, os.O_RDWR)[0]


def create(path: str) -> int:
    """A descriptor of a new, empty file; FileExistsError if there is something."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _GUARDED, FILE_MODE)
    if hasattr(os, "fchmod"):
        os.fchmod(fd, FILE_MODE)
    return fd


def open_lock(path: str) -> int:
    """A descriptor of a lock file, made when missing."""
    try:
        return open_to_write(path)
    except FileNotFoundError:
        try:
            return create(path)
        except FileExistsError:
            return open_to_write(path)


def close(fd: int) -> None:
    os.close(fd)


def write_at(fd: int, offset: int, data: bytes) -> None:
    """Write all of ``data``, however short the single writes are."""
    os.lseek(fd, offset, os.SEEK_SET)
    written = os.write(fd, data)
    while written < len(data):
        more = os.write(fd, memoryview(data)[written:])
        if more == 0:
            raise OSError(errno.EIO, "the file took no more bytes")
        written += more


def truncate(fd: int, size: int) -> None:
    os.ftruncate(fd, size)


def begin_sync(fd: int, offset: int, length: int) -> None:
    """Let the disk begin to write these bytes, where the system can be asked to and they
    are few; whether it succeeds is reported by :func:`sync`."""
    if _HAS_ADVICE and length <= _BEGUN_AT_MOST:
        with suppress(OSError):
            # Linux starts to write what is dirty in the range before it drops what is
            # clean (posix_fadvise(2)), and waits for neither.
            os.posix_fadvise(fd, offset, length, os.POSIX_FADV_DONTNEED)


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
    """Make a folder, and those above it, durably, where they are missing."""
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
    sync_folder(parent or ".")


def ensure_folder(path: str) -> None:
    """Make a folder inside the data folder, durably; what is there must be one, and no
    link."""
    try:
        make_folder(path)
    except FileExistsError:
        require_folder(path)
    else:
        # Before anything is moved into it: a name must not be durable in a folder that is
        # not.
        sync_folder(os.path.dirname(path))


def create_whole(path: str, data: bytes) -> None:
    """A new file with ``data`` in it, durable except for its name in the folder."""
    create_in_pieces(path, (data,))


def create_in_pieces(path: str, pieces: Iterable[bytes]) -> None:
    """The same of data that is never held all at once. Where making a piece fails there is no
    file."""
    fd, offset = create(path), 0
    try:
        try:
            for piece in pieces:
                write_at(fd, offset, piece)
                offset += len(piece)
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
    """A new file that is there with all its bytes or not at all, durable on return; what
    another program has made in the meantime stays."""
    temporary = f"{path}.{os.urandom(6).hex()}.tmp"
    create_whole(temporary, data)
    try:
        with suppress(FileExistsError):
            os.link(temporary, path, follow_symlinks=False)
    finally:
        remove_quietly(temporary)
    sync_folder(os.path.dirname(path))


def move(source: str, target: str) -> None:
    """Rename, over what is there."""
    if sys.platform != "win32":
        os.replace(source, target)
        return None
    import time

    deadline = time.monotonic() + _REPLACE_PATIENCE
    while True:
        try:
            return os.replace(source, target)
        except PermissionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


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


def restrict(path: str, mode: int) -> None:
    """Give the rights ``mode`` to what is a regular file or a folder itself."""
    kind = os.lstat(path).st_mode
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        raise OSError(errno.EINVAL, "neither a file nor a folder", path)
    os.chmod(path, mode)

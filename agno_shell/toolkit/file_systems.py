"""What kind of file system a path is on, where that makes a difference."""

from __future__ import annotations

import os

COPY_ON_WRITE = frozenset(("btrfs", "bcachefs", "zfs", "nilfs2", "f2fs"))
"""They put what changes in another place on the disk. Memory that is mapped from a file then
needs room whenever it is written, also where the file does not grow; when the disk is full
the process dies of SIGBUS. (Seen with SQLite's write-ahead log, whose index is such a
memory, on btrfs.)"""

MOUNTS = "/proc/self/mountinfo"


def is_copy_on_write(path: str) -> bool:
    """Whether mapped memory must not be used below this folder, or above it where it is not
    made yet. False where the system does not say."""
    return _type_of(os.path.realpath(path)) in COPY_ON_WRITE


def _type_of(path: str) -> str:
    """The file system type of an absolute path, as Linux names it; else empty."""
    found, longest = "", -1
    try:
        with open(MOUNTS, encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                # See proc_pid_mountinfo(5): optional fields end with a hyphen.
                before, _hyphen, after = line.partition(" - ")
                fields, kind = before.split(" "), after.split(" ", 1)[0]
                place = _unescaped(fields[4]) if len(fields) > 4 else ""
                inside = path == place or path.startswith(place.rstrip("/") + "/")
                # Of several mounts on the same place the last one is seen.
                if place and inside and len(place) >= longest:
                    found, longest = kind, len(place)
    except OSError:
        pass
    return found


def _unescaped(place: str) -> str:
    """Blanks and the like stand as three octal digits."""
    for code in ("040", "011", "012", "134"):
        place = place.replace(f"\\{code}", chr(int(code, 8)))
    return place

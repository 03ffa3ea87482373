"""A file whose descriptor stays open between two uses.

Using it again costs one look at its path instead of opening, looking and closing. What
is at the path counts: a file that another program has put there is opened anew.
"""

from __future__ import annotations

from agno_shell.builtin.json_storage import disk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import stat_result


class KeptFile:
    """The regular file at ``path``, to read and to write."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.fd = -1
        """-1 while the file is not open."""
        self._file = (-1, -1)

    def look(self) -> stat_result | None:
        """What the file that is open is now; None, and it is closed, if it is not the one
        at the path any more. Raises ``OSError``."""
        if self.fd < 0:
            return None
        found = disk.status(self._path)
        # As long as it is open here, no other file can get its number.
        if found is not None and (found.st_dev, found.st_ino) == self._file:
            return found
        self.close()
        return None

    def open(self) -> stat_result:
        """Open the file that is at the path, and say what it is. Raises ``OSError``, for
        a symbolic link as well."""
        self.fd, found = disk.open_and_look(self._path, to_write=True)
        self._file = (found.st_dev, found.st_ino)
        return found

    @property
    def is_open(self) -> bool:
        return self.fd >= 0

    def rest(self) -> None:
        """End a use; nobody could rename or remove an open file on Windows."""
        if not disk.STAYS_OPEN:
            self.close()

    def close(self) -> None:
        """Close the file; it may be opened again."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            disk.close(fd)

    def __del__(self) -> None:
        self.close()

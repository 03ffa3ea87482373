"""Messages that a power cut has torn: mended by whoever opens the session next."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from agno_shell.builtin.json_storage import message_reader
from agno_shell.builtin.json_storage.folder import MESSAGES
from agno_shell.errors import StorageError

if TYPE_CHECKING:
    from agno_shell.builtin.json_storage.catalog import Catalog
    from agno_shell.builtin.json_storage.locks import Locks
    from agno_shell.builtin.json_storage.session_writer import SessionWriter


class Mending:
    """Mends where that is possible now; else what is torn is read as far as it can be."""

    def __init__(
        self, catalog: Catalog, locks: Callable[[], Locks], writer: Callable[[], SessionWriter]
    ) -> None:
        self._catalog = catalog
        self._locks = locks
        self._writer = writer

    def session(self, session_id: str) -> None:
        """One session, unless another process is writing to it."""
        if message_reader.is_torn(f"{self._catalog.folder(session_id)}/{MESSAGES}"):
            with suppress(StorageError, OSError):
                if held := self._locks().try_session(session_id):
                    with held:
                        self._writer().mend(session_id)

"""The hook of the plugin: it registers the storage ``sqlite``.

This module is imported at every start of the shell, so it imports only what costs
nothing. The modules behind it, lowest first: ``rows`` turns records into rows and back;
``schema`` is the form of the file; ``place`` is the file itself, ``problems`` what is reported
when it fails; ``database`` opens it and runs transactions; ``sessions``, ``messages``,
``memories``, ``attachments``, ``running_replies`` and ``text_index`` are one table each;
``writers`` knows which shells live; ``checkup`` looks for damage; ``store`` is the policy
that joins them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agno_shell import StorageFactory, hookimpl

if TYPE_CHECKING:
    from agno_shell import Storage, StorageOptions


@hookimpl
def register_storages() -> Sequence[StorageFactory]:
    """The storage that ``[storage] plugin = "sqlite"`` chooses."""
    return [StorageFactory("sqlite", "One SQLite file, with full-text search", open_storage)]


def open_storage(options: StorageOptions) -> Storage:
    """Called once, when the storage was chosen; touches nothing on the disk."""
    from agno_shell_sqlite.store import SqliteStorage

    return SqliteStorage(options)

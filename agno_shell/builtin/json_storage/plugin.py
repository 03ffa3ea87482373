"""Registers the ``json`` storage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agno_shell import hookimpl

if TYPE_CHECKING:
    from agno_shell.contracts import Storage, StorageFactory, StorageOptions


def _open(options: StorageOptions) -> Storage:
    from agno_shell.builtin.json_storage.store import open_storage

    return open_storage(options)


@hookimpl
def register_storages() -> Sequence[StorageFactory]:
    from agno_shell.contracts import StorageFactory

    return [StorageFactory("json", "JSON files, one folder per session", _open)]

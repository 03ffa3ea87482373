"""The json storage keeps the contract of every storage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.testing.storage_contract import StorageContract


class TestJsonStorage(StorageContract):
    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Callable[[], Storage]:
        options = StorageOptions(str(tmp_path / "sessions"), cache_path=str(tmp_path / "cache"))
        return lambda: open_storage(options)

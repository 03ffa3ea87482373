"""The contract that every storage keeps."""

from __future__ import annotations

import pytest
from agno_shell_sqlite.store import SqliteStorage

from agno_shell import StorageOptions
from agno_shell.testing import StorageContract


class TestSqliteStorage(StorageContract):
    @pytest.fixture
    def open_store(self, tmp_path):
        return lambda: SqliteStorage(StorageOptions(str(tmp_path / "store")))

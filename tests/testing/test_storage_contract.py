"""The storage contract accepts what keeps it; what it rejects is in ``storage_contract``."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agno_shell import testing
from agno_shell.contracts import Storage
from agno_shell.testing.memory_storage import MemoryStorage, MemoryStore
from agno_shell.testing.storage_contract import VERSION, StorageContract
from agno_shell.testing.storage_contract.replies import RunningRepliesContract


class TestMemoryStorage(StorageContract):
    outlives_process = False

    @pytest.fixture
    def open_store(self) -> Callable[[], Storage]:
        data = MemoryStore()
        return lambda: MemoryStorage(data)


class OfVersion3(MemoryStorage):
    """As written when replies could not be extended."""

    extend_partial = Storage.extend_partial


class TestStorageOfVersion3(RunningRepliesContract):
    @pytest.fixture
    def open_store(self) -> Callable[[], Storage]:
        data = MemoryStore()
        return lambda: OfVersion3(data)


def test_the_contract_has_a_version() -> None:
    assert VERSION == 5
    assert testing.StorageContract is StorageContract

"""What every storage must do, as tests.

A plugin proves itself with one subclass and one fixture, a function that opens the
same store again each time it is called::

    class TestMyStorage(StorageContract):
        @pytest.fixture
        def open_store(self, tmp_path):
            return lambda: MyStorage(tmp_path / "store")

The tests hold the behaviour of :class:`agno_shell.contracts.Storage` and nothing of
how it is done: no file, no format. What a storage says it cannot do is skipped:
searching where ``can_search`` is false, and outliving its process where the subclass
says ``outlives_process = False``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agno_shell.contracts import Storage
from agno_shell.testing.storage_contract.attachments import AttachmentsContract
from agno_shell.testing.storage_contract.branches import BranchesContract
from agno_shell.testing.storage_contract.hits import SearchHitsContract
from agno_shell.testing.storage_contract.imports import ImportContract
from agno_shell.testing.storage_contract.killed import KilledProcessContract
from agno_shell.testing.storage_contract.large import LargeStoreContract
from agno_shell.testing.storage_contract.memories import MemoriesContract
from agno_shell.testing.storage_contract.messages import MessagesContract
from agno_shell.testing.storage_contract.outlines import OutlinesContract
from agno_shell.testing.storage_contract.queries import QueriesContract
from agno_shell.testing.storage_contract.replies import RunningRepliesContract
from agno_shell.testing.storage_contract.samples import (
    HOSTILE_IDS,
    TEXTS,
    UNKNOWN_ID,
    OpenStore,
    message,
    say,
)
from agno_shell.testing.storage_contract.sessions import SessionsContract
from agno_shell.testing.storage_contract.trash import TrashContract
from agno_shell.testing.storage_contract.upkeep import CheckContract
from agno_shell.testing.storage_contract.versions import VersionContract

__all__ = [
    "HOSTILE_IDS",
    "TEXTS",
    "UNKNOWN_ID",
    "VERSION",
    "OpenStore",
    "StorageContract",
    "message",
    "say",
]

VERSION = 5
"""Which contract this is. A storage says which one it has passed; the number grows when one
that passed may no longer pass, and not when a test merely looks more closely at what was
demanded before.

1: messages, sessions, branches, the trash, the reply in work.
2: also ``version``, ``partials``, ``import_session``, ``trashed_messages``, ``check``, what
   ``search`` finds, what cannot be written, killed processes, and large stores.
3: also ``ROOT``, calls of tools, summaries, ``reasoning``, what is remembered, attached files,
   and that a deletion makes no session current where none was.
4: also ``extend_partial`` and ``lacks``, and that a killed process costs nothing of a reply
   that was kept.
5: also ``speaker`` and ``provider_tools`` of a message, and of a reply in work.
"""


class StorageContract(
    MessagesContract,
    SessionsContract,
    BranchesContract,
    OutlinesContract,
    TrashContract,
    RunningRepliesContract,
    VersionContract,
    MemoriesContract,
    AttachmentsContract,
    ImportContract,
    QueriesContract,
    SearchHitsContract,
    CheckContract,
    KilledProcessContract,
    LargeStoreContract,
):
    """Subclass it and give it the fixture ``open_store``."""

    @pytest.fixture
    def open_store(self) -> OpenStore:
        raise NotImplementedError("give the subclass a fixture open_store")

    @pytest.fixture
    def store(self, open_store: OpenStore) -> Iterator[Storage]:
        """One open handle."""
        handle = open_store()
        yield handle
        handle.close()

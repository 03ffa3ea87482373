"""Running the storage contract on a store, to see what it says."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial

import pytest

from agno_shell.contracts import Storage
from agno_shell.testing.memory_storage import MemoryStorage, MemoryStore
from agno_shell.testing.storage_contract import StorageContract
from agno_shell.testing.storage_contract.hits import SearchHitsContract
from agno_shell.testing.storage_contract.large import LargeStoreContract
from agno_shell.testing.storage_contract.outlines import OutlinesContract
from agno_shell.testing.storage_contract.queries import QueriesContract

OpenStore = Callable[[], Storage]


class InMemory(StorageContract):
    outlives_process = False


SPECIAL = (QueriesContract, SearchHitsContract, LargeStoreContract, OutlinesContract)
"""Rooms that take most of the time; a store is asked there only where it is about them."""


@pytest.fixture
def failures() -> Callable[..., dict[str, str]]:
    """What the contract says of a store: the message of each test that it does not pass.

    ``new_store`` gives a store that nobody has used, as the function that opens it.
    The tests of the rooms in ``without`` are left out.
    """

    def run(
        new_store: Callable[[], OpenStore],
        contract: type[StorageContract] = InMemory,
        without: Sequence[type] = (),
    ) -> dict[str, str]:
        found = {}
        for name, test in inspect.getmembers(contract, inspect.isfunction):
            if not name.startswith("test_") or any(hasattr(room, name) for room in without):
                continue
            open_store = new_store()
            given = {"open_store": open_store, "store": open_store()}
            wanted = {key: given[key] for key in inspect.signature(test).parameters if key in given}
            try:
                test(contract(), **wanted)
            except pytest.skip.Exception:
                pass
            except Exception as error:
                found[name] = f"{type(error).__name__}: {error}"
        return found

    return run


@pytest.fixture(scope="session")
def causes() -> dict[tuple[str, str], str]:
    """Which broken store was rejected by which test with which words."""
    return {}


@pytest.fixture
def reject(
    failures: Callable[..., dict[str, str]], causes: dict[tuple[str, str], str]
) -> Callable[..., None]:
    """Demands that the contract rejects a broken store in memory for its own reason: the
    test ``own`` says ``words``, which it says of no other store, and besides it only the
    tests ``also`` fail. ``rooms``: which of the special ones are asked."""

    def check(
        kind: type[MemoryStorage], own: str, words: str, *also: str, rooms: Sequence[type] = ()
    ) -> None:
        found = failures(
            lambda: partial(kind, MemoryStore()),
            without=[room for room in SPECIAL if room not in rooms],
        )
        assert set(found) == {own, *also}, found
        assert words in found[own]
        assert causes.setdefault((own, words), kind.__name__) == kind.__name__

    return check

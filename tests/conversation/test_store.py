from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import aclosing

import pytest

from agno_shell.conversation.store import StoreThread
from agno_shell.errors import StorageError
from agno_shell.testing.memory_storage import MemoryStorage


async def test_everything_runs_in_one_thread_that_is_not_the_callers() -> None:
    store = StoreThread(MemoryStorage)
    seen = {await store(lambda _storage: threading.get_ident()) for _time in range(5)}
    assert len(seen) == 1
    assert threading.get_ident() not in seen
    await store.close()


async def test_a_storage_with_a_bug_is_named() -> None:
    store = StoreThread(MemoryStorage)
    with pytest.raises(StorageError, match=r"MemoryStorage failed: ZeroDivisionError"):
        await store(lambda _storage: 1 // 0)
    with pytest.raises(StorageError, match="plain words"):
        await store(lambda _storage: (_ for _ in ()).throw(StorageError("plain words")))
    await store.close()


async def test_work_that_nobody_waits_for_is_done_in_its_turn_and_quietly() -> None:
    store = StoreThread(MemoryStorage)
    done: list[int] = []
    store.soon(lambda _storage: done.append(1))
    store.soon(lambda _storage: 1 // 0)
    await store(lambda _storage: done.append(2))
    assert done == [1, 2]
    await store.close()


async def test_steps_let_others_in_between() -> None:
    store = StoreThread(MemoryStorage)
    seen: list[str] = []

    def steps(_storage: object) -> Iterator[int]:
        try:
            for number in range(3):
                seen.append(f"step {number}")
                yield number
        finally:
            seen.append("ended")

    async for number in store.steps(steps):
        await store(lambda _storage, number=number: seen.append(f"other {number}"))
    assert seen == ["step 0", "other 0", "step 1", "other 1", "step 2", "other 2", "ended"]
    seen.clear()
    async with aclosing(store.steps(steps)) as each:
        async for _number in each:
            break
    await store(lambda _storage: None)
    assert seen == ["step 0", "ended"]
    assert [each async for each in store.steps(lambda _storage: iter(()))] == []
    await store.close()

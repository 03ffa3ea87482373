from __future__ import annotations

import asyncio
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
        await store(lambda _storage, number=number: seen.append(f"other {number}"))  # type: ignore[misc]
    assert seen == ["step 0", "other 0", "step 1", "other 1", "step 2", "other 2", "ended"]
    seen.clear()
    async with aclosing(store.steps(steps)) as each:
        async for _number in each:
            break
    await store(lambda _storage: None)
    assert seen == ["step 0", "ended"]
    assert [each async for each in store.steps(lambda _storage: iter(()))] == []  # type: ignore[var-annotated]
    await store.close()


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
async def test_a_storage_that_wants_to_end_everything_is_named(error: BaseException) -> None:
    store = StoreThread(MemoryStorage)
    with pytest.raises(StorageError, match=f"MemoryStorage failed: {type(error).__name__}"):
        await store(lambda _storage: (_ for _ in ()).throw(error))
    store.soon(lambda _storage: (_ for _ in ()).throw(error))
    assert await store(lambda storage: storage.sessions()) == []
    await store.close()


async def test_a_storage_that_hangs_is_named_and_can_be_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agno_shell.conversation.store.SILENT_SECONDS", 0.01)
    released, told = threading.Event(), list[str]()
    store = StoreThread(MemoryStorage)
    store.tell = told.append
    await store(lambda storage: storage.sessions())
    hanging = asyncio.ensure_future(store(lambda _storage: released.wait(30)))
    waiting = asyncio.ensure_future(store(lambda storage: storage.sessions()))
    try:
        while not told:
            await asyncio.sleep(0.002)
        assert "The storage MemoryStorage has not answered for 0.01 seconds" in told[0]
        assert store.is_silent(0.005)
        store.leave()
        for each in (hanging, waiting):
            with pytest.raises(StorageError, match="does not answer"):
                await each
        with pytest.raises(StorageError, match="does not answer"):
            await store(lambda storage: storage.sessions())
        await store.close()
        assert not released.is_set(), "nobody waited for it"
    finally:
        released.set()


async def test_closing_does_not_wait_for_a_storage_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agno_shell.conversation.store.CLOSING_SECONDS", 0.05)
    released = threading.Event()

    class Hanging(MemoryStorage):
        def close(self) -> None:
            released.wait(30)

    store = StoreThread(Hanging)
    await store(lambda storage: storage.sessions())
    try:
        with pytest.raises(StorageError, match="The storage Hanging does not answer"):
            await store.close()
    finally:
        released.set()


async def test_work_that_nobody_waits_for_any_more_is_not_begun() -> None:
    store, gate, done = StoreThread(MemoryStorage), threading.Event(), list[str]()
    first = asyncio.ensure_future(store(lambda _storage: gate.wait(30)))
    second = asyncio.ensure_future(store(lambda _storage: done.append("second")))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    gate.set()
    await first
    await store.close()
    assert done == []

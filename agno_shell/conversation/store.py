"""The storage's own thread: slow disks never stop the keyboard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from enum import Enum
from typing import TypeVar

from agno_shell.contracts import Storage
from agno_shell.errors import AgnoShellError, StorageError

T = TypeVar("T")


class _End(Enum):
    """What stands for the end of an iterator."""

    END = 0


class StoreThread:
    """Calls a storage in one worker thread, in the order of asking.

    ``await store(lambda storage: storage.sessions())``. Work that was begun is carried
    out even if the waiting task is cancelled. The storage is opened when it is first
    used, in that thread.
    """

    def __init__(self, open_storage: Callable[[], Storage]) -> None:
        self._open = open_storage
        self._storage: Storage | None = None
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="storage")

    async def __call__(self, work: Callable[[Storage], T]) -> T:
        """What ``work`` returns, or the ``AgnoShellError`` that it raises."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, self._do, work)
        except AgnoShellError:
            raise
        # A storage may be anybody's plugin; its bug must not cost the words in memory.
        except (Exception, SystemExit) as error:
            name = f" {type(self._storage).__name__}" if self._storage is not None else ""
            raise StorageError(
                f"The storage{name} failed: {type(error).__name__}: {error}."
            ) from error

    def _do(self, work: Callable[[Storage], T]) -> T:
        if self._storage is None:
            self._storage = self._open()
        return work(self._storage)

    async def steps(self, work: Callable[[Storage], Iterator[T]]) -> AsyncGenerator[T, None]:
        """What the iterator yields that ``work`` makes, each step asked for by itself, so that
        what others ask for need not wait for all of it. Who goes no further ends it."""
        iterator: Iterator[T] | None = None

        def step(storage: Storage) -> T | _End:
            nonlocal iterator
            if iterator is None:
                iterator = work(storage)
            return next(iterator, _End.END)

        try:
            while not isinstance(value := await self(step), _End):
                yield value
        finally:
            self.soon(lambda _storage: getattr(iterator, "close", _nothing)())

    def soon(self, work: Callable[[Storage], object]) -> None:
        """Do ``work`` before anything that is asked for later; nobody waits for it, and
        what goes wrong in it is not told."""

        def quietly() -> None:
            with suppress(Exception):
                self._do(work)

        self._executor.submit(quietly)

    async def close(self) -> None:
        """Finish what was asked for, then close the storage if it was opened."""
        if self._storage is not None:
            await self(lambda storage: storage.close())
        self._executor.shutdown(wait=True)

    async def abandon(self) -> None:
        """Close the storage without waiting for the long reading that may be under way."""
        if self._storage is not None:
            with suppress(Exception):
                self._storage.close()
        await asyncio.to_thread(self._executor.shutdown, wait=True, cancel_futures=True)


def _nothing() -> None:
    """An iterator that is no generator has nothing to close."""

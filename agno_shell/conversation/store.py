"""The storage's own thread: slow disks never stop the keyboard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from agno_shell.contracts import Storage
from agno_shell.errors import AgnoShellError, StorageError

T = TypeVar("T")


class StoreThread:
    """Calls a storage in one worker thread, in the order of asking.

    ``await store(lambda storage: storage.sessions())``. Work that was begun is carried
    out even if the waiting task is cancelled.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="storage")

    async def __call__(self, work: Callable[[Storage], T]) -> T:
        """What ``work`` returns, or the ``AgnoShellError`` that it raises."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, work, self._storage)
        except AgnoShellError:
            raise
        # A storage may be anybody's plugin; its bug must not cost the words in memory.
        except Exception as error:
            name = type(self._storage).__name__
            raise StorageError(
                f"The storage {name} failed: {type(error).__name__}: {error}."
            ) from error

    def soon(self, work: Callable[[Storage], object]) -> None:
        """Do ``work`` before anything that is asked for later; nobody waits for it, and
        what goes wrong in it is not told."""

        def quietly() -> None:
            with suppress(Exception):
                work(self._storage)

        self._executor.submit(quietly)

    async def close(self) -> None:
        """Finish what was asked for, then close the storage."""
        await self(lambda storage: storage.close())
        self._executor.shutdown(wait=True)

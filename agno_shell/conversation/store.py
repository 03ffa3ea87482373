"""The storage's own thread: slow disks never stop the keyboard."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress
from enum import Enum
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar, cast

from agno_shell.base.program_log import note
from agno_shell.contracts import Storage
from agno_shell.errors import AgnoShellError, StorageError
from agno_shell.toolkit.guarding import let_through, quiet, reason_of
from agno_shell.toolkit.threads import in_thread

T = TypeVar("T")

SILENT_SECONDS = 10.0
"""After which a storage that does not answer is named; some work takes that long."""

CLOSING_SECONDS = 5.0
"""What finishing what was asked for, and closing, may take at the end."""

ABANDONING_SECONDS = 1.0
"""The same where nothing is written."""


class _End(Enum):
    """What stands for the end of an iterator."""

    END = 0


class StoreThread:
    """Calls a storage in one worker thread, in the order of asking.

    ``await store(lambda storage: storage.sessions())``. Work that was begun is carried
    out even if the waiting task is cancelled. The storage is opened when it is first
    used, in that thread. The end of the program does not wait for the thread.
    """

    def __init__(self, open_storage: Callable[[], Storage]) -> None:
        self._open = open_storage
        self._storage: Storage | None = None
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._began: float | None = None
        """When the work began that is being done, on ``time.monotonic()``."""
        self._waiting: set[asyncio.Future[Any]] = set()
        self._is_left = False
        self.tell: Callable[[str], object] = lambda _line: None
        """Gets a line when the storage has not answered for long."""

    async def __call__(self, work: Callable[[Storage], T]) -> T:
        """What ``work`` returns, or the ``AgnoShellError`` that it raises."""
        if self._is_left:
            raise self._silence()
        answer = cast("asyncio.Future[T]", in_thread(partial(self._named, work), start=self._put))
        self._waiting.add(answer)
        naming = asyncio.get_running_loop().call_later(SILENT_SECONDS, self._name_silence)
        try:
            return await answer
        finally:
            naming.cancel()
            self._waiting.discard(answer)

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
            with quiet():
                self._do(work)

        self._put(quietly)

    # In the thread ----------------------------------------------------------------------

    def _put(self, work: Callable[[], None]) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._run, name="storage", daemon=True)
            self._thread.start()
        self._queue.put(work)

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            self._began = time.monotonic()
            work()
            self._began = None

    def _named(self, work: Callable[[Storage], T]) -> T:
        try:
            return self._do(work)
        except AgnoShellError as error:
            note(__name__, "storage error", problem=error)
            raise
        # A storage may be anybody's plugin; its bug must not cost the words in memory.
        except BaseException as error:
            let_through(error)
            note(__name__, "storage error", problem=error)
            raise StorageError(f"The storage{self._name} failed: {reason_of(error)}.") from error

    def _do(self, work: Callable[[Storage], T]) -> T:
        if self._storage is None:
            self._storage = self._open()
        return work(self._storage)

    # A storage that does not answer -----------------------------------------------------

    @property
    def _name(self) -> str:
        return f" {type(self._storage).__name__}" if self._storage is not None else ""

    def is_silent(self, seconds: float) -> bool:
        """Whether the storage has been busy with one thing for longer than that."""
        began = self._began
        return began is not None and time.monotonic() - began > seconds

    def leave(self) -> None:
        """Wait for the storage no more: whoever waits, and whoever asks later, gets a
        ``StorageError``. What it does at last is done all the same."""
        self._is_left = True
        for answer in list(self._waiting):
            if not answer.done():
                answer.set_exception(self._silence())

    def _silence(self) -> StorageError:
        return StorageError(f"The storage{self._name} does not answer.")

    def _name_silence(self) -> None:
        note(__name__, "storage silent", bad=True, seconds=SILENT_SECONDS)
        self.tell(
            f"The storage{self._name} has not answered for {SILENT_SECONDS:g} seconds. "
            "Ctrl-C stops waiting for it; what was said is kept in this shell."
        )

    # The end ----------------------------------------------------------------------------

    async def close(self) -> None:
        """Finish what was asked for, then close the storage if it was opened; one that
        hangs is left behind."""
        if self._storage is not None and not self._is_left:
            closing = asyncio.ensure_future(self(lambda storage: storage.close()))
            await asyncio.wait([closing], timeout=CLOSING_SECONDS)
            if not closing.done():
                self.leave()
            await closing
        await self._ended(ABANDONING_SECONDS)

    async def abandon(self) -> None:
        """Close the storage without waiting for the long reading that may be under way."""
        while not self._queue.empty():
            self._queue.get_nowait()
        if (storage := self._storage) is not None:
            # Closing is foreign code, and what it closes may be in use.
            closing = asyncio.ensure_future(in_thread(storage.close))
            closing.add_done_callback(lambda done: done.cancelled() or done.exception())
            await asyncio.wait([closing], timeout=ABANDONING_SECONDS)
        with suppress(StorageError):
            await self._ended(ABANDONING_SECONDS)

    async def _ended(self, seconds: float) -> None:
        """Let the thread end, if it can."""
        if self._thread is None or self._is_left:
            return
        self._queue.put(None)
        thread = self._thread
        await asyncio.wait([asyncio.ensure_future(in_thread(thread.join))], timeout=seconds)


class StorageAccess:
    """Both handles of a storage, as :class:`~agno_shell.contracts.StorageAccess` says."""

    def __init__(self, store: StoreThread, reader: StoreThread) -> None:
        self._store = store
        self._reader = reader

    async def __call__(self, work: Callable[[Storage], T]) -> T:
        return await self._store(work)

    async def read(self, work: Callable[[Storage], T]) -> T:
        return await self._reader(work)

    def steps(self, work: Callable[[Storage], Iterator[T]]) -> AsyncGenerator[T, None]:
        return self._reader.steps(work)


def _nothing() -> None:
    """An iterator that is no generator has nothing to close."""

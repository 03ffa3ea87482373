"""What is done while nobody waits for anything."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from agno_shell.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agno_shell.contracts.storage import Progress, Storage
    from agno_shell.conversation.store import StoreThread

CALM = 5.0
"""Seconds after the start in which other things are done."""

REST = 0.2
"""Seconds between two steps of a tenth of one, so that most of a processor is left to others."""


async def prepare(reader: StoreThread, session_id: str) -> None:
    """Make ready, at leisure, what the first question about a long session, or the first search,
    would have to wait for: whoever asks before that goes on with it, and does not wait for it.
    Before the search, sessions are mended."""
    # What is wrong is said to whoever asks.
    with suppress(StorageError):
        await reader(lambda s: s.outline(session_id) if s.is_outlined else ())
    await asyncio.sleep(CALM)
    for work in (_mend, _prepare_search):
        with suppress(StorageError):
            steps = reader.steps(work)
            async with aclosing(steps):
                async for _progress in steps:
                    await asyncio.sleep(REST)


def _mend(storage: Storage) -> Iterator[Progress]:
    return storage.mend()


def _prepare_search(storage: Storage) -> Iterator[Progress]:
    return storage.prepare_search()

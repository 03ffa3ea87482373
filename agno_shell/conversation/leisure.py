"""What is done while nobody waits for anything."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from agno_shell.errors import StorageError

if TYPE_CHECKING:
    from agno_shell.conversation.conversation import Conversation

CALM = 2.0
"""Seconds after the start in which other things are done."""

REST = 0.2
"""Seconds between two steps of a tenth of one, so that most of a processor is left to others."""


async def prepare_search(conversation: Conversation) -> None:
    """Bring what a search looks through up to date, at leisure, so that the first search need
    not: whoever searches before that goes on with it, and does not wait for it."""
    await asyncio.sleep(CALM)
    # What is wrong is said to whoever searches.
    with suppress(StorageError):
        steps = conversation.reader.steps(lambda storage: storage.prepare_search())
        async with aclosing(steps):
            async for _progress in steps:
                await asyncio.sleep(REST)

"""What other people's coroutines may do to a task, kept from doing it."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import suppress


async def quietly(work: Awaitable[None]) -> None:
    with suppress(Exception, SystemExit):
        await work


async def without_exit(work: Awaitable[None]) -> None:
    """A task that raises SystemExit ends the event loop, whoever waits for it."""
    try:
        await work
    except SystemExit as error:
        raise RuntimeError(f"it called sys.exit({error.code!r})") from error

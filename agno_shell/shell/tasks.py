"""What other people's coroutines may do to a task, kept from doing it."""

from __future__ import annotations

from collections.abc import Awaitable

from agno_shell.toolkit.guarding import let_through, quiet, reason_of


async def quietly(work: Awaitable[None]) -> None:
    with quiet():
        await work


async def without_exit(work: Awaitable[None]) -> None:
    """A task that raises SystemExit or KeyboardInterrupt ends the event loop, whoever waits
    for it; one that cancels itself passes for one that was stopped."""
    try:
        await work
    except SystemExit as error:
        raise RuntimeError(f"it called sys.exit({error.code!r})") from error
    except Exception:
        raise
    except BaseException as error:
        let_through(error)
        raise RuntimeError(f"it raised {reason_of(error)}") from error

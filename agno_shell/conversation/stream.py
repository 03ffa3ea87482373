"""The events of one request, read in a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from agno_shell.contracts import Provider
from agno_shell.errors import AgnoShellError
from agno_shell.events import Event, Failed, Finished, Request

BEHIND = 64
"""Events that may wait to be shown; a provider that is faster lets the keyboard in first."""

CLOSING_SECONDS = 0.05
"""How long a provider may take to close its connection before the shell goes on without it."""


class Stream:
    """The events of one request. A task of its own reads the provider, so that
    :meth:`stop` acts at once, whatever the provider is waiting for."""

    def __init__(self, provider: Provider, request: Request) -> None:
        self._provider = provider
        self._request = request
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.stopped = False

    def stop(self) -> None:
        """End the events now; the provider closes its connection."""
        self.stopped = True
        if self._task:
            self._task.cancel()
            # A task that is cancelled before its first step never gets to its `finally`.
            self._queue.put_nowait(None)

    async def events(self) -> AsyncGenerator[Event, None]:
        """What the provider yields; the last one is Finished or Failed, unless stopped."""
        if self.stopped:
            return
        self._task = asyncio.create_task(self._read())
        try:
            while (event := await self._queue.get()) is not None and not self.stopped:
                yield event
                if isinstance(event, Finished | Failed):
                    return
            if not self.stopped:
                yield Failed(
                    "server", "The reply ended without being finished.", "/retry asks again."
                )
        finally:
            self._task.cancel()
            # Not for ever: closing is the provider's own code, and Ctrl-C acts at once.
            await asyncio.wait([self._task], timeout=CLOSING_SECONDS)

    async def _read(self) -> None:
        try:
            async with aclosing(self._provider.stream(self._request)) as events:
                async for event in events:
                    self._queue.put_nowait(event)
                    while self._queue.qsize() >= BEHIND:
                        await asyncio.sleep(0)
        except AgnoShellError as error:
            self._queue.put_nowait(failure(error))
        # A provider may be anybody's plugin; its bug costs one reply and not the shell.
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            self._queue.put_nowait(
                Failed("other", f"The provider {self._provider.name!r} failed: {reason}")
            )
        finally:
            self._queue.put_nowait(None)


def failure(error: AgnoShellError) -> Failed:
    kind, temporary = getattr(error, "kind", "other"), getattr(error, "temporary", False)
    return Failed(kind, str(error), error.hint, temporary)

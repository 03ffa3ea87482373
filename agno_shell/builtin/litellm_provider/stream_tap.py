"""Watches what a server really sent, below litellm's own reading of it.

litellm reports ``stop`` for a stream that just ends, for some services with every piece, and
holds the finish reason back until the connection is closed. The tap sits between its reader
and the connection: it takes back a finish reason that the server has not given, ends the
stream as soon as the finish reason and the usage are there, and remembers whether they ever
came.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from agno_shell.builtin.litellm_provider.wire_watch import WireWatch

USAGE_PATIENCE = 0.5
"""Seconds to wait for the usage once the finish reason is known."""

_DRAIN_PATIENCE = 5.0


class StreamTap:
    """An async iterator over ``source`` that ends where the reply ends."""

    def __init__(self, wrapper: Any, source: AsyncIterator[Any], watch: WireWatch) -> None:
        self._wrapper = wrapper
        self._watch = watch
        self._source = source
        self._items = aiter(source)
        self._ended = False
        self._usage_came_last = False
        self.usage: dict[str, Any] = {}
        """Token counts as they came, the largest of each; empty when none came."""

    def __aiter__(self) -> StreamTap:
        return self

    async def __anext__(self) -> Any:
        item = await self._next()
        self._note_usage(item)
        return item

    async def _next(self) -> Any:
        if self.finish_reason is None:
            return await self._pull()
        # Some servers send running counts with every piece: only the last ones are final.
        if self._watch.is_over if self._watch.is_exact else self._usage_came_last:
            raise StopAsyncIteration
        try:
            async with asyncio.timeout(USAGE_PATIENCE):
                return await self._pull()
        except TimeoutError:
            raise StopAsyncIteration from None

    async def _pull(self) -> Any:
        try:
            item = await anext(self._items)
        except StopAsyncIteration:
            self._ended = True
            raise
        if self._watch.is_exact and not self._watch.is_ending:
            _take_end_back(item)
        return item

    @property
    def finish_reason(self) -> str | None:
        """The finish reason that the server sent; None as long as it sent none."""
        if self._watch.is_exact:
            return self._watch.reason
        # One that only stands beside a piece (``intermittent_finish_reason``) may be made up.
        return self._wrapper.received_finish_reason or None

    def _note_usage(self, item: Any) -> None:
        usage = item.get("usage") if isinstance(item, dict) else getattr(item, "usage", None)
        self._usage_came_last = usage is not None
        if usage is None:
            return
        dump = getattr(usage, "model_dump", None)
        counts = dump(exclude_none=True) if dump else usage
        if not isinstance(counts, Mapping):
            return  # what is no table of counts costs the counts, not the reply
        for name, value in counts.items():
            known = self.usage.get(name)
            if known is None or not isinstance(value, int) or value > known:
                self.usage[name] = value

    async def settle(self) -> None:
        """Once the finish reason is known: wait a moment for the usage behind it."""
        with contextlib.suppress(StopAsyncIteration):
            while not self._ended:
                await anext(self)

    async def release(self) -> None:
        """Read what is left, a short while, so that the connection can be used again;
        then close it."""
        try:
            async with asyncio.timeout(_DRAIN_PATIENCE):
                while not self._ended:
                    await self._pull()
        except Exception:
            # The reply is complete; how its connection ends is of no interest any more.
            pass
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Close the connection now."""
        close = getattr(self._source, "aclose", None) or getattr(self._source, "close", None)
        if close is not None:
            await close()


def _take_end_back(item: Any) -> None:
    """Take a finish reason of litellm's own making out of a piece of a stream, in whichever of
    its two forms it comes."""
    if isinstance(item, dict):
        if "is_finished" in item:
            item |= {"is_finished": False, "finish_reason": ""}
        return
    for choice in getattr(item, "choices", None) or ():
        if getattr(choice, "finish_reason", None):
            choice.finish_reason = None

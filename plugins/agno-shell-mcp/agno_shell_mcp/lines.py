"""Messages of a server, a line each, bounded where they are read."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator
from typing import NamedTuple

CHUNK = 65_536

SKIPPED_BYTES = 64 * 1024 * 1024
"""A line that goes on for longer has no end."""

_ID = re.compile(rb'^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,18})\s*,')


class OverlongLine(NamedTuple):
    """A line that was longer than allowed, and was passed over."""

    id: int | None
    """Of the request that it answered, where that can be seen."""


class EndlessLineError(Exception):
    """A server sends a line that does not end."""


async def bounded_lines(
    source: asyncio.StreamReader, most: int
) -> AsyncGenerator[bytes | OverlongLine]:
    """The lines of a stream without their ends; the last one need not be ended. No more than
    ``most`` bytes and one chunk are ever kept."""
    kept: list[bytes] = []
    size = 0
    while chunk := await source.read(CHUNK):
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            line = b"".join(kept[:2]) if size > most else b"".join([*kept, end])
            yield _too_long(line) if size + len(end) > most else line
            kept, size = [], 0
        size += len(rest)
        if size <= most or not kept:
            kept.append(rest)
        else:
            del kept[2:]  # the beginning says what it answers
        if size > SKIPPED_BYTES:
            raise EndlessLineError
    if size and size <= most:
        yield b"".join(kept)


def _too_long(line: bytes) -> OverlongLine:
    found = _ID.match(line[:1000])
    return OverlongLine(int(found[1]) if found else None)


class Throttle:
    """Lets a server take at most half of the time, however much it sends::

    with pace:
        parse(message)
    await pace.rest()
    """

    LEAST = 0.005
    MOST = 0.25

    def __init__(self) -> None:
        self._worked = self._began = 0.0

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *_error: object) -> None:
        self._worked += time.perf_counter() - self._began

    async def rest(self) -> None:
        """Do nothing for as long as was worked, once that is worth a pause."""
        if self._worked > self.LEAST:
            seconds, self._worked = min(self._worked, self.MOST), 0.0
            await asyncio.sleep(seconds)

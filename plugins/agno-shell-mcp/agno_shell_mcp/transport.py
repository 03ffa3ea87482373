"""Ways to reach a server. Importing this imports the SDK, which takes about a second."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TextIO
from urllib.parse import urlsplit

import httpx2
from mcp.client.streamable_http import streamable_http_client

from agno_shell.toolkit.wording import size
from agno_shell_mcp.lines import Throttle
from agno_shell_mcp.program import run_program
from agno_shell_mcp.reaper import Reaper
from agno_shell_mcp.settings import Address, Program, Server, is_loopback

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

CONNECTING_SECONDS = 10.0

_EVENT_ENDS = (b"\n\n", b"\r\n\r\n", b"\r\r")
"""Between two events of a stream. Source: https://html.spec.whatwg.org/#event-stream-interpretation"""


@asynccontextmanager
async def reach(
    server: Server,
    log: TextIO,
    reaper: Reaper,
    *,
    ended: Callable[[str], None],
    answered: Callable[[int], None],
) -> AsyncGenerator[TransportStreams]:
    """The two streams of a server, for as long as they are needed.

    ``ended`` is called when a program can be read no more, with the reason if there is one;
    ``answered`` gets the HTTP status of each answer, which the SDK keeps to itself.
    """
    where, most = server.where, server.message_bytes
    if isinstance(where, Program):
        async with run_program(where, log, reaper, most, ended) as streams:
            yield streams
    else:
        async with (
            _http_client(where, most, answered) as http,
            streamable_http_client(where.url, http_client=http) as streams,
        ):
            yield streams


def _http_client(
    address: Address, most: int, answered: Callable[[int], None]
) -> httpx2.AsyncClient:
    async def note(response: httpx2.Response) -> None:
        if response.request.method == "POST":  # the others carry no request of ours
            answered(response.status_code)
        if isinstance(response.stream, httpx2.AsyncByteStream):
            kind = response.headers.get("content-type", "")
            response.stream = _BoundedStream(
                response.stream, most, kind.startswith("text/event-stream")
            )

    return httpx2.AsyncClient(
        # A compressed answer could be a thousand times as long as what was counted.
        headers={"Accept-Encoding": "identity", **address.headers},
        # How long a call may take is decided by the caller.
        timeout=httpx2.Timeout(CONNECTING_SECONDS, read=None),
        follow_redirects=False,
        max_redirects=0,  # the SDK follows some by itself, up to this number
        # What stays on this machine needs no proxy, and a proxy must not see it.
        trust_env=not is_loopback(urlsplit(address.url).hostname or ""),
        event_hooks={"response": [note]},
    )


class _BoundedStream(httpx2.AsyncByteStream):
    """The bytes of an answer, up to ``most``; in a stream of events each may have as many.
    Who reads them is given half of the time."""

    def __init__(self, stream: httpx2.AsyncByteStream, most: int, is_events: bool) -> None:
        self._stream = stream
        self._most = most
        self._is_events = is_events

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        taken, last, pace = 0, b"", Throttle()
        async for chunk in self._stream:
            taken += len(chunk)
            if self._is_events:
                seen = last + chunk  # an end may be split between two chunks
                if (end := max(map(seen.rfind, _EVENT_ENDS))) >= 0:
                    taken = len(seen) - end
                last = chunk[-3:]
            if taken > self._most:
                raise httpx2.StreamError(f"it is longer than {size(self._most)}")
            with pace:
                yield chunk
            await pace.rest()

    async def aclose(self) -> None:
        await self._stream.aclose()

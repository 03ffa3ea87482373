"""Ways to reach a server. Importing this imports the SDK, which takes about a second."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, TextIO
from urllib.parse import urlsplit

import anyio
import httpx2
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from agno_shell.wording import size
from agno_shell_mcp.settings import Address, Program, is_loopback

if TYPE_CHECKING:
    from mcp.client._transport import ReadStream, TransportStreams
    from mcp.shared.message import SessionMessage

CONNECTING_SECONDS = 10.0

ANSWER_BYTES = 16 * 1024 * 1024
"""More than this in one answer is no result of a tool, but an attack or a mistake."""


@asynccontextmanager
async def reach(
    where: Program | Address,
    log: TextIO,
    *,
    ended: Callable[[], None],
    answered: Callable[[int], None],
) -> AsyncGenerator[TransportStreams]:
    """The two streams of a server, for as long as they are needed.

    ``ended`` is called when a program has closed its output; ``answered`` gets the HTTP
    status of each answer, which the SDK keeps to itself.
    """
    if isinstance(where, Program):
        async with stdio_client(_parameters(where), log) as (read, write):
            yield _Watched(read, ended), write
    else:
        async with (
            _http_client(where, answered) as http,
            streamable_http_client(where.url, http_client=http) as streams,
        ):
            yield streams


def _parameters(program: Program) -> StdioServerParameters:
    # The SDK starts it in a process session of its own, so that Ctrl-C reaches only the
    # shell, with PATH, HOME and little more of the environment: no model's key.
    return StdioServerParameters(
        command=program.command,
        args=list(program.args),
        env=dict(program.env),
        cwd=program.cwd,
        encoding_error_handler="replace",
    )


def _http_client(address: Address, answered: Callable[[int], None]) -> httpx2.AsyncClient:
    async def note(response: httpx2.Response) -> None:
        if response.request.method == "POST":  # the others carry no request of ours
            answered(response.status_code)
            if isinstance(response.stream, httpx2.AsyncByteStream):
                response.stream = _Limited(response.stream)

    return httpx2.AsyncClient(
        # A compressed answer could be a thousand times as long as what was counted.
        headers={"Accept-Encoding": "identity", **address.headers},
        # How long a call may take is decided by whoever calls.
        timeout=httpx2.Timeout(CONNECTING_SECONDS, read=None),
        follow_redirects=False,
        max_redirects=0,  # the SDK follows some by itself, up to this number
        # What stays on this machine needs no proxy, and a proxy must not see it.
        trust_env=not is_loopback(urlsplit(address.url).hostname or ""),
        event_hooks={"response": [note]},
    )


class _Limited(httpx2.AsyncByteStream):
    """The bytes of an answer, up to :data:`ANSWER_BYTES`."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        taken = 0
        async for chunk in self._stream:
            taken += len(chunk)
            if taken > ANSWER_BYTES:
                raise httpx2.StreamError(f"it is longer than {size(ANSWER_BYTES)}")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Watched:
    """A stream that tells when it has ended: the SDK says so to waiting calls alone."""

    def __init__(
        self, stream: ReadStream[SessionMessage | Exception], ended: Callable[[], None]
    ) -> None:
        self._stream = stream
        self._ended = ended

    async def receive(self) -> SessionMessage | Exception:
        try:
            return await self._stream.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            self._ended()
            raise

    def __aiter__(self) -> _Watched:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def __aenter__(self) -> _Watched:
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await self._stream.__aexit__(kind, error, traceback)

"""The bodies of responses below litellm: bounded, and those of streamed replies watched.

Everything here works for httpx and for its successor httpx2 alike: ``http`` is the one of the
two whose response it is.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from types import ModuleType
from typing import Any

from agno_shell.builtin.litellm_provider.wire_watch import StreamedReply, WireWatch
from agno_shell.builtin.model_services.limits import LONGEST_ERROR
from agno_shell.builtin.model_services.wires.framing import LineTooLongError


def bound(http: ModuleType, response: Any, longest: float, watch: WireWatch | None) -> None:
    """Let a server not fill the memory: an error is cut, a line too long is refused.

    A reply is read line by line, each as a whole, and an error at once. ``watch``: the
    answer may be a streamed reply, which is to be read by it.
    """
    source = response.stream
    if not hasattr(source, "__aiter__"):
        return
    if response.status_code >= 400:
        response.stream = _async_stream(http, source, _beginning(source))
    elif reply := _followed(response, longest, watch):
        pieces = _events_of(_lines(_unpacked(http, response).aiter_bytes(), longest), reply)
        response.stream = _async_stream(http, source, pieces)
    else:
        response.stream = _async_stream(http, source, _lines(source, longest))


def bound_sync(http: ModuleType, response: Any, longest: float, watch: WireWatch | None) -> None:
    """The same for a response that is read without asyncio, as far as it is a reply."""
    source = response.stream
    if reply := _followed(response, longest, watch):
        pieces = _events_of_sync(_unpacked(http, response).iter_bytes(), reply)
        response.stream = _sync_stream(http, source, pieces)


def _followed(response: Any, longest: float, watch: WireWatch | None) -> StreamedReply | None:
    if watch is None or not 200 <= response.status_code < 300:
        return None
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return watch.follow(response.request.url.path, media_type, longest)


def _unpacked(http: ModuleType, response: Any) -> Any:
    """A response that unpacks the body of this one, which is then a plain one."""
    headers = response.headers.copy()
    response.headers.pop("content-encoding", None)
    return http.Response(
        response.status_code, headers=headers, stream=response.stream, request=response.request
    )


def _async_stream(http: ModuleType, source: Any, pieces: AsyncIterator[bytes]) -> Any:
    """What a client takes as the stream of a response: ``pieces``, closed with ``source``."""
    base: type = http.AsyncByteStream

    class Bounded(base):  # type: ignore[misc]
        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for piece in pieces:
                yield piece

        async def aclose(self) -> None:
            await source.aclose()

    return Bounded()


def _sync_stream(http: ModuleType, source: Any, pieces: Iterator[bytes]) -> Any:
    base: type = http.SyncByteStream

    class Bounded(base):  # type: ignore[misc]
        def __iter__(self) -> Iterator[bytes]:
            yield from pieces

        def close(self) -> None:
            source.close()

    return Bounded()


async def _beginning(source: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    left = LONGEST_ERROR
    async for piece in source:
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            return


async def _lines(source: AsyncIterable[bytes], longest: float) -> AsyncIterator[bytes]:
    line = 0
    async for piece in source:
        end = piece.rfind(b"\n")
        line = line + len(piece) if end < 0 else len(piece) - end - 1
        if line > longest:
            raise LineTooLongError(longest)
        yield piece


async def _events_of(body: AsyncIterable[bytes], reply: StreamedReply) -> AsyncIterator[bytes]:
    try:
        async for data in body:
            for event in reply.feed(data):
                yield event
        for event in reply.end():
            yield event
    except Exception:
        # What happens behind the end of a reply takes nothing away from it.
        if reply.reason is None:
            raise


def _events_of_sync(body: Iterable[bytes], reply: StreamedReply) -> Iterator[bytes]:
    try:
        for data in body:
            yield from reply.feed(data)
        yield from reply.end()
    except Exception:
        # As above.
        if reply.reason is None:
            raise

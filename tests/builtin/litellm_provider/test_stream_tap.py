"""The tap below litellm's reader: it ends a stream where the reply ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

from agno_shell.builtin.litellm_provider.stream_tap import StreamTap
from agno_shell.builtin.litellm_provider.wire_watch import WireWatch


class Reader:
    """What the tap sees of litellm's stream wrapper."""

    def __init__(self) -> None:
        self.received_finish_reason: str | None = None
        self.intermittent_finish_reason: str | None = "stop"
        """litellm gives it to pieces in the middle as well."""


class Source:
    """A stream of chunks that notes how it was left."""

    def __init__(self, *chunks: dict[str, Any], then_wait: bool = False) -> None:
        self.read = 0
        self.closed = False
        self._chunks = self._generate(chunks, then_wait)

    async def _generate(
        self, chunks: tuple[dict[str, Any], ...], then_wait: bool
    ) -> AsyncGenerator[dict[str, Any], None]:
        for chunk in chunks:
            self.read += 1
            yield chunk
        if then_wait:
            await asyncio.Event().wait()

    def __aiter__(self) -> AsyncGenerator[dict[str, Any], None]:
        return self._chunks

    async def aclose(self) -> None:
        self.closed = True
        await self._chunks.aclose()


async def read(reader: Reader, tap: StreamTap) -> list[str]:
    """Read as litellm does: the finish reason is known once a chunk is processed."""
    seen = []
    async for chunk in tap:
        seen.append(chunk.get("text", ""))
        reader.received_finish_reason = chunk.get("finish") or reader.received_finish_reason
    return seen


async def test_it_ends_behind_the_usage_without_waiting_for_the_connection() -> None:
    reader = Reader()
    usage = {"prompt_tokens": 3}
    source: Any = Source({"text": "a"}, {"finish": "stop"}, {"usage": usage}, then_wait=True)
    tap = StreamTap(reader, source, WireWatch())
    assert await read(reader, tap) == ["a", "", ""]
    assert tap.usage == usage
    assert tap.finish_reason == "stop"


async def test_running_counts_do_not_end_it_and_the_last_ones_win() -> None:
    reader = Reader()
    counts = [{"completion_tokens": n, "prompt_tokens": 9} for n in (1, 2, 3)]
    source: Any = Source(
        {"usage": counts[0]}, {"usage": counts[1], "finish": "stop"}, {"text": "-"}
    )
    tap = StreamTap(reader, source, WireWatch())
    await read(reader, tap)
    assert source.read == 2
    assert tap.usage == counts[1]


async def test_a_stream_that_just_ends_has_no_finish_reason() -> None:
    reader = Reader()
    source: Any = Source({"text": "half"})
    tap = StreamTap(reader, source, WireWatch())
    await read(reader, tap)
    assert tap.finish_reason is None


async def test_it_waits_only_a_moment_for_usage(monkeypatch: Any) -> None:
    monkeypatch.setattr("agno_shell.builtin.litellm_provider.stream_tap.USAGE_PATIENCE", 0.01)
    reader = Reader()
    source: Any = Source({"finish": "stop"}, then_wait=True)
    tap = StreamTap(reader, source, WireWatch())
    async with asyncio.timeout(20):
        await read(reader, tap)
    assert tap.usage == {}


async def test_releasing_reads_the_rest_and_closes() -> None:
    reader = Reader()
    source: Any = Source({"finish": "stop"}, {"usage": {"prompt_tokens": 1}}, {"text": "[DONE]"})
    tap = StreamTap(reader, source, WireWatch())
    await read(reader, tap)
    assert source.read == 2
    await tap.release()
    assert source.read == 3
    assert source.closed


async def test_usage_that_is_no_table_costs_the_counts_and_not_the_reply() -> None:
    reader = Reader()
    source: Any = Source({"text": "a", "usage": "many"}, {"finish": "stop", "usage": {"n": 1}})
    tap = StreamTap(reader, source, WireWatch())
    assert await read(reader, tap) == ["a", ""]
    assert tap.usage == {"n": 1}


# Where the wire is read as well -------------------------------------------------------------


def gemini_event(text: str, finish: str | None = None) -> bytes:
    candidate = {"content": {"parts": [{"text": text}]}}
    if finish:
        candidate["finishReason"] = finish  # type: ignore[assignment]
    return b"data: " + json.dumps({"candidates": [candidate]}).encode() + b"\n\n"


class Wired:
    """A source that reads the wire, and gives every piece an end of its own making, with counts,
    as litellm does for Gemini. Each piece comes when it is let through."""

    def __init__(self, *events: bytes) -> None:
        self.watch = WireWatch()
        self.may_go_on = [asyncio.Event() for _ in events]
        self._items = self._generate(events)

    async def _generate(self, events: tuple[bytes, ...]) -> AsyncGenerator[dict[str, Any], None]:
        reply = self.watch.follow("/m:streamGenerateContent", "text/event-stream", 10_000)
        assert reply is not None
        for event, may_go_on in zip(events, self.may_go_on, strict=True):
            await may_go_on.wait()
            list(reply.feed(event))
            yield {"text": "-", "is_finished": True, "finish_reason": "stop", "usage": {"n": 1}}

    def __aiter__(self) -> AsyncGenerator[dict[str, Any], None]:
        return self._items


async def test_an_end_of_litellms_own_making_is_taken_back() -> None:
    source = Wired(gemini_event("a"), gemini_event("b", "STOP"))
    for event in source.may_go_on:
        event.set()
    tap = StreamTap(Reader(), source, source.watch)  # type: ignore[arg-type]
    ends = [(item["is_finished"], item["finish_reason"]) async for item in tap]
    assert ends == [(False, ""), (True, "stop")]


async def test_in_the_middle_of_a_reply_no_pause_ends_it(monkeypatch: Any) -> None:
    monkeypatch.setattr("agno_shell.builtin.litellm_provider.stream_tap.USAGE_PATIENCE", 0)
    source = Wired(gemini_event("a"), gemini_event("b", "STOP"))
    reader = Reader()
    tap = StreamTap(reader, source, source.watch)  # type: ignore[arg-type]
    source.may_go_on[0].set()
    await anext(tap)
    reader.received_finish_reason = "stop"  # litellm believes itself
    waiting = asyncio.create_task(anext(tap))
    for _turn in range(20):
        await asyncio.sleep(0)
    assert not waiting.done()
    source.may_go_on[1].set()
    assert (await waiting)["text"] == "-"
    assert tap.finish_reason == "stop"

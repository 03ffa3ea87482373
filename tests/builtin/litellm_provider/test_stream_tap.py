"""The tap below litellm's reader: it ends a stream where the reply ends."""

from __future__ import annotations

import asyncio
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
    source = Source({"text": "a"}, {"finish": "stop"}, {"usage": usage}, then_wait=True)
    tap = StreamTap(reader, source, WireWatch())
    assert await read(reader, tap) == ["a", "", ""]
    assert tap.usage == usage
    assert tap.finish_reason == "stop"


async def test_running_counts_do_not_end_it_and_the_last_ones_win() -> None:
    reader = Reader()
    counts = [{"completion_tokens": n, "prompt_tokens": 9} for n in (1, 2, 3)]
    source = Source({"usage": counts[0]}, {"usage": counts[1], "finish": "stop"}, {"text": "-"})
    tap = StreamTap(reader, source, WireWatch())
    await read(reader, tap)
    assert source.read == 2
    assert tap.usage == counts[1]


async def test_a_stream_that_just_ends_has_no_finish_reason() -> None:
    reader = Reader()
    tap = StreamTap(reader, Source({"text": "half"}), WireWatch())
    await read(reader, tap)
    assert tap.finish_reason is None


async def test_it_waits_only_a_moment_for_usage(monkeypatch: Any) -> None:
    monkeypatch.setattr("agno_shell.builtin.litellm_provider.stream_tap.USAGE_PATIENCE", 0.01)
    reader = Reader()
    tap = StreamTap(reader, Source({"finish": "stop"}, then_wait=True), WireWatch())
    async with asyncio.timeout(20):
        await read(reader, tap)
    assert tap.usage == {}


async def test_releasing_reads_the_rest_and_closes() -> None:
    reader = Reader()
    source = Source({"finish": "stop"}, {"usage": {"prompt_tokens": 1}}, {"text": "[DONE]"})
    tap = StreamTap(reader, source, WireWatch())
    await read(reader, tap)
    assert source.read == 2
    await tap.release()
    assert source.read == 3
    assert source.closed


async def test_usage_that_is_no_table_costs_the_counts_and_not_the_reply() -> None:
    reader = Reader()
    source = Source({"text": "a", "usage": "many"}, {"finish": "stop", "usage": {"n": 1}})
    tap = StreamTap(reader, source, WireWatch())
    assert await read(reader, tap) == ["a", ""]
    assert tap.usage == {"n": 1}

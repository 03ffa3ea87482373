"""Events leave in order, in few writes, and without keys."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from agno_shell.builtin.litellm_provider.event_writer import EventWriter
from agno_shell.builtin.litellm_provider.protocol import Record, decode
from agno_shell.builtin.model_services.redact import HIDDEN, Redactor
from agno_shell.events import Failed, Finished, ReasoningDelta, TextDelta


class Pipe:
    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()

    def records(self) -> list[Record]:
        return [decode(line) for line in os.read(self.reading, 1 << 16).splitlines()]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    os.close(pipe.reading)
    os.close(pipe.writing)


async def test_the_first_text_leaves_at_once_and_the_rest_of_a_turn_together(pipe: Pipe) -> None:
    writer = EventWriter(pipe.writing, Redactor([]))
    writer.event(1, TextDelta("first "))
    assert pipe.records() == [{"id": 1, "text": "first "}]
    for word in ("one ", "two "):
        writer.event(1, TextDelta(word))
    await asyncio.sleep(0)
    assert pipe.records() == [{"id": 1, "text": "one two "}]


async def test_only_text_of_one_kind_and_one_request_is_joined(pipe: Pipe) -> None:
    writer = EventWriter(pipe.writing, Redactor([]))
    writer.event(1, TextDelta("-"))
    writer.event(1, ReasoningDelta("a"))
    writer.event(1, TextDelta("b"))
    writer.event(2, TextDelta("c"))
    writer.event(1, TextDelta("d"))
    writer.event(1, Finished())
    await asyncio.sleep(0)
    kinds = [tuple(record)[:2] for record in pipe.records()]
    assert [kind[1] for kind in kinds] == ["text", "reasoning", "text", "text", "text", "finished"]


async def test_a_record_leaves_behind_what_was_waiting(pipe: Pipe) -> None:
    writer = EventWriter(pipe.writing, Redactor([]))
    writer.event(1, TextDelta("a"))
    writer.event(1, TextDelta("b"))
    writer.record({"id": 2, "result": None})
    assert [record["id"] for record in pipe.records()] == [1, 1, 2]


async def test_a_failure_leaves_without_its_keys(pipe: Pipe) -> None:
    writer = EventWriter(pipe.writing, Redactor(["fake-0000"]))
    said = Failed("other", "Said fake-0000.", "See fake-0000.", temporary=True, retry_after=3.0)
    writer.event(1, said)
    (record,) = pipe.records()
    assert record["failed"] == {
        "kind": "other",
        "message": f"Said {HIDDEN}.",
        "hint": f"See {HIDDEN}.",
        "temporary": True,
        "retry_after": 3.0,
    }

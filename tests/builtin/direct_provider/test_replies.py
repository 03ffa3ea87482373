"""A reply is complete only when the protocol's own end was received."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from agno_shell.builtin.model_services.limits import Limits
from agno_shell.builtin.model_services.wires import openai_responses
from agno_shell.events import (
    Event,
    Failed,
    Finished,
    HiddenDelta,
    TextDelta,
)

Play = Callable[..., Awaitable[list[Event]]]

DAMAGE = [b"data: {not json\n\n", b"data: [1, 2]\n\n", b"data: \xff\n\n", b'data: {"a": 1}\n\n']


async def test_a_reply_is_read_whole(play: Play, sample: Any, name: str, check_whole: Any) -> None:
    check_whole(await play(sample.wire, sample.events), name)
    check_whole(await play(sample.wire, [b"".join(sample.events)]), name)


async def test_calls_may_end_as_servers_that_copy_gemini_end_them(
    play: Play, samples: Any, check_whole: Any
) -> None:
    *before, last = samples["gemini"].events
    last = last.replace(b'"STOP"', b'"FUNCTION_CALL"')
    check_whole(await play(samples["gemini"].wire, [*before, last]), "gemini")


async def test_a_call_that_grows_is_no_silence(play: Play, sample: Any) -> None:
    assert HiddenDelta() in await play(sample.wire, sample.events)


async def test_a_keep_alive_is_no_part_of_a_reply(play: Play, samples: Any) -> None:
    start, ping, *_ = samples["anthropic"].events
    events = await play(samples["anthropic"].wire, [start, ping, b": still here\n\n", ping])
    assert [type(event) for event in events] == [Failed]


async def test_a_server_that_does_not_stream_is_read(
    play: Play, sample: Any, name: str, check_whole: Any
) -> None:
    body = json.dumps(sample.whole).encode()
    check_whole(await play(sample.wire, [body], headers={"content-type": "application/json"}), name)


def test_every_split_of_the_stream_gives_the_same_reply(sample: Any) -> None:
    body = b"".join(sample.events)
    whole = _read(sample, [body])
    for at in range(len(body)):
        assert _read(sample, [body[:at], body[at:]]) == whole
    assert _read(sample, [body[at : at + 1] for at in range(len(body))]) == whole


def _read(sample: Any, pieces: list[bytes]) -> tuple[object, ...]:
    framing, reader = sample.wire.framing(10_000), sample.wire.reader()
    found = [
        piece for data in pieces for record in framing.feed(data) for piece in reader.feed(record)
    ]
    found += [piece for record in framing.end() for piece in reader.feed(record)]
    found += reader.end()
    text = "".join(piece.text for piece in found if isinstance(piece, TextDelta))
    calls = [(call.name, call.arguments) for call in reader.calls.events()]
    return text, "".join(reader.thoughts), calls, reader.reason, reader.usage


async def test_a_cut_anywhere_is_never_passed_off_as_complete(play: Play, sample: Any) -> None:
    for end in range(sample.ends_at + 1):
        for error in (None, httpx.ReadError("gone")):
            events = await play(sample.wire, sample.events[:end], error=error)
            assert isinstance(events[-1], Failed), f"cut behind {end} events"
    for end in range(sample.ends_at + 1, len(sample.events) + 1):
        events = await play(sample.wire, sample.events[:end])
        assert isinstance(events[-1], Finished), f"cut behind {end} events"


@pytest.mark.parametrize("damage", DAMAGE)
async def test_a_damaged_event_anywhere_is_never_passed_over(
    play: Play, sample: Any, damage: bytes
) -> None:
    for at in range(sample.ends_at + 1):
        pieces = [*sample.events[:at], damage, *sample.events[at:]]
        for arriving in (pieces, [b"".join(pieces)]):
            events = await play(sample.wire, arriving)
            assert isinstance(events[-1], Failed), f"damaged at {at}"
            assert "no model reply" in events[-1].message


async def test_valid_events_of_the_framing_break_nothing(
    play: Play, sample: Any, name: str, check_whole: Any
) -> None:
    if name == "ollama":
        pieces = [b"\n", *(event + b"\r\n\n" for event in sample.events)]
    else:
        between = [b": ping\n\n", b"retry: 100\n\n", b"data:\n\n", b"id: 3\n\n"]
        pieces = [b"\xef\xbb\xbf"]
        for number, event in enumerate(sample.events):
            pieces += [between[number % 4], event.replace(b"\n", b"\r\n")]
    check_whole(await play(sample.wire, pieces), name)


@pytest.mark.parametrize("damage", DAMAGE)
async def test_what_was_shown_before_the_damage_stays(
    play: Play, samples: Any, damage: bytes
) -> None:
    sample = samples["openai"]
    events = await play(sample.wire, [b"".join([*sample.events[:4], damage])])
    assert TextDelta("I add.") in events


async def test_a_reason_that_is_not_known_is_said(play: Play, samples: Any) -> None:
    choice = {"index": 0, "delta": {"content": "Half"}, "finish_reason": "solar_flare"}
    body = b"data: " + json.dumps({"id": "c", "choices": [choice]}).encode() + b"\n\n"
    events = await play(samples["openai"].wire, [body])
    assert isinstance(events[-1], Failed)
    assert "solar_flare" in events[-1].message
    assert TextDelta("Half") in events


@pytest.mark.parametrize(
    "body",
    [
        {"error": "No model is loaded."},
        {"error": {"message": "No model is loaded.", "type": "server_error"}},
        {"error": {"message": "x", "code": 500, "metadata": {"raw": "No model is loaded."}}},
    ],
)
async def test_an_error_with_the_status_200_is_that_error(
    play: Play, sample: Any, body: dict[str, object]
) -> None:
    headers = {"content-type": "application/json"}
    (failed,) = await play(sample.wire, [json.dumps(body).encode()], headers=headers)
    assert isinstance(failed, Failed)
    assert "No model is loaded." in failed.message
    assert not failed.temporary, "the same question would get the same answer"


async def test_a_tool_that_the_service_runs_may_take_as_long_as_the_reply(play: Play) -> None:
    item = {"type": "web_search_call", "id": "w", "status": "in_progress"}
    begun = {"type": "response.output_item.added", "item": item}
    text = {"type": "response.output_text.delta", "delta": "Hm. "}
    end = [
        {"type": "response.output_item.done", "item": item | {"status": "completed"}},
        {"type": "response.output_text.delta", "delta": "Noon."},
        {"type": "response.completed", "response": {"status": "completed"}},
    ]

    async def last(first: object) -> Event:
        body = [_sse(first), b"".join(map(_sse, end))]
        limits = Limits(between_tokens=0.05)
        return (await play(openai_responses.WIRE, body, pause=0.2, limits=limits))[-1]

    assert isinstance(await last(begun), Finished)
    assert isinstance(await last(text), Failed)


def _sse(value: object) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()

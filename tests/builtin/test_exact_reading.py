"""Both providers at every protocol: a reply is complete only when its own end was received, and
a hole in it is never passed over."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from agno_shell.events import Event, Failed, Finished, ReasoningDelta, TextDelta, UsageReported
from agno_shell.testing.model_replies import Behaviour, Exchange
from agno_shell.types import ToolCall

pytestmark = pytest.mark.asyncio(loop_scope="session")

DAMAGE = [b"data: {not json\n\n", b"data: [1, 2]\n\n", b"data: \xff\n\n", b'data: {"a": 1}\n\n']
BETWEEN = [
    b": ping\n\n",
    b"retry: 100\n\n",
    b"data:\n\n",
    b"data: \n\n",
    b"id: 3\n\n",
    b": a\nid: 4\n: b\n\n",
    b"event: nothing\n\n",
    b"\n\n",
]


def check_incomplete(events: list[Event], words: str, what: object) -> None:
    """It ends as a failure, in the words that fit what had come."""
    failed = events[-1]
    assert isinstance(failed, Failed), (events, what)
    shown = any(isinstance(event, TextDelta | ReasoningDelta) for event in events)
    assert words in failed.message or not shown, (failed, what)
    assert not any(isinstance(event, ToolCall | UsageReported) for event in events), what


def paced(pieces: Sequence[bytes]) -> Behaviour:
    """Each piece arrives by itself: it is written when the system has taken the one before."""

    async def behave(exchange: Exchange) -> None:
        exchange.begin_stream()
        for piece in pieces:
            exchange.send(piece)
            await exchange.drain()
            await asyncio.sleep(0)
        await exchange.end_stream()

    return behave


def broken_off(pieces: Sequence[bytes]) -> Behaviour:
    """The connection is closed in the middle of the body."""

    async def behave(exchange: Exchange) -> None:
        exchange.begin_stream()
        for piece in pieces:
            exchange.send(piece)
        await exchange.break_off()

    return behave


async def test_a_reply_is_read_whole(talk: Any, sample: Any, name: str, check_whole: Any) -> None:
    check_whole(await talk(sample), name)
    check_whole(await talk(sample, answer=paced([b"".join(sample.events)])), name)
    check_whole(await talk(sample, answer=paced(sample.events)), name)


# Ends that are none -----------------------------------------------------------------------


def with_counts(sample: Any, name: str) -> list[bytes]:
    """The sample with its counts so far in each event, where the protocol has a place for it."""
    if name == "openai":
        counts = {"prompt_tokens": 100, "completion_tokens": 1, "total_tokens": 101}
        return [
            event
            if b"[DONE]" in event or b'"usage"' in event
            else event.replace(
                b'"choices"', b'"usage": %b, "choices"' % json.dumps(counts).encode()
            )
            for event in sample.events
        ]
    if name == "anthropic":
        delta = {"stop_reason": None, "stop_sequence": None}
        counts = {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 1}}  # type: ignore[dict-item]
        event = b"event: message_delta\ndata: " + json.dumps(counts).encode() + b"\n\n"
        return [piece for each in sample.events[:-2] for piece in (each, event)] + [
            *sample.events[-2:]
        ]
    return list(sample.events)  # Google's has them anyway; the others have them at the end alone


async def test_counts_with_each_event_end_nothing(
    talk: Any, sample: Any, name: str, check_whole: Any
) -> None:
    check_whole(await talk(sample, answer=paced(with_counts(sample, name))), name)


async def test_a_server_that_holds_back_the_rest_is_waited_for(
    talk: Any, sample: Any, name: str, running_server: Any, check_whole: Any
) -> None:
    """It goes on once what came so far was shown, with its counts."""
    events = with_counts(sample, name)
    first = next(at for at, event in enumerate(events) if b'"I "' in event) + 1
    shown = asyncio.Event()

    async def hold(exchange: Exchange) -> None:
        exchange.begin_stream()
        for event in events[:first]:
            exchange.send(event)
        await exchange.drain()
        await shown.wait()
        for event in events[first:]:
            exchange.send(event)
        await exchange.end_stream()

    def see(event: Event) -> None:
        if isinstance(event, TextDelta):
            running_server._loop.call_soon_threadsafe(shown.set)

    check_whole(await talk(sample, answer=hold, see=see), name)


async def test_a_cut_anywhere_is_never_passed_off_as_complete(
    talk: Any, sample: Any, name: str
) -> None:
    for events in (sample.events, with_counts(sample, name)):
        end_in = len(events) - (len(sample.events) - sample.ends_at)
        for end in range(end_in + 1):
            for behaviour in (paced(events[:end]), broken_off(events[:end])):
                check_incomplete(await talk(sample, answer=behaviour), "cut off", f"cut at {end}")
        for end in range(end_in + 1, len(events) + 1):
            for behaviour in (paced(events[:end]), broken_off(events[:end])):
                reply = await talk(sample, answer=behaviour)
                assert isinstance(reply[-1], Finished), f"cut at {end}"


def places(size: int, count: int) -> list[int]:
    """Some of the places in a body, always the same."""
    return sorted(random.Random(size).sample(range(size), min(count, size)))


async def cut_at(talk: Any, sample: Any, ends: Sequence[int]) -> None:
    body = b"".join(sample.events)
    last = len(b"".join(sample.events[: sample.ends_at + 1])) - 2
    for end in ends:
        events = await talk(sample, answer=paced([body[:end]]))
        if end < last:
            check_incomplete(events, "cut off", f"cut behind {end} bytes")


async def test_a_cut_inside_an_event_is_never_passed_off_as_complete(
    talk: Any, sample: Any
) -> None:
    await cut_at(talk, sample, places(len(b"".join(sample.events)), 40))


@pytest.mark.slow
async def test_a_cut_behind_any_byte_is_never_passed_off_as_complete(
    talk: Any, sample: Any
) -> None:
    await cut_at(talk, sample, range(len(b"".join(sample.events))))


# Holes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", DAMAGE)
async def test_a_damaged_event_anywhere_is_never_passed_over(
    talk: Any, sample: Any, damage: bytes
) -> None:
    for at in range(sample.ends_at + 1):
        pieces = [*sample.events[:at], damage, *sample.events[at:]]
        for arriving in (pieces, [b"".join(pieces)]):
            events = await talk(sample, answer=paced(arriving))
            check_incomplete(events, "no model reply", f"damaged at {at}")


async def test_an_event_that_is_torn_in_two_is_never_passed_over(talk: Any, sample: Any) -> None:
    for at in range(sample.ends_at + 1):
        torn = sample.events[at][: sample.events[at].index(b"{") + 9]
        pieces = [*sample.events[:at], torn + b"\n\n", *sample.events[at + 1 :]]
        events = await talk(sample, answer=paced(pieces))
        check_incomplete(events, "no model reply", f"torn at {at}")


async def test_an_error_anywhere_is_said(talk: Any, sample: Any, name: str) -> None:
    error = json.dumps({"type": "error", "error": {"type": "x", "message": "It fell over."}})
    event = f"{error}\n" if name == "ollama" else f"event: error\ndata: {error}\n\n"
    for at in range(1, sample.ends_at + 1):
        pieces = [*sample.events[:at], event.encode(), *sample.events[at:]]
        events = await talk(sample, answer=paced(pieces))
        check_incomplete(events, "It fell over.", f"an error at {at}")


# What is none of these --------------------------------------------------------------------


def in_other_forms(sample: Any, name: str) -> Sequence[Sequence[bytes]]:
    """The same events in every form that the framing allows."""
    if name == "ollama":
        return [[b"\n", *(event + b"\r\n\n" for event in sample.events)]]
    between = [
        piece
        for number, event in enumerate(sample.events)
        for piece in (BETWEEN[number % len(BETWEEN)], event)
    ]
    forms: list[Callable[[bytes], bytes]] = [
        lambda event: event.replace(b"\n", b"\r\n"),
        lambda event: event.replace(b"\n", b"\r"),
        lambda event: event.replace(b"data: ", b"data:"),
        lambda event: event.replace(b"data: ", b": ping\nid: 7\ndata: "),
        lambda event: event if b"[DONE]" in event else event.replace(b', "', b',\ndata: "'),
    ]
    others = [[form(event) for event in sample.events] for form in forms]
    return [[b"\xef\xbb\xbf", *sample.events], between, *others]


async def test_every_form_that_the_framing_allows_is_read(
    talk: Any, sample: Any, name: str, check_whole: Any
) -> None:
    for number, pieces in enumerate(in_other_forms(sample, name)):
        check_whole(await talk(sample, answer=paced(pieces)), name, f"form {number}")


async def test_signs_that_look_like_ends_of_lines_are_text(talk: Any, samples: Any) -> None:
    said = "a\u2028b\u2029c\x85d\x0be\x1cf \U0001f989 ü"
    for name, sample in samples.items():
        whole = json.dumps("I ").encode()
        raw = json.dumps(said, ensure_ascii=False).encode()
        events = [event.replace(whole, raw) for event in sample.events]
        reply = await talk(sample, answer=paced(events))
        text = "".join(event.text for event in reply if isinstance(event, TextDelta))
        assert text == f"{said}add.", name


@pytest.fixture
def split_at(talk: Any, sample: Any, name: str, check_whole: Any) -> Any:
    """Checks the reply of a body that comes in two pieces."""
    body = b"".join(sample.events)

    async def split(end: int) -> None:
        reply = await talk(sample, answer=paced([body[:end], body[end:]]))
        check_whole(reply, name, f"split at {end}")

    return split


async def test_a_split_anywhere_changes_nothing(split_at: Any, sample: Any) -> None:
    for end in places(len(b"".join(sample.events)), 20):
        await split_at(end)


@pytest.mark.slow
async def test_every_split_changes_nothing(split_at: Any, sample: Any) -> None:
    for end in range(1, len(b"".join(sample.events))):
        await split_at(end)


async def test_a_reason_that_is_not_known_is_said(talk: Any, samples: Any) -> None:
    for name, reason in (
        ("openai", b'"finish_reason": "tool_calls"'),
        ("anthropic", b'"stop_reason": "tool_use"'),
        ("gemini", b'"finishReason": "STOP"'),
        ("ollama", b'"done_reason": "stop"'),
    ):
        sample = samples[name]
        key = reason.partition(b":")[0]
        events = [event.replace(reason, key + b': "network_error"') for event in sample.events]
        check_incomplete(await talk(sample, answer=paced(events)), "network_error", name)

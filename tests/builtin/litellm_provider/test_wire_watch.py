"""What is handed on of a body, and what is known of its end, for every way of splitting it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from agno_shell.builtin.litellm_provider.wire_watch import StreamedReply, WireWatch
from agno_shell.builtin.model_services.wires.framing import DamagedError, LineTooLongError
from agno_shell.builtin.model_services.wires.reading import ServerReportedError

PATHS = {
    "openai": "/v1/chat/completions",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/m:streamGenerateContent",
    "ollama": "/api/chat",
    "responses": "/v1/responses",
}
ELSEWHERE = "/invocations"


def follow(path: str = ELSEWHERE, media_type: str = "text/event-stream") -> StreamedReply:
    reply = WireWatch().follow(path, media_type, 10_000)
    assert reply is not None
    return reply


def read(reply: StreamedReply, pieces: Sequence[bytes]) -> bytes:
    return b"".join([*(event for piece in pieces for event in reply.feed(piece)), *reply.end()])


def media_type(name: str) -> str:
    return "application/x-ndjson" if name == "ollama" else "text/event-stream"


@pytest.mark.parametrize("is_told", [True, False], ids=["by its path", "by its first event"])
def test_every_split_gives_the_same_events_and_the_same_end(
    sample: Any, name: str, is_told: bool
) -> None:
    body = b"".join(sample.events)
    path = PATHS[name] if is_told else ELSEWHERE
    for at in range(len(body)):
        reply = follow(path, media_type(name))
        assert read(reply, [body[:at], body[at:]]) == body
        assert (reply.is_read, reply.reason is None, reply.is_cut) == (True, False, False)
    reply = follow(path, media_type(name))
    assert read(reply, [bytes([byte]) for byte in body]) == body


def test_a_cut_behind_any_byte_is_known(sample: Any, name: str) -> None:
    body = b"".join(sample.events)
    end = len(b"".join(sample.events[: sample.ends_at + 1]))
    for at in range(len(body)):
        reply = follow(PATHS[name], media_type(name))
        try:
            read(reply, [body[:at]])
        except DamagedError:  # half a line of JSON
            assert reply.trouble is not None
        else:
            # The last line of a body may go without its end.
            assert reply.is_cut == (at < (end - 1 if name == "ollama" else end)), at


def test_an_event_is_handed_on_before_the_next_one_is_looked_at(sample: Any, name: str) -> None:
    """litellm is never behind what is known here, however many events come at once."""
    reply = follow(PATHS[name], media_type(name))
    reasons = [reply.reason for _event in reply.feed(b"".join(sample.events))]
    assert reasons[: sample.ends_at] == [None] * sample.ends_at
    assert reasons[sample.ends_at] is not None


def test_events_are_handed_on_in_their_plainest_form() -> None:
    event = {"choices": [{"delta": {"content": "ü\u2028"}}]}
    data = json.dumps(event, ensure_ascii=False).replace(", ", ",\ndata: ")
    body = f"\ufeff: hello\r\nretry: 5\r\nid: 1\r\nevent: x\r\ndata:{data}\r\n\r\ndata:\r\n\r\n"
    plain = b"event: x\ndata: " + json.dumps(event).encode() + b"\n\n"
    assert read(follow(PATHS["openai"]), [body.encode()]) == plain


def test_damage_is_handed_on_to_nobody_and_nothing_behind_it() -> None:
    reply = follow(PATHS["openai"])
    good = b'data: {"choices": []}\n\n'
    came: list[bytes] = []

    def take(piece: bytes) -> None:
        for event in reply.feed(piece):
            came.append(event)  # noqa: PERF402 - those before the damage count

    take(good)
    with pytest.raises(DamagedError):
        take(good + b"data: {bro\n\n" + good)
    take(good)
    assert came == [good, good]
    assert isinstance(reply.trouble, DamagedError)


def test_an_error_in_the_stream_is_known() -> None:
    reply = follow(PATHS["openai"])
    with pytest.raises(ServerReportedError):
        read(reply, [b'data: {"error": {"message": "Gone."}}\n\n'])
    assert isinstance(reply.trouble, ServerReportedError)


def test_what_stands_behind_the_end_takes_nothing_away(sample: Any, name: str) -> None:
    reply = follow(PATHS[name], media_type(name))
    read(reply, [*sample.events, b"data: {bro\n\n", b"\xff\n\n"])
    assert reply.trouble is None
    assert reply.reason is not None


# Protocols that are not known here ----------------------------------------------------------

OTHER = [b'data: {"type": "message-start"}\n\n', b'data: {"type": "content-delta"}\n\n']


def test_of_another_protocol_the_end_is_not_known() -> None:
    reply = follow()
    assert read(reply, OTHER) == b"".join(OTHER)
    assert not reply.is_read
    assert not reply.is_cut


def test_a_hole_in_another_protocol_is_known_and_its_last_words_are_its_own() -> None:
    reply = follow()
    assert read(reply, [*OTHER, b"data: [END]\n\n"]).endswith(b"data: [END]\n\n")
    assert reply.trouble is None
    reply = follow()
    with pytest.raises(DamagedError):
        read(reply, [OTHER[0], b"data: {bro\n\n", OTHER[1]])
    assert reply.trouble is not None


@pytest.mark.parametrize(
    "body", [b"data: some words\n\ndata: more\n\n", b"no event at all\n", b": only a comment\n\n"]
)
def test_what_has_no_json_in_it_is_handed_on_as_it_is(body: bytes) -> None:
    for at in range(len(body)):
        reply = follow()
        assert read(reply, [body[:at], body[at:]]) == body
        assert reply.trouble is None
        assert not reply.is_read


def test_what_has_no_event_in_it_is_not_held_for_ever() -> None:
    reply = follow()
    came = [len(b"".join(reply.feed(b"words\n" * 2000))) for _ in range(10)]
    assert sum(came) == 120_000


def test_a_line_too_long_is_refused() -> None:
    reply = follow(PATHS["openai"])
    with pytest.raises(LineTooLongError):
        read(reply, [b"x" * 20_000])
    assert isinstance(reply.trouble, LineTooLongError)


@pytest.mark.parametrize(
    ("path", "media_type", "followed"),
    [
        ("/v1/chat/completions", "text/plain", True),
        ("/v1/chat/completions", "", True),
        ("/v1/chat/completions", "text/html", False),
        ("/v1/chat/completions", "application/json", False),
        ("/api/chat", "application/json", True),
        ("/api/generate", "text/event-stream", True),
        ("/api/chat", "text/html", False),
        ("/invocations", "text/event-stream", True),
        ("/invocations", "application/jsonl", True),
        ("/invocations", "text/plain", False),
        ("/converse-stream", "application/vnd.amazon.eventstream", False),
    ],
)
def test_what_is_followed(path: str, media_type: str, followed: bool) -> None:
    assert (WireWatch().follow(path, media_type, 100) is not None) == followed

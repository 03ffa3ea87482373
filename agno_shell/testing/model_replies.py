"""How the model server answers one request: a script of a reply, played over HTTP.

The wire format is OpenAI's chat completions API with server-sent events:
https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.client import responses
from typing import Any

_WRITES_PER_DRAIN = 64


@dataclass(frozen=True)
class RecordedRequest:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any
    """The decoded JSON, or None where there was none."""
    at: float
    """``time.monotonic()`` when it was complete."""
    raw: bytes = b""
    """The body as it arrived."""


@dataclass(frozen=True)
class Script:
    """A streamed reply, step by step."""

    deltas: Sequence[Mapping[str, Any]] = ()
    finish: str | None = "stop"
    """The finish reason; None: the stream ends without one."""
    usage: Mapping[str, Any] | None = None
    """None: counted from the reply."""
    delay: float = 0.0
    """Seconds before each delta."""
    keep_alives: int = 0
    """Comment lines, which are no tokens, after the deltas; ``delay`` before each."""
    drop: bool = False
    """Break the connection after the deltas, in the middle of the body."""
    stall: asyncio.Event | None = None
    """Wait for this event after the deltas."""
    usage_delay: float = 0.0
    """Seconds between the finish reason and the usage."""
    unfinished: bool = False
    """Stop after the deltas with the body open; the caller goes on from there."""


class Exchange:
    """One request and the connection on which it is answered."""

    def __init__(self, request: RecordedRequest, writer: asyncio.StreamWriter) -> None:
        self.request = request
        self._writer = writer

    async def respond(
        self, status: int, body: bytes, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send a whole response."""
        self.head(status, {"Content-Length": str(len(body)), **(headers or {})})
        self._writer.write(body)
        await self._writer.drain()

    async def respond_json(
        self, value: object, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        body = json.dumps(value).encode()
        await self.respond(status, body, {"Content-Type": "application/json", **(headers or {})})

    def begin_stream(self) -> None:
        self.head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"})

    def send(self, data: bytes) -> None:
        """Send one piece of a streamed body."""
        self._writer.write(b"%x\r\n%b\r\n" % (len(data), data))

    def send_event(self, value: object) -> None:
        self.send(b"data: " + json.dumps(value).encode() + b"\n\n")

    async def drain(self) -> None:
        await self._writer.drain()

    async def end_stream(self) -> None:
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()

    async def break_off(self) -> None:
        """Close the connection although the body is not complete."""
        await self._writer.drain()
        self._writer.close()

    def reset(self) -> None:
        """Break the connection so that the client's system notices it (TCP RST)."""
        own: socket.socket = self._writer.get_extra_info("socket")
        # Closing a socket that lingers for no time at all is a reset.
        linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._writer.transport.abort()

    def write(self, data: bytes) -> None:
        """Send these bytes, whatever they do to the form of the response."""
        self._writer.write(data)

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the status line and the headers."""
        lines = [f"HTTP/1.1 {status} {responses.get(status, 'Error')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())


Behaviour = Callable[[Exchange], Awaitable[None]]
"""Answers one request."""


def contents(pieces: Iterable[str]) -> list[dict[str, Any]]:
    """Deltas that hold text."""
    return [{"content": piece} for piece in pieces]


async def read_request(reader: asyncio.StreamReader) -> RecordedRequest:
    """The next request. Raises ``EOFError`` when the client sends no more."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    method, path, _version = first.split(" ", 2)
    fields = (line.split(":", 1) for line in lines)
    headers = {name.strip().lower(): value.strip() for name, value in fields}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    decoded = json.loads(body) if body else None
    return RecordedRequest(method, path, headers, decoded, time.monotonic(), body)


async def play(exchange: Exchange, script: Script) -> None:
    """Answer as the script says, streamed or whole, as the request wants it."""
    if not exchange.request.body.get("stream"):
        await exchange.respond_json(_whole(exchange.request, script))
        return
    exchange.begin_stream()
    common = chunk(exchange.request)
    for number, delta in enumerate(script.deltas):
        if script.delay:
            await asyncio.sleep(script.delay)
        exchange.send_event(common | {"choices": [_choice(delta)]})
        if script.delay or number % _WRITES_PER_DRAIN == 0:
            await exchange.drain()
    await exchange.drain()
    for _ in range(script.keep_alives):
        await asyncio.sleep(script.delay)
        exchange.send(b": keep-alive\n\n")
    if script.stall is not None:
        await script.stall.wait()
    if script.unfinished:
        return
    if script.drop:
        await exchange.break_off()
        return
    if script.finish is not None:
        exchange.send_event(common | {"choices": [_choice({}, script.finish)]})
        await exchange.drain()
        await asyncio.sleep(script.usage_delay)
        if (exchange.request.body.get("stream_options") or {}).get("include_usage"):
            usage = _usage(exchange.request, script)
            exchange.send_event(common | {"choices": [], "usage": usage})
        exchange.send(b"data: [DONE]\n\n")
    await exchange.end_stream()


def chunk(request: RecordedRequest) -> dict[str, Any]:
    """What every event of a reply has beside its choices."""
    return {
        "id": "chatcmpl-test",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": request.body.get("model", "test-model"),
    }


def _choice(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": dict(delta), "finish_reason": finish}


def _usage(request: RecordedRequest, script: Script) -> Mapping[str, Any]:
    if script.usage is not None:
        return script.usage
    asked = sum(len(str(message.get("content")).split()) for message in request.body["messages"])
    written = len(script.deltas)
    return {"prompt_tokens": asked, "completion_tokens": written, "total_tokens": asked + written}


def _whole(request: RecordedRequest, script: Script) -> dict[str, Any]:
    text = "".join(str(delta.get("content") or "") for delta in script.deltas)
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": script.finish}
    answer = chunk(request) | {"object": "chat.completion", "choices": [choice]}
    return answer | {"usage": _usage(request, script)}

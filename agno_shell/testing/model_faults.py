"""What a model server can do wrong, for tests of how that ends.

:class:`Faults` is a part of :class:`~agno_shell.testing.model_server.ModelServer`. Each
method plans the answer to the next request that has no plan yet::

    server.drop(["Half a "])        # some text, then the connection breaks
    server.status(429, "Slow down.", {"Retry-After": "7"})
    release = server.stall()        # nothing more, until release()

The pieces that a method takes are text that arrives before it goes wrong.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from agno_shell.testing.model_replies import Behaviour, Exchange, Script, chunk, contents, play

_HALF = ("Half a ",)

_ARRIVAL = 0.05
"""Seconds for what was sent to arrive; a client may drop it together with what is wrong."""

_WRITE = 65_536
"""Characters in one piece of a reply that is long on purpose."""

TERMINAL_CODES = "\x1b]0;title\x07\x1b[31mred\x1b[2J\x9b5n\r\u202eback\u200bwards"
"""Text that would act on a terminal: a title, a colour, clearing, a question, a return of
the carriage, a change of direction, a character without a width."""


class Faults:
    """The ways of a server to fail; see the module."""

    _loop: asyncio.AbstractEventLoop

    def plan(self, behaviour: Behaviour) -> None:
        """Answer the next request that has no plan yet with ``behaviour``."""
        raise NotImplementedError

    def script(self, script: Script) -> None:
        """Answer it with a scripted reply."""
        self.plan(lambda exchange: play(exchange, script))

    # The connection -----------------------------------------------------------------------

    def drop(self, pieces: Iterable[str] = _HALF) -> None:
        """Some text, then the connection is closed in the middle of the body."""
        self.script(Script(contents(pieces), None, drop=True))

    def reset(self, pieces: Iterable[str] = _HALF) -> None:
        """Some text, then the connection is reset (TCP RST); without text, before anything
        was sent at all."""
        script = Script(contents(pieces), None, unfinished=True)

        async def fail(exchange: Exchange) -> None:
            if script.deltas:
                await play(exchange, script)
                await asyncio.sleep(_ARRIVAL)
            exchange.reset()

        self.plan(fail)

    def close_at_once(self) -> None:
        """Read the request, then close the connection without a word."""
        self.plan(lambda exchange: exchange.break_off())

    def silence(self) -> Callable[[], None]:
        """Not even headers, until the returned function is called; then a short reply."""
        released = asyncio.Event()

        async def wait(exchange: Exchange) -> None:
            await released.wait()
            await play(exchange, Script(contents(["At last."])))

        self.plan(wait)
        return self._setter(released)

    def stall(self, pieces: Iterable[str] = ()) -> Callable[[], None]:
        """Some text, then nothing, until the returned function is called."""
        released = asyncio.Event()
        self.script(Script(contents(pieces), stall=released))
        return self._setter(released)

    def _setter(self, event: asyncio.Event) -> Callable[[], None]:
        def release() -> None:
            self._loop.call_soon_threadsafe(event.set)

        return release

    def keep_alives(self, count: int, delay: float, pieces: Iterable[str] = ()) -> None:
        """Some text, then comment lines instead of tokens, ``delay`` seconds before each,
        then the finish."""
        self.script(Script(contents(pieces), delay=delay, keep_alives=count))

    def redirect(self, to: str, status: int = 307) -> None:
        """Send the client, and with it its key, elsewhere."""
        self.plan(lambda exchange: exchange.respond(status, b"", {"Location": to}))

    # HTTP ---------------------------------------------------------------------------------

    def broken_chunks(self, pieces: Iterable[str] = _HALF) -> None:
        """Some text, then something that is no chunk of a chunked body."""

        async def fail(exchange: Exchange) -> None:
            await play(exchange, Script(contents(pieces), unfinished=True))
            await asyncio.sleep(_ARRIVAL)
            exchange.write(b"this is no size of a chunk\r\n\r\n")
            await exchange.break_off()

        self.plan(fail)

    def wrong_length(self, pieces: Iterable[str] = _HALF, missing: int = 1000) -> None:
        """Some text in a body that is announced to be longer by ``missing`` bytes, and then
        ends."""

        async def fail(exchange: Exchange) -> None:
            body = b"".join(_events(exchange, contents(pieces)))
            length = str(len(body) + missing)
            exchange.head(200, {"Content-Type": "text/event-stream", "Content-Length": length})
            exchange.write(body)
            await exchange.break_off()

        self.plan(fail)

    def no_gzip(self) -> None:
        """A body that is announced as compressed and is not."""
        headers = {"Content-Type": "text/event-stream", "Content-Encoding": "gzip"}
        self.plan(lambda exchange: exchange.respond(200, b"data: this is no gzip\n\n", headers))

    def html(self, status: int = 200) -> None:
        """A web page where JSON was expected, as a wrong address or a proxy gives."""
        page = b"<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>"
        self.plan(lambda exchange: exchange.respond(status, page, {"Content-Type": "text/html"}))

    def status(
        self,
        code: int,
        /,
        message: str = "It did not work.",
        headers: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> None:
        """An error in OpenAI's form; ``fields`` replace those of the error object, such as
        ``code="insufficient_quota"``."""
        error = {"message": message, "type": "error", "param": None, "code": None, **fields}
        self.plan(lambda exchange: exchange.respond_json({"error": error}, code, headers))

    def overflow(self, window: int = 8192) -> None:
        """The error for a request that is longer than the model's window."""
        self.status(
            400,
            f"This model's maximum context length is {window} tokens. However, your messages "
            f"resulted in {window + 1000} tokens. Please reduce the length of the messages.",
            type="invalid_request_error",
            param="messages",
            code="context_length_exceeded",
        )

    def echo_key(self, status: int = 400) -> None:
        """An error whose text and headers give back the key that was sent, as it was, at
        the end of a long line, and broken over two lines."""

        async def echo(exchange: Exchange) -> None:
            sent = exchange.request.headers.get("authorization", "")
            half = len(sent) // 2
            text = f"Refused: {sent!r}; {'x' * 120} {sent} {sent[:half]}\n{sent[half:]}"
            error = {"message": text, "type": "error", "param": None, "code": None}
            await exchange.respond_json({"error": error}, status, {"X-Echo": sent})

        self.plan(echo)

    def endless_error(self, status: int = 500) -> None:
        """An error whose body never ends."""

        async def fail(exchange: Exchange) -> None:
            exchange.head(status, {"Content-Type": "text/plain", "Transfer-Encoding": "chunked"})
            while True:
                exchange.send(b"e" * _WRITE)
                await exchange.drain()

        self.plan(fail)

    # The stream ---------------------------------------------------------------------------

    def stream(self, body: bytes, pieces: Iterable[str] = ()) -> None:
        """Some text, then exactly these bytes as the rest of the stream."""

        async def answer(exchange: Exchange) -> None:
            await play(exchange, Script(contents(pieces), unfinished=True))
            exchange.send(body)
            await exchange.end_stream()

        self.plan(answer)

    def end_without_finish(self, pieces: Iterable[str] = _HALF) -> None:
        """Some text, then a clean end without a finish reason."""
        self.script(Script(contents(pieces), None))

    def empty(self) -> None:
        """A finished reply without a word."""
        self.script(Script())

    def garbage(self, pieces: Iterable[str] = ()) -> None:
        """Some text, then an event that is no JSON."""
        self.stream(b"data: {not json at all\n\n", pieces)

    def error_event(
        self,
        message: str = "The model is overloaded.",
        pieces: Iterable[str] = (),
        code: int | str | None = None,
    ) -> None:
        """Some text, then an error as an event of the stream, the status being 200."""
        error = {"message": message, "type": "server_error", "code": code}
        self.stream(b"data: " + json.dumps({"error": error}).encode() + b"\n\n", pieces)

    def finish_twice(self, text: str = "Once. ") -> None:
        """A reply that is finished, goes on, and is finished again."""
        say = contents([text])

        async def answer(exchange: Exchange) -> None:
            exchange.begin_stream()
            for _ in range(2):
                for event in _events(exchange, say, "stop"):
                    exchange.send(event)
            exchange.send(b"data: [DONE]\n\n")
            await exchange.end_stream()

        self.plan(answer)

    def cut_tool_call(self, name: str = "look_up", arguments: str = '{"city": "Lei') -> None:
        """A call of a function whose arguments break off; then the stream just ends."""
        function = {"name": name, "arguments": arguments}
        call = {"index": 0, "id": "call_1", "type": "function", "function": function}
        self.script(Script([{"tool_calls": [call]}], None))

    # Text ---------------------------------------------------------------------------------

    def split_utf8(self, text: str = "Grüße, 世界! 🎉") -> None:
        """A whole reply, of which each byte arrives by itself."""

        async def answer(exchange: Exchange) -> None:
            exchange.begin_stream()
            for event in _events(exchange, contents([text]), "stop", ascii_only=False):
                for number in range(len(event)):
                    exchange.send(event[number : number + 1])
                    await exchange.drain()
            await exchange.end_stream()

        self.plan(answer)

    def invalid_utf8(self, before: str = "Before ", after: str = " after") -> None:
        """A whole reply with bytes in it that are no UTF-8."""

        async def answer(exchange: Exchange) -> None:
            exchange.begin_stream()
            mark = "?bytes?"
            for event in _events(exchange, contents([before + mark + after]), "stop"):
                exchange.send(event.replace(mark.encode(), b"\xff\xc3("))
            await exchange.end_stream()

        self.plan(answer)

    def lone_surrogate(self, text: str = "Before \ud83d after") -> None:
        """A whole reply with half of a pair in it, escaped as JSON allows."""
        self.script(Script(contents([text])))

    # Too much -----------------------------------------------------------------------------

    def endless(self, piece: str = "and so on ", delay: float = 0.0) -> None:
        """A reply that never ends, ``delay`` seconds before each piece."""

        async def answer(exchange: Exchange) -> None:
            exchange.begin_stream()
            (event,) = _events(exchange, contents([piece]))
            while True:
                exchange.send(event)
                await exchange.drain()
                if delay:
                    await asyncio.sleep(delay)

        self.plan(answer)

    def huge(self, characters: int) -> None:
        """A whole reply of so many characters, finished."""
        pieces = ["x" * _WRITE] * (characters // _WRITE)
        self.script(Script(contents(pieces)))

    def huge_line(self, size: int) -> None:
        """A stream whose first line is so many bytes long, and is no JSON."""

        async def answer(exchange: Exchange) -> None:
            exchange.begin_stream()
            exchange.send(b"data: ")
            for _ in range(size // _WRITE):
                exchange.send(b"x" * _WRITE)
                await exchange.drain()
            exchange.send(b"\n\n")
            await exchange.end_stream()

        self.plan(answer)


def _events(
    exchange: Exchange,
    deltas: Iterable[Mapping[str, Any]],
    finish: str | None = None,
    *,
    ascii_only: bool = True,
) -> list[bytes]:
    """Deltas, and the finish reason if there is one, as events of a stream."""
    choices: list[dict[str, Any]] = [
        {"index": 0, "delta": dict(delta), "finish_reason": None} for delta in deltas
    ]
    if finish is not None:
        choices.append({"index": 0, "delta": {}, "finish_reason": finish})
    values = [chunk(exchange.request) | {"choices": [choice]} for choice in choices]
    texts = [json.dumps(value, ensure_ascii=ascii_only) for value in values]
    return [b"data: " + text.encode() + b"\n\n" for text in texts]

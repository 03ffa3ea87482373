"""One request over HTTP and the reply to it, read within limits."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any

from agno_shell.builtin.direct_provider.endpoint import Endpoint
from agno_shell.builtin.direct_provider.refusals import Refusals, refused, without
from agno_shell.builtin.model_services.failures import (
    FailureContext,
    as_failed,
    cut_off,
    empty,
    not_a_model_server,
    too_long,
    too_slow,
)
from agno_shell.builtin.model_services.limits import LONGEST_ERROR, Limits, longest_line, seconds
from agno_shell.builtin.model_services.wires import failures
from agno_shell.builtin.model_services.wires.framing import (
    DamagedError,
    Framing,
    LineTooLongError,
)
from agno_shell.builtin.model_services.wires.reading import (
    KNOWN_REASONS,
    Piece,
    Reader,
    ServerReportedError,
)
from agno_shell.builtin.model_services.wires.wire import Post, Wire
from agno_shell.events import (
    Event,
    Failed,
    Finished,
    HiddenDelta,
    ReasoningDelta,
    TextDelta,
    UsageReported,
)

if TYPE_CHECKING:
    import httpx

    from agno_shell.builtin.direct_provider.client import Client

USAGE_PATIENCE = 0.5
"""Seconds to wait for what stands behind the end of the reply, such as its token counts."""

RELEASE_PATIENCE = 2.0
"""Seconds to wait for the end of the body of a complete reply."""

_MOST_REFUSALS = 6
"""Fields that are left out, one after the other, before a request is given up."""

_STREAMS = ("text/event-stream", "application/x-ndjson", "application/jsonl", "")


class Exchange:
    """Read :meth:`more` until :attr:`is_over`, then :meth:`close`."""

    def __init__(
        self,
        client: Client,
        wire: Wire,
        post: Post,
        at: Endpoint,
        case: FailureContext,
        limits: Limits,
        refusals: Refusals,
        finish: Callable[[Reader], tuple[float | None, Mapping[str, Any]]],
    ) -> None:
        """``finish`` gives the cost of a complete reply and its private fields."""
        self._client = client
        self._wire = wire
        self._post = post
        self._at = at
        self._case = case
        self._limits = limits
        self._refusals = refusals
        self._finish = finish
        self._reader = wire.reader()
        longest = longest_line(limits.reply_bytes)
        self._framing: Framing = wire.framing(longest)
        self._response: httpx.Response | None = None
        self._bytes: AsyncIterator[bytes] | None = None
        now = asyncio.get_running_loop().time()
        self._whole_by = now + limits.whole_reply
        self._waiting_for, self._token_by = "first_token", now + limits.first_token
        self._ended = False
        """The body was read to its end."""
        self.is_over = False

    async def more(self) -> list[Event]:
        """The next events; the last one of all is Finished or Failed."""
        try:
            if self._response is None:
                return await self._open()
            return await self._read()
        except TimeoutError:
            return self._failed(self._too_slow())
        except (DamagedError, LineTooLongError, ServerReportedError) as error:
            return self._failed(failures.in_reading(self._known(), error))
        # httpx raises errors of many kinds, and so do the libraries below it.
        except Exception as error:
            return self._failed(failures.by_exception(self._known(), error))

    def _known(self) -> FailureContext:
        return self._case._replace(anything=self._reader.size > 0)

    def _failed(self, failed: Failed) -> list[Event]:
        self.is_over = True
        return [failed]

    # Asking -----------------------------------------------------------------------------

    async def _open(self) -> list[Event]:
        server = self._at.url, self._at.name
        body = self._refusals.applied(server, self._post.body)
        left_out = 0
        while True:
            response = await self._sent(body)
            if 200 <= response.status_code < 300:
                break
            answer = failures.said(response.status_code, await self._error(), _headers(response))
            field = refused(body, answer.message) if answer.status in (400, 422) else None
            if field is None or left_out == _MOST_REFUSALS:
                return self._failed(failures.explained(self._known(), answer))
            await self.close()
            self._refusals.add(server, field)
            body = without(body, field)
            left_out += 1
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type in _STREAMS:
            self._bytes = response.aiter_bytes()
            return []
        if media_type.endswith("json"):
            return await self._read_whole()
        return self._failed(as_failed(not_a_model_server(self._case.goal, media_type)))

    async def _sent(self, body: Mapping[str, Any]) -> httpx.Response:
        headers = {"Content-Type": "application/json", **self._wire.headers}
        headers |= self._at.key_headers(self._wire.key_headers)
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        url = self._at.page(self._post.path)
        async with asyncio.timeout_at(self._until()):
            self._response = await self._client.post(url, content, headers)
        return self._response

    async def _error(self) -> bytes:
        """The beginning of the body of an error, as far as it comes in time."""
        body = bytearray()
        try:
            async with asyncio.timeout_at(self._until()):
                async for piece in self._opened.aiter_bytes():
                    body += piece[: LONGEST_ERROR - len(body)]
                    if len(body) >= LONGEST_ERROR:
                        break
        except Exception:
            # The status says enough.
            pass
        return bytes(body)

    # Reading ----------------------------------------------------------------------------

    async def _read(self) -> list[Event]:
        data = await self._next_bytes()
        before = self._came()
        pieces: list[Piece] = []
        events: list[Event] = []
        failed: DamagedError | ServerReportedError | None = None
        # What came before a damaged record is shown anyway.
        try:
            for record in self._framing.end() if data is None else self._framing.feed(data):
                pieces += self._reader.feed(record)
                if self._reader.is_over:
                    break
        except (DamagedError, ServerReportedError) as error:
            # Behind its end, nothing takes anything away from a reply.
            failed = error if self._reader.reason is None else None
        events += joined(pieces)
        grew = before != self._came()
        if grew and not events:
            events.append(HiddenDelta())
        self._note(grew)
        if failed is None and self._reader.size > self._limits.reply_bytes:
            return [
                *events,
                *self._failed(as_failed(too_long(self._limits.reply_bytes))),
            ]
        if failed is not None:
            return [*events, *self._failed(failures.in_reading(self._known(), failed))]
        if self._reader.is_over or data is None:
            events += self._end()
        return events

    async def _next_bytes(self) -> bytes | None:
        """The next piece of the body; None at its end, and when the reply has ended and
        nothing more comes for a while."""
        is_said = self._reader.reason is not None
        if self._bytes is None:
            raise RuntimeError("the response was not opened")
        loop = asyncio.get_running_loop()
        until = loop.time() + USAGE_PATIENCE if is_said else self._until()
        try:
            async with asyncio.timeout_at(until):
                return await anext(self._bytes)
        except StopAsyncIteration:
            self._ended = True
            return None
        except Exception:
            # What happens behind the end of a reply takes nothing away from it.
            if is_said:
                return None
            raise

    async def _read_whole(self) -> list[Event]:
        """A reply in one piece, from a server that does not stream."""
        most = int(longest_line(self._limits.reply_bytes))
        body = bytearray()
        async with asyncio.timeout_at(self._until()):
            async for piece in self._opened.aiter_bytes():
                body += piece
                if len(body) > most:
                    raise LineTooLongError(most)
        self._ended = True
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            raise DamagedError("an answer that is not JSON") from None
        parts = value if isinstance(value, list) else [value]
        if not parts or not all(isinstance(part, dict) for part in parts):
            raise DamagedError("an answer that is not a JSON object")
        try:
            events = joined([piece for part in parts for piece in self._reader.whole(part)])
        except ServerReportedError as error:
            # With the status 200 it was an answer: the same question gets it again.
            return self._failed(failed_for_good(failures.in_reading(self._known(), error)))
        if self._reader.size > self._limits.reply_bytes:
            return self._failed(as_failed(too_long(self._limits.reply_bytes)))
        return [*events, *self._end()]

    def _came(self) -> tuple[int, int, int]:
        """Figures that grow with everything that comes of the reply; a keep-alive changes none."""
        reader = self._reader
        return reader.size, reader.progress, len(reader.calls)

    def _note(self, came: bool) -> None:
        if came:
            loop = asyncio.get_running_loop()
            self._waiting_for = "between_tokens"
            # A tool that the service runs may take as long as the reply.
            is_busy = self._reader.server_tools.is_busy
            self._token_by = math.inf if is_busy else loop.time() + self._limits.between_tokens

    def _until(self) -> float:
        return min(self._token_by, self._whole_by)

    def _too_slow(self) -> Failed:
        name = self._waiting_for if self._token_by <= self._whole_by else "whole_reply"
        amount = seconds(getattr(self._limits, name))
        anything = self._reader.size > 0
        return as_failed(too_slow(self._case.goal, name, amount, anything=anything))

    # The end ----------------------------------------------------------------------------

    def _end(self) -> list[Event]:
        reader = self._reader
        events: list[Event] = [*joined(reader.end())]
        self.is_over = True
        case, reason = self._known(), reader.reason
        if reason is None:
            return [*events, as_failed(cut_off(case.goal, anything=case.anything))]
        if reason not in KNOWN_REASONS:
            return [*events, failures.unknown_end(case, reason)]
        calls = list(reader.calls.events())
        if not reader.size and not calls:
            return [*events, as_failed(empty(case.goal, case.model, reason))]
        if calls and reason == "stop":
            reason = "tool_calls"  # some servers report "stop" anyway
        cost, private = self._finish(reader)
        if reader.usage is not None:
            events += [*calls, UsageReported(reader.usage._replace(cost=cost))]
        else:
            events += calls
        return [*events, Finished(reason, private)]

    @property
    def _opened(self) -> httpx.Response:
        if self._response is None:
            raise RuntimeError("nothing was asked yet")
        return self._response

    async def close(self) -> None:
        """Close the connection now, or give it back where the reply was read to its end."""
        response, self._response, self._bytes = self._response, None, None
        if response is not None:
            await response.aclose()

    @property
    def has_rest(self) -> bool:
        """Whether the reply is complete, and its body not read to its end yet."""
        return self._reader.is_over and not self._ended and self._bytes is not None

    async def release(self) -> None:
        """Read what stands behind a complete reply, for a short while, so that the connection
        can be used again; then close."""
        try:
            async with asyncio.timeout(RELEASE_PATIENCE):
                while self._bytes is not None:
                    await anext(self._bytes)
        except Exception:
            # The reply is complete; how its connection ends is of no interest any more.
            pass
        finally:
            await self.close()


def joined(pieces: list[Piece]) -> list[Event]:
    """Pieces of one kind that came together, as one event."""
    events: list[Event] = []
    run: list[str] = []
    kind: type[TextDelta] | type[ReasoningDelta] | None = None
    for piece in pieces:
        if type(piece) is not kind and run and kind:
            events.append(kind("".join(run)))
            run = []
        if isinstance(piece, TextDelta | ReasoningDelta):
            kind = type(piece)
            run.append(piece.text)
        else:
            kind = None
            events.append(piece)
    if run and kind:
        events.append(kind("".join(run)))
    return events


def failed_for_good(failed: Failed) -> Failed:
    from dataclasses import replace

    return replace(failed, temporary=False, retry_after=None)


def _headers(response: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}

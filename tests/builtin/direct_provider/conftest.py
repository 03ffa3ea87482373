"""One exchange of a protocol, over the real httpx client and a body that a test makes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

import httpx
import pytest

from agno_shell.builtin.direct_provider.client import Client
from agno_shell.builtin.direct_provider.endpoint import Endpoint
from agno_shell.builtin.direct_provider.exchange import Exchange
from agno_shell.builtin.direct_provider.refusals import Refusals
from agno_shell.builtin.direct_provider.services import COMPATIBLE
from agno_shell.builtin.model_services.destination import Destination
from agno_shell.builtin.model_services.failures import FailureContext
from agno_shell.builtin.model_services.limits import Limits
from agno_shell.builtin.model_services.wires.wire import Post, Wire
from agno_shell.events import Event

Play = Callable[..., Awaitable[list[Event]]]


class Body(httpx.AsyncByteStream):
    def __init__(
        self, pieces: Sequence[bytes], error: Exception | None = None, pause: float = 0
    ) -> None:
        self._pieces, self._error, self._pause = pieces, error, pause

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            await asyncio.sleep(self._pause if piece is self._pieces[-1] else 0)
            yield piece
        if self._error:
            raise self._error


class Mocked:
    """A client that asks nobody."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        request = self._client.build_request("POST", url, content=content, headers=headers)
        return await self._client.send(request, stream=True)


async def played(
    wire: Wire,
    pieces: Sequence[bytes],
    *,
    error: Exception | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    pause: float = 0,
    limits: Limits = Limits(),  # noqa: B008
) -> list[Event]:
    """The events of a reply whose body arrives in these pieces, the last one after a
    ``pause``, and then breaks with ``error`` if there is one."""

    async def answer(_request: httpx.Request) -> httpx.Response:
        given = {"content-type": "text/event-stream"} if headers is None else dict(headers)
        return httpx.Response(status, headers=given, stream=Body(pieces, error, pause))

    url = "http://127.0.0.1:1/v1"
    goal = Destination("openai/m", "127.0.0.1:1", None, url)
    at = Endpoint(COMPATIBLE, "m", url, goal)
    case = FailureContext(goal, "m", False, lambda text: text)
    post = Post("/path", {"model": "m"})

    def finish(_reader: Any) -> tuple[None, Mapping[str, Any]]:
        return None, {}

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        sender = cast("Client", Mocked(client))
        exchange = Exchange(sender, wire, post, at, case, limits, Refusals(), finish)
        events: list[Event] = []
        while not exchange.is_over:
            events += await exchange.more()
        await exchange.close()
    return events


@pytest.fixture
def play() -> Play:
    return played

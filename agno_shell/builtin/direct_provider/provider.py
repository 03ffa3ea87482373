"""The direct provider: requests in, events out, in the shell's own process."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agno_shell.builtin.direct_provider.endpoint import Endpoint, endpoint
from agno_shell.builtin.direct_provider.model_facts import ModelFacts
from agno_shell.builtin.direct_provider.model_table import ModelTable
from agno_shell.builtin.direct_provider.refusals import Refusals
from agno_shell.builtin.direct_provider.served.servers import Servers
from agno_shell.builtin.model_services import endpoints, trust
from agno_shell.builtin.model_services.destination import parse_address
from agno_shell.builtin.model_services.keys import is_set, no_key
from agno_shell.builtin.model_services.limits import Limits
from agno_shell.builtin.model_services.services import SERVICES
from agno_shell.contracts import Abilities, Address, ModelList, Provider, ProviderOptions
from agno_shell.errors import ProviderError
from agno_shell.events import Event, Failed, Request

if TYPE_CHECKING:
    from agno_shell.builtin.direct_provider.client import Client
    from agno_shell.builtin.direct_provider.exchange import Exchange
    from agno_shell.builtin.direct_provider.served.model_query import ModelQuery
    from agno_shell.builtin.direct_provider.writing import WireRequest
    from agno_shell.builtin.model_services.wires.reading import Reader

NAME = "direct"


class DirectProvider(Provider):
    """Speaks OpenAI's, Anthropic's, Google's and Ollama's protocols.

    It belongs to the event loop in which it is first used.
    """

    name = NAME

    def __init__(self, options: ProviderOptions) -> None:
        self._options = options
        self._limits = Limits.from_settings(options.limits)
        self._table = ModelTable()
        self._servers = Servers(self._asking)
        self._known = ModelFacts(self._table, self._servers, self._endpoint)
        self._refusals = Refusals()
        self._client: Client | None = None
        self._preparing: asyncio.Task[Client] | None = None
        self._releasing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Import what a request needs, and read whose certificates count, off the loop."""
        client = await self._ready()
        await asyncio.to_thread(lambda: client.certificates)

    async def _ready(self) -> Client:
        """The client, and what a request needs beside it; made once, however many wait."""
        if self._preparing is None:
            self._preparing = asyncio.create_task(self._prepare())
        try:
            return await asyncio.shield(self._preparing)
        except Exception:
            self._preparing = None  # the next request may do better
            raise

    async def _prepare(self) -> Client:
        self._client = await asyncio.to_thread(self._new_client)
        await asyncio.to_thread(lambda: self._table.extract)
        return self._client

    def _new_client(self) -> Client:
        _import_httpx()
        # Warm-up: what the first message needs.
        from agno_shell.builtin.direct_provider import exchange, writing  # noqa: F401
        from agno_shell.builtin.direct_provider.client import Client
        from agno_shell.builtin.direct_provider.served import model_query  # noqa: F401

        return Client(os.environ, self._limits)

    def address(self, model: str, api_base: str | None = None) -> Address | None:
        return endpoints.in_use(model, api_base or self._options.api_base, os.environ)

    def asked_at(self, model: str, api_base: str | None = None) -> str:
        try:
            return self._endpoint(model, api_base or self._options.api_base).url
        except ProviderError:  # what is wrong is reported when the message is sent
            return ""

    def cautions(self) -> Sequence[str]:
        return [trust.UNCHECKED] if trust.is_unchecked(os.environ) else []

    # Requests ---------------------------------------------------------------------------

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        client = await self._ready()
        try:
            at = self._endpoint(request.model, request.api_base)
            if at.is_own and not self._table.is_at_hand(at.service.prefix, at.name):
                await asyncio.to_thread(self._known.entry, at)
            exchange = self._exchange(client, request, at)
        except ProviderError as error:
            yield Failed(error.kind, str(error), error.hint, error.temporary)
            return
        except (TypeError, ValueError, RecursionError) as error:
            from agno_shell.builtin.model_services.failures import as_failed, unsendable

            yield as_failed(unsendable(error))
            return
        try:
            while not exchange.is_over:
                for event in await exchange.more():
                    yield event
        finally:
            await self._leave(exchange)

    async def _leave(self, exchange: Exchange) -> None:
        """Close the connection of a reply; nobody waits where it may be used again."""
        if not exchange.has_rest:
            await exchange.close()
            return
        task = asyncio.get_running_loop().create_task(exchange.release())
        self._releasing.add(task)
        task.add_done_callback(self._releasing.discard)

    def _exchange(self, client: Client, request: Request, at: Endpoint) -> Exchange:
        from agno_shell.builtin.direct_provider.exchange import Exchange
        from agno_shell.builtin.direct_provider.writing import written
        from agno_shell.builtin.model_services.failures import FailureContext
        from agno_shell.builtin.model_services.redact import Redactor, hidden

        asked = written(request, at, self._known.entry(at))
        hide = Redactor(hidden(os.environ, at.goal.key_variable)).redact
        case = FailureContext(at.goal, request.model, False, hide, self._nearest)

        def finish(reader: Reader) -> tuple[float | None, Mapping[str, Any]]:
            return self._known.cost(at, reader.counts), _private(asked, reader)

        return Exchange(
            client, asked.wire, asked.post, at, case, self._limits, self._refusals, finish
        )

    def _endpoint(self, model: str, api_base: str | None) -> Endpoint:
        variable = self._options.api_key_env if api_base == self._options.api_base else None
        names = self._table.service_of, self._nearest
        return endpoint(model, api_base, variable, os.environ, *names)

    # What is known of models ------------------------------------------------------------

    def _place(self, model: str) -> Endpoint | None:
        """Where a model is asked at the configured address; None where it cannot be."""
        try:
            return self._endpoint(model, self._options.api_base)
        except ProviderError:
            return None

    async def models(self) -> Sequence[str]:
        known = await self._known.listed("", self._options.api_base, ask=False)
        return [each.name for each in known.models]

    async def list_models(self, model: str = "", api_base: str | None = None) -> ModelList:
        base = api_base or self._options.api_base
        return await self._known.listed(model, base, ask=True)

    async def context_window(self, model: str) -> int | None:
        at = await asyncio.to_thread(self._place, model)
        return await asyncio.to_thread(self._known.window, at) if at else None

    async def current_window(self, model: str, api_base: str | None = None) -> int | None:
        try:
            at = self._endpoint(model, api_base or self._options.api_base)
        except ProviderError:  # it is reported when the message is sent
            return None
        return await self._known.current_window(at)

    async def input_price(self, model: str) -> float | None:
        at = await asyncio.to_thread(self._place, model)
        if at is None:
            return None
        rate = (await asyncio.to_thread(self._known.prices, at)).get("input_cost_per_token")
        return float(rate) if isinstance(rate, int | float) and rate >= 0 else None

    async def abilities(self, model: str) -> Abilities:
        at = await asyncio.to_thread(self._place, model)
        return await asyncio.to_thread(self._known.abilities, at) if at else Abilities()

    async def _asking(self, at: Endpoint) -> ModelQuery:
        client = await self._ready()
        from agno_shell.builtin.direct_provider.served.model_query import ModelQuery
        from agno_shell.builtin.direct_provider.writing import WIRES

        return ModelQuery(client, WIRES[at.service.wire], at)

    def _nearest(self, model: str) -> str:
        from agno_shell.builtin.model_services.nearest import nearest

        return nearest(model, self._table.all_chat_models)

    async def check(self, model: str | None = None) -> list[str]:
        found = list(self.cautions())
        base = self._options.api_base
        try:
            if model is not None:
                await asyncio.to_thread(self._endpoint, model, base)
            elif base is not None:
                parse_address(base, "api_base")
            elif not any(is_set(each.key_variable, os.environ) for each in SERVICES):
                found.append(no_key())
        except ProviderError as error:
            found.append(error.sentence())
        return found

    async def close(self) -> None:
        for task in self._releasing:
            task.cancel()
        await asyncio.gather(*self._releasing, return_exceptions=True)
        await self._servers.close()
        client, self._client = self._client, None
        if client is not None:
            await client.close()


def _import_httpx() -> None:
    """Import httpx without what is not used here and takes as long as all the rest: its command
    line, where rich is installed, and HTTP/2, where h2 is. Both go on as they do where these
    extras are not installed, and a client that asks for HTTP/2 still gets it."""
    absent = [name for name in ("httpx._main", "h2") if name not in sys.modules]
    if "httpx" in sys.modules:
        return
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        import httpcore  # noqa: F401
        import httpx  # noqa: F401
    finally:
        for name in absent:
            del sys.modules[name]


def _private(asked: WireRequest, reader: Reader) -> Mapping[str, Any]:
    from agno_shell.builtin.model_services import private_fields

    return private_fields.kept(
        asked.target,
        asked.thinking,
        reasoning="".join(reader.thoughts),
        blocks=reader.blocks,
        signatures=reader.calls.signatures,
        items=reader.items,
        calls=len(reader.calls) > 0,
    )

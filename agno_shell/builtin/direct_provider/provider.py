"""The direct provider: requests in, events out, in the shell's own process."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agno_shell.builtin.direct_provider.endpoint import Endpoint, endpoint
from agno_shell.builtin.direct_provider.model_table import ModelTable, price
from agno_shell.builtin.direct_provider.refusals import Remembered
from agno_shell.builtin.model_services import endpoints, trust
from agno_shell.builtin.model_services.destination import is_loopback, parse_address
from agno_shell.builtin.model_services.keys import is_set, no_key
from agno_shell.builtin.model_services.limits import Limits
from agno_shell.builtin.model_services.services import SERVICES
from agno_shell.builtin.model_services.target import abilities
from agno_shell.contracts import Abilities, Address, Provider, ProviderOptions
from agno_shell.errors import ProviderError
from agno_shell.events import Event, Failed, Request
from agno_shell.types import NOTHING

if TYPE_CHECKING:
    from agno_shell.builtin.direct_provider.client import Client
    from agno_shell.builtin.direct_provider.exchange import Exchange
    from agno_shell.builtin.direct_provider.writing import Written
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
        self._refusals = Remembered()
        self._client: Client | None = None
        self._releasing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Import what a request needs, and read the table of models, off the loop."""
        self._client = self._client or await asyncio.to_thread(self._new_client)
        await asyncio.to_thread(lambda: self._table.rows)

    def _new_client(self) -> Client:
        _import_httpx()
        from agno_shell.builtin.direct_provider import exchange, writing  # noqa: F401 - warm-up
        from agno_shell.builtin.direct_provider.client import Client

        return Client(os.environ, self._limits)

    def address(self, model: str, api_base: str | None = None) -> Address | None:
        return endpoints.in_use(model, api_base or self._options.api_base, os.environ)

    def cautions(self) -> Sequence[str]:
        return [trust.UNCHECKED] if trust.is_unchecked(os.environ) else []

    # Requests ---------------------------------------------------------------------------

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        try:
            if self._client is None:
                await self.start()
            exchange = self._exchange(request)
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

    def _exchange(self, request: Request) -> Exchange:
        from agno_shell.builtin.direct_provider.exchange import Exchange
        from agno_shell.builtin.direct_provider.writing import written
        from agno_shell.builtin.model_services.failures import Case
        from agno_shell.builtin.model_services.redact import Redactor, hidden

        at = self._endpoint(request.model, request.api_base)
        asked = written(request, at, self._entry(at))
        hide = Redactor(hidden(os.environ, at.goal.key_variable)).redact
        case = Case(at.goal, request.model, False, hide, self._nearest)

        def finish(reader: Reader) -> tuple[float | None, Mapping[str, Any]]:
            return self._cost(at, reader.counts), _private(asked, reader)

        if self._client is None:
            raise RuntimeError("the provider was not started")
        return Exchange(
            self._client, asked.wire, asked.post, at, case, self._limits, self._refusals, finish
        )

    def _endpoint(self, model: str, api_base: str | None) -> Endpoint:
        variable = self._options.api_key_env if api_base == self._options.api_base else None
        names = self._table.service_of, self._nearest
        return endpoint(model, api_base, variable, os.environ, *names)

    # What is known of models ------------------------------------------------------------

    def _entry(self, at: Endpoint) -> Mapping[str, Any]:
        """The model's row in the table; a server of one's own may call anything so."""
        return self._table.entry(at.service.prefix, at.name) if at.is_own else NOTHING

    def _cost(self, at: Endpoint, counts: Mapping[str, Any]) -> float | None:
        if not at.is_own or is_loopback(urlsplit(at.url).hostname or ""):
            return None
        return price(self._entry(at), counts)

    def _known(self, model: str) -> Mapping[str, Any]:
        """The row of a model at the configured address; empty where nothing is known."""
        try:
            return self._entry(self._endpoint(model, self._options.api_base))
        except ProviderError:
            return NOTHING

    async def _row(self, model: str) -> Mapping[str, Any]:
        return await asyncio.to_thread(self._known, model)

    async def models(self) -> Sequence[str]:
        prefixes = [
            service.prefix
            for service in SERVICES
            if service.wire and any(is_set(each, os.environ) for each in service.key_variables)
        ]
        known = await asyncio.to_thread(
            lambda: [name for prefix in prefixes for name in self._table.chat_models(prefix)]
        )
        return sorted(known)

    async def context_window(self, model: str) -> int | None:
        if model.partition("/")[0].startswith("ollama"):
            return None  # the server decides, whatever the model could
        window = (await self._row(model)).get("max_input_tokens")
        return window if isinstance(window, int) and window > 0 else None

    async def input_price(self, model: str) -> float | None:
        rate = (await self._row(model)).get("input_cost_per_token")
        return float(rate) if isinstance(rate, int | float) and rate >= 0 else None

    async def abilities(self, model: str) -> Abilities:
        return abilities(await self._row(model))

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
        client, self._client = self._client, None
        if client is not None:
            await client.close()


def _import_httpx() -> None:
    """Import httpx without the command line that it has as well: where rich is installed, that
    would double the time until the first request."""
    if "httpx" in sys.modules:
        return
    # httpx goes on without it, as it does where its extra is not installed.
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
    try:
        import httpx  # noqa: F401
    finally:
        del sys.modules["httpx._main"]


def _private(asked: Written, reader: Reader) -> Mapping[str, Any]:
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

"""What is known of models: by the table, and by what their servers have reported in this run."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from agno_shell.builtin.direct_provider import azure
from agno_shell.builtin.direct_provider.endpoint import Endpoint
from agno_shell.builtin.direct_provider.model_table import ModelTable, price
from agno_shell.builtin.direct_provider.served.served_model import ServedModel
from agno_shell.builtin.direct_provider.served.servers import Servers
from agno_shell.builtin.direct_provider.services import COMPATIBLE, answers, spoken
from agno_shell.builtin.model_services.destination import is_loopback
from agno_shell.builtin.model_services.keys import is_set
from agno_shell.builtin.model_services.services import SERVICES, Service, service_of
from agno_shell.builtin.model_services.target import abilities
from agno_shell.contracts import Abilities, KnownModel, ModelList
from agno_shell.errors import ProviderError
from agno_shell.types import NOTHING

_UNKNOWN = ServedModel("")


class ListedServer(NamedTuple):
    """A server that can say what models it has."""

    at: Endpoint
    is_missed: bool
    """Whether a user has to hear that it could not be asked."""


class ModelFacts:
    """Answers for one provider; ``at`` says where a model is asked, given an address or None."""

    def __init__(
        self, table: ModelTable, servers: Servers, at: Callable[[str, str | None], Endpoint]
    ) -> None:
        self._table = table
        self._servers = servers
        self._at = at

    # One model --------------------------------------------------------------------------

    def entry(self, at: Endpoint) -> Mapping[str, Any]:
        """The model's row in the table; a server of one's own may call anything so."""
        return self._table.entry(at.service.prefix, at.name) if at.is_own else NOTHING

    def abilities(self, at: Endpoint) -> Abilities:
        entry = self.entry(at)
        return abilities(entry) if entry else self._said(at).abilities

    def window(self, at: Endpoint) -> int | None:
        """The tokens of a request, as far as is known without asking."""
        if at.service.wire == "ollama":
            return self._said(at).window  # the server decides, whatever the model could
        return _tokens(self.entry(at).get("max_input_tokens")) or self._said(at).window

    async def current_window(self, at: Endpoint) -> int | None:
        """The window as the server has it now, where only that can say."""
        is_silent = at.service.lists_names or at.service.prefix == azure.PREFIX
        is_in_table = at.service.needs_key and self.entry(at)
        if at.is_own and (is_silent or is_in_table):
            return None
        said = await self._servers.current(at)
        return said.window if said else None

    def prices(self, at: Endpoint) -> Mapping[str, Any]:
        """A row with the prices of a model; empty where it has none: what runs on this machine
        costs nothing, and what another server asks for nobody knows."""
        if not at.is_own or is_loopback(urlsplit(at.url).hostname or ""):
            return NOTHING
        return self.entry(at) or self._said(at).prices

    def cost(self, at: Endpoint, counts: Mapping[str, Any]) -> float | None:
        return price(self.prices(at), counts)

    def _said(self, at: Endpoint) -> ServedModel:
        return self._servers.known(at) or _UNKNOWN

    # All models -------------------------------------------------------------------------

    async def listed(self, model: str, api_base: str | None, *, ask: bool) -> ModelList:
        """The models that can be used, those of the server in use first. Without ``ask`` nobody
        is contacted."""
        places, problems = self._places(model, api_base)
        if ask:
            said = await asyncio.gather(*(self._servers.list(place.at) for place in places))
            problems += [
                f"{place.at.goal.where} {problem}"
                for place, problem in zip(places, said, strict=True)
                if problem and place.is_missed
            ]
        found = await asyncio.to_thread(self._all, places, api_base, model)
        note = f"Not every server could be asked: {'; '.join(problems)}." if problems else ""
        return ModelList(found, note)

    def _places(self, model: str, api_base: str | None) -> tuple[list[ListedServer], list[str]]:
        """The servers that can say what models they have, each once, and what keeps others from
        being asked."""
        if api_base:
            names = {model or f"{COMPATIBLE.prefix}/": True}
        else:
            in_use = _service_in_use(model)
            services = _services(in_use)
            names = {f"{each.prefix}/": each is in_use or _is_set_up(each) for each in services}
        places: dict[str, ListedServer] = {}
        problems: list[str] = []
        for name, is_missed in names.items():
            try:
                at = self._at(name, api_base)._replace(name="")
            except ProviderError as error:
                problems.append(str(error).rstrip("."))
            else:
                places.setdefault(at.url, ListedServer(at, is_missed))
        return list(places.values()), problems

    def _all(
        self, places: Sequence[ListedServer], api_base: str | None, model: str
    ) -> Sequence[KnownModel]:
        """Each model once, by its name."""
        found: dict[str, KnownModel] = {}
        for place in places:
            its = {each.name: each for each in self._of_server(place.at, api_base, model)}
            found |= {name: its[name] for name in sorted(its) if name not in found}
        if api_base and found:
            return list(found.values())
        for service in SERVICES:
            if service.wire and service.prefix != azure.PREFIX and _has_key(service):
                found |= {
                    each.name: each for each in self._in_table(service) if each.name not in found
                }
        return list(found.values())

    def _in_table(self, service: Service) -> Iterator[KnownModel]:
        names = self._table.chat_models(service.prefix)
        try:
            at = self._at(f"{service.prefix}/", None)
        except ProviderError:  # what is wrong with it is reported when it is asked
            yield from map(KnownModel, names)
            return
        for name in names:
            its = at._replace(name=name.removeprefix(f"{service.prefix}/"))
            yield self._combined(name, its, self._said(its))

    def _of_server(self, at: Endpoint, api_base: str | None, model: str) -> Iterator[KnownModel]:
        for said in self._servers.all_known(at):
            name = _named(at.service, said.id, api_base, model)
            yield self._combined(name, at._replace(name=said.id), said)

    def _combined(self, name: str, at: Endpoint, said: ServedModel) -> KnownModel:
        prices = self.prices(at)
        return KnownModel(
            name,
            self.window(at) or said.window,
            said.largest,
            _amount(prices.get("input_cost_per_token")),
            _amount(prices.get("output_cost_per_token")),
        )


def _services(in_use: Service | None) -> list[Service]:
    """Those that are asked for their models: the one in use, those that are set up, and those
    that may run on this machine. Ollama has two names."""
    others = (
        each
        for each in SERVICES
        if each.wire and each.prefix not in (azure.PREFIX, "ollama")
        if each.has_port or _is_set_up(each)
    )
    first = (in_use,) if in_use and in_use.prefix != azure.PREFIX else ()
    return list(dict.fromkeys((*first, *others)))


def _service_in_use(model: str) -> Service | None:
    prefix, slash, _name = model.partition("/")
    service = spoken(prefix) if slash else service_of(model)
    return service if service is not None and service.wire else None


def _has_key(service: Service) -> bool:
    return any(is_set(variable, os.environ) for variable in service.key_variables)


def _is_set_up(service: Service) -> bool:
    has_address = any(os.environ.get(each, "").strip() for each in service.address_variables)
    return has_address or _has_key(service)


def _named(service: Service, id_: str, api_base: str | None, model: str) -> str:
    """The name by which a user asks for a server's model: without a prefix where that is
    understood, and where the model in use has none."""
    whole = f"{service.prefix}/{id_}"
    if model.startswith(f"{service.prefix}/"):
        return whole
    if api_base is None:
        owner = None if "/" in id_ else service_of(id_)
        return id_ if owner is not None and owner.prefix == service.prefix else whole
    prefix, slash, _rest = id_.partition("/")
    is_understood = answers(id_, api_base) and not (slash and spoken(prefix))
    return id_ if service.prefix == COMPATIBLE.prefix and is_understood else whole


def _tokens(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _amount(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and value >= 0 else None

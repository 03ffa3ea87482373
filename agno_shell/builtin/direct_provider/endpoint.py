"""Where a request goes, by which protocol, and with which key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from agno_shell.builtin.direct_provider import azure
from agno_shell.builtin.direct_provider.services import COMPATIBLE, spoken
from agno_shell.builtin.model_services import endpoints
from agno_shell.builtin.model_services.destination import (
    API_BASE,
    Address,
    Destination,
    may_carry,
    parse_address,
)
from agno_shell.builtin.model_services.keys import is_set
from agno_shell.builtin.model_services.services import Service
from agno_shell.errors import ProviderError
from agno_shell.types import NOTHING


class Endpoint(NamedTuple):
    service: Service
    name: str
    """The model, as the server calls it."""
    url: str
    """Without a slash at its end; the protocol's paths are put behind it."""
    goal: Destination
    parameters: str = ""
    """What stands behind the path of every request, as ``api-version=…``."""

    def page(self, path: str) -> str:
        """The address of a page of the protocol."""
        sign = "&" if "?" in path else "?"
        return f"{self.url}{path}{sign}{self.parameters}" if self.parameters else self.url + path

    def key_headers(self, of_protocol: Callable[[str], Mapping[str, str]]) -> Mapping[str, str]:
        """The headers that carry the key, if there is one; ``of_protocol`` makes those that
        the protocol has for it."""
        key, variable = self.goal.api_key, self.goal.key_variable
        if not key:
            return NOTHING
        if variable in self.service.tokens or not self.service.key_header:
            return of_protocol(key)
        return {self.service.key_header: key}

    @property
    def is_own(self) -> bool:
        """Whether the service itself is asked, at its own address."""
        return not self.goal.elsewhere


def endpoint(
    model: str,
    api_base: str | None,
    api_key_env: str | None,
    environ: Mapping[str, str],
    service_of: Callable[[str], str | None],
    nearest: Callable[[str], str] = lambda _model: "",
) -> Endpoint:
    """Where ``model`` is asked. ``service_of`` gives the prefix of the service that has a
    model whose name has none, ``nearest`` makes a hint of a name that is not known.

    Raises :class:`ProviderError` for a model that no protocol here reaches, for an address
    that cannot be used, and for a key that is missing or would travel in the clear.
    """
    prefix, slash, rest = model.partition("/")
    service = spoken(prefix) if slash else None
    name = rest if service else model
    if service is None:
        owner = None if api_base is not None else service_of(model)
        service = COMPATIBLE if api_base is not None else spoken(owner or "")
    if service is None:
        raise ProviderError(
            f"No model is called {model}.", hint=nearest(model), kind="unknown_model"
        )
    if api_base is not None:
        return _at_base(service, name, api_base, api_key_env, environ)
    return _at_service(service, name, environ)


def _at_base(
    service: Service, name: str, api_base: str, variable: str | None, environ: Mapping[str, str]
) -> Endpoint:
    address = parse_address(api_base, "api_base")
    if not variable:
        return _made(service, name, address, API_BASE, environ)
    if not is_set(variable, environ):
        raise ProviderError(
            f"No key for {address.where}: the environment variable {variable} is not set.",
            hint="Set it and start agno-shell again, or change [provider] api_key_env.",
            kind="authentication",
        )
    return _made(service, name, address, API_BASE, environ, variable)


def _at_service(service: Service, name: str, environ: Mapping[str, str]) -> Endpoint:
    given = endpoints.endpoint(service.prefix, environ)
    variable = next((each for each in service.key_variables if is_set(each, environ)), None)
    if given is None and not service.url:
        raise ProviderError(
            f"No address for {service.title}: the environment variable "
            f"{service.address_variables[1]} is not set.",
            hint="Set it and start agno-shell again, or choose another model with /model.",
            kind="not_sent",
        )
    is_own = given is None or endpoints.is_own(service.prefix, given.address)
    if variable is None and service.needs_key and is_own:
        raise ProviderError(
            f"No key for {service.title}: the environment variable "
            f"{service.key_variable} is not set.",
            hint="Set it and start agno-shell again, or choose another model with /model.",
            kind="authentication",
        )
    if given is not None:
        return _made(service, name, given.address, given.variable, environ, variable)
    address = parse_address(service.url, service.prefix)
    made = _made(service, name, address, service.prefix, environ, variable)
    # A program on this machine is started there, or asked elsewhere.
    source = service.address_variables[-1] if not service.needs_key else API_BASE
    goal = made.goal._replace(where=service.title, api_base=None, source=source)
    return made._replace(goal=goal)


def _made(
    service: Service,
    name: str,
    address: Address,
    source: str,
    environ: Mapping[str, str],
    variable: str | None = None,
) -> Endpoint:
    """An endpoint, and the key in ``variable`` checked."""
    key = environ[variable].strip() if variable else None
    if variable and key:
        may_carry(key, variable, address, source)
    own = endpoints.is_own(service.prefix, address)
    model = f"{service.prefix}/{name}"
    where = service.title if own else address.where
    goal = Destination(model, where, variable, address.url, key, source, own)
    if service.prefix == azure.PREFIX:
        url, parameters = azure.shaped(address.url, name, azure.version(environ))
        return Endpoint(service, name, url, goal, parameters)
    return Endpoint(service, name, endpoints.shaped(service, address.url), goal)

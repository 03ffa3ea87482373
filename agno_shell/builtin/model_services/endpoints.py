"""Where the environment says that a service is: ``OPENAI_BASE_URL`` and its siblings.

Every service is treated alike, whatever litellm and the services' own libraries make of these
variables. Imports nothing heavy: the shell asks here as well.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import NamedTuple
from urllib.parse import urlsplit

from agno_shell.builtin.model_services.destination import Address, host_and_port, parse_address
from agno_shell.builtin.model_services.services import (
    BY_PREFIX,
    SERVICES,
    Service,
    service_of,
)
from agno_shell.contracts import Address as InUse
from agno_shell.errors import ProviderError

_TAKEN_FOR_OTHERS = ("OPENAI_BASE_URL", "OPENAI_API_BASE")
"""litellm sends what is meant for other services here, where it knows no address of theirs."""

_OLLAMA_PORT = 11434

_ENDS = {"anthropic": "/v1", "ollama": "/v1"}
"""What ends an address as other programs want it, and stands in this protocol's own paths."""


class AddressVariable(NamedTuple):
    """An address that a variable gives."""

    address: Address
    variable: str


def variables(service: str) -> tuple[str, ...]:
    """Those that give the address of a litellm provider, the strongest first."""
    known = BY_PREFIX.get(service)
    return () if known is None else known.address_variables


def key_variables(service: str) -> tuple[str, ...]:
    """Those that hold the key of a litellm provider, the strongest first."""
    known = BY_PREFIX.get(service)
    return () if known is None else known.key_variables


def endpoint(service: str | None, environ: Mapping[str, str]) -> AddressVariable | None:
    """The address that the environment gives to a service; None: it gives none.

    Raises :class:`ProviderError` for one that cannot be used. An empty variable is not set.
    """
    for variable in variables(service or ""):
        value = environ.get(variable, "")
        if not value:
            continue
        if not value.strip():
            raise ProviderError(
                f"The variable {variable} is set, but there are only blanks in it.",
                hint=f"Remove it, or put the address of {service} into it.",
                kind="not_sent",
            )
        text = _ollama_host(value) if variable == "OLLAMA_HOST" else value
        return AddressVariable(parse_address(text, f"the variable {variable}"), variable)
    return None


def is_own(service: str | None, address: Address) -> bool:
    """Whether an address is one of the service itself, which its prices hold for."""
    known = BY_PREFIX.get(service or "")
    hosts = known.hosts if known else ()
    where = {address.host, address.where, host_and_port(address.host, address.port)}
    return any(host in where or address.host.endswith(f".{host}") for host in hosts)


def shaped(service: Service, url: str) -> str:
    """An address as the paths of the service's protocol are put behind it, whichever of its
    usual forms it was given in."""
    url = url.rstrip("/").removesuffix(_ENDS.get(service.wire, "\0"))
    if service.wire == "gemini" and not urlsplit(url).path:
        url += "/v1beta"
    return url


def in_use(model: str, api_base: str | None, environ: Mapping[str, str]) -> InUse | None:
    """Where a model is asked, for the user to see; None: at the address of its own service."""
    service = service_of(model)
    prefix = service.prefix if service else None
    try:
        if api_base:
            given = parse_address(api_base, "api_base")
            return None if is_own(prefix, given) else InUse(api_base)
        found = endpoint(prefix, environ)
    except ProviderError as error:
        # Nothing is sent there; the sentence says the same when something is to be.
        return InUse(f"an address that cannot be used ({error})")
    if found is None or is_own(prefix, found.address):
        return None
    return InUse(found.address.url, found.variable)


def take(environ: MutableMapping[str, str]) -> dict[str, str]:
    """The addresses in the environment, those that litellm would use for anybody removed."""
    names = {name for service in SERVICES for name in service.address_variables}
    found = {name: environ[name] for name in names if name in environ}
    for name in _TAKEN_FOR_OTHERS:
        environ.pop(name, None)
    return found


def _ollama_host(value: str) -> str:
    """``OLLAMA_HOST`` as an address: Ollama's own program takes a host, a port or an address,
    and listens at ``0.0.0.0`` where a client would have to name a host."""
    text = value.strip().strip("\"'")
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "http", text
    if rest.startswith(":") and not rest.startswith("::"):
        rest = f"127.0.0.1{rest}"
    elif rest.count(":") > 1 and not rest.startswith("["):
        rest = f"[{rest}]"
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return value
    port = port or (None if separator else _OLLAMA_PORT)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - to be replaced
    user = f"{parts.username}@" if parts.username else ""
    return f"{scheme}://{user}{host_and_port(host, port)}{parts.path.rstrip('/')}"

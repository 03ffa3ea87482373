"""Where a request goes, by which protocol, and with which key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from agno_shell.builtin.direct_provider.services import BY_PREFIX, COMPATIBLE, Service
from agno_shell.builtin.litellm_provider.destination import host_and_port, is_loopback
from agno_shell.errors import ProviderError

_ENDS = {"anthropic": "/v1", "ollama": "/v1"}
"""What ends an address as other programs want it, and stands in this protocol's own paths."""


class Endpoint(NamedTuple):
    service: Service
    name: str
    """The model, as the server calls it."""
    url: str
    """Without a slash at its end; the protocol's paths are put behind it."""
    where: str
    """The service, or the host with its port: for sentences."""
    is_own: bool
    """Whether the service itself is asked, at its own address."""
    key: str | None = None
    key_variable: str | None = None


def endpoint(
    model: str,
    api_base: str | None,
    api_key_env: str | None,
    environ: Mapping[str, str],
    service_of: Callable[[str], str | None] = lambda _model: None,
) -> Endpoint:
    """Where ``model`` is asked. ``service_of`` gives the prefix of the service that has a
    model whose name has none.

    Raises :class:`ProviderError` for a model that no protocol here reaches, for an address
    that cannot be used, and for a key that is missing or would travel in the clear.
    """
    prefix, slash, rest = model.partition("/")
    service = BY_PREFIX.get(prefix) if slash else None
    name = rest if service else model
    if service is None:
        owner = None if api_base is not None else service_of(model)
        service = COMPATIBLE if api_base is not None else BY_PREFIX.get(owner or "")
    if service is None:
        raise ProviderError(
            f"No model is called {model}.",
            hint="A name begins with its service, as in openrouter/… or ollama_chat/….",
            kind="unknown_model",
        )
    if api_base is not None:
        return _at_base(service, name, api_base, api_key_env, environ)
    return _at_service(service, name, environ)


def _at_base(
    service: Service, name: str, api_base: str, variable: str | None, environ: Mapping[str, str]
) -> Endpoint:
    url, where = _address(service, api_base, "api_base")
    made = Endpoint(service, name, url, where, is_own=False)
    if not variable:
        return made
    key = environ.get(variable, "").strip()
    if not key:
        raise ProviderError(
            f"No key for {where}: the environment variable {variable} is not set.",
            hint="Set it and start agno-shell again, or change [provider] api_key_env.",
            kind="authentication",
        )
    return _checked(made._replace(key=key, key_variable=variable))


def _at_service(service: Service, name: str, environ: Mapping[str, str]) -> Endpoint:
    url_variable = first_set(service.url_variables, environ)
    if url_variable is not None:
        url, where = _address(service, environ[url_variable], url_variable)
    elif service.url:
        url, where = service.url, service.title
    else:
        raise ProviderError(
            f"No address is set for {service.title}.",
            hint=f"Set {service.url_variables[0]} or [provider] api_base.",
            kind="refused",
        )
    made = Endpoint(service, name, url, where, is_own=url_variable is None)
    variable = first_set(service.key_variables, environ)
    if variable is None:
        if service.needs_key and (made.is_own or not is_loopback(_host(url))):
            raise ProviderError(
                f"No key for {service.title}: the environment variable "
                f"{service.key_variables[0]} is not set.",
                hint="Set it and start agno-shell again, or choose another model with /model.",
                kind="authentication",
            )
        return made
    return _checked(made._replace(key=environ[variable].strip(), key_variable=variable))


def first_set(variables: tuple[str, ...], environ: Mapping[str, str]) -> str | None:
    """The first of ``variables`` that is set and not blank."""
    return next((name for name in variables if environ.get(name, "").strip()), None)


def _checked(made: Endpoint) -> Endpoint:
    """The endpoint, if its key may be sent there."""
    key = made.key or ""
    if not (key.isascii() and key.isprintable()):
        raise ProviderError(
            f"The key in {made.key_variable} cannot be sent: it holds a character that is not "
            "plain ASCII.",
            hint="Copy it once more; a curly quote or a line end may have come with it.",
            kind="authentication",
        )
    if not made.url.startswith("https:") and not is_loopback(_host(made.url)):
        raise ProviderError(
            f"The key in {made.key_variable} was not sent: {made.where} is asked over plain http.",
            hint="Use an https address.",
            kind="refused",
        )
    return made


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _address(service: Service, given: str, named: str) -> tuple[str, str]:
    """An address as it is used, and its host with the port for sentences."""
    text = given.strip()
    if service.wire == "ollama" and "://" not in text:
        text = _ollama_host(text)
    try:
        parts = urlsplit(text)
        host, port, scheme = parts.hostname or "", parts.port, parts.scheme
    except ValueError:
        host, port, scheme = "", None, ""
    if scheme not in ("http", "https") or not host:
        raise ProviderError(
            f"The address {given!r} in {named} cannot be used.",
            hint="It looks like http://127.0.0.1:8000/v1 or https://example.org/v1.",
            kind="refused",
        )
    if parts.username is not None:
        raise ProviderError(
            f"The address of {host} in {named} holds a user name; it was not asked.",
            hint="Put the key into a variable and name that in [provider] api_key_env.",
            kind="refused",
        )
    url = text.rstrip("/").removesuffix(_ENDS.get(service.wire, "\0"))
    if service.wire == "gemini" and not parts.path.strip("/"):
        url += "/v1beta"
    return url, host_and_port(host, port)


def _ollama_host(text: str) -> str:
    """``OLLAMA_HOST`` is a host, a port or both; every address of this machine stands for
    the loopback one."""
    host, _colon, port = text.rpartition(":") if ":" in text else (text, "", "11434")
    return f"http://{host if host not in ('', '0.0.0.0', '[::]') else '127.0.0.1'}:{port}"  # noqa: S104

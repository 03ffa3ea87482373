"""Where the environment says that a service is: ``OPENAI_BASE_URL`` and its siblings.

Every service is treated alike, whatever litellm and the services' own libraries make of these
variables. Imports nothing heavy: the shell asks here as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import NamedTuple
from urllib.parse import urlsplit

from agno_shell.builtin.litellm_provider.destination import Address, host_and_port, parse_address
from agno_shell.errors import ProviderError


class _Service(NamedTuple):
    name: str
    """As it begins in variables."""
    hosts: tuple[str, ...] = ()
    """Its own; with a port where it is a program on this machine."""
    more: tuple[str, ...] = ()
    """Variables beside ``NAME_BASE_URL`` and ``NAME_API_BASE``."""
    keys: tuple[str, ...] = ()
    """Variables of its key beside ``NAME_API_KEY``."""


_OLLAMA = _Service(
    "OLLAMA", ("127.0.0.1:11434", "localhost:11434", "[::1]:11434"), ("OLLAMA_HOST",)
)

_SERVICES = {
    "openai": _Service("OPENAI", ("api.openai.com",)),
    "anthropic": _Service("ANTHROPIC", ("api.anthropic.com",)),
    "gemini": _Service("GEMINI", ("generativelanguage.googleapis.com",), keys=("GOOGLE_API_KEY",)),
    "groq": _Service("GROQ", ("api.groq.com",)),
    "mistral": _Service("MISTRAL", ("api.mistral.ai",)),
    "deepseek": _Service("DEEPSEEK", ("api.deepseek.com",)),
    "openrouter": _Service("OPENROUTER", ("openrouter.ai",)),
    "xai": _Service("XAI", ("api.x.ai",)),
    "together_ai": _Service(
        "TOGETHER_AI",
        ("api.together.xyz", "api.together.ai"),
        keys=("TOGETHER_API_KEY", "TOGETHERAI_API_KEY"),
    ),
    "fireworks_ai": _Service(
        "FIREWORKS", ("api.fireworks.ai",), keys=("FIREWORKS_AI_API_KEY", "FIREWORKSAI_API_KEY")
    ),
    "perplexity": _Service("PERPLEXITY", ("api.perplexity.ai",), keys=("PERPLEXITYAI_API_KEY",)),
    "cerebras": _Service("CEREBRAS", ("api.cerebras.ai",)),
    "moonshot": _Service("MOONSHOT", ("api.moonshot.ai", "api.moonshot.cn")),
    "ollama": _OLLAMA,
    "ollama_chat": _OLLAMA,
    "lm_studio": _Service("LM_STUDIO"),
    "hosted_vllm": _Service("HOSTED_VLLM"),
    "llamafile": _Service("LLAMAFILE"),
}
"""By litellm's name. What is not here is left to litellm."""

_BARE = (
    (re.compile(r"gpt-|chatgpt-|o\d(?:-|$)|codex-|computer-use-"), "openai"),
    (re.compile(r"claude-[^:]*$"), "anthropic"),
)
"""Whose models a name without a prefix belongs to; litellm's tables know the same."""

_TAKEN_FOR_OTHERS = ("OPENAI_BASE_URL", "OPENAI_API_BASE")
"""litellm sends what is meant for other services here, where it knows no address of theirs."""

_OLLAMA_PORT = 11434


class Endpoint(NamedTuple):
    """An address that a variable gives."""

    address: Address
    variable: str


def variables(service: str) -> tuple[str, ...]:
    """Those that give the address of a litellm provider, the strongest first."""
    known = _SERVICES.get(service)
    if known is None:
        return ()
    return (f"{known.name}_BASE_URL", f"{known.name}_API_BASE", *known.more)


def key_variables(service: str) -> tuple[str, ...]:
    """Those that hold the key of a litellm provider, the strongest first."""
    known = _SERVICES.get(service)
    return () if known is None else (f"{known.name}_API_KEY", *known.keys)


def service_of(model: str) -> str | None:
    """Whose model a name belongs to, as far as that can be told without litellm."""
    prefix, slash, _name = model.partition("/")
    if slash:
        return prefix if prefix in _SERVICES else None
    return next((service for pattern, service in _BARE if pattern.match(model)), None)


def endpoint(service: str | None, environ: Mapping[str, str]) -> Endpoint | None:
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
        return Endpoint(parse_address(text, f"the variable {variable}"), variable)
    return None


def is_own(service: str | None, address: Address) -> bool:
    """Whether an address is one of the service itself, which its prices hold for."""
    known = _SERVICES.get(service or "")
    hosts = known.hosts if known else ()
    where = {address.host, address.where, host_and_port(address.host, address.port)}
    return any(host in where or address.host.endswith(f".{host}") for host in hosts)


def take(environ: MutableMapping[str, str]) -> dict[str, str]:
    """The addresses in the environment, those that litellm would use for anybody removed."""
    names = {name for service in _SERVICES for name in variables(service)}
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

"""Where a request goes, and which key may go there."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from agno_shell.builtin.litellm_provider.keys import key_variable
from agno_shell.errors import ProviderError

NO_KEY = "no-key"
"""Sent where a server wants some key and none is configured for it."""


class Destination(NamedTuple):
    """The answer to where a request goes."""

    model: str
    """The name for litellm, with the prefix that chooses its code."""
    where: str
    """The host, with its port if it is named, or the service: for sentences."""
    key_variable: str | None
    """The environment variable that the key comes from."""
    api_base: str | None = None
    api_key: str | None = None
    """Only with ``api_base``; elsewhere litellm takes the service's own variable."""


def destination(
    model: str,
    api_base: str | None,
    api_key_env: str | None,
    environ: Mapping[str, str],
    providers: Collection[str],
) -> Destination:
    """Where ``model`` is asked. ``providers`` are the prefixes that litellm knows.

    Raises :class:`ProviderError` for an address that cannot be used and for a key
    that is missing or would travel in the clear.
    """
    prefix, slash, _rest = model.partition("/")
    prefixed = bool(slash) and prefix in providers
    if api_base is None:
        variable = key_variable(prefix, environ) if prefixed else None
        return Destination(model, prefix if prefixed else model, variable)
    api_base = api_base.strip()
    host, where, scheme = _address(api_base)
    key = NO_KEY
    if api_key_env:
        key = environ.get(api_key_env, "").strip()
        if not key:
            raise ProviderError(
                f"No key for {where}: the environment variable {api_key_env} is not set.",
                hint="Set it and start agno-shell again, or change [provider] api_key_env.",
                kind="authentication",
            )
        if scheme != "https" and not is_loopback(host):
            raise ProviderError(
                f"The key in {api_key_env} was not sent: {where} is asked over plain http.",
                hint="Use an https address in [provider] api_base.",
                kind="not_sent",
            )
    name = model if prefixed else f"openai/{model}"
    return Destination(name, where, api_key_env, api_base, key)


def is_loopback(host: str) -> bool:
    """Whether a connection to ``host`` stays on this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _address(api_base: str) -> tuple[str, str, str]:
    """Host, host with port as it was given, and scheme of an address."""
    try:
        parts = urlsplit(api_base)
        host, port, scheme = parts.hostname or "", parts.port, parts.scheme
    except ValueError:
        host, port, scheme = "", None, ""
    if scheme not in ("http", "https") or not host:
        raise ProviderError(
            f"The address {api_base!r} in api_base cannot be used.",
            hint="It looks like http://127.0.0.1:8000/v1 or https://example.org/v1.",
            kind="not_sent",
        )
    if parts.username is not None:
        raise ProviderError(
            f"The address of {host} in api_base holds a user name; it was not asked.",
            hint="Put the key into a variable and name that in [provider] api_key_env.",
            kind="not_sent",
        )
    return host, host_and_port(host, port), scheme


def host_and_port(host: str, port: int | None) -> str:
    """As both stand in an address, an IPv6 host between brackets."""
    name = f"[{host}]" if ":" in host else host
    return f"{name}:{port}" if port else name

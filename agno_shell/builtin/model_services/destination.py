"""Where a request goes, and which key may go there."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from agno_shell.builtin.model_services.keys import key_variable, unusable
from agno_shell.errors import ProviderError

NO_KEY = "no-key"
"""Sent where a server wants some key and none is configured for it."""

API_BASE = "[provider] api_base"


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
    source: str = API_BASE
    """What says ``api_base``: for sentences."""
    own: bool = False
    """Whether ``api_base`` is an address of the service itself."""

    @property
    def elsewhere(self) -> bool:
        """Whether it is another server than the service's own: nobody knows its prices."""
        return self.api_base is not None and not self.own


class Address(NamedTuple):
    """An address that can be used."""

    url: str
    host: str
    where: str
    """Host, with the port as it was given."""
    scheme: str
    """http or https."""
    port: int


def destination(
    model: str,
    api_base: str | None,
    api_key_env: str | None,
    environ: Mapping[str, str],
    providers: Collection[str],
) -> Destination:
    """Where ``model`` is asked. ``providers`` are the prefixes that litellm knows.

    Raises :class:`ProviderError` for an address that cannot be used and for a key
    that is missing, cannot be sent or would travel in the clear.
    """
    prefix, slash, _rest = model.partition("/")
    prefixed = bool(slash) and prefix in providers
    if api_base is None:
        variable = key_variable(prefix, environ) if prefixed else None
        return Destination(model, prefix if prefixed else model, variable)
    address = parse_address(api_base, "api_base")
    key = NO_KEY
    if api_key_env:
        key = environ.get(api_key_env, "").strip()
        if not key:
            raise ProviderError(
                f"No key for {address.where}: the environment variable {api_key_env} is not set.",
                hint="Set it and start agno-shell again, or change [provider] api_key_env.",
                kind="authentication",
            )
        may_carry(key, api_key_env, address, API_BASE)
    name = model if prefixed else f"openai/{model}"
    return Destination(name, address.where, api_key_env, address.url, key)


def may_carry(key: str, variable: str, address: Address, source: str) -> None:
    """Raises :class:`ProviderError` where a key cannot be sent, or not to this address."""
    if problem := unusable(variable, key):
        raise problem
    if address.scheme != "https" and not is_loopback(address.host):
        raise ProviderError(
            f"The key in {variable} was not sent: {address.where} is asked over plain http.",
            hint=f"Use an https address in {source}.",
            kind="not_sent",
        )


def is_loopback(host: str) -> bool:
    """Whether a connection to ``host`` stays on this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def parse_address(text: str, source: str) -> Address:
    """An address as it was given in ``source``. Raises :class:`ProviderError`."""
    text = text.strip()
    try:
        parts = urlsplit(text)
        host, port, scheme = parts.hostname or "", parts.port, parts.scheme
    except ValueError:
        parts, host, port, scheme = urlsplit(""), "", None, ""
    if parts.username is not None:
        raise ProviderError(
            f"The address of {host} in {source} holds a user name; it was not asked.",
            hint="Put the key into a variable and name that in [provider] api_key_env.",
            kind="not_sent",
        )
    if scheme not in ("http", "https") or not host or any(sign.isspace() for sign in text):
        said = f"{text!r} in {source}" if "@" not in text else f"in {source}"
        raise ProviderError(
            f"The address {said} cannot be used.",
            hint="It looks like http://127.0.0.1:8000/v1 or https://example.org/v1.",
            kind="not_sent",
        )
    where = host_and_port(host, port)
    return Address(text, host, where, scheme, port or (443 if scheme == "https" else 80))


def host_and_port(host: str, port: int | None) -> str:
    """As both stand in an address, an IPv6 host between brackets."""
    name = f"[{host}]" if ":" in host else host
    return f"{name}:{port}" if port else name

"""Which proxy a request goes through, and which variable says so."""

from __future__ import annotations

import base64
import urllib.request
from collections.abc import Mapping, MutableMapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from agno_shell.builtin.model_services.destination import host_and_port, is_loopback

_SOCKS = ("socks5", "socks5h")
_SCHEMES = ("http", "https", *_SOCKS)
_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_KINDS = ("http", "https", "all")
_SYSTEM = "the settings of this computer"


class Proxy(NamedTuple):
    """A proxy as a variable names it; nothing of its user name and password."""

    variable: str
    kind: str
    """What goes through it: ``http``, ``https``, ``all``."""
    where: str = ""
    """Host and port."""
    scheme: str = ""
    signed_in: bool = False
    """Whether a user name stands in the variable."""
    problem: str = ""
    """Why it cannot be used, a sentence; empty: it can."""

    @property
    def is_socks(self) -> bool:
        return self.scheme in _SOCKS


class Proxies(NamedTuple):
    """The proxies in an environment."""

    by_kind: Mapping[str, Proxy] = {}
    """By what goes through them: ``http``, ``https``, ``all``."""

    def of(self, scheme: str, host: str) -> Proxy | None:
        """The one for an address; None: it is asked directly."""
        found = self.by_kind.get(scheme) or self.by_kind.get("all")
        if found is None or is_loopback(host) or urllib.request.proxy_bypass(host):
            return None
        return found

    @property
    def have_socks(self) -> bool:
        return any(each.is_socks for each in self.by_kind.values())


def take(environ: MutableMapping[str, str]) -> Proxies:
    """The proxies in the environment; those that cannot be used are removed from it, as one
    alone would keep every client from being made. What would go through them is not sent."""
    found = {}
    # On macOS and Windows the system has some as well.
    for kind, url in urllib.request.getproxies().items():
        if kind in _KINDS and url.strip():
            proxy = found[kind] = _proxy(url, kind, _variable(kind, environ))
            if proxy.problem:
                for name in (f"{kind}_proxy", f"{kind}_PROXY".upper()):
                    environ.pop(name, None)
    return Proxies(found)


def url(proxy: Proxy) -> str:
    """Its address with all that stands in the variable."""
    return _with_scheme(urllib.request.getproxies()[proxy.kind])


def _with_scheme(url: str) -> str:
    return url.strip() if "://" in url else f"http://{url.strip()}"


def secrets(environ: Mapping[str, str]) -> list[str]:
    """The passwords of the proxies, in every form in which they travel."""
    found = []
    for name, value in environ.items():
        if not name.lower().endswith("_proxy") or "@" not in value:
            continue
        user, _, password = value.rpartition("@")[0].rpartition("//")[2].partition(":")
        plain = f"{unquote(user)}:{unquote(password)}"
        if password:
            found += [password, unquote(password), base64.b64encode(plain.encode()).decode()]
    return [each for each in found if len(each) > 3]


def _variable(kind: str, environ: Mapping[str, str]) -> str:
    # As urllib reads them: the small one first.
    for name in (f"{kind}_proxy", f"{kind}_proxy".upper()):
        if environ.get(name):
            return name
    return next((name for name in environ if name.lower() == f"{kind}_proxy"), _SYSTEM)


def _proxy(url: str, kind: str, variable: str) -> Proxy:
    url = _with_scheme(url)
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
        signed_in = parts.username is not None
    except ValueError:
        scheme, host, port, signed_in = "http", "", None, False
    if scheme not in _SCHEMES:
        problem = (
            f"The proxy in {variable} cannot be used: {scheme}:// is no kind of proxy known here."
        )
        return Proxy(variable, kind, problem=problem)
    if not host or any(sign.isspace() for sign in url):
        problem = f"The proxy in {variable} cannot be used: it is no address."
        return Proxy(variable, kind, problem=problem)
    where = host_and_port(host, port or _PORTS[scheme])
    return Proxy(variable, kind, where, scheme, signed_in)

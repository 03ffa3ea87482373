"""The way to a server, as the environment has it: proxies, certificates, addresses.

It is read once, before litellm and the libraries below it read the same each in its own way.
What goes wrong on the way is reported with the name of the variable that chose it.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping, MutableMapping
from typing import NamedTuple

from agno_shell.builtin.model_services import endpoints, proxies, trust
from agno_shell.builtin.model_services.causes import causes, class_names
from agno_shell.builtin.model_services.proxies import Proxies, Proxy
from agno_shell.builtin.model_services.trust import Trust
from agno_shell.types import NOTHING


class OnTheWayError(Exception):
    """A request did not reach its server; the text is a sentence for the user."""

    def __init__(self, message: str, hint: str, *, temporary: bool = False) -> None:
        super().__init__(message)
        self.hint = hint
        self.temporary = temporary


class Way(NamedTuple):
    """What the environment says."""

    proxies: Proxies = Proxies()
    trust: Trust = Trust()
    endpoints: Mapping[str, str] = NOTHING
    """The variables that give addresses of services."""

    @classmethod
    def take(cls, environ: MutableMapping[str, str]) -> Way:
        """Read the environment, and take out of it what would be read otherwise."""
        return cls(proxies.take(environ), trust.take(environ), endpoints.take(environ))

    def check(self, scheme: str, host: str) -> Proxy | None:
        """The proxy on the way to an address. Raises :class:`OnTheWayError` where the way
        cannot be taken: nothing is sent past a proxy that is set."""
        proxy = self.proxies.of(scheme, host)
        if proxy is not None and proxy.problem:
            hint = "It looks like http://127.0.0.1:3128 or socks5://127.0.0.1:1080."
            raise OnTheWayError(proxy.problem, hint)
        if scheme == "https" and self.trust.problem:
            hint = f"Correct or remove {self.trust.variable} and start agno-shell again."
            raise OnTheWayError(self.trust.problem, hint)
        return proxy

    def failure(self, error: Exception, proxy: Proxy | None, host: str) -> OnTheWayError | None:
        """What an error on the way to ``host`` is, where the way had a part in it."""
        chain = list(causes(error))
        if any(isinstance(each, ssl.SSLCertVerificationError) for each in chain):
            return self._not_accepted(host)
        return None if proxy is None else _by_proxy(error, chain, proxy, host)

    def _not_accepted(self, host: str) -> OnTheWayError:
        message = f"No safe connection to {host}: its certificate was not accepted."
        if variable := self.trust.variable:
            return OnTheWayError(
                f"{message} {variable} says which are: those of {self.trust.file}.",
                f"Check the address, and {variable}.",
            )
        hint = "Check the address and this computer's clock. SSL_CERT_FILE names a company's own."
        return OnTheWayError(message, hint)


DIRECT = Way()
"""No proxy, and nothing set."""


def wants_sign_in(proxy: Proxy, status: str = "") -> OnTheWayError:
    """A proxy that answers only to those whom it knows; ``status`` is that of its answer."""
    status = f" ({status})" if status else ""
    if proxy.signed_in:
        return OnTheWayError(
            f"The proxy {proxy.where} does not take the user name and password in"
            f" {proxy.variable}{status}.",
            f"Correct {proxy.variable} and start agno-shell again.",
        )
    return OnTheWayError(
        f"The proxy {proxy.where}, which {proxy.variable} names, wants a user name and a"
        f" password{status}.",
        f"Put USER:PASSWORD@ in front of its host in {proxy.variable}.",
    )


def _by_proxy(
    error: Exception, chain: list[BaseException], proxy: Proxy, host: str
) -> OnTheWayError | None:
    names = class_names(chain)
    named = f"the proxy {proxy.where}, which {proxy.variable} names"
    refused = _refusal(error, chain)
    if refused and _SIGN_IN_WORDS.search(refused):
        return wants_sign_in(proxy, refused[:3] if refused[:3].isdecimal() else "")
    if refused:
        return OnTheWayError(
            f"T{named[1:]}, did not connect to {host}: {refused.rstrip('.')}.",
            f"See what that proxy allows. {_without(host)}",
        )
    hint = f"Start it, or correct {proxy.variable}. {_without(host)}"
    if "gaierror" in names:
        return OnTheWayError(f"No connection to {named}: there is no such host.", hint)
    if names & {"ConnectTimeout", "ConnectionTimeoutError", "PoolTimeout"}:
        message = f"No connection to {named}: it did not respond in time."
        return OnTheWayError(message, hint, temporary=True)
    if names & {"ConnectError", "ClientProxyConnectionError", "ConnectionRefusedError"}:
        why = "it was refused" if "ConnectionRefusedError" in names else "it failed"
        return OnTheWayError(f"No connection to {named}: {why}.", hint, temporary=True)
    if "TimeoutException" not in names:
        message = f"The connection through {named}, broke."
        return OnTheWayError(message, hint, temporary=True)
    return None


_SIGN_IN_WORDS = re.compile(r"^40[17]\b|username/password|^Requested")
"""What the clients report where a proxy wants a sign-in; the last for SOCKS."""


def _refusal(error: Exception, chain: list[BaseException]) -> str:
    """The reason that a proxy gives for refusing; empty where it gives none."""
    unreached = "ClientConnectorError" in class_names(chain)  # litellm makes a ProxyError of it
    for each in chain:
        if type(each).__name__ == "ClientHttpProxyError":  # aiohttp
            return f"{getattr(each, 'status', '')} {getattr(each, 'message', '')}".strip()
        if type(each).__name__ == "ProxyError" and not unreached and str(each):  # httpx
            return str(each)
    return ""


def _without(host: str) -> str:
    return f"Or put {host} into NO_PROXY."

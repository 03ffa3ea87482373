"""HTTP by the way that the environment says: its proxies, and whose certificates it accepts."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping
from functools import cached_property

import httpx

from agno_shell.builtin.model_services import proxies, socks, trust
from agno_shell.builtin.model_services.limits import Limits
from agno_shell.builtin.model_services.proxies import Proxy
from agno_shell.builtin.model_services.way import Way, wants_sign_in

_SIGN_IN = 407


class Client:
    """Sends requests. No redirect is followed, and nothing is read from the environment after
    this was made."""

    def __init__(self, environ: Mapping[str, str], limits: Limits) -> None:
        self._way = Way.take(dict(environ))
        self._environ = environ
        # The limits of a reply are the exchange's; httpx bounds what they do not see.
        self._timeout = httpx.Timeout(limits.whole_reply, connect=limits.connect)
        self._clients: dict[tuple[str, bool], httpx.AsyncClient] = {}
        """By what goes through a proxy, and whether there is TLS on the way."""
        self._urls = {
            each.kind: proxies.url(each)
            for each in self._way.proxies.by_kind.values()
            if not each.problem
        }
        self._client(None, has_tls=False)  # httpx imports what is below it with the first one

    @cached_property
    def certificates(self) -> ssl.SSLContext:
        """Whose certificates are accepted. Reading them takes 20 ms, which no request without
        TLS is to wait for."""
        return _context(self._way, self._environ)

    async def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """The answer, its body not read yet. Raises :class:`way.OnTheWayError`, and everything
        httpx does."""
        return await self.send("POST", url, content, headers)

    async def send(
        self, method: str, url: str, content: bytes, headers: Mapping[str, str]
    ) -> httpx.Response:
        """As :meth:`post`, by any method."""
        where = httpx.URL(url)
        proxy = self._way.check(where.scheme, where.host)
        has_tls = where.scheme == "https" or (proxy is not None and proxy.scheme == "https")
        if has_tls and "certificates" not in self.__dict__:
            await asyncio.to_thread(lambda: self.certificates)
        client = self._client(proxy, has_tls=has_tls)
        request = client.build_request(
            method,
            where,
            content=content,
            headers=headers,
            extensions=dict(socks.extensions(proxy)),
        )
        try:
            response = await client.send(request, stream=True)
        except Exception as error:
            if failure := self._way.failure(error, proxy, where.host):
                raise failure from error
            raise
        if response.status_code == _SIGN_IN and proxy is not None:
            await response.aclose()
            raise wants_sign_in(proxy, str(_SIGN_IN))
        return response

    def _client(self, proxy: Proxy | None, *, has_tls: bool) -> httpx.AsyncClient:
        key = proxy.kind if proxy else "", has_tls
        if key not in self._clients:
            self._clients[key] = httpx.AsyncClient(
                timeout=self._timeout,
                # The empty one accepts nobody.
                verify=self.certificates if has_tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
                proxy=self._as_httpx_has_it(proxy) if proxy else None,
                follow_redirects=False,
                http2=False,
                trust_env=False,
            )
        return self._clients[key]

    def _as_httpx_has_it(self, proxy: Proxy) -> httpx.Proxy:
        context = self.certificates if proxy.scheme == "https" else None
        return httpx.Proxy(self._urls[proxy.kind], ssl_context=context)

    async def close(self) -> None:
        clients, self._clients = list(self._clients.values()), {}
        await asyncio.gather(*(client.aclose() for client in clients), return_exceptions=True)


def _context(way: Way, environ: Mapping[str, str]) -> ssl.SSLContext:
    if trust.is_unchecked(environ):
        return httpx.create_ssl_context(verify=False, trust_env=False)
    if way.trust.context is not None:
        return way.trust.context
    folder = environ.get("SSL_CERT_DIR", "").strip()
    if folder and os.path.isdir(folder):
        return ssl.create_default_context(capath=folder)
    return httpx.create_ssl_context(trust_env=False)

"""The last gate before the network, under litellm and every client library it uses.

No redirect is followed, a connection is given up after its limit, and no key leaves
for a host that it does not belong to, whatever the layers above were told.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from agno_shell.builtin.litellm_provider.destination import is_loopback

if TYPE_CHECKING:
    import httpx


class Policy(NamedTuple):
    """What the request in work may do."""

    connect: float
    """Seconds."""
    secrets: Sequence[str]
    """Every key in the environment."""
    api_base: str | None = None
    """Only this host may be asked; None: any, the key's own service."""
    api_key: str | None = None
    """The one key that may go to ``api_base``."""


class NotSentError(Exception):
    """A request was stopped here; the text is a sentence for a person."""


_policy: ContextVar[Policy | None] = ContextVar("policy", default=None)
_FOREIGN_HEADERS = ("openai-organization", "openai-project")


@contextmanager
def under(policy: Policy) -> Iterator[None]:
    """Everything sent within, and by tasks begun within, obeys ``policy``."""
    token = _policy.set(policy)
    try:
        yield
    finally:
        _policy.reset(token)


def install() -> None:
    """Put the gate into httpx and aiohttp. Call it once, before the first client is made."""
    import aiohttp
    import httpx

    # ``send`` is the one public method through which every httpx request passes.
    for client, guard in ((httpx.AsyncClient, _guard_async), (httpx.Client, _guard_sync)):
        _replace(client, "send", guard)
    _replace(aiohttp.ClientSession, "_request", _guard_aiohttp)


def _replace(owner: type, name: str, guard: Callable[[Any], Any]) -> None:
    setattr(owner, name, guard(getattr(owner, name)))


def _guard_async(send: Callable[..., Awaitable[httpx.Response]]) -> Callable[..., Any]:
    @wraps(send)
    async def guarded(client: Any, request: httpx.Request, **options: Any) -> httpx.Response:
        _inspect(request)
        return _final(await send(client, request, **options | {"follow_redirects": False}))

    return guarded


def _guard_sync(send: Callable[..., httpx.Response]) -> Callable[..., Any]:
    @wraps(send)
    def guarded(client: Any, request: httpx.Request, **options: Any) -> httpx.Response:
        _inspect(request)
        return _final(send(client, request, **options | {"follow_redirects": False}))

    return guarded


def _guard_aiohttp(request: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    @wraps(request)
    async def guarded(session: Any, method: str, url: Any, **options: Any) -> Any:
        policy = _policy.get()
        if policy is not None:
            _check(policy, str(url), dict(options.get("headers") or {}))
        return await request(session, method, url, **options | {"allow_redirects": False})

    return guarded


def _final(response: httpx.Response) -> httpx.Response:
    response.next_request = None  # some callers follow this by themselves
    return response


def _inspect(request: httpx.Request) -> None:
    policy = _policy.get()
    if policy is None:
        return
    if policy.api_base is not None:
        for name in _FOREIGN_HEADERS:
            request.headers.pop(name, None)
    timeout = dict(request.extensions.get("timeout") or {})
    timeout["connect"] = policy.connect
    request.extensions["timeout"] = timeout
    _check(policy, str(request.url), dict(request.headers))


def _check(policy: Policy, url: str, headers: dict[str, str]) -> None:
    target = urlsplit(url)
    if policy.api_base is not None:
        allowed = urlsplit(policy.api_base)
        if (target.scheme, target.netloc) != (allowed.scheme, allowed.netloc):
            raise NotSentError(f"A request to {target.netloc} was not sent: it is not api_base.")
    carried = "\n".join([url, *(str(value) for value in headers.values())])
    keys = [secret for secret in policy.secrets if secret in carried]
    if policy.api_base is not None and any(key != policy.api_key for key in keys):
        raise NotSentError(f"A key of another service was not sent to {target.netloc}.")
    if keys and target.scheme != "https" and not is_loopback(target.hostname or ""):
        raise NotSentError(f"A key was not sent to {target.netloc} over plain {target.scheme}.")

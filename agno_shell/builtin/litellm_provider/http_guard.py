"""The last gate before the network, under litellm and every client library it uses.

No redirect is followed, a connection is given up after its limit, and no key leaves
for a host that it does not belong to, regardless of what the layers above were given.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial, wraps
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from agno_shell.builtin.litellm_provider import bodies
from agno_shell.builtin.litellm_provider.wire_watch import WireWatch
from agno_shell.builtin.model_services import socks
from agno_shell.builtin.model_services.destination import is_loopback
from agno_shell.builtin.model_services.limits import Limits, longest_line
from agno_shell.builtin.model_services.proxies import Proxy
from agno_shell.builtin.model_services.way import OnTheWayError, Way, wants_sign_in
from agno_shell.types import NOTHING

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
    provider: str = ""
    """The service that is asked where there is no ``api_base``, as litellm calls it."""
    foreign: Mapping[str, str] = NOTHING
    """Keys of other services, with the variables they come from."""
    reply_bytes: float = Limits().reply_bytes
    """Bytes of text in a whole reply; more cannot stand in one line of it either."""
    source: str = "[provider] api_base"
    """What says ``api_base``: for sentences."""
    way: Way = Way()
    watch: WireWatch | None = None
    """The reader of the reply before litellm."""


class NotSentError(Exception):
    """A request was stopped here; the text is a sentence for the user."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


_policy: ContextVar[Policy | None] = ContextVar("policy", default=None)
_FOREIGN_HEADERS = ("openai-organization", "openai-project")
_SIGN_IN = 407
_OPENAI = "api.openai.com"


@contextmanager
def under(policy: Policy) -> Iterator[None]:
    """Everything sent within, and by tasks begun within, obeys ``policy``."""
    token = _policy.set(policy)
    try:
        yield
    finally:
        _policy.reset(token)


def install() -> None:
    """Put the gate into every HTTP client. Call it once, before the first client is made."""
    import aiohttp

    for http in _http_libraries():
        # ``send`` is the one public method through which every request passes.
        _replace(http.AsyncClient, "send", partial(_guard_async, http))
        _replace(http.Client, "send", partial(_guard_sync, http))
    _replace(aiohttp.ClientSession, "_request", _guard_aiohttp)


def _http_libraries() -> Iterator[ModuleType]:
    """httpx, and httpx2, which newer client libraries use where nobody gives them a client."""
    import httpx

    yield httpx
    with suppress(ImportError):
        yield import_module("httpx2")


def _replace(owner: type, name: str, guard: Callable[[Any], Any]) -> None:
    setattr(owner, name, guard(getattr(owner, name)))


def _guard_async(http: ModuleType, send: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    @wraps(send)
    async def guarded(client: Any, request: Any, **options: Any) -> Any:
        _inspect(request)
        wants_stream = options.get("stream", False)
        options |= {"follow_redirects": False, "stream": True}
        proxy = _way(str(request.url))
        request.extensions |= socks.extensions(proxy)
        try:
            response = _final(await send(client, request, **options))
        except Exception as error:
            if failure := _failure(error, proxy, request.url.host):
                raise failure from error
            raise
        if response.status_code == _SIGN_IN and proxy is not None:
            await response.aclose()
            raise wants_sign_in(proxy, str(_SIGN_IN))
        if policy := _policy.get():
            watch = policy.watch if wants_stream else None
            bodies.bound(http, response, longest_line(policy.reply_bytes), watch)
        if not wants_stream:
            await response.aread()
        return response

    return guarded


def _guard_sync(http: ModuleType, send: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(send)
    def guarded(client: Any, request: Any, **options: Any) -> Any:
        _inspect(request)
        proxy = _way(str(request.url))
        request.extensions |= socks.extensions(proxy, synchronous=True)
        try:
            response = _final(send(client, request, **options | {"follow_redirects": False}))
        except Exception as error:
            if failure := _failure(error, proxy, request.url.host):
                raise failure from error
            raise
        if response.status_code == _SIGN_IN and proxy is not None:
            response.close()
            raise wants_sign_in(proxy, str(_SIGN_IN))
        policy = _policy.get()
        if policy is not None and options.get("stream", False):
            longest = longest_line(policy.reply_bytes)
            bodies.bound_sync(http, response, longest, policy.watch)
        return response

    return guarded


def _guard_aiohttp(request: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    @wraps(request)
    async def guarded(session: Any, method: str, url: Any, **options: Any) -> Any:
        policy = _policy.get()
        if policy is not None:
            _check(policy, str(url), dict(options.get("headers") or {}))
        return await request(session, method, url, **options | {"allow_redirects": False})

    return guarded


def _way(url: str) -> Proxy | None:
    """The proxy that a request in work goes through. Raises ``OnTheWayError`` where the way
    cannot be taken."""
    import httpx

    policy, target = _policy.get(), httpx.URL(url)
    return None if policy is None else policy.way.check(target.scheme, target.host)


def _failure(error: Exception, proxy: Proxy | None, host: str) -> OnTheWayError | None:
    policy = _policy.get()
    return None if policy is None else policy.way.failure(error, proxy, host)


def _final(response: Any) -> Any:
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


def _check(policy: Policy, url: str, headers: Mapping[str, str]) -> None:
    import httpx

    target = httpx.URL(url)
    where = target.netloc.decode("ascii")
    hint = f"Check {policy.source}."
    carried = "\n".join([url, *(str(value) for value in headers.values())])
    if policy.api_base is None:
        _check_service(policy, target.host, carried)
    else:
        if _origin(target) != _origin(httpx.URL(policy.api_base)):
            raise NotSentError(f"A request to {where} was not sent: it is not api_base.", hint)
        others = carried.replace(policy.api_key, "") if policy.api_key else carried
        if any(key in others for key in policy.secrets):
            raise NotSentError(f"A key of another service was not sent to {where}.", hint)
    in_the_clear = target.scheme != "https" and not is_loopback(target.host)
    if in_the_clear and any(key in carried for key in policy.secrets):
        message = f"A key was not sent to {where} over plain {target.scheme}."
        raise NotSentError(message, hint)


def _check_service(policy: Policy, host: str, carried: str) -> None:
    """Where litellm knows no address, or no key, of a service, it takes OpenAI's."""
    if host == _OPENAI and "openai" not in policy.provider:
        raise NotSentError(
            f"The message was not sent: no address is set for {policy.provider}.",
            "Set [provider] api_base, for example to http://127.0.0.1:1234/v1.",
        )
    for key, variable in policy.foreign.items():
        if key in carried:
            raise NotSentError(
                f"The key in {variable} was not sent to {host}: it belongs to another service.",
                f"Set the key of {policy.provider} and start agno-shell again.",
            )


def _origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    """Scheme, host and port, each in the one form that httpx brings them into."""
    return url.scheme, url.raw_host, url.port

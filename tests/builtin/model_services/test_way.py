"""The way to a server: proxies, TLS, a company's own certificates. All of it real, on
loopback, and strict."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import os
import socket
import ssl
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
import trustme

from agno_shell.builtin.direct_provider.client import Client
from agno_shell.builtin.direct_provider.provider import DirectProvider
from agno_shell.builtin.litellm_provider import http_guard
from agno_shell.builtin.litellm_provider.http_guard import Policy
from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.builtin.model_services.limits import Limits
from agno_shell.builtin.model_services.redact import HIDDEN, Redactor, hidden
from agno_shell.builtin.model_services.way import OnTheWayError, Way
from agno_shell.contracts import Provider, ProviderOptions
from agno_shell.events import Failed, Finished, Request, UsageReported
from agno_shell.testing.model_server import ModelServer
from agno_shell.types import Message, new_id, now

_LONGEST_HEAD = 65536


class Listener:
    """A server on a free port of 127.0.0.1, in a thread of its own."""

    def __init__(
        self,
        serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._serve = serve
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port = 0

    def __enter__(self) -> Listener:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_error: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self) -> None:
        self._loop.run_until_complete(self._main())
        self._loop.close()

    async def _main(self) -> None:
        tasks: set[asyncio.Task[None]] = set()

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await self._serve(reader, writer)
            except (OSError, EOFError, asyncio.CancelledError):
                pass
            finally:
                tasks.discard(task)
                writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # The connections that they have closed are gone with the next turn of the loop.
        for _turn in range(3):
            await asyncio.sleep(0)
        await asyncio.sleep(0)


async def relay(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, first: bytes = b""
) -> None:
    """Everything in both directions between a client and a port of this machine."""
    there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
    there_writer.write(first)

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            while data := await source.read(65536):
                target.write(data)
                await target.drain()
            if target.can_write_eof():
                target.write_eof()

    try:
        both = [
            asyncio.ensure_future(copy(reader, there_writer)),
            asyncio.ensure_future(copy(there_reader, writer)),
        ]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait(both, timeout=1)
        for each in both:
            each.cancel()
    finally:
        there_writer.close()


@contextmanager
def tls_before(port: int, context: ssl.SSLContext) -> Iterator[int]:
    """TLS in front of a port; the port of it."""
    with Listener(lambda reader, writer: relay(reader, writer, port), context) as listener:
        yield listener.port


class HttpProxy:
    """RFC 9110's proxy: CONNECT for https, the absolute form for http.

    ``hosts`` maps the ``host:port`` of requests to ports of this machine, since nobody else
    knows these hosts; all others are refused with 502.
    """

    def __init__(self, hosts: Mapping[str, int], sign_in: str = "") -> None:
        self._hosts = hosts
        self._sign_in = sign_in
        self.asked: list[str] = []
        """The first line of each request."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head[:_LONGEST_HEAD].decode("latin-1").split("\r\n")
        self.asked.append(lines[0])
        method, target, _version = lines[0].split(" ")
        headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
        given = {name.lower(): value for name, value in headers.items()}
        expected = "Basic " + base64.b64encode(self._sign_in.encode()).decode()
        if self._sign_in and given.get("proxy-authorization") != expected:
            await _refuse(writer, "407 Proxy Authentication Required", "Proxy-Authenticate: Basic")
            return
        if method == "CONNECT":
            port, first = self._hosts.get(target), b""
        else:
            assert target.startswith("http://"), "the absolute form"
            host, _, path = target.removeprefix("http://").partition("/")
            port = self._hosts.get(host)
            kept = [line for line in lines[1:-2] if not line.lower().startswith("proxy-")]
            first = "\r\n".join([f"{method} /{path} HTTP/1.1", *kept, "", ""]).encode("latin-1")
        if port is None:
            await _refuse(writer, "502 Bad Gateway")
            return
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
        await relay(reader, writer, port, first)


async def _refuse(writer: asyncio.StreamWriter, status: str, *headers: str) -> None:
    lines = [f"HTTP/1.1 {status}", *headers, "Content-Length: 0", "Connection: close", "", ""]
    writer.write("\r\n".join(lines).encode())
    await writer.drain()


class SocksProxy:
    """RFC 1928 and, with ``sign_in``, RFC 1929. ``hosts`` as in :class:`HttpProxy`."""

    def __init__(self, hosts: Mapping[str, int], sign_in: str = "") -> None:
        self._hosts = hosts
        self._sign_in = sign_in
        self.asked: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        version, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        method = 2 if self._sign_in else 0
        if version != 5 or method not in methods:
            writer.write(b"\x05\xff")
            await writer.drain()
            return
        writer.write(bytes([5, method]))
        if self._sign_in:
            await reader.readexactly(1)
            user = await reader.readexactly((await reader.readexactly(1))[0])
            password = await reader.readexactly((await reader.readexactly(1))[0])
            right = f"{user.decode()}:{password.decode()}" == self._sign_in
            writer.write(bytes([1, 0 if right else 1]))
            if not right:
                await writer.drain()
                return
        _version, command, _reserved, kind = await reader.readexactly(4)
        assert (command, kind) == (1, 3), "connect, and by name: no name is looked up here"
        host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.asked.append(f"{host}:{port}")
        there = self._hosts.get(f"{host}:{port}")
        writer.write(bytes([5, 4 if there is None else 0, 0, 1, 0, 0, 0, 0, 0, 0]))
        await writer.drain()
        if there is not None:
            await relay(reader, writer, there)


# A model behind them ---------------------------------------------------------------------

HOST = "models.example.org"
"""Nobody but the proxies knows it, so what reaches the server went through one."""

OPENAI = "api.openai.com"

PROVIDERS: tuple[Callable[[ProviderOptions], Provider], ...] = (LitellmProvider, DirectProvider)

SIGN_IN = "fred:s3cret-word"


@pytest.fixture(scope="module")
def running_server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA(organization_name="Example Ltd.")


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file with the company's own authority."""
    path = tmp_path_factory.mktemp("authority") / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(scope="module")
def hosts(running_server: ModelServer, authority: trustme.CA) -> Iterator[dict[str, int]]:
    """The model server, as https and as http, by the names under which proxies know it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST, OPENAI).configure_cert(context)
    plain = running_server.port
    with tls_before(plain, context) as port:
        yield {f"{HOST}:443": port, f"{OPENAI}:443": port, f"{HOST}:80": plain, HOST: plain}


def clear(patch: pytest.MonkeyPatch) -> None:
    """Take out what the environment of the tests says of any way."""
    names = ["SSL_VERIFY", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
    kinds = ("http", "https", "all", "no")
    names += [f"{kind}_proxy" for kind in kinds] + [f"{kind}_PROXY".upper() for kind in kinds]
    for name in names:
        patch.delenv(name, raising=False)


MODELS = f"https://{HOST}/v1/models"


class ModelQuery(ABC):
    """One of the ways in which requests leave, in an environment that says where they pass."""

    @contextmanager
    def surrounded(self, **variables: str) -> Iterator[None]:
        """An environment of which only ``variables`` say anything."""
        with pytest.MonkeyPatch.context() as patch:
            clear(patch)
            for name, value in variables.items():
                patch.setenv(name, value)
            with self.begun(patch):
                yield

    @abstractmethod
    def begun(self, patch: pytest.MonkeyPatch) -> AbstractContextManager[None]:
        """What is read from the environment before the first request is read within."""

    @abstractmethod
    async def get(self, url: str = MODELS) -> int:
        """The status of an answer."""

    async def fails(self, url: str = MODELS) -> OnTheWayError:
        error = await asyncio.to_thread(self._failure, url)
        gc.collect()  # a connection left open fails this test, not a later one
        assert SIGN_IN.partition(":")[2] not in f"{error} {error.hint}"
        return error

    def _failure(self, url: str) -> OnTheWayError:
        """The error without anything that it came from, in a loop of its own."""
        try:
            asyncio.run(self.get(url))
        except OnTheWayError as error:
            return OnTheWayError(str(error), error.hint, temporary=error.temporary)
        pytest.fail("it was sent")


class UnderLitellm(ModelQuery):
    """Any client, and the gate below it."""

    @contextmanager
    def begun(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        for owner in (httpx.AsyncClient, httpx.Client):
            patch.setattr(owner, "send", owner.send)
        patch.setattr(aiohttp.ClientSession, "_request", aiohttp.ClientSession._request)
        way = Way.take(os.environ)
        http_guard.install()
        with http_guard.under(Policy(5.0, [], way=way)):
            yield

    async def get(self, url: str = MODELS) -> int:
        async with httpx.AsyncClient() as client:
            return (await client.get(url)).status_code


class Directly(ModelQuery):
    """The direct provider's client."""

    @contextmanager
    def begun(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        before = dict(os.environ)
        yield
        assert dict(os.environ) == before, "other programs are started with it"

    async def get(self, url: str = MODELS) -> int:
        client = Client(os.environ, Limits(connect=5.0))
        try:
            response = await client.post(
                url.replace("/v1/models", "/v1/chat/completions"), BODY, {}
            )
            await response.aclose()
        finally:
            await client.close()
        return response.status_code


BODY = b'{"model": "m", "messages": [{"role": "user", "content": "Hello"}]}'


@pytest.fixture(params=[UnderLitellm, Directly], ids=["litellm", "direct"])
def asking(request: pytest.FixtureRequest) -> ModelQuery:
    made: ModelQuery = request.param()
    return made


# Proxies ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "http", ""])
@pytest.mark.parametrize("variable", ["ALL_PROXY", "https_proxy"])
async def test_a_model_is_reached_through_a_proxy_of_every_kind(
    asking: ModelQuery, scheme: str, variable: str, hosts: dict[str, int], bundle: str
) -> None:
    proxy = SocksProxy(hosts, SIGN_IN) if "socks" in scheme else HttpProxy(hosts, SIGN_IN)
    with Listener(proxy.serve) as listener:
        url = f"{scheme}://" * bool(scheme) + f"{SIGN_IN}@127.0.0.1:{listener.port}"
        with asking.surrounded(**{variable: url, "REQUESTS_CA_BUNDLE": bundle}):
            assert await asking.get() == 200
    assert len(proxy.asked) == 1


async def test_plain_http_goes_through_one_as_well(
    asking: ModelQuery, hosts: dict[str, int]
) -> None:
    proxy = HttpProxy(hosts, SIGN_IN)
    with Listener(proxy.serve) as listener:
        with asking.surrounded(HTTP_PROXY=f"http://{SIGN_IN}@127.0.0.1:{listener.port}"):
            assert await asking.get(f"http://{HOST}/v1/models") == 200
        with asking.surrounded(HTTP_PROXY=f"http://127.0.0.1:{listener.port}"):
            error = await asking.fails(f"http://{HOST}/v1/models")
    assert "which HTTP_PROXY names, wants a user name and a password (407)" in str(error)


@pytest.mark.parametrize("socks", [False, True])
@pytest.mark.parametrize("given", ["", "fred:wrong@"])
async def test_one_that_wants_another_password_names_itself_and_its_variable(
    asking: ModelQuery, given: str, socks: bool, hosts: dict[str, int]
) -> None:
    proxy = SocksProxy(hosts, SIGN_IN) if socks else HttpProxy(hosts, SIGN_IN)
    with Listener(proxy.serve) as listener:
        where = f"127.0.0.1:{listener.port}"
        scheme = "socks5" if socks else "http"
        with asking.surrounded(HTTPS_PROXY=f"{scheme}://{given}{where}"):
            error = await asking.fails()
    assert where in str(error)
    assert "HTTPS_PROXY" in str(error)
    assert "user name and" in str(error)
    assert "wrong" not in f"{error} {error.hint}"
    assert not error.temporary


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_one_that_is_not_there_is_named_with_its_variable(
    asking: ModelQuery, scheme: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with asking.surrounded(ALL_PROXY=f"{scheme}://{SIGN_IN}@127.0.0.1:{port}"):
        error = await asking.fails()
    assert str(error) == (
        f"No connection to the proxy 127.0.0.1:{port}, which ALL_PROXY names: it was refused."
    )
    assert error.hint == f"Start it, or correct ALL_PROXY. Or put {HOST} into NO_PROXY."
    assert error.temporary


@pytest.mark.parametrize("socks", [False, True])
async def test_one_that_does_not_get_on_says_where(asking: ModelQuery, socks: bool) -> None:
    proxy = SocksProxy({}) if socks else HttpProxy({})
    with Listener(proxy.serve) as listener:
        where = f"127.0.0.1:{listener.port}"
        with asking.surrounded(HTTPS_PROXY=f"{'socks5' if socks else 'http'}://{where}"):
            error = await asking.fails()
    assert str(error).startswith(
        f"The proxy {where}, which HTTPS_PROXY names, did not connect to {HOST}: "
    )


async def test_what_is_no_proxy_is_named(asking: ModelQuery, hosts: dict[str, int]) -> None:
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org ESMTP\r\n")
        await writer.drain()

    for scheme in ("http", "socks5"):
        with (
            Listener(babble) as listener,
            asking.surrounded(HTTPS_PROXY=f"{scheme}://127.0.0.1:{listener.port}"),
        ):
            assert "which HTTPS_PROXY names" in str(await asking.fails())


@pytest.mark.parametrize(
    "value",
    [
        f"htp://{SIGN_IN}@127.0.0.1:1",
        "socks4://127.0.0.1:1",
        f"http://{SIGN_IN}@127.0.0.1:port",
        "http://[::1",
        "http://",
        f"http://{SIGN_IN}@proxy example.org",
    ],
)
async def test_a_malformed_one_is_named_and_nothing_is_sent_past_it(
    asking: ModelQuery, value: str, hosts: dict[str, int], bundle: str
) -> None:
    with asking.surrounded(HTTPS_PROXY=value, REQUESTS_CA_BUNDLE=bundle):
        error = await asking.fails()
        assert str(error).startswith("The proxy in HTTPS_PROXY cannot be used: ")
        assert "socks5://127.0.0.1:1080" in error.hint
        # It is in nobody's way who does not go through it.
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.close()
            with pytest.raises(httpx.ConnectError):
                await asking.get(f"http://127.0.0.1:{server.fileno() + 9}/")


def test_passwords_of_proxies_are_secrets_in_every_form() -> None:
    environ = {"HTTPS_PROXY": "http://fred:s3cret%2Fword@127.0.0.1:1", "no_proxy": "localhost"}
    redactor = Redactor(hidden(environ))
    encoded = base64.b64encode(b"fred:s3cret/word").decode()
    said = redactor.redact(f"s3cret%2Fword s3cret/word {encoded} http://127.0.0.1:1")
    assert said == f"{HIDDEN} {HIDDEN} {HIDDEN} http://127.0.0.1:1"


# Certificates ----------------------------------------------------------------------------


@pytest.fixture
def through(hosts: dict[str, int]) -> Iterator[str]:
    with Listener(HttpProxy(hosts).serve) as listener:
        yield f"http://127.0.0.1:{listener.port}"


@pytest.mark.parametrize(
    "variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_VERIFY"]
)
async def test_a_companys_own_authority_is_taken_from_every_variable(
    asking: ModelQuery, variable: str, through: str, bundle: str
) -> None:
    with asking.surrounded(HTTPS_PROXY=through, **{variable: bundle}):
        assert await asking.get() == 200


async def test_a_certificate_of_nobody_known_says_what_decides(
    asking: ModelQuery, through: str, tmp_path: Path
) -> None:
    with asking.surrounded(HTTPS_PROXY=through):
        error = await asking.fails()
    assert str(error) == f"No safe connection to {HOST}: its certificate was not accepted."
    assert "SSL_CERT_FILE names a company's own." in error.hint
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with asking.surrounded(HTTPS_PROXY=through, REQUESTS_CA_BUNDLE=str(other)):
        error = await asking.fails()
    assert f"REQUESTS_CA_BUNDLE says which are: those of {other}." in str(error)


@pytest.mark.parametrize("kind", ["missing", "empty", "no certificate", "folder"])
async def test_a_wrong_file_is_named_and_nobody_is_asked(
    asking: ModelQuery, kind: str, through: str, tmp_path: Path, running_server: ModelServer
) -> None:
    file = tmp_path / "authority.pem"
    if kind == "folder":
        file.mkdir()
    elif kind != "missing":
        file.write_text("" if kind == "empty" else "Dear reader,\n")
    with asking.surrounded(HTTPS_PROXY=through, REQUESTS_CA_BUNDLE=str(file)):
        error = await asking.fails()
        assert await asking.get(f"{running_server.base_url}/models") == 200, (
            "no certificate is needed"
        )
    assert str(error).startswith(f"REQUESTS_CA_BUNDLE names {file}, which cannot be used: ")


@pytest.mark.parametrize(
    ("value", "said"), [("False", True), ("false", True), ("True", False), ("", False)]
)
def test_certificates_that_are_not_checked_are_said_aloud(
    value: str, said: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_VERIFY", value)
    for provider in PROVIDERS:
        cautions = provider(ProviderOptions()).cautions()
        assert bool(cautions) == said
        assert all("SSL_VERIFY is false" in each for each in cautions)


# The same through each provider ----------------------------------------------------------------


async def cost_at_openai(provider: Provider, server: ModelServer) -> float | None:
    """What a reply costs at the address of the service itself, where its prices hold."""
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    server.reply("x", usage=usage | {"prompt_tokens_details": {"cached_tokens": 90}})
    request = Request("gpt-4o-mini", (Message(new_id(), "user", "Hello", now()),))
    events = [event async for event in provider.stream(request)]
    (cost,) = [event.usage.cost for event in events if isinstance(event, UsageReported)]
    assert "sk-fake-key-0000" in server.requests[-1].headers["authorization"]
    return cost


@pytest.mark.parametrize(
    ("make", "scheme"),
    [
        (LitellmProvider, "http"),
        # Another model process, which takes seconds to start.
        pytest.param(LitellmProvider, "socks5", marks=pytest.mark.slow),
        (DirectProvider, "http"),
        (DirectProvider, "socks5"),
    ],
)
async def test_a_provider_takes_the_same_way(
    make: type[Provider],
    scheme: str,
    hosts: dict[str, int],
    bundle: str,
    tmp_path: Path,
    running_server: ModelServer,
) -> None:
    proxy = HttpProxy(hosts, SIGN_IN) if scheme == "http" else SocksProxy(hosts, SIGN_IN)
    running_server.forget()
    log = tmp_path / "provider.log"
    with Listener(proxy.serve) as listener, pytest.MonkeyPatch.context() as patch:
        clear(patch)
        patch.setenv("ALL_PROXY", f"{scheme}://{SIGN_IN}@127.0.0.1:{listener.port}")
        patch.setenv("REQUESTS_CA_BUNDLE", bundle)
        patch.setenv("OPENAI_API_KEY", "sk-fake-key-0000")
        for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE"):
            patch.delenv(name, raising=False)
        provider = make(ProviderOptions(log=str(log)))  # type: ignore[call-arg]
        await provider.start()
        assert await cost_at_openai(provider, running_server) == pytest.approx(
            # Per million: 0.15 $ what is read, half of it from the cache, 0.6 $ what is said.
            (10 * 0.15 + 90 * 0.075 + 20 * 0.6) / 1e6
        )
        failures = []
        for host in (HOST, "other.example.org"):
            message = Message(new_id(), "user", "Hello", now())
            request = Request("openai/test-model", (message,), api_base=f"https://{host}/v1")
            events = [event async for event in provider.stream(request)]
            failures += [event for event in events if isinstance(event, Failed)]
            if host == HOST:
                assert isinstance(events[-1], Finished), events[-1]
    # The proxy has gone by now.
    events = [event async for event in provider.stream(request)]
    failures += [event for event in events if isinstance(event, Failed)]
    await provider.close()
    named = f"proxy 127.0.0.1:{listener.port}, which ALL_PROXY names"
    assert len(failures) == 2
    assert f"{named}, did not connect to other.example.org" in failures[0].message
    assert failures[1].message == f"No connection to the {named}: it was refused."
    told = "".join(each.sentence() for each in failures) + (log.read_text() if log.exists() else "")
    assert SIGN_IN.partition(":")[2] not in told

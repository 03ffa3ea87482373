"""The gate under every HTTP client, with the clients themselves."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import aiohttp
import httpx
import pytest

from agno_shell.builtin.litellm_provider import http_guard
from agno_shell.builtin.litellm_provider.http_guard import NotSentError, Policy
from agno_shell.builtin.litellm_provider.wire_watch import WireWatch
from agno_shell.builtin.model_services.wires.framing import DamagedError, LineTooLongError
from agno_shell.testing.model_server import ModelServer

try:
    import httpx2
except ImportError:  # only newer client libraries bring it
    httpx2 = None  # type: ignore[assignment]

KEY = "fake-key-0000"
BODY = {"messages": [{"role": "user", "content": "Hello"}]}


HTTP = [httpx, *([httpx2] if httpx2 else [])]
"""The libraries of which one or the other is below a client library."""


@pytest.fixture(params=HTTP, ids=lambda library: library.__name__)
def http(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(autouse=True)
def guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate, for the length of one test."""
    clients = [(client, "send") for each in HTTP for client in (each.AsyncClient, each.Client)]
    for owner, name in (*clients, (aiohttp.ClientSession, "_request")):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    http_guard.install()


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def elsewhere() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


def chat(server: ModelServer) -> str:
    return f"{server.base_url}/chat/completions"


async def test_httpx_follows_no_redirect(
    http: Any, server: ModelServer, elsewhere: ModelServer
) -> None:
    server.redirect(chat(elsewhere))
    async with http.AsyncClient(follow_redirects=True) as client:
        response = await client.post(chat(server), json=BODY)
    assert response.status_code == 307
    assert response.next_request is None
    assert elsewhere.requests == []


def test_httpx_follows_none_without_asyncio_either(
    http: Any, server: ModelServer, elsewhere: ModelServer
) -> None:
    server.redirect(chat(elsewhere))
    with http.Client(follow_redirects=True) as client:
        assert client.post(chat(server), json=BODY).status_code == 307
    assert elsewhere.requests == []


async def test_aiohttp_follows_no_redirect(server: ModelServer, elsewhere: ModelServer) -> None:
    server.redirect(chat(elsewhere))
    async with (
        aiohttp.ClientSession() as session,
        session.post(chat(server), json=BODY, allow_redirects=True) as response,
    ):
        assert response.status == 307
    assert elsewhere.requests == []


async def post(url: str, policy: Policy, http: Any = httpx, **headers: str) -> None:
    with http_guard.under(policy):
        async with http.AsyncClient() as client:
            await client.post(url, json=BODY, headers=headers)


async def test_another_host_than_api_base_is_not_asked(
    server: ModelServer, elsewhere: ModelServer
) -> None:
    policy = Policy(1.0, [KEY], server.base_url, KEY)
    with pytest.raises(NotSentError, match="not api_base"):
        await post(chat(elsewhere), policy)
    await post(chat(server), policy, authorization=f"Bearer {KEY}")
    assert len(server.requests) == 1
    assert elsewhere.requests == []


async def test_another_services_key_does_not_go_to_api_base(server: ModelServer) -> None:
    policy = Policy(1.0, [KEY], server.base_url, "no-key")
    with pytest.raises(NotSentError, match="key of another service"):
        await post(chat(server), policy, authorization=f"Bearer {KEY}")
    assert server.requests == []


async def test_no_key_travels_over_plain_http(http: Any) -> None:
    with pytest.raises(NotSentError, match="plain http"):
        await post("http://models.example.org/", Policy(1.0, [KEY]), http, authorization=KEY)


async def test_account_names_do_not_go_to_api_base(server: ModelServer) -> None:
    policy = Policy(1.0, [], server.base_url, None)
    await post(chat(server), policy, **{"OpenAI-Organization": "org-fake"})
    assert "openai-organization" not in server.requests[0].headers


async def test_the_limit_on_connecting_reaches_the_transport() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    with http_guard.under(Policy(1.5, [])):
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer), timeout=99) as client:
            await client.get("https://models.example.org/")
    assert seen[0].extensions["timeout"]["connect"] == 1.5
    assert seen[0].extensions["timeout"]["read"] == 99


async def test_a_services_key_does_not_go_to_another_service(server: ModelServer) -> None:
    policy = Policy(1.0, [KEY], provider="cerebras", foreign={KEY: "OPENAI_API_KEY"})
    with pytest.raises(NotSentError, match="OPENAI_API_KEY was not sent") as raised:
        await post(chat(server), policy, authorization=f"Bearer {KEY}")
    assert raised.value.hint == "Set the key of cerebras and start agno-shell again."
    assert server.requests == []


async def test_what_is_meant_for_a_local_server_does_not_go_to_openai() -> None:
    with pytest.raises(NotSentError, match="no address is set for lm_studio"):
        await post(
            "https://api.openai.com/v1/chat/completions", Policy(1.0, [], provider="lm_studio")
        )


@pytest.mark.parametrize(
    ("api_base", "url"),
    [
        ("HTTPS://Models.Example.org/v1", "https://models.example.org/v1/x"),
        ("https://models.example.org:443/v1", "https://models.example.org/v1/x"),
        ("https://münchen.example/v1", "https://xn--mnchen-3ya.example/v1/x"),
    ],
)
async def test_one_address_in_two_spellings_is_one_address(api_base: str, url: str) -> None:
    transport = httpx.MockTransport(lambda _request: httpx.Response(200))
    with http_guard.under(Policy(1.0, [], api_base)):
        async with httpx.AsyncClient(transport=transport) as client:
            assert (await client.get(url)).status_code == 200


async def test_a_key_that_begins_with_another_one_may_go(server: ModelServer) -> None:
    policy = Policy(1.0, [KEY, f"{KEY}-long"], server.base_url, f"{KEY}-long")
    await post(chat(server), policy, authorization=f"Bearer {KEY}-long")
    assert len(server.requests) == 1


WIDE = Policy(10.0, [], reply_bytes=1000)


async def lines(server: ModelServer, policy: Policy = WIDE) -> list[str]:
    with http_guard.under(policy):
        async with (
            httpx.AsyncClient() as client,
            client.stream("POST", chat(server), json=BODY | {"stream": True}) as response,
        ):
            return [line async for line in response.aiter_lines()]


async def test_an_error_without_an_end_is_read_up_to_a_limit(server: ModelServer) -> None:
    server.endless_error()
    with http_guard.under(WIDE):
        async with httpx.AsyncClient() as client:
            response = await client.post(chat(server), json=BODY)
    assert response.status_code == 500
    assert len(response.content) == 65_536
    assert server.wait_for_disconnect(), "nothing more is taken"


async def test_a_line_too_long_to_be_kept_is_refused(server: ModelServer) -> None:
    server.huge_line(20_000_000)
    with pytest.raises(LineTooLongError, match=r"a line of more than 1,054,576 bytes"):
        await lines(server)


async def test_a_long_reply_of_short_lines_is_read_to_its_end(server: ModelServer) -> None:
    server.reply(["x" * 60_000] * 50)
    read = await lines(server)
    assert sum(map(len, read)) > 3_000_000
    assert read[-2] == "data: [DONE]"


async def test_what_is_not_streamed_comes_whole(server: ModelServer) -> None:
    with http_guard.under(WIDE):
        async with httpx.AsyncClient() as client:
            response = await client.post(chat(server), json=BODY)
    assert response.json()["choices"][0]["message"]["content"].startswith("You said: Hello")


# Streamed replies ---------------------------------------------------------------------------

CHUNK = b'data: {"choices": [{"delta": {"content": "\xc3\xbc"}, "finish_reason": "stop"}]}\n\n'
PLAIN = CHUNK.replace(b"\xc3\xbc", b"\\u00fc")
BODY_OF_REPLY = b"\xef\xbb\xbfretry: 5\n\n: ping\n\n" + CHUNK + b"data: [DONE]\n\ndata: {bro\n\n"


def stream(exchange: Any, body: bytes, encoding: str = "identity") -> Any:
    headers = {"Content-Type": "text/event-stream", "Content-Encoding": encoding}
    return exchange.respond(200, body, headers)


async def read_reply(http: Any, server: ModelServer, watch: WireWatch) -> bytes:
    with http_guard.under(Policy(10.0, [], watch=watch)):
        async with (
            http.AsyncClient() as client,
            client.stream("POST", chat(server), json=BODY) as response,
        ):
            return b"".join([piece async for piece in response.aiter_bytes()])


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_streamed_reply_is_read_here_first(
    http: Any, server: ModelServer, encoding: str
) -> None:
    body = gzip.compress(BODY_OF_REPLY) if encoding == "gzip" else BODY_OF_REPLY
    server.plan(lambda exchange: stream(exchange, body, encoding))
    watch = WireWatch()
    assert await read_reply(http, server, watch) == PLAIN + b"data: [DONE]\n\n"
    assert watch.is_exact
    assert (watch.reason, watch.trouble) == ("stop", None)


def test_a_streamed_reply_is_read_here_first_without_asyncio_too(
    http: Any, server: ModelServer
) -> None:
    server.plan(lambda exchange: stream(exchange, BODY_OF_REPLY))
    watch = WireWatch()
    with (
        http_guard.under(Policy(10.0, [], watch=watch)),
        http.Client() as client,
        client.stream("POST", chat(server), json=BODY) as response,
    ):
        assert b"".join(response.iter_bytes()) == PLAIN + b"data: [DONE]\n\n"
    assert watch.reason == "stop"


async def test_damage_in_a_streamed_reply_is_raised_and_remembered(
    http: Any, server: ModelServer
) -> None:
    server.plan(lambda exchange: stream(exchange, b"data: {bro\n\n" + BODY_OF_REPLY))
    watch = WireWatch()
    with pytest.raises(DamagedError):
        await read_reply(http, server, watch)
    assert watch.trouble is not None


async def test_a_reply_that_breaks_behind_its_end_is_whole(http: Any, server: ModelServer) -> None:
    async def answer(exchange: Any) -> None:
        exchange.begin_stream()
        exchange.send(CHUNK)
        exchange.send(b"data: [DONE]\n\n")
        await exchange.break_off()

    server.plan(answer)
    watch = WireWatch()
    assert await read_reply(http, server, watch) == PLAIN + b"data: [DONE]\n\n"
    assert watch.reason == "stop"


async def test_the_last_answer_counts(http: Any, server: ModelServer) -> None:
    """A request may be sent again in another form."""
    watch = WireWatch()
    server.plan(lambda exchange: stream(exchange, CHUNK))
    await read_reply(http, server, watch)
    server.plan(lambda exchange: stream(exchange, b": nothing\n\n"))
    await read_reply(http, server, watch)
    assert watch.is_cut

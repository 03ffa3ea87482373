"""Servers that are asked over HTTP, made with the SDK, on this machine."""

from __future__ import annotations

import asyncio
import threading

import pytest
from agno_shell_mcp import connection
from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from agno_shell import AgnoShellError

PIXEL = bytes(12_345)


class TrialServer:
    """A server with a tool for each thing that can happen."""

    def __init__(self) -> None:
        self.server = MCPServer("lab", log_level="CRITICAL")
        self.begun, self.stopped = threading.Event(), threading.Event()
        for tool in (self.echo, self.fail, self.slow, self.large, self.picture, self.learn):
            self.server.tool()(tool)

    @property
    def app(self):
        return self.server.streamable_http_app()

    def echo(self, text: str) -> str:
        """Says it again."""
        return text

    def fail(self) -> str:
        raise ToolError("the cupboard is bare")

    async def slow(self) -> str:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.stopped.set()
        return ""

    def large(self, size: int) -> str:
        return "ß" * size

    def picture(self) -> list[Image | str]:
        return ["before", Image(data=PIXEL, format="png"), "after"]

    async def learn(self, context: Context) -> str:
        self.server.add_tool(lambda: "learnt", name="new", description="Something new.")
        await context.notify_tools_changed()
        return "done"


@pytest.fixture
def lab() -> TrialServer:
    return TrialServer()


@pytest.fixture
def url(lab, serve) -> str:
    return serve(lab.app).url


async def test_tools_are_listed_and_called(make_box, tools_of, url):
    box = make_box({"lab": {"url": url}})
    tools = await tools_of(box)
    assert box.problems() == []
    assert tools["lab_echo"].schema.description == "Says it again."
    assert tools["lab_echo"].source == "the MCP server 'lab'"
    assert tools["lab_echo"].schema.parameters["properties"]["text"]["type"] == "string"
    assert await tools["lab_echo"].run({"text": "größer 👋\n\x1b[2J"}) == "größer 👋\n\x1b[2J"
    assert await tools["lab_echo"].run({"text": ""}) == ""


async def test_a_tool_that_fails_says_why(make_box, tools_of, url):
    tools = await tools_of(make_box({"lab": {"url": url}}))
    with pytest.raises(AgnoShellError, match="the cupboard is bare"):
        await tools["lab_fail"].run({})
    assert await tools["lab_echo"].run({"text": "still here"}) == "still here"


async def test_what_is_no_text_is_named_in_a_line(make_box, tools_of, url):
    tools = await tools_of(make_box({"lab": {"url": url}}))
    assert (await tools["lab_picture"].run({})).split("\n") == [
        "before",
        "[image, image/png, 12.3 kB, left out]",
        "after",
    ]


async def test_stopping_a_call_stops_the_tool(make_box, tools_of, url, lab, eventually):
    tools = await tools_of(make_box({"lab": {"url": url}}))
    call = asyncio.create_task(tools["lab_slow"].run({}))
    await eventually(lab.begun.is_set)
    assert await tools["lab_echo"].run({"text": "beside it"}) == "beside it"
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await eventually(lab.stopped.is_set)
    assert await tools["lab_echo"].run({"text": "after it"}) == "after it"


async def test_large_results_come_whole_and_endless_ones_are_an_error(make_box, tools_of, url):
    tools = await tools_of(make_box({"lab": {"url": url}}))
    assert len(await tools["lab_large"].run({"size": 200_000})) == 200_000
    tools = await tools_of(make_box({"lab": {"url": url, "message_bytes": 100_000}}))
    with pytest.raises(AgnoShellError, match="longer than"):
        await tools["lab_large"].run({"size": 200_000})
    assert await tools["lab_echo"].run({"text": "still here"}) == "still here"


async def test_a_tool_that_is_new_is_there_with_the_next_turn(make_box, tools_of, url, eventually):
    box = make_box({"lab": {"url": url}})
    tools = await tools_of(box)
    assert "lab_new" not in tools
    await tools["lab_learn"].run({})
    [server] = box._connections
    await eventually(lambda: server._stale)
    tools = await tools_of(box)
    assert await tools["lab_new"].run({}) == "learnt"


async def test_a_server_that_was_away_is_found_again(make_box, tools_of, lab, serve, monkeypatch):
    monkeypatch.setattr(connection, "PAUSE", 0)
    served = serve(lab.app)
    box = make_box({"lab": {"url": served.url}})
    tools = await tools_of(box)
    served.stop()
    with pytest.raises(AgnoShellError, match="The MCP server 'lab'"):
        await tools["lab_echo"].run({"text": "hello?"})
    assert await tools_of(box) == {}
    assert "its address could not be reached" in box.problems()[0]
    serve(TrialServer().app, served.port)
    tools = await tools_of(box)
    assert box.problems() == []
    assert await tools["lab_echo"].run({"text": "back"}) == "back"


async def test_one_that_cannot_be_reached_costs_its_own_tools_only(make_box, tools_of, url, serve):
    gone = serve(TrialServer().app)
    gone.stop()
    box = make_box({"gone": {"url": gone.url}, "lab": {"url": url}})
    assert "lab_echo" in await tools_of(box)
    assert box.problems()[0].startswith("The MCP server 'gone' did not start: its address could")


# Keys and addresses ---------------------------------------------------------------------------


class FixedAnswer:
    """Answers everything in the same way, and keeps the path and the headers of what was
    asked."""

    def __init__(self, status: int, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        self.status, self.headers = status, headers
        self.seen: list[dict[bytes, bytes]] = []
        self.gate: asyncio.Event | None = None

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            return
        self.seen.append({b":path": scope["raw_path"], **dict(scope["headers"])})
        if self.gate:
            await self.gate.wait()
        start = {"type": "http.response.start", "status": self.status, "headers": self.headers}
        await send(start)
        await send({"type": "http.response.body", "body": b"<html>\x1b[2J</html>"})


async def test_a_key_goes_to_its_server_and_never_after_a_redirect(
    make_box, tools_of, serve, monkeypatch
):
    monkeypatch.setenv("HER_TOKEN", "token-fake-1111")
    other = FixedAnswer(200)
    elsewhere = serve(other)
    first = FixedAnswer(307, ((b"location", elsewhere.url.encode()),))
    served = serve(first)
    same = FixedAnswer(307, ((b"location", b"/elsewhere"),))
    box = make_box(
        {
            "a": {"url": served.url, "headers_env": {"Authorization": "HER_TOKEN"}},
            "b": {"url": serve(same).url, "headers_env": {"X-Key": "HER_TOKEN"}},
        }
    )
    assert await tools_of(box) == {}
    assert first.seen[0][b"authorization"] == b"Bearer token-fake-1111"
    assert {each.get(b"x-key") for each in same.seen} == {b"token-fake-1111"}
    assert {each[b":path"] for each in same.seen} == {b"/mcp"}
    assert other.seen == []
    assert f"Redirect to {elsewhere.url} not followed" in box.problems()[0]
    assert "elsewhere not followed" in box.problems()[1]
    assert "token-fake" not in " ".join(box.problems())


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
async def test_a_server_that_refuses_is_named_with_its_status(make_box, tools_of, serve, status):
    box = make_box({"a": {"url": serve(FixedAnswer(status)).url}})
    assert await tools_of(box) == {}
    assert f"(HTTP {status})" in box.problems()[0]
    assert "\x1b" not in box.problems()[0]


async def test_a_page_in_place_of_an_answer(make_box, tools_of, serve):
    html = FixedAnswer(200, ((b"content-type", b"text/html"),))
    box = make_box({"a": {"url": serve(html).url}})
    assert await tools_of(box) == {}
    assert "Unexpected content type: text/html" in box.problems()[0]


async def test_a_server_that_never_answers_holds_nobody_up(make_box, tools_of, serve, monkeypatch):
    monkeypatch.setattr(connection, "PATIENCE", 0.05)
    mute = FixedAnswer(200)
    mute.gate = asyncio.Event()
    box = make_box({"a": {"url": serve(mute).url}})
    assert await tools_of(box) == {}
    assert "is still starting" in box.problems()[0]
    [server] = box._connections
    await box.close()
    assert server._serving.done()


async def test_a_proxy_never_sees_what_stays_on_this_machine(
    make_box, tools_of, url, serve, monkeypatch
):
    proxy = FixedAnswer(200)
    monkeypatch.setenv("HTTP_PROXY", serve(proxy).url)
    monkeypatch.setenv("ALL_PROXY", serve(proxy).url)
    assert "lab_echo" in await tools_of(make_box({"lab": {"url": url}}))
    assert proxy.seen == []

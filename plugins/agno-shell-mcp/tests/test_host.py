"""The process of the servers, as the shell has it."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from agno_shell import AgnoShellError


async def test_tools_are_listed_and_called_across_the_process(
    make_far_box, plain_server, tools_of, log, capfd
):
    bad = {"command": "no-such-program-anywhere"}
    box = make_far_box({"good": plain_server("noise"), "bad": bad})
    tools = await tools_of(box)
    assert list(tools) == ["good_echo", "good_crash", "good_more"]
    assert tools["good_echo"].source == "the MCP server 'good'"
    assert "{'größe': [1]}" in await tools["good_echo"].run({"größe": [1]})
    with pytest.raises(AgnoShellError, match="The MCP server 'good' was lost during the call"):
        await tools["good_crash"].run({})
    problem, where = box.problems()
    assert problem.startswith("The MCP server 'bad' did not start: No such file or directory")
    assert where == f"The log is {log}."
    await box.close()
    assert "a complaint" in log.read_text()
    assert capfd.readouterr() == ("", "")


async def test_the_process_has_no_key_and_no_terminal(make_far_box, plain_server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-fake-0000")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    box = make_far_box({"a": plain_server()})
    await box.tools()
    pid = box._host._process.pid
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            environ = file.read()
    except OSError:
        pytest.skip("this system does not say what a process was started with")
    assert b"sk-fake-0000" not in environ
    assert b"HTTPS_PROXY" in environ
    assert os.getsid(pid) == pid


async def test_a_process_that_dies_costs_its_calls_and_is_started_again(
    make_far_box, plain_server, tools_of
):
    box = make_far_box({"a": plain_server("mute")})
    asking = asyncio.ensure_future(box.tools())
    while box._host is None:
        await asyncio.sleep(0.001)
    os.kill(box._host._process.pid, signal.SIGKILL)
    with pytest.raises(AgnoShellError, match="has ended unexpectedly"):
        await asking
    box._servers = [box._servers[0]._replace(where=_without_modes(box._servers[0].where))]
    assert "a_echo" in await tools_of(box)


def _without_modes(where):
    return where._replace(args=where.args[:1])


async def test_a_call_that_is_cancelled_is_cancelled_there(make_far_box, tools_of, hostile):
    tools = await tools_of(make_far_box({"h": hostile("deaf")}))
    calling = asyncio.ensure_future(tools["h_go"].run({}))
    await asyncio.sleep(0.05)
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)
    assert calling.cancelled()


async def test_a_box_without_servers_starts_nothing(make_far_box):
    box = make_far_box({})
    assert await box.tools() == []
    assert box._host is None

"""Servers that are programs, spoken to over their input and output."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest
from agno_shell_mcp import connection, program

from agno_shell import AgnoShellError

SDK_SERVER = """
import os, sys
from mcp.server.mcpserver import MCPServer

server = MCPServer("greeter", log_level="ERROR")

@server.tool()
def greet(name: str) -> str:
    "Greets a user."
    print("a user is greeted", file=sys.stderr)
    return f"Grüße, {name} 👋"

@server.tool()
def surroundings() -> list[str]:
    return [os.getcwd(), str(os.getsid(0) == os.getpid()), *sorted(os.environ)]

server.run()
"""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def pid_of(tool) -> int:
    return int((await tool.run({})).split()[0])


async def test_a_server_made_with_the_sdk(make_box, tools_of, tmp_path, log, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-fake-0000")
    monkeypatch.setenv("HER_TOKEN", "token-fake-1111")
    server = tmp_path / "server.py"
    server.write_text(SDK_SERVER)
    box = make_box(
        {
            "hello": {
                "command": sys.executable,
                "args": [str(server)],
                "env": {"COLOUR": "blue"},
                "env_from": ["HER_TOKEN"],
            }
        }
    )
    tools = await tools_of(box)
    assert box.problems() == []
    assert list(tools) == ["hello_greet", "hello_surroundings"]
    assert tools["hello_greet"].schema.description == "Greets a user."
    assert tools["hello_greet"].schema.parameters["required"] == ["name"]
    assert await tools["hello_greet"].run({"name": "Zoë"}) == "Grüße, Zoë 👋"
    cwd, own_session, *names = (await tools["hello_surroundings"].run({})).split("\n")
    assert cwd == os.sep
    assert own_session == "True"  # so Ctrl-C in the terminal does not reach it
    assert {"PATH", "COLOUR", "HER_TOKEN"} <= set(names)
    assert "OPENAI_API_KEY" not in names
    with pytest.raises(AgnoShellError, match="name"):
        await tools["hello_greet"].run({})
    await box.close()
    assert "a user is greeted" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


async def test_one_of_the_older_protocols_with_pages_and_changes(
    make_box, plain_server, tools_of, eventually
):
    box = make_box({"a": plain_server()})
    tools = await tools_of(box)
    assert list(tools) == ["a_echo", "a_crash", "a_more"]
    assert tools["a_echo"].schema.parameters == {"type": "object", "properties": {}}
    assert "{'größe': [1]}" in await tools["a_echo"].run({"größe": [1]})
    assert await tools["a_more"].run({}) == "one more"
    [server] = box._connections
    await eventually(lambda: server._stale)
    assert "a_new" in await tools_of(box)


async def test_a_server_that_dies_is_started_again(make_box, plain_server, tools_of, eventually):
    box = make_box({"a": plain_server()})
    tools = await tools_of(box)
    first = await pid_of(tools["a_echo"])
    calls = [tools["a_echo"].run({}), tools["a_crash"].run({}), tools["a_echo"].run({})]
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(done[1], AgnoShellError)
    assert "The MCP server 'a' was lost during the call" in str(done[1])
    await eventually(lambda: box._connections[0]._client is None)
    with pytest.raises(AgnoShellError, match="The MCP server 'a' does not run now"):
        await tools["a_echo"].run({})
    tools = await tools_of(box)
    assert box.problems() == []
    assert await pid_of(tools["a_echo"]) != first


async def test_a_server_that_dies_between_two_turns(make_box, plain_server, tools_of, eventually):
    box = make_box({"a": plain_server()})
    first = await pid_of((await tools_of(box))["a_echo"])
    os.kill(first, signal.SIGKILL)
    [server] = box._connections
    await eventually(server._leave.is_set)
    assert await pid_of((await tools_of(box))["a_echo"]) != first


async def test_a_server_that_does_not_want_to_end_is_killed(
    make_box, plain_server, tools_of, monkeypatch
):
    monkeypatch.setattr(program, "ASKING_SECONDS", 0.02)
    monkeypatch.setattr(program, "TERMINATING_SECONDS", 0.02)
    box = make_box({"a": plain_server("stubborn")})
    pid = await pid_of((await tools_of(box))["a_echo"])
    await box.close()
    assert not is_alive(pid)


async def test_noise_on_its_output_does_no_harm(make_box, plain_server, tools_of, log, capfd):
    box = make_box({"a": plain_server("noise")})
    assert "a_echo" in await tools_of(box)
    await box.close()
    assert "a complaint" in log.read_text()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"command": "no-such-program-anywhere"}, "No such file or directory"),
        ({"command": sys.executable, "cwd": "/no/such/folder"}, "No such file or directory"),
        ({"command": sys.executable, "args": ["-c", "raise SystemExit(1)"]}, "Connection closed"),
    ],
)
async def test_a_server_that_cannot_start_costs_its_own_tools_only(
    make_box, plain_server, tools_of, settings, words, log
):
    box = make_box({"good": plain_server(), "bad": settings})
    assert "good_echo" in await tools_of(box)
    problem, where = box.problems()
    assert problem.startswith("The MCP server 'bad' did not start: ")
    assert words in problem
    assert where == f"The log is {log}."


async def test_a_server_that_did_not_start_is_not_tried_in_every_round(
    make_box, plain_server, tools_of, monkeypatch
):
    box = make_box({"a": plain_server("gone")})
    await tools_of(box)
    [server] = box._connections
    first = server._serving
    await tools_of(box)
    assert server._serving is first
    monkeypatch.setattr(connection, "PAUSE", 0)
    await tools_of(box)
    assert server._serving is not first


async def test_a_slow_start_does_not_hold_up_the_turn(
    make_box, plain_server, tools_of, eventually, monkeypatch
):
    monkeypatch.setattr(connection, "PATIENCE", 0)
    box = make_box({"a": plain_server()})
    assert await tools_of(box) == {}
    assert box.problems()[0] == "The MCP server 'a' is still starting."
    [server] = box._connections
    await eventually(server._settled.is_set)
    assert "a_echo" in await tools_of(box)
    assert box.problems() == []


async def test_a_server_that_never_answers_is_given_up(
    make_box, plain_server, tools_of, monkeypatch
):
    monkeypatch.setattr(connection, "STARTING_SECONDS", 0.05)
    monkeypatch.setattr(program, "ASKING_SECONDS", 0.5)
    box = make_box({"a": plain_server("mute")})
    assert await tools_of(box) == {}
    assert box.problems()[0] == (
        "The MCP server 'a' did not start: it did not answer within 0.05 seconds."
    )


async def test_closing_while_a_server_starts_leaves_nothing_behind(
    make_box, plain_server, tools_of, monkeypatch
):
    monkeypatch.setattr(connection, "PATIENCE", 0)
    monkeypatch.setattr(connection, "STOPPING_SECONDS", 1000)
    box = make_box({"a": plain_server("mute")})
    await tools_of(box)
    [server] = box._connections
    async with asyncio.timeout(30):
        await box.close()
    assert server._serving.done()
    assert not [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]

"""Servers that send too much, never end, or do not want to go."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from agno_shell_mcp import program

from agno_shell import AgnoShellError

HOSTILE = r"""
import json, os, signal, sys, threading, time

def say(record):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **record}) + "\n")
    sys.stdout.flush()

def text(words):
    return {"content": [{"type": "text", "text": words}]}

def flood():
    line = json.dumps({"jsonrpc": "2.0", "method": "notifications/message", "params":
                       {"level": "info", "data": "x"}}) + "\n"
    while True:
        sys.stdout.write(line * 1000)

mode = sys.argv[1]
if "stubborn" in mode:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "family" in mode:
    if os.fork() == 0:  # a grandchild that holds the pipes and listens to nobody
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open(sys.argv[2], "w").write(str(os.getpid()))
        while True:
            time.sleep(60)
if mode == "chatty":
    threading.Thread(target=lambda: [os.write(2, b"n" * 65536) for _ in range(1000)],
                     daemon=True).start()

for line in sys.stdin:
    asked = json.loads(line)
    number, method, given = asked.get("id"), asked["method"], asked.get("params", {})
    if number is None:
        continue
    if method == "initialize":
        about = {"protocolVersion": given["protocolVersion"], "capabilities": {"tools": {}}}
        say({"id": number, "result": {**about, "serverInfo": {"name": "h", "version": "1"}}})
    elif method == "tools/list":
        tools = [{"name": name, "inputSchema": {"type": "object"}} for name in ("go", "echo")]
        say({"id": number, "result": {"tools": tools}})
    elif method == "tools/call" and given["name"] == "echo":
        say({"id": number, "result": text(str(os.getpid()))})
    elif method != "tools/call":
        say({"id": number, "error": {"code": -32601, "message": "Method not found"}})
    elif mode == "large":
        say({"id": number, "result": text("x" * 30_000_000)})
    elif mode == "large behind":
        sys.stdout.write('{"result": {"content": [{"type": "text", "text": "' + "x" * 6_000_000
                         + '"}]}, "id": ' + str(number) + ', "jsonrpc": "2.0"}\n')
        sys.stdout.flush()
    elif mode == "endless":
        while True:
            sys.stdout.write("x" * 1_000_000)
    elif mode == "flood":
        threading.Thread(target=flood, daemon=True).start()
        time.sleep(0.5)
        say({"id": number, "result": text("at last")})
    elif mode == "deep":
        sys.stdout.write("[" * 1_000_000 + "]" * 1_000_000 + "\n")
        say({"id": number, "result": text("shallow")})
    elif mode == "deaf":
        while True:
            time.sleep(60)
    elif mode == "closed":
        os.close(1)
        time.sleep(60)
    else:
        say({"id": number, "result": text("fine")})

if "stubborn" in mode:
    while True:
        time.sleep(60)
"""


@pytest.fixture
def hostile(tmp_path: Path):
    path = tmp_path / "hostile.py"
    path.write_text(HOSTILE)
    return lambda mode, *more: {"command": sys.executable, "args": [str(path), mode, *more]}


def is_alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    if not stat.parent.parent.exists():  # not Linux
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def longest_stall(work) -> tuple[float, object]:
    """The longest time in seconds for which this loop did not come round, and what became of
    the work."""
    longest, doing = 0.0, asyncio.ensure_future(work)
    last = time.perf_counter()
    while not doing.done():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    return longest, doing.exception() or doing.result()


async def test_a_result_that_is_too_large_costs_itself_alone(make_box, tools_of, hostile):
    tools = await tools_of(make_box({"h": hostile("large")}))
    pid = await tools["h_echo"].run({})
    with pytest.raises(AgnoShellError, match=r"its answer is longer than 4\.0 MB"):
        await tools["h_go"].run({})
    assert await tools["h_echo"].run({}) == pid


async def test_the_limit_can_be_set(make_box, tools_of, hostile):
    settings = {**hostile("large behind"), "message_bytes": 7_000_000}
    tools = await tools_of(make_box({"h": settings}))
    assert len(await tools["h_go"].run({})) == 6_000_000


async def test_a_message_that_is_too_large_for_nobody_ends_the_server(
    make_box, tools_of, hostile, eventually
):
    box = make_box({"h": hostile("large behind")})
    tools = await tools_of(box)
    with pytest.raises(AgnoShellError, match="it sent a message of more than"):
        await tools["h_go"].run({})
    assert await (await tools_of(box))["h_echo"].run({})


async def test_a_line_that_never_ends_ends_the_server(make_box, tools_of, hostile):
    box = make_box({"h": hostile("endless")})
    tools = await tools_of(box)
    stall, ended = await longest_stall(tools["h_go"].run({}))
    assert isinstance(ended, AgnoShellError)
    assert "that does not end" in str(ended)
    assert stall < 1.0  # a hang is many seconds; how short it is, a benchmark measures


async def test_a_flood_of_notifications_does_not_hold_up_the_loop(make_box, tools_of, hostile):
    tools = await tools_of(make_box({"h": hostile("flood")}))
    stall, result = await longest_stall(asyncio.wait_for(tools["h_go"].run({}), 60))
    assert result == "at last"
    assert stall < 1.0


async def test_what_is_nested_too_deeply_is_passed_over(make_box, tools_of, hostile):
    tools = await tools_of(make_box({"h": hostile("deep")}))
    assert await tools["h_go"].run({}) == "shallow"


async def test_a_server_that_does_not_read_can_be_left(make_box, tools_of, hostile, monkeypatch):
    monkeypatch.setattr(program, "ASKING_SECONDS", 0.05)
    monkeypatch.setattr(program, "TERMINATING_SECONDS", 0.05)
    box = make_box({"h": hostile("deaf")})
    tools = await tools_of(box)
    calls = [asyncio.ensure_future(tools["h_go"].run({"x": "y" * 200_000})) for _ in range(5)]
    _done, waiting = await asyncio.wait(calls, timeout=0.2)
    assert len(waiting) == 5
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    async with asyncio.timeout(10):
        await box.close()


async def test_a_server_that_closes_its_output_is_lost_at_once(make_box, tools_of, hostile):
    tools = await tools_of(make_box({"h": hostile("closed")}))
    async with asyncio.timeout(10):
        with pytest.raises(AgnoShellError, match="was lost during the call"):
            await tools["h_go"].run({})


async def test_what_a_server_has_started_ends_with_it(
    make_box, tools_of, hostile, tmp_path, eventually, monkeypatch
):
    monkeypatch.setattr(program, "ASKING_SECONDS", 0.1)
    monkeypatch.setattr(program, "TERMINATING_SECONDS", 0.1)
    note = tmp_path / "pid"
    box = make_box({"h": hostile("stubborn family", str(note))})
    tools = await tools_of(box)
    server, child = int(await tools["h_echo"].run({})), int(note.read_text())
    assert is_alive(server)
    assert is_alive(child)
    await box.close()
    await eventually(lambda: not is_alive(server) and not is_alive(child))


OWNER = """
import asyncio, sys
from agno_shell import ToolOptions
from agno_shell_mcp.box import McpBox

async def main():
    box = McpBox(ToolOptions({"servers": {"h": {"command": sys.executable, "args": sys.argv[1:]}}}))
    tools = {tool.schema.name: tool for tool in await box.tools()}
    print(await tools["h_echo"].run({}), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_no_server_outlives_a_shell_that_is_killed(hostile, tmp_path, eventually):
    note = tmp_path / "pid"
    arguments = hostile("stubborn family", str(note))["args"]
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        assert owner.stdout is not None
        server = int(await asyncio.to_thread(owner.stdout.readline))
    finally:
        owner.kill()
        owner.wait()
        owner.stdout.close()
    child = int(note.read_text())
    await eventually(lambda: not is_alive(server) and not is_alive(child))

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


async def test_a_line_that_never_ends_ends_the_server(make_far_box, tools_of, hostile):
    box = make_far_box({"h": hostile("endless")})
    tools = await tools_of(box)
    stall, ended = await longest_stall(tools["h_go"].run({}))
    assert isinstance(ended, AgnoShellError)
    assert "that does not end" in str(ended)
    assert stall < 1.0  # a hang is many seconds; how short it is, a benchmark measures


async def test_a_flood_of_notifications_does_not_hold_up_the_loop(make_far_box, tools_of, hostile):
    tools = await tools_of(make_far_box({"h": hostile("flood")}))
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

"""The end of the program, whatever is still running; each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time

import pytest

PROGRAM = """
import asyncio, atexit, sys, threading, time
from agno_shell import ending

def hang(*_given):
    while True:
        time.sleep(3600)

async def stubborn():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

async def main():
    {work}
    return 7

status = ending.run(main())
print("ended", flush=True)
ending.end_in_time(status)
sys.exit(status)
"""


@pytest.mark.parametrize(
    ("work", "named"),
    [
        ("pass", ""),
        ("asyncio.create_task(asyncio.sleep(3600))", ""),
        ("global task; task = asyncio.create_task(stubborn()); await asyncio.sleep(0)", ""),
        ("threading.Thread(target=hang, name='pool').start()", "thread 'pool'"),
        ("atexit.register(hang)", "something"),
        ("asyncio.get_running_loop().run_in_executor(None, hang)", "thread 'asyncio_0'"),
    ],
)
def test_nothing_keeps_it(work: str, named: str) -> None:
    program = textwrap.dedent(PROGRAM).replace("{work}", work)
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 7
    assert done.stdout == "ended\n"
    assert time.monotonic() - began < 15
    if named:
        assert f"agno-shell: {named}" in done.stderr
        assert "did not end; it was left behind" in done.stderr
    else:
        assert done.stderr == ""

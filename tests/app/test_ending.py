"""The end of the program, whatever is still running; each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, atexit, sys, threading, time
from agno_shell.app import ending

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


LEFT = {
    "pass": "",
    "asyncio.create_task(asyncio.sleep(3600))": "",
    "global task; task = asyncio.create_task(stubborn()); await asyncio.sleep(0)": "",
    "threading.Thread(target=hang, name='pool').start()": "thread 'pool'",
    "atexit.register(hang)": "something",
    "asyncio.get_running_loop().run_in_executor(None, hang)": "thread 'asyncio_0'",
}
"""What is still running at the end, and how it is named."""


@pytest.fixture(scope="module")
def ending() -> dict[str, subprocess.Popen[str]]:
    """A process for each; they wait beside each other."""
    return {
        work: subprocess.Popen(
            [sys.executable, "-c", PROGRAM.replace("{work}", work)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for work in LEFT
    }


@pytest.mark.parametrize("work", LEFT)
def test_nothing_keeps_it(ending: dict[str, subprocess.Popen[str]], work: str) -> None:
    output, errors = ending[work].communicate(timeout=60)
    assert ending[work].returncode == 7
    assert output == "ended\n"
    if LEFT[work]:
        assert f"agno-shell: {LEFT[work]}" in errors
        assert "did not end; it was left behind" in errors
    else:
        assert errors == ""

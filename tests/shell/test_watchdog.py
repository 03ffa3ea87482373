"""The watchdog in a process of its own, because it breaks off the main thread."""

from __future__ import annotations

import os
import subprocess
import sys
import termios

import pytest

from agno_shell.shell.keyboard import Keyboard

PROGRAM = """
import asyncio, signal
from agno_shell.toolkit.guarding import PluginStuckError
from agno_shell.shell.keyboard import Keyboard
from agno_shell.shell.watchdog import Watchdog
import foreign

async def main():
    looks = []
    dog = Watchdog(
        Keyboard(None),
        owner_of=lambda module: "foreign" if module == "foreign" else "",
        seconds=0.5,
        look=lambda: looks.append(1),
    )
    dog.start([signal.SIGTERM])
    try:
        foreign.WORK()
    except PluginStuckError as error:
        print("broken off:", error)
    print(bool(looks))
    await asyncio.sleep(0.6)  # whatever runs now is not held up
    dog.stop()
    print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)

asyncio.run(main())
"""

FOREIGN = """
import re, socket, subprocess, threading, time

def spin():
    while True:
        pass

def sleep():
    time.sleep(60)

def lock():
    threading.Lock().acquire() or None
    one = threading.Lock()
    one.acquire()
    one.acquire()

def pattern():
    re.match("(a+)+$", "a" * 60 + "b")

def pipe():
    a, b = socket.socketpair()
    a.recv(1)

def child():
    subprocess.run(["sleep", "60"])

def swallow():
    try:
        spin()
    except Exception:
        spin()

def own():
    names = {"__name__": "agno_shell.own", "time": time}
    exec("def work():\\n for _ in range(150): time.sleep(0.01)", names)
    names["work"]()
"""

HOLDING_UP = ("spin", "sleep", "lock", "pattern", "pipe", "child", "swallow")


@pytest.fixture(scope="module")
def at_work(tmp_path_factory: pytest.TempPathFactory) -> dict[str, subprocess.Popen[str]]:
    """A process for each work; they wait beside each other."""
    folder = tmp_path_factory.mktemp("watched")
    (folder / "foreign.py").write_text(FOREIGN)
    return {
        work: subprocess.Popen(
            [sys.executable, "-c", PROGRAM.replace("WORK", work)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
        )
        for work in (*HOLDING_UP, "own")
    }


@pytest.mark.parametrize("work", HOLDING_UP)
def test_whatever_holds_up_the_loop_is_broken_off(
    at_work: dict[str, subprocess.Popen[str]], work: str
) -> None:
    said, errors = at_work[work].communicate(timeout=60)
    first, *rest = said.splitlines()
    assert first.startswith("broken off: it held up the keys for "), errors
    assert rest == ["True", "True"]


def test_the_shells_own_code_is_not_broken_off(at_work: dict[str, subprocess.Popen[str]]) -> None:
    """What the plugin has called must not be left half done."""
    said, errors = at_work["own"].communicate(timeout=60)
    assert said.splitlines() == ["True", "True"], errors


def test_ctrl_c_is_a_signal_only_while_nobody_reads_it() -> None:
    import tty

    master, slave = os.openpty()
    try:
        found = termios.tcgetattr(slave)
        keyboard = Keyboard(slave)
        tty.setraw(slave)
        raw = termios.tcgetattr(slave)
        keyboard.rest()
        assert termios.tcgetattr(slave) == raw
        keyboard.listen()
        keyboard.listen()
        listening = termios.tcgetattr(slave)
        assert listening[3] & termios.ISIG
        assert listening[6][termios.VQUIT] == b"\0"
        assert not listening[3] & termios.ICANON
        keyboard.rest()
        assert termios.tcgetattr(slave) == raw
        tty.setraw(slave)
        keyboard.restore()
        assert termios.tcgetattr(slave) == found
    finally:
        os.close(master)
        os.close(slave)


def test_what_is_no_terminal_is_left_alone() -> None:
    source, sink = os.pipe()
    keyboard = Keyboard(source)
    keyboard.listen()
    keyboard.rest()
    keyboard.restore()
    os.close(source)
    os.close(sink)

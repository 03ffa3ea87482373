"""The watchdog in a process of its own, because it breaks off the main thread."""

from __future__ import annotations

import os
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from agno_shell.shell.keyboard import Keyboard

PROGRAM = """
import asyncio, os, signal, sys, time
from agno_shell.guarding import PluginStuckError
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
    began = time.monotonic()
    try:
        foreign.WORK()
    except PluginStuckError as error:
        print("broken off:", error)
    print(f"{time.monotonic() - began < 10} {bool(looks)}")
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
"""


def run(folder: Path, work: str) -> subprocess.CompletedProcess[str]:
    (folder / "foreign.py").write_text(FOREIGN)
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("WORK", work)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
    )


@pytest.mark.parametrize("work", ["spin", "sleep", "lock", "pattern", "pipe", "child", "swallow"])
def test_whatever_holds_up_the_loop_is_broken_off(tmp_path: Path, work: str) -> None:
    done = run(tmp_path, work)
    first, *rest = done.stdout.splitlines()
    assert first.startswith("broken off: it held up the keys for "), done.stderr
    assert rest == ["True True", "True"]


def test_the_shells_own_code_is_not_broken_off(tmp_path: Path) -> None:
    """What the plugin has called must not be left half done."""
    (tmp_path / "foreign.py").write_text(
        "import time\n"
        "def own():\n"
        "    names = {'__name__': 'agno_shell.own', 'time': time}\n"
        "    exec('def work():\\n for _ in range(150): time.sleep(0.01)', names)\n"
        "    names['work']()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("WORK", "own")],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
    )
    assert done.stdout.splitlines() == ["True True", "True"], done.stderr


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

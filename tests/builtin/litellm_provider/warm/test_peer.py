"""Who is at the other end: on both ends another user is sent away."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agno_shell.builtin.litellm_provider.warm import client, peer
from agno_shell.builtin.litellm_provider.warm.doorman import admit
from agno_shell.builtin.litellm_provider.warm.problems import NotWarmError
from agno_shell.builtin.litellm_provider.warm.socket_path import SocketPath

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
NOBODY = 65534

CONNECTS = """
import socket, sys
asking = socket.socket(socket.AF_UNIX)
asking.connect(sys.argv[1])
print(repr(asking.recv(1)))
"""
LISTENS = """
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
listener.listen()
print(flush=True)
print(repr(listener.accept()[0].recv(1)))
"""


@pytest.fixture
def open_folder(runtime: Path) -> Iterator[Path]:
    """A folder that everybody may use, which is what the check is for."""
    runtime.parent.chmod(0o777)
    runtime.mkdir()
    runtime.chmod(0o777)
    yield runtime
    runtime.chmod(0o700)


def as_nobody(code: str, path: Path) -> subprocess.Popen[str]:
    # Once it runs: nobody need be able to read the interpreter.
    become = f"import os, socket; os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
    command = [sys.executable, "-S", "-c", become + code, str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_of_oneself_the_process_is_known() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert peer.check(one) == os.getpid()
        assert peer.process_and_user(other) == (os.getpid(), os.geteuid())


def test_a_client_of_this_user_is_admitted(open_folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as asking:
        listener.bind(str(open_folder / "a.sock"))
        listener.listen()
        listener.setblocking(False)
        assert admit(listener) is None, "there is nobody"
        asking.connect(str(open_folder / "a.sock"))
        admitted = admit(listener)
        assert admitted is not None
        with admitted:
            assert admitted.getblocking()


@root
def test_a_client_of_another_user_is_sent_away(open_folder: Path) -> None:
    path = open_folder / "a.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o777)
        listener.listen()
        asking = as_nobody(CONNECTS, path)
        admitted = admit(listener)
        assert admitted is None
        assert asking.communicate()[0] == "b''\n"


@root
async def test_a_server_of_another_user_is_told_nothing(open_folder: Path) -> None:
    place = SocketPath(str(open_folder), "a")
    server = as_nobody(LISTENS, Path(place.socket))
    assert server.stdout is not None
    with server.stdout:
        await asyncio.to_thread(server.stdout.readline)
        with pytest.raises(NotWarmError, match="The process at the other end is user nobody's"):
            await client._reach(place)
        assert await asyncio.to_thread(server.stdout.readline) == "b''\n"
    server.wait()


class MacSocket:
    """Answers as a socket of macOS does."""

    def getsockopt(self, level: int, option: int, size: int = 0) -> bytes | int:
        assert level == 0
        if option == 2:
            return 4242
        return struct.pack("@IIh16I", 0, 501, 1, 20, *[0] * 15)[:size]


def test_macos_says_it_in_its_own_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert peer.process_and_user(MacSocket()) == (4242, 501)  # type: ignore[arg-type]

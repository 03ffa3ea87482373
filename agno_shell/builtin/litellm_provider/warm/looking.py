"""The servers of this user, of any version: what each does, and its end. All of it blocks,
for a few seconds at most."""

from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import suppress
from typing import Any

from agno_shell.builtin.litellm_provider.protocol import decode, encode
from agno_shell.builtin.litellm_provider.warm import greeting, peer
from agno_shell.builtin.litellm_provider.warm.problems import NotWarmError
from agno_shell.builtin.litellm_provider.warm.socket_path import SocketPath, places
from agno_shell.contracts import Background

_SECONDS = 3.0
_POLL = 0.01


def look(runtime_dir: str) -> list[Background]:
    """Every server that runs. Raises :class:`NotWarmError` where a folder cannot be trusted."""
    return [found for place in places(runtime_dir) if (found := _look_at(place))]


def end(runtime_dir: str) -> list[Background]:
    """End every server, and wait until it is gone; which they were. What they have forked goes
    on for the shells that it serves."""
    ended = []
    for place in places(runtime_dir):
        if found := _look_at(place):
            _end(found.pid, place)
            ended.append(found)
    return ended


def _look_at(place: SocketPath) -> Background | None:
    """None where nobody listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_SECONDS)
        try:
            connection.connect(place.socket)
            process = peer.check(connection)
        except (OSError, NotWarmError):
            return None
        try:
            connection.sendall(greeting.CARRIER + encode(greeting.LOOK))
            with connection.makefile("rb") as stream:
                record = decode(stream.readline())
        except (OSError, ValueError):
            record = {}
    return _background(process, record)


def _background(process: int, record: dict[str, Any]) -> Background | None:
    if "seen" in record:
        seen = record["seen"]
        return Background(seen["pid"], record["about"], seen["age"], seen["serving"], seen["keep"])
    # It imports still, or is stopped and says nothing.
    return Background(process, "litellm", 0, 0, 0, starting=True) if process else None


def _end(pid: int, place: SocketPath) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        if not _is_gone(place):
            os.kill(pid, signal.SIGKILL)
            _is_gone(place)
    # One that was ended by force, or while it imported, leaves its socket to the next one.


def _is_gone(place: SocketPath) -> bool:
    """Whether nobody listens any more, within some seconds."""
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_SECONDS)
            try:
                connection.connect(place.socket)
            except (FileNotFoundError, ConnectionRefusedError):
                return True
            except OSError:  # too many wait for it, or it does not move
                pass
        time.sleep(_POLL)
    return False

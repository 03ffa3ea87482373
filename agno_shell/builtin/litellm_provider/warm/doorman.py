"""Connections that come while litellm is being imported: they wait, and get signs of life."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress

from agno_shell.builtin.litellm_provider.protocol import encode
from agno_shell.builtin.litellm_provider.request_handler import ALIVE, SIGN_SECONDS
from agno_shell.builtin.litellm_provider.warm import peer
from agno_shell.builtin.litellm_provider.warm.problems import NotWarmError


class Doorman:
    """A thread for as long as the import takes; nothing is forked beside it."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._waiting: list[socket.socket] = []
        self._called, self._call = socket.socketpair()
        self._thread = threading.Thread(target=self._watch, name="doorman", daemon=True)
        self._thread.start()

    def leave(self) -> list[socket.socket]:
        """End the thread; the connections that wait."""
        self._call.close()
        self._thread.join()
        self._called.close()
        return self._waiting

    def _watch(self) -> None:
        while True:
            ready, _, _ = select.select([self._listener, self._called], [], [], SIGN_SECONDS)
            if self._called in ready:
                return
            if self._listener in ready and (connection := admit(self._listener)):
                self._waiting.append(connection)
            for connection in self._waiting:
                with suppress(OSError):  # gone, or it reads nothing
                    connection.send(encode(ALIVE), socket.MSG_DONTWAIT)


def admit(listener: socket.socket) -> socket.socket | None:
    """The next connection, of this user; None where it was another's, or is gone again."""
    try:
        connection, _address = listener.accept()
    except OSError:
        return None
    try:
        peer.check(connection)
    except (NotWarmError, OSError):
        connection.close()
        return None
    connection.setblocking(True)
    return connection


def has_gone(connection: socket.socket) -> bool:
    """Whether the other end was closed before it sent anything. Nothing is taken from it."""
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True

"""The server: ``python -m agno_shell.builtin.litellm_provider.warm.server``, with what is wanted
of it as JSON on its standard input.

It imports litellm once and forks a process for each connection, which is what reads from it: no
key ever comes here. It makes no request, has one thread, and ends when nobody has been served for
a while. A process that it has forked needs it no longer.
"""

from __future__ import annotations

import asyncio
import json
import os
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from agno_shell.builtin.litellm_provider import library
from agno_shell.builtin.litellm_provider.child import why_not
from agno_shell.builtin.litellm_provider.printed import protect_secrets
from agno_shell.builtin.litellm_provider.protocol import encode
from agno_shell.builtin.litellm_provider.warm import forked, peer
from agno_shell.builtin.litellm_provider.warm.doorman import Doorman, admit, has_gone
from agno_shell.builtin.litellm_provider.warm.listening import Socket
from agno_shell.builtin.litellm_provider.warm.reads import Reads
from agno_shell.builtin.litellm_provider.warm.socket_path import SocketPath
from agno_shell.toolkit import log_file


class ServerOptions(NamedTuple):
    """What the shell that starts a server says of it."""

    folder: str
    name: str
    keep: float
    """Seconds without anybody who is served until it ends."""
    log: str | None = None


def main() -> None:
    began = time.monotonic()
    wanted = ServerOptions(**json.load(sys.stdin))
    os.umask(0o077)
    tell = _leave_the_shell()
    _take_over_streams(wanted.log)
    listening = Socket.listen(SocketPath(wanted.folder, wanted.name))
    os.write(tell, b"+")
    os.close(tell)
    if listening is not None:  # otherwise another one does already
        _serve(listening, wanted.keep, began)


def _leave_the_shell() -> int:
    """Go on in a process that is nobody's child. The one that was started ends with 0 once
    something is written to what is returned, and with 1 where nothing will be."""
    told, tell = os.pipe()
    if os.fork():
        os.close(tell)
        os._exit(0 if os.read(told, 1) else 1)
    os.close(told)
    return tell


def _take_over_streams(log: str | None) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    printed = log_file.appending(log)
    os.dup2(nothing, 0)
    for stream in (1, 2):
        os.dup2(nothing if printed is None else printed, stream)
    os.close(nothing)
    if printed is not None:
        os.close(printed)


def _serve(listening: Socket, keep: float, began: float) -> None:
    redactor = protect_secrets()
    reads = Reads()
    doorman = Doorman(listening.listener)
    try:
        way = library.prepare(os.environ)
        with reads.noting():
            library.load()
            library.take_way(way)
            library.stay_forkable()
            asyncio.run(library.warm_up())
        library.keep_refusals()
    except BaseException as error:
        listening.remove()
        for connection in (*doorman.leave(), *_rest(listening)):
            refuse(connection, why_not(error))
        raise
    waiting = doorman.leave()
    Server(listening, keep, began, forked.Inheritance(redactor, reads)).run(waiting)


def _rest(listening: Socket) -> Iterator[socket.socket]:
    """The clients that had connected before the socket was removed."""
    while connection := admit(listening.listener):
        yield connection


def refuse(connection: socket.socket, sentence: str) -> None:
    with suppress(OSError):
        connection.sendall(encode({"refused": sentence}))
    connection.close()


class Server:
    """Accepts, forks, reaps, and ends."""

    def __init__(
        self, listening: Socket, keep: float, began: float, inherited: forked.Inheritance
    ) -> None:
        self._listening = listening
        self._keep = keep
        self._inherited = inherited
        self._began = began
        self._served = time.monotonic()
        self._children: dict[int, int] = {}
        """Process ids, each with a descriptor that tells when the shell has ended, or -1."""
        self._selector = selectors.DefaultSelector()
        self._waiting: list[socket.socket] = []
        self._stopped = False

    def run(self, waiting: list[socket.socket]) -> None:
        """Serve the connections that wait and those that come, until it is asked to end or no
        more of them come."""
        self._waiting = waiting
        woken = self._take_signals()
        self._selector.register(woken, selectors.EVENT_READ, lambda: woken.recv(4096))
        self._selector.register(self._listening.listener, selectors.EVENT_READ, self._accept)
        while self._waiting:
            self._fork(self._waiting.pop(0))
        # After those that wait; all that are forked from now on share the tables.
        with self._inherited.reads.noting():
            library.warm_up_tokenizer()
        while not (self._stopped or self._is_idle()):
            for key, _events in self._selector.select(self._patience()):
                key.data()
            self._reap()
        self._listening.remove()
        for connection in _rest(self._listening):
            self._fork(connection)

    def _take_signals(self) -> socket.socket:
        woken, wake = socket.socketpair()
        woken.setblocking(False)
        wake.setblocking(False)
        self._wake = wake
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for of_terminals in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(of_terminals, signal.SIG_IGN)
        return woken

    def _stop(self, *_: object) -> None:
        self._stopped = True

    def _is_idle(self) -> bool:
        return not self._children and time.monotonic() >= self._served + self._keep

    def _patience(self) -> float | None:
        if self._children:
            return None
        return max(0.0, self._served + self._keep - time.monotonic())

    def _accept(self) -> None:
        if connection := admit(self._listening.listener):
            self._fork(connection)

    def _fork(self, connection: socket.socket) -> None:
        if threading.active_count() > 1:
            # What another thread holds, the new process would wait for. It stays nevertheless: to
            # be refused takes no time, and another server would import it all to say the same.
            refuse(connection, "Threads run in the server, so that it cannot fork.")
            return
        if has_gone(connection):  # it only wanted to know whether a server listens
            connection.close()
            return
        self._reap()
        seen = forked.ServerStatus(
            os.getpid(), time.monotonic() - self._began, len(self._children), self._keep
        )
        library.freeze()
        try:
            child = os.fork()
        except OSError as error:
            refuse(connection, f"The server could not fork: {error.strerror}.")
            return
        if child == 0:
            forked.run(connection, self._inherited, seen, self._close_all)
        self._children[child] = self._watch_shell(connection, child)
        connection.close()

    def _watch_shell(self, connection: socket.socket, child: int) -> int:
        """Let a process end with its shell, also when it is stopped and cannot see the end of its
        input. Other systems than Linux have no such thing."""
        if sys.platform != "linux":
            return -1
        try:
            shell = os.pidfd_open(peer.process_and_user(connection)[0])
        except (OSError, AttributeError):  # it has ended already, or lives out of sight
            return -1

        def kill() -> None:
            self._selector.unregister(shell)
            os.kill(child, signal.SIGKILL)

        self._selector.register(shell, selectors.EVENT_READ, kill)
        return shell

    def _reap(self) -> None:
        for child in list(self._children):
            with suppress(ChildProcessError):
                if os.waitpid(child, os.WNOHANG)[0] == 0:
                    continue
            shell = self._children.pop(child)
            if shell >= 0:
                with suppress(KeyError):
                    self._selector.unregister(shell)
                os.close(shell)
            self._served = time.monotonic()

    def _close_all(self) -> None:
        """What only the server is to have open; called in a process that was forked."""
        signal.set_wakeup_fd(-1)
        for connection in self._waiting:
            connection.close()
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, int):
                os.close(key.fileobj)
            else:
                key.fileobj.close()  # type: ignore[attr-defined]
        self._selector.close()
        self._wake.close()


if __name__ == "__main__":
    main()

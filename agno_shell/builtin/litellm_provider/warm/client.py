"""A model process that the server has forked, seen from the shell."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from agno_shell.builtin.litellm_provider.connection import LONGEST_LINE, Connection
from agno_shell.builtin.litellm_provider.process import STARTING
from agno_shell.builtin.litellm_provider.protocol import decode, encode
from agno_shell.builtin.litellm_provider.warm import greeting, peer, starting
from agno_shell.builtin.litellm_provider.warm.identity import identity
from agno_shell.builtin.litellm_provider.warm.problems import NotWarmError
from agno_shell.builtin.litellm_provider.warm.socket_path import SocketPath, folder_for
from agno_shell.builtin.litellm_provider.warm.surroundings import scrubbed
from agno_shell.toolkit.log_file import Log

_NOBODY = (FileNotFoundError, ConnectionRefusedError)
_TRIES = 3
"""One to find nobody, one to come just when the server ends, and one more."""


class WarmOptions(NamedTuple):
    """A model process, and the server that is to fork it."""

    runtime_dir: str
    keep: float
    """Seconds."""
    log: Log
    environ: Mapping[str, str]


class WarmProcess(Connection):
    """The process; its end is the end of the connection, and nobody here learns its status."""

    def __init__(
        self, pid: int, lines: asyncio.StreamReader, requests: asyncio.StreamWriter
    ) -> None:
        self.pid = pid
        self.lines = lines
        self._requests = requests
        self._ended = False

    def write(self, data: Iterable[bytes]) -> None:
        if not (self._ended or self._requests.is_closing()):
            for piece in data:
                self._requests.write(piece)

    def end_input(self) -> None:
        if not self._ended:
            self._ended = True
            # Not closed: the end of the process is still to be seen.
            with suppress(OSError):
                self._requests.write_eof()

    def kill(self) -> None:
        # As long as the connection stands, the number is that of no other process.
        if not self.lines.at_eof():
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def ended(self) -> str:
        with suppress(OSError):
            while await self.lines.read(65_536):
                pass
        self._requests.close()
        return ""


async def connect(wish: WarmOptions) -> WarmProcess:
    """A process that answers, forked by a server that is started if there is none. Raises
    :class:`NotWarmError`."""
    surroundings = scrubbed(wish.environ)
    name = identity(surroundings, wish.keep)
    place = SocketPath(folder_for(wish.runtime_dir), name)
    patience = greeting.ANSWER_SECONDS
    for _ in range(_TRIES):
        try:
            connection = await _reach(place)
        except _NOBODY:
            log = wish.log
            await starting.start(place, surroundings, wish.keep, log.path, log.descriptor)
            patience = greeting.IMPORT_SECONDS
            continue
        with suppress(EOFError):
            return await _greet(connection, wish, patience)
    raise NotWarmError("The server ended before it answered.")


async def _reach(place: SocketPath) -> socket.socket:
    """A connection to a server of this user. Raises :class:`NotWarmError`, and one of
    ``_NOBODY`` where there is no server."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, place.socket)
        peer.check(connection)
    except _NOBODY:
        connection.close()
        raise
    except OSError as error:
        connection.close()
        raise NotWarmError(f"{place.socket} cannot be used: {error.strerror}.") from error
    except BaseException:
        connection.close()
        raise
    return connection


async def _greet(connection: socket.socket, wish: WarmOptions, patience: float) -> WarmProcess:
    """Say what is wanted, and wait while not more than ``patience`` seconds pass without a word.
    Raises ``EOFError`` where the server is just ending, and
    :class:`NotWarmError`."""
    hello = encode(greeting.serve(wish.environ, _umask()))
    try:
        # A refusal may come before all of it is sent, and must be read.
        with suppress(ConnectionError):
            socket.send_fds(connection, [greeting.CARRIER], [wish.log.descriptor])
            await asyncio.get_running_loop().sock_sendall(connection, hello)
        pid = await _served_by(_Lines(connection), patience)
        lines, requests = await asyncio.open_unix_connection(sock=connection, limit=LONGEST_LINE)
    except OSError as error:
        connection.close()
        raise EOFError from error
    except BaseException:
        connection.close()
        raise
    return WarmProcess(pid, lines, requests)


class _Lines:
    """The first lines on a connection. A stream of asyncio's would forget what it has read when
    the other end is closed while something is being sent."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._read = bytearray()

    async def next(self) -> bytes:
        """One line; empty at the end. Nothing comes behind the last one before it is answered."""
        while b"\n" not in self._read:
            data = await asyncio.get_running_loop().sock_recv(self._connection, 65_536)
            if not data:
                return b""
            self._read += data
        line, _, self._read = self._read.partition(b"\n")
        return bytes(line)


async def _served_by(lines: _Lines, patience: float) -> int:
    """The id of the process that is to answer."""
    try:
        async with asyncio.timeout(STARTING):
            while True:
                async with asyncio.timeout(patience):
                    line = await lines.next()
                record = decode(line) if line else {}
                if "serving" in record:
                    return int(record["serving"])
                if "refused" in record:
                    raise NotWarmError(record["refused"])
                if "alive" not in record:
                    raise EOFError
                patience = greeting.IMPORT_SECONDS
    except TimeoutError:
        raise NotWarmError("The server did not answer.") from None
    except (OSError, ValueError) as error:
        raise EOFError from error


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask

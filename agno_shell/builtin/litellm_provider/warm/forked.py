"""A process forked for one connection: it reads what the client wants, becomes what a model process
of the shell's own would be, and ends with the connection."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, NamedTuple, NoReturn

from agno_shell.builtin.litellm_provider import library
from agno_shell.builtin.litellm_provider.inbox import Inbox
from agno_shell.builtin.litellm_provider.protocol import decode, encode
from agno_shell.builtin.litellm_provider.request_handler import RequestHandler
from agno_shell.builtin.litellm_provider.warm.greeting import ANSWER_SECONDS, CARRIER
from agno_shell.builtin.litellm_provider.warm.reads import Reads
from agno_shell.builtin.model_services.redact import Redactor, hidden


class Inheritance(NamedTuple):
    """What the server has made for the processes that it forks."""

    redactor: Redactor
    """Takes keys out of what is printed."""
    reads: Reads


class ServerStatus(NamedTuple):
    """What there is to be seen of the server."""

    pid: int
    age: float
    """Seconds."""
    serving: int
    keep: float
    """Seconds."""


_NAMED = 3
"""Variables that a refusal names."""


def run(
    connection: socket.socket,
    inherited: Inheritance,
    seen: ServerStatus,
    close_all: Callable[[], None],
) -> NoReturn:
    """All that happens in the process; it never comes back to what the server does."""
    try:
        close_all()
        for each in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(each, signal.SIG_DFL)
        _answer(connection, inherited, seen)
    except (ConnectionError, TimeoutError):
        pass  # the client is gone, or has sent nothing
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _answer(connection: socket.socket, inherited: Inheritance, seen: ServerStatus) -> None:
    connection.settimeout(ANSWER_SECONDS)
    _take_over_log(connection)
    stream = connection.makefile("rb")
    line = stream.readline()
    if not line:
        raise ConnectionAbortedError
    hello = decode(line)
    connection.settimeout(None)
    if hello["do"] == "look":
        connection.sendall(encode({"seen": seen._asdict(), "about": _about()}))
    elif hello["do"] == "serve":
        _serve(connection, stream, hello, inherited)
    else:
        connection.sendall(encode({"refused": "This server does not know what is wanted."}))


def _take_over_log(connection: socket.socket) -> None:
    """What is printed goes where the shell keeps it."""
    _carrier, descriptors, _flags, _address = socket.recv_fds(connection, len(CARRIER), 1)
    for descriptor in descriptors:
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        os.close(descriptor)


def _serve(
    connection: socket.socket, stream: BinaryIO, hello: Mapping[str, Any], inherited: Inheritance
) -> None:
    os.umask(hello["umask"])
    os.environ.clear()
    os.environ.update(hello["environment"])
    time.tzset()
    inherited.redactor.hide(hidden(os.environ))
    _take_over_proxies(hello)
    way = library.prepare(os.environ)
    if differing := inherited.reads.differing(os.environ):
        named = ", ".join(differing[:_NAMED]) + (" and others" if differing[_NAMED:] else "")
        refusal = f"litellm reads {named} when it is imported, and was imported without."
        connection.sendall(encode({"refused": refusal}))
        return
    inherited.reads.write(os.environ)
    library.take_way(way)
    gc.enable()
    connection.sendall(encode({"serving": os.getpid()}))
    inbox = Inbox(stream)
    inbox.start()
    configuration = inbox.first()
    inherited.redactor.hide(hidden(os.environ, configuration["api_key_env"]))
    asyncio.run(RequestHandler(connection.fileno(), configuration, way).answer(inbox))


def _take_over_proxies(hello: Mapping[str, Any]) -> None:
    """On macOS, the settings of the computer as the shell has found them: a process that was
    forked must not ask the system's frameworks."""
    if sys.platform == "darwin" and "system_proxies" in hello:
        import urllib.request

        found, details = hello["system_proxies"]
        urllib.request._get_proxies = lambda: found
        urllib.request._get_proxy_settings = lambda: details


def _about() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"litellm {version('litellm')}"
    except PackageNotFoundError:
        return "litellm"

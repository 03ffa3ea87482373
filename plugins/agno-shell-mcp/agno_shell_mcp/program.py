"""A server that is a program: started in a process group of its own, read within bounds,
ended with all that it has started."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, TextIO

import anyio
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage
from mcp_types import ErrorData, JSONRPCError, JSONRPCMessage, jsonrpc_message_adapter

from agno_shell.toolkit.wording import size
from agno_shell_mcp.lines import EndlessLineError, OverlongLine, Throttle, bounded_lines
from agno_shell_mcp.reaper import Reaper
from agno_shell_mcp.settings import Program

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
    from mcp.client._transport import TransportStreams

    Incoming = MemoryObjectSendStream[SessionMessage | Exception]

ASKING_SECONDS = 1.0
"""What a program gets to end by itself, once its input is closed."""

TERMINATING_SECONDS = 1.0
"""The same once it was asked by SIGTERM; then it is killed."""

TOO_LONG = -32098
"""The code of an error of ours, from the range that JSON-RPC leaves to implementations."""


@asynccontextmanager
async def run_program(
    program: Program, log: TextIO, reaper: Reaper, most: int, ended: Callable[[str], None]
) -> AsyncGenerator[TransportStreams]:
    """The streams of a program for as long as they are needed. ``most``: bytes of a message;
    ``ended`` is called when it can be read no more, with the reason if that is known."""
    process = await asyncio.create_subprocess_exec(
        program.command,
        *program.args,
        # PATH, HOME and little more of the environment: no model's key.
        env={**get_default_environment(), **program.env},
        cwd=program.cwd,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=log,
        # So that Ctrl-C reaches only the shell, and all that it starts can be ended.
        start_new_session=True,
    )
    reaper.add(process.pid)
    to_us, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, from_us = anyio.create_memory_object_stream[SessionMessage](0)
    reading = asyncio.create_task(_read(process, to_us, most, ended))
    writing = asyncio.create_task(_write(process, from_us))
    try:
        yield incoming, outgoing
    finally:
        # In a task of its own: cancelling this one must not leave a program behind.
        await asyncio.shield(asyncio.create_task(_end(process, [reading, writing], reaper)))
        for stream in (to_us, incoming, outgoing, from_us):
            stream.close()


async def _read(
    process: asyncio.subprocess.Process,
    to_us: Incoming,
    most: int,
    ended: Callable[[str], None],
) -> None:
    pace, why = Throttle(), ""
    source = process.stdout
    try:
        async with to_us:
            if source is not None:
                async for line in bounded_lines(source, most):
                    with pace:
                        message = _message(line, most)
                    if message is None:
                        why = f"it sent a message of more than {size(most)}"
                        return
                    await to_us.send(message)
                    await pace.rest()
    except EndlessLineError:
        why = f"it sent a line of more than {size(most)} that does not end"
    except (anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
        pass  # nobody reads any more
    finally:
        ended(why)


def _message(line: bytes | OverlongLine, most: int) -> SessionMessage | Exception | None:
    """A line as the SDK wants it; None when nothing can be made of it."""
    if isinstance(line, OverlongLine):
        if line.id is None:
            return None
        problem = f"its answer is longer than {size(most)}"
        error = ErrorData(code=TOO_LONG, message=problem)
        return SessionMessage(JSONRPCError(jsonrpc="2.0", id=line.id, error=error))
    try:
        # Not UTF-8, nested too deeply, no JSON at all: each is a ValueError.
        message: JSONRPCMessage = jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError as error:
        return error
    return SessionMessage(message)


async def _write(
    process: asyncio.subprocess.Process, from_us: MemoryObjectReceiveStream[SessionMessage]
) -> None:
    sink = process.stdin
    with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
        async with from_us:
            async for each in from_us:
                json = each.message.model_dump_json(by_alias=True, exclude_unset=True)
                if sink is not None:
                    sink.write(json.encode("utf-8", "replace") + b"\n")
                    await sink.drain()


async def _end(
    process: asyncio.subprocess.Process, tasks: list[asyncio.Task[None]], reaper: Reaper
) -> None:
    """Ask the program to end, then its whole group, then end it."""
    if process.stdin is not None:
        process.stdin.close()
    if not await _has_ended(process, ASKING_SECONDS):
        _signal(process.pid, signal.SIGTERM)
        await _has_ended(process, TERMINATING_SECONDS)
    # What it has started may go on without it.
    _signal(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    await _has_ended(process, TERMINATING_SECONDS)
    reaper.forget(process.pid)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # A process that left the group may still hold the other ends of the pipes.
    if (transport := getattr(process, "_transport", None)) is not None:
        with suppress(PermissionError, ProcessLookupError):
            transport.close()


async def _has_ended(process: asyncio.subprocess.Process, seconds: float) -> bool:
    """Not by ``process.wait()``, which waits for the end of the pipes as well."""
    end = asyncio.get_running_loop().time() + seconds
    while process.returncode is None:
        if asyncio.get_running_loop().time() >= end:
            return False
        await asyncio.sleep(0.01)
    return True


def _signal(group: int, number: int) -> None:
    """To a whole process group; where there is none, to the process alone."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(group, number)
        else:
            os.kill(group, number)

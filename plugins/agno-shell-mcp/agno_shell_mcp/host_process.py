"""Starts the process of the servers, and carries requests and answers."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TextIO

from agno_shell import AgnoShellError
from agno_shell_mcp.settings import Server, to_record

_MODULE = "agno_shell_mcp.host"

LONGEST_ANSWER = 64 * 1024 * 1024

CLOSING_SECONDS = 7.0
"""What the process gets to end the servers and itself; a little more than it takes."""

KEPT = frozenset(
    (
        *("HOME", "LANG", "LOGNAME", "PATH", "PYTHONHOME", "PYTHONPATH", "SHELL", "SSL_CERT_DIR"),
        *("SSL_CERT_FILE", "TERM", "TMPDIR", "TZ", "USER", "APPDATA", "HOMEDRIVE", "HOMEPATH"),
        *("LOCALAPPDATA", "PATHEXT", "PROCESSOR_ARCHITECTURE", "SYSTEMDRIVE", "SYSTEMROOT"),
        *("TEMP", "USERNAME", "USERPROFILE"),
    )
)
KEPT_ENDS = ("_PROXY", "_proxy")
"""Variables of the environment that the process gets: no model's key."""


class HostProcess:
    """One run of the process. Belongs to one event loop."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._last_id = 0
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reading = asyncio.create_task(self._read())
        self.is_alive = True

    @classmethod
    async def start(cls, servers: Sequence[Server], log: TextIO) -> HostProcess:
        """``AgnoShellError`` when it cannot be started."""
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # nothing in the working directory is imported
                "-m",
                _MODULE,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                cwd=os.path.abspath(os.sep),
                env=_environment(),
                start_new_session=True,  # so that Ctrl-C reaches only the shell
                limit=LONGEST_ANSWER,
            )
        except OSError as error:
            raise AgnoShellError(
                f"The process of the MCP servers could not be started: {error.strerror}."
            ) from error
        started = cls(process)
        started._say({"servers": [to_record(each) for each in servers]})
        return started

    async def ask(self, do: str, **more: Any) -> dict[str, Any]:
        """The answer to a request; cancelling this cancels it there as well."""
        self._last_id += 1
        number = self._last_id
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            if not self.is_alive:
                raise _gone()
            self._say({"id": number, "do": do, **more})
            answered: dict[str, Any] = await answer
            return answered
        finally:
            if (self._waiting.pop(number, None) and not answer.done()) or answer.cancelled():
                self._say({"id": number, "do": "cancel"})

    def _say(self, record: Mapping[str, Any]) -> None:
        if self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(json.dumps(record).encode() + b"\n")

    async def _read(self) -> None:
        source = self._process.stdout
        try:
            while source is not None and (line := await source.readline()):
                record = json.loads(line)
                answer = self._waiting.get(record["id"])
                if answer is not None and not answer.done():
                    answer.set_result(record)
        except (ValueError, LookupError, OSError):
            pass  # nothing behind a line that cannot be read can be trusted
        finally:
            self.is_alive = False
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(_gone())

    async def close(self) -> None:
        """End it, and with it the servers; by force if need be."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        await asyncio.wait([self._reading], timeout=CLOSING_SECONDS)
        if self._process.returncode is None and not self._reading.done():
            with suppress(ProcessLookupError):
                self._process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        await self._reading
        await self._process.wait()


def _gone() -> AgnoShellError:
    return AgnoShellError("The process of the MCP servers has ended unexpectedly.")


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in KEPT or name.startswith("LC_") or name.endswith(KEPT_ENDS)
    }

"""A model process of this shell's own, reached through pipes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterable

from agno_shell.builtin.litellm_provider.connection import LONGEST_LINE, Connection
from agno_shell.errors import ProviderError

_MODULE = "agno_shell.builtin.litellm_provider.child"


class SpawnedProcess(Connection):
    """The process, started by this one."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        requests: asyncio.StreamWriter,
        lines: asyncio.StreamReader,
    ) -> None:
        self._process = process
        self._requests = requests
        self.lines = lines
        self.pid = process.pid

    def write(self, data: Iterable[bytes]) -> None:
        if not self._requests.is_closing():
            for piece in data:
                self._requests.write(piece)

    def end_input(self) -> None:
        self._requests.close()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def ended(self) -> str:
        code = await self._process.wait()
        return f"signal {-code}" if code < 0 else f"exit code {code}"


async def spawn(errors: int) -> SpawnedProcess:
    """Start the process; ``errors`` is the descriptor that it prints to. Raises
    :class:`ProviderError` when it cannot be started."""
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # nothing in the working directory is imported
            "-m",
            _MODULE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            # A folder in which nobody plants files that libraries look for.
            cwd=os.path.abspath(os.sep),
            start_new_session=True,  # so that Ctrl-C reaches only the shell
            limit=LONGEST_LINE,
        )
    except OSError as error:
        raise ProviderError(
            f"The model process (litellm) could not be started: {error.strerror}.",
            hint="Start agno-shell again.",
            kind="provider_died",
        ) from error
    assert process.stdin is not None and process.stdout is not None  # noqa: PT018, S101 - as asked
    return SpawnedProcess(process, process.stdin, process.stdout)

"""A server, started by the shell that needs one and finds none."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping

from agno_shell.builtin.litellm_provider.warm.problems import NotWarmError
from agno_shell.builtin.litellm_provider.warm.socket_path import SocketPath

_MODULE = "agno_shell.builtin.litellm_provider.warm.server"
_SECONDS = 20.0
"""Until it listens; litellm is imported after that."""


async def start(
    place: SocketPath, surroundings: Mapping[str, str], keep: float, log: str | None, errors: int
) -> None:
    """Return once it listens, or another one does that was started meanwhile. ``errors`` is the
    descriptor that it prints to until it has its ``log``. Raises :class:`NotWarmError`."""
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # nothing in the working directory is imported
            "-m",
            _MODULE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=errors,
            cwd=os.path.abspath(os.sep),
            env=dict(surroundings),
            start_new_session=True,  # what becomes of the terminal is nothing to it
        )
    except OSError as error:
        raise NotWarmError(f"The server could not be started: {error.strerror}.") from error
    wanted = {"folder": place.folder, "name": place.name, "keep": keep, "log": log}
    try:
        async with asyncio.timeout(_SECONDS):
            # It ends at once, and leaves the server behind.
            await process.communicate(json.dumps(wanted).encode("ascii"))
    except TimeoutError:
        raise NotWarmError("The server did not start in time.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise NotWarmError(f"The server could not start (exit code {process.returncode}).")

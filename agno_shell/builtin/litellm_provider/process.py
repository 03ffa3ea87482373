"""Carries records to and from the model process, and says how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from agno_shell.builtin.litellm_provider.connection import Connection
from agno_shell.builtin.litellm_provider.protocol import decode, encode, list_files
from agno_shell.toolkit.log_file import Log
from agno_shell.types import NOTHING

STARTING = 120.0
"""Seconds that importing litellm may take; on a slow disk it is some twenty."""

_PATIENCE = 1.0
"""Seconds that the process gets to end by itself."""

_LAST_CHANCE = 0.25
"""Seconds in which what waits in the pipe is read before the process counts as silent."""

_T = TypeVar("_T")

Mailbox = asyncio.Queue[dict[str, Any]]


class ModelProcess:
    """One run of the model process, seen from the shell. Belongs to one event loop."""

    def __init__(
        self, connection: Connection, log: Log, configuration: Mapping[str, Any] = NOTHING
    ) -> None:
        self._connection = connection
        self._log = log
        self._mailboxes: dict[int, Mailbox] = {}
        self._last_id = 0
        self._closing = False
        self._broken = ""
        self._stuck = False
        self._how = ""
        self._heard = 0.0
        self._ready = asyncio.get_running_loop().create_future()
        self._reader = asyncio.get_running_loop().create_task(self._read())
        self.alive = True
        self._write({"do": "configure", **configuration})

    @property
    def pid(self) -> int:
        return self._connection.pid

    async def ready(self, silence: float = math.inf) -> None:
        """Return once it can answer at once, or has ended; ``silence`` as in :meth:`answer`."""
        await self._while_heard(lambda: asyncio.shield(self._ready), silence, STARTING)

    async def answer(
        self, mailbox: Mailbox, silence: float, whole: float = math.inf
    ) -> dict[str, Any]:
        """The next record for a request. It is ended if it takes longer than ``whole`` seconds,
        or nothing at all is heard of it for ``silence`` seconds: while it works it gives a sign
        of life every second, so it is stopped then, or stuck in native code."""
        if not mailbox.empty():
            return mailbox.get_nowait()
        return await self._while_heard(mailbox.get, silence, whole)

    async def _while_heard(
        self, wanted: Callable[[], Awaitable[_T]], silence: float, whole: float
    ) -> _T:
        """What is ``wanted``, which is there as well once the process has ended."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        overdue = False
        while True:
            until = min(max(self._heard, begun) + silence, begun + whole)
            # Where the shell itself was stopped, all signs of life wait in the pipe.
            last_chance = loop.time() >= until
            if last_chance and overdue:
                self._give_up()
                return await wanted()
            overdue = last_chance
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(loop.time() + _LAST_CHANCE if overdue else until):
                    return await wanted()

    def _give_up(self) -> None:
        self._stuck = True
        self.alive = False
        self._connection.kill()

    # Records ------------------------------------------------------------------------------

    def send(
        self, record: Mapping[str, Any], files: Mapping[str, bytes] = NOTHING
    ) -> tuple[int, Mailbox]:
        """Send a request, and behind it ``files``; its answers come to the mailbox, at the
        end of the process a record with ``ended``, a ``hint``, and whether another process
        may well do better (``temporary``)."""
        self._last_id += 1
        self._write({"id": self._last_id, **record}, files)
        mailbox = self._mailboxes[self._last_id] = asyncio.Queue()
        return self._last_id, mailbox

    def forget(self, number: int, *, cancel: bool) -> None:
        """Wait for no more answers to a request; with ``cancel``, stop it as well."""
        self._mailboxes.pop(number, None)
        if cancel and self.alive:
            self._write({"id": number, "do": "cancel"})

    def _write(self, record: Mapping[str, Any], files: Mapping[str, bytes] = NOTHING) -> None:
        if files:
            record = {**record, "files": list_files(files)}
        self._connection.write((encode(record), *files.values()))

    async def _read(self) -> None:
        lines = self._connection.lines
        try:
            while line := await lines.readline():
                self._deliver(decode(line))
        except (ValueError, LookupError, OSError):
            # A line that cannot be read: nothing behind it can be trusted.
            pass
        finally:
            self.alive = False
            await self._end()

    def _deliver(self, record: dict[str, Any]) -> None:
        self._heard = asyncio.get_running_loop().time()
        if "alive" in record:
            return
        if "ready" in record:
            self._is_ready()
        elif "broken" in record:
            self._broken = record["broken"]
        elif mailbox := self._mailboxes.get(record["id"]):
            mailbox.put_nowait(record)

    def _is_ready(self) -> None:
        if not self._ready.done():
            self._ready.set_result(None)

    # The end ------------------------------------------------------------------------------

    async def _end(self) -> None:
        """Let the process end, by force if need be, and notify everybody who waits."""
        self._connection.end_input()
        try:
            self._how = await asyncio.wait_for(self._connection.ended(), _PATIENCE)
        except TimeoutError:
            self._connection.kill()
            self._how = await self._connection.ended()
        await asyncio.to_thread(self._log.drain)
        message, hint = self._epitaph()
        # One that cannot be imported, or was closed on purpose, would not do better again.
        temporary = not (self._broken or self._closing)
        for mailbox in self._mailboxes.values():
            mailbox.put_nowait({"ended": message, "hint": hint, "temporary": temporary})
        self._is_ready()

    def _epitaph(self) -> tuple[str, str]:
        if self._closing:
            return "The model process (litellm) was closed.", ""
        log = f" The log is {self._log.path}." if self._log.path is not None else ""
        if self._broken:
            from agno_shell.builtin.litellm_provider import missing

            if missing.says_all(self._broken):
                return self._broken, ""
            return f"The model process (litellm) could not start: {self._broken}", log.strip()
        if self._stuck:
            hint = f"/retry asks again, and restarts it.{log}"
            return "The model process (litellm) did not answer and was ended.", hint
        how = f" ({self._how})" if self._how else ""
        hint = f"/retry asks again, and restarts it.{log}"
        return f"The model process (litellm) ended unexpectedly{how}.", hint

    async def close(self) -> None:
        """End the process: within a second by itself, then by force. Can be called twice."""
        self._closing = True
        self._connection.end_input()
        try:
            await asyncio.wait_for(asyncio.shield(self._reader), _PATIENCE)
        except TimeoutError:
            # It does not even close its pipe: stopped, or stuck in native code.
            self._connection.kill()
            await self._reader

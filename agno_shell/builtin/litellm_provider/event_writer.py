"""The model process's side of the connection: events out, as few writes as will do."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agno_shell.builtin.litellm_provider.protocol import encode, event_record
from agno_shell.builtin.model_services.redact import Redactor
from agno_shell.events import Event, Failed

_HELD_BACK = 0.01
"""Seconds that text may wait for more while the loop is busy."""

_JOINED = 16_384
"""Characters of text in one record at most."""


class EventWriter:
    """Writes records to a file descriptor.

    Text that comes within one turn of the loop is joined: a fast model sends hundreds of
    tokens in one network read, and neither the pipe nor the reader gains by seeing them
    one by one. Writing blocks while the other side does not read, which is what slows the
    network down in turn.
    """

    def __init__(self, descriptor: int, redactor: Redactor) -> None:
        self._descriptor = descriptor
        self._redactor = redactor
        self._waiting: list[dict[str, Any]] = []
        self._written_at = 0.0

    def event(self, request_id: int, event: Event) -> None:
        """Send one event of one request."""
        if isinstance(event, Failed):
            hide = self._redactor.redact
            event = replace(event, message=hide(event.message), hint=hide(event.hint))
        record = event_record(event)
        if not self._joined(request_id, record):
            self._waiting.append({"id": request_id, **record})
        loop = asyncio.get_running_loop()
        if loop.time() - self._written_at > _HELD_BACK:
            self.flush()
        elif len(self._waiting) == 1:
            loop.call_soon(self.flush)

    def _joined(self, request_id: int, record: dict[str, Any]) -> bool:
        """Put text behind the text that is still waiting, where there is such."""
        last = self._waiting[-1] if self._waiting else {}
        if last.get("id") != request_id:
            return False
        for kind in ("text", "reasoning"):
            if kind in record and kind in last and len(last[kind]) < _JOINED:
                last[kind] += record[kind]
                return True
        return False

    def record(self, record: Mapping[str, Any]) -> None:
        """Send anything else, behind what is waiting."""
        self._waiting.append(dict(record))
        self.flush()

    def flush(self) -> None:
        if not self._waiting:
            return
        data = memoryview(b"".join(map(encode, self._waiting)))
        self._waiting.clear()
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except ConnectionError:
            os._exit(0)  # nobody is left to answer to
        self._written_at = asyncio.get_running_loop().time()

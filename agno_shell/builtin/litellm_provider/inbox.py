"""What the shell sends to a model process, read as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import BinaryIO

from agno_shell.builtin.litellm_provider.protocol import Record, decode, read_files


class Inbox:
    """Reads records in a thread, so that the end of input is noticed at any time."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._early: SimpleQueue[Record] = SimpleQueue()
        self._lock = threading.Lock()
        self._deliver: Callable[[Record], object] = self._early.put

    def start(self) -> None:
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def _read(self) -> None:
        # A shell that is killed may leave its end of a socket broken, and not only closed.
        with contextlib.suppress(EOFError, ConnectionError):
            while line := self._stream.readline():
                record = decode(line)
                if "files" in record:
                    record["files"] = read_files(record["files"], self._stream)
                with self._lock:
                    self._deliver(record)
        # Not sys.exit: taking litellm down in good order costs a second.
        os._exit(0)

    def first(self) -> Record:
        """The record that comes first; blocks until it is there."""
        return self._early.get()

    def connect(self, take: Callable[[Record], object]) -> None:
        """Hand over what came so far, and from now on everything, in the loop's thread."""
        loop = asyncio.get_running_loop()
        with self._lock:
            while not self._early.empty():
                take(self._early.get())
            self._deliver = lambda record: loop.call_soon_threadsafe(take, record)

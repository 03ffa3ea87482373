"""The shell's end of a connection to a model process, whichever way the process came about."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes."""


class Connection(ABC):
    """Bytes to a model process and lines from it. Belongs to one event loop."""

    pid: int
    lines: asyncio.StreamReader
    """What it says; ends when the process does."""

    @abstractmethod
    def write(self, data: Iterable[bytes]) -> None:
        """Send pieces without waiting in between, so that nothing else comes between them;
        what is not taken yet is held. Behind the end of input nothing is sent."""

    @abstractmethod
    def end_input(self) -> None:
        """Send nothing more, upon which the process ends. Can be called twice."""

    @abstractmethod
    def kill(self) -> None:
        """End the process by force, if it still runs."""

    @abstractmethod
    async def ended(self) -> str:
        """Wait for the end of the process; how it ended, where that is known: ``signal 9``,
        ``exit code 1``."""

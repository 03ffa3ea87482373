"""What tests ask of a provider, and look at in processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.builtin.litellm_provider.warm import looking
from agno_shell.builtin.litellm_provider.warm.client import WarmProcess
from agno_shell.contracts import Background
from agno_shell.events import Event, Request, TextDelta
from agno_shell.types import Message, new_id, now

Make = Callable[..., LitellmProvider]
"""The fixture ``make``."""


def request(text: str = "Hello") -> Request:
    said = Message(new_id(), "user", text, now())
    return Request("openai/test", (said,), api_base="http://127.0.0.1:9/v1")


async def events_of(provider: LitellmProvider) -> list[Event]:
    async with asyncio.timeout(60):
        return [event async for event in provider.stream(request())]


async def seen_by(provider: LitellmProvider) -> dict[str, Any]:
    """What the process behind a provider sees."""
    text, *_ = await events_of(provider)
    assert isinstance(text, TextDelta), text
    seen: dict[str, Any] = json.loads(text.text)
    return seen


def servers(runtime: Path) -> list[Background]:
    """The servers of a test."""
    return looking.look(str(runtime))


def is_warm(provider: LitellmProvider) -> bool:
    """Whether it has a process that a server has forked, and none of its own."""
    assert provider._process is not None
    return isinstance(provider._process._connection, WarmProcess)


async def until(true: Callable[[], Any]) -> None:
    """Return once something is true; fail after half a minute."""
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.005)


def runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return state(pid) not in ("Z", "")


def state(pid: int) -> str:
    """``T`` for a process that is stopped, as ``/proc`` has it; empty where it is gone. Other
    systems than Linux do not tell: ``?``."""
    if sys.platform != "linux":
        return "?"
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return status.rpartition(")")[2].split()[0]


async def stop(pid: int) -> None:
    """Stop a process, and wait until all of its threads stand still."""
    os.kill(pid, signal.SIGSTOP)
    await until(lambda: state(pid) in ("T", "?"))

"""The texts that an agent pins, read when a request is made."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from typing import NamedTuple

from agno_shell.config.agents import FILE_MARK
from agno_shell.conversation.files.file_content import as_text, other_encoding

LARGEST = 1024 * 1024
"""Bytes of one file; more would fill most windows."""

_NON_BLOCKING = getattr(os, "O_NONBLOCK", 0)  # so that a FIFO cannot make us wait


class AgentTexts(NamedTuple):
    """What an agent pins, as far as it could be read."""

    texts: tuple[str, ...]
    problems: tuple[str, ...]
    """A sentence for each that is missing; the request goes without it."""


def read_pins(pins: Iterable[str]) -> AgentTexts:
    """The texts of ``Agent.pins`` in their order: each as it stands, or what is in the
    file that it names. Reads the disk, so it runs in a thread."""
    texts: list[str] = []
    problems: list[str] = []
    for pin in pins:
        try:
            text = _read(pin.removeprefix(FILE_MARK)) if pin.startswith(FILE_MARK) else pin
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            problems.append(
                f"The agent's file {pin.removeprefix(FILE_MARK)} is not sent: {reason}."
            )
        else:
            texts += [text.strip()] if text.strip() else []
    return AgentTexts(tuple(texts), tuple(problems))


def _read(path: str) -> str:
    """``ValueError`` for what is no text file of reasonable size."""
    descriptor = os.open(os.path.expanduser(path), os.O_RDONLY | _NON_BLOCKING)
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is no plain file")
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError("it is larger than 1 MiB")
    text = as_text(data)
    if text is None:
        encoding = other_encoding(data)
        seems = f"; it seems to be in {encoding[0]}" if encoding else ""
        raise ValueError(f"it is not text in UTF-8{seems}")
    return text

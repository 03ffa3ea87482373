"""The contents of attached files: ``attachments`` in a session's folder, by SHA-256.

A file there never changes, so that reading takes no lock; adding one wants the session's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime

from agno_shell.builtin.json_storage import disk
from agno_shell.builtin.json_storage.folder import ATTACHMENTS
from agno_shell.errors import StorageError
from agno_shell.types import Message

_DIGEST = re.compile(r"[0-9a-f]{64}")


def digest_of(data: bytes) -> str:
    """The name of a content: its SHA-256 as 64 small hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def is_digest(value: object) -> bool:
    """Whether ``value`` may become the name of a file here."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def named(messages: Iterable[Message]) -> set[str]:
    """The contents that messages name."""
    found = (each.sha256 for message in messages for each in message.attachments)
    return set(filter(is_digest, found))


def content(folder: str, digest: str, whose: str) -> bytes:
    """A content, as it was when it was kept. Raises ``StorageError``, which names
    ``whose`` it is, and ``OSError``."""
    if not is_digest(digest):
        raise StorageError(f"{str(digest)[:80]!r} names no attachment of {whose}.")
    path = f"{folder}/{ATTACHMENTS}/{digest}"
    try:
        disk.require_folder(f"{folder}/{ATTACHMENTS}")
        data = disk.read(path)
    except FileNotFoundError:
        raise StorageError(
            f"An attachment of {whose} is not there: {path}.",
            hint="Attaching the same file again brings it back.",
        ) from None
    if digest_of(data) != digest:
        raise StorageError(
            f"An attachment of {whose} is not what it was when it was attached: {path}.",
            hint="Attaching the same file again brings it back.",
        )
    return data


def keep(folder: str, data: bytes, notice: Callable[[str], None]) -> str:
    """Keep a content in a session's folder, durably; its digest. Raises ``OSError``."""
    digest = digest_of(data)
    place = f"{folder}/{ATTACHMENTS}"
    disk.ensure_folder(place)
    path = f"{place}/{digest}"
    try:
        is_there = disk.read(path) == data
        if not is_there:
            notice(f"{path} was damaged; it is kept as {put_aside(path)}.")
    except FileNotFoundError:
        is_there = False
    if not is_there:
        disk.replace(path, data)
    # A shell that made what was there already may have ended before it was durable.
    disk.sync_folder(place)
    disk.sync_folder(folder)
    return digest


def put_aside(path: str) -> str:
    """Rename a content that is not what its name says; its new path."""
    aside = f"{path}.damaged-{datetime.now(UTC).strftime('%Y%m%dT%H%M%S%fZ')}"
    disk.move(path, aside)
    return aside


def take_over(folder: str, messages: Iterable[Message], source: Callable[[str], bytes]) -> None:
    """Keep what messages name in a folder that is being made, as far as ``source`` has it."""
    found = named(messages)
    if not found:
        return
    place = f"{folder}/{ATTACHMENTS}"
    disk.make_folder(place)
    for digest in sorted(found):
        with suppress(StorageError):
            data = source(digest)
            if digest_of(data) == digest:
                disk.create_whole(f"{place}/{digest}", data)
    disk.sync_folder(place)

"""Stores of any size for the storage benchmarks, written directly: a million appends
would take minutes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from places import REPLY

from agno_shell.builtin.json_storage import folder, index_format, index_line, layout
from agno_shell.builtin.json_storage.folder import Entry
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.toolkit import json_records
from agno_shell.types import Message, Session, Timing, Usage

_BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Place(NamedTuple):
    """A session on the disk."""

    root: Path
    session: Session

    @property
    def folder(self) -> Path:
        return self.root / self.session.session_id

    @property
    def messages(self) -> Path:
        """The file of its messages."""
        return self.folder / folder.MESSAGES

    def storage(self) -> Storage:
        """A new handle of the store it is in."""
        return open_storage(StorageOptions(str(self.root)))


def make_store(root: Path, lengths: Sequence[int]) -> list[Place]:
    """A store as the program leaves it, with a session of each of ``lengths`` messages."""
    root.mkdir(parents=True)
    entries = [_make_session(root, number, length) for number, length in enumerate(lengths)]
    current = entries[0].session.session_id
    lines = [index_line.line(entry, local=False) for entry in entries]
    (root / "sessions.json").write_bytes(index_format.whole(current, lines))
    # What is still on its way to the disk would be measured with the rest.
    os.sync()
    return [Place(root, entry.session) for entry in entries]


def reply(ident: str, parent: str | None) -> Message:
    """A reply of a model, as the program stores it."""
    return Message(
        ident,
        "assistant",
        REPLY,
        _BEGIN,
        parent,
        model="openai/gpt-4o-mini",
        usage=Usage(1200, 130, None, 1024, 0.00042),
        timing=Timing(0.412, 2.345),
    )


def _make_session(root: Path, number: int, length: int) -> Entry:
    session = Session(
        f"{number:08x}-1111-4111-8111-111111111111",
        f"Session number {number}",
        _BEGIN,
        _BEGIN + timedelta(seconds=number + length),
        f"What was asked on day {number}",
        length,
    )
    path = root / session.session_id
    path.mkdir()
    (path / folder.SESSION).write_bytes(folder.record_bytes(folder.SessionRecord(session)))
    with (path / folder.MESSAGES).open("wb") as file:
        if length:
            file.write(b"[\n")
            file.writelines(_lines(length))
            file.write(layout.CLOSING)
        else:
            file.write(layout.EMPTY)
    status = (path / folder.MESSAGES).stat()
    return Entry(session, status.st_size, status.st_mtime_ns, checked=True)


def _lines(length: int) -> Iterator[bytes]:
    """Questions and replies in turns, each with its comma before and its newline
    behind."""
    question = Message("@id", "user", "What comes after that one?", _BEGIN, "@parent")
    answer = reply("@id", "@parent")
    patterns = [_pattern(question), _pattern(answer)]
    parent = b"null"
    for number in range(length):
        before, between, after = patterns[number % 2]
        own = b'"%08x-2222-4222-8222-222222222222"' % number
        yield b"".join((b"," if number else b"", before, own, between, parent, after, b"\n"))
        parent = own


def _pattern(message: Message) -> tuple[bytes, bytes, bytes]:
    """The line of a message around its id and its parent."""
    before, _, rest = json_records.message_line(message).partition(b'"@id"')
    between, _, after = rest.partition(b'"@parent"')
    return before, between, after

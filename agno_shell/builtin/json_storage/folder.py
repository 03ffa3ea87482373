"""One session's folder: its name, ``session.json``, which is the truth about a session, and
what the list of sessions is to say of it."""

# Annotations are not left as text here (PEP 563): a named tuple would compile them at
# every start.

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from agno_shell.builtin.json_storage import ATTACHMENTS as ATTACHMENTS
from agno_shell.builtin.json_storage import MEMORY as MEMORY
from agno_shell.builtin.json_storage import MESSAGES as MESSAGES
from agno_shell.builtin.json_storage import SESSION as SESSION
from agno_shell.builtin.json_storage import disk
from agno_shell.toolkit import json_records
from agno_shell.types import ROOT, Message, Session, default_session_name

TYPE_CHECKING = False  # as in ``typing``, without importing it at every start
if TYPE_CHECKING:
    from agno_shell.builtin.json_storage.message_reader import Head

_BESIDE = (SESSION, MEMORY, ATTACHMENTS)
"""Each of them makes a session of a folder without messages."""
_SESSION_ID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

UNKNOWN = -1

More = Callable[[str, Sequence[Message]], None]
"""Puts what else belongs to a session into its new folder, given the messages that have
something attached."""


def _nothing(_path: str, _with_files: Sequence[Message]) -> None:
    pass


def is_session_id(value: object) -> bool:
    """Whether ``value`` is a session id, which may become part of a path: a lower-case UUID
    and nothing else. ``uuid.UUID()`` is no check: it takes ``urn:``, braces and digits of
    other scripts."""
    return isinstance(value, str) and _SESSION_ID.fullmatch(value) is not None


class Entry(NamedTuple):
    """A session, and the look of the message file that its count belongs to."""

    session: Session
    size: int = UNKNOWN
    """Bytes."""
    mtime_ns: int = UNKNOWN
    checked: bool = False
    """Whether the file was read or written as a whole and is sound; otherwise only its
    lines were counted, and it is read before anything is appended."""


class SessionRecord(NamedTuple):
    """What ``session.json`` says."""

    session: Session
    head_after: str | None = None
    """The newest message when the head was set, ``ROOT`` if there was none; a later
    message ends it."""


def read_record(folder: str, session_id: str) -> SessionRecord | None:
    """What ``session.json`` says; None if it is missing or damaged. Raises ``OSError``
    where there is something that is not read, such as a symbolic link."""
    try:
        data = disk.read(f"{folder}/{SESSION}")
    except FileNotFoundError:
        return None
    record = _record_in(data, session_id)
    return record and record._replace(session=dated(record.session, folder))


@lru_cache(maxsize=1)  # with each message the same file is read more than once
def _record_in(data: bytes, session_id: str) -> SessionRecord | None:
    try:
        raw: Any = json_records.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except json_records.Damage:
        return None
    if not isinstance(raw, dict):
        return None
    head_after = raw.pop("head_after", None)
    session = json_records.session_of(raw, session_id, json_records.EPOCH)
    return SessionRecord(session, head_after if isinstance(head_after, str) else None)


def record_bytes(record: SessionRecord) -> bytes:
    """The bytes of a ``session.json``, a key a line."""
    fields = json_records.session_fields(record.session)
    if record.head_after is not None:
        fields["head_after"] = record.head_after
    rows = (
        json_records.dumps(key) + b": " + json_records.dumps(value) for key, value in fields.items()
    )
    return b"{\n  " + b",\n  ".join(rows) + b"\n}\n"


def survey(folder: str, session_id: str, listed: Entry | None) -> Entry | None:
    """A session as its folder shows it, or None if the folder is not one.

    ``listed`` is what the index says; it stands where ``session.json`` is missing, its
    ``updated_at`` is the least, and its count holds where no file of messages was ever
    counted: other programs keep none.
    """
    from agno_shell.builtin.json_storage import message_reader

    disk.require_folder(folder)
    counted = message_reader.count(f"{folder}/{MESSAGES}")
    record = read_record(folder, session_id)
    known = listed.session if listed else None
    if record is not None:
        session = record.session
    elif known is not None:
        session = dated(known, folder)
    elif counted.size >= 0 or _holds_anything(folder):
        session = dated(json_records.session_of({}, session_id, json_records.EPOCH), folder)
    else:
        return None
    updated_at = max(session.updated_at, counted.newest_at or session.updated_at)
    if known is not None and known.updated_at > updated_at:
        updated_at = known.updated_at
    number = counted.messages
    if listed is not None and listed.size == counted.size == UNKNOWN:
        number = listed.session.message_count
    session = session._replace(message_count=number, updated_at=updated_at)
    if record is not None and record.session.head is not None and not head_holds(folder, record):
        session = session._replace(head=None)
    return Entry(session, counted.size, counted.mtime_ns)


def _holds_anything(folder: str) -> bool:
    if any(disk.status(f"{folder}/{name}") for name in _BESIDE):
        return True
    from agno_shell.builtin.json_storage import running_reply

    # One of which nothing can be read is removed when the session is opened.
    return any(reply.content for reply in running_reply.kept(folder))


def dated(session: Session, folder: str) -> Session:
    """``session`` with the times of its messages, or else of its files, where none stands
    in its record."""
    if session.created_at != json_records.EPOCH:
        return session
    made_at = _made_at(folder)
    if session.name == default_session_name(json_records.EPOCH):
        session = session._replace(name=default_session_name(made_at))
    return session._replace(created_at=made_at, updated_at=max(made_at, session.updated_at))


def _made_at(folder: str) -> datetime:
    from agno_shell.builtin.json_storage import message_reader

    oldest = message_reader.oldest_at(f"{folder}/{MESSAGES}")
    if oldest is not None:
        return oldest
    return _changed_at(f"{folder}/{SESSION}") or _changed_at(folder) or json_records.EPOCH


def head_of(record: SessionRecord | None) -> "Head | None":
    """Where a conversation stands according to its ``session.json``; None if at the end."""
    from agno_shell.builtin.json_storage.message_reader import Head

    if record is None or record.session.head is None:
        return None
    return Head(record.session.head, record.head_after)


def head_holds(folder: str, record: SessionRecord) -> bool:
    """Whether no message came since the head was set."""
    from agno_shell.builtin.json_storage import message_reader

    newest = message_reader.newest_id(f"{folder}/{MESSAGES}")
    if newest is None:
        return record.session.head == record.head_after == ROOT
    return record.head_after in (None, newest)


def may_be_there(folder: str) -> bool:
    """Whether there is a folder, or something that cannot even be looked at: it is listed
    then, and opening it says why."""
    try:
        return disk.is_folder(folder)
    except OSError:
        return True


def _changed_at(path: str) -> datetime | None:
    try:
        status = disk.status(path)
    except OSError:
        status = None
    return datetime.fromtimestamp(status.st_mtime, UTC) if status else None


def unreadable(path: str, session_id: str) -> Entry:
    """What is listed for a folder of which nothing can be read."""
    changed_at = _changed_at(path) or json_records.EPOCH
    return Entry(json_records.session_of({}, session_id, changed_at))


def look(path: str) -> tuple[object, ...]:
    """How a session's files look from outside; another value after any change.

    Small files are replaced by files of the same size, and where inodes are used again
    and the clock of the file system is coarse, two of them have the same status: what they
    say is compared.
    """
    status = disk.status(f"{path}/{MESSAGES}")
    messages = (status.st_ino, status.st_size, status.st_mtime_ns) if status else None
    return messages, _said(f"{path}/{SESSION}"), _said(f"{path}/{MEMORY}")


def _said(path: str) -> bytes | None:
    try:
        return disk.read(path)
    except OSError:
        return None  # missing, or of a kind that is not read


def keeps_replies(path: str) -> bool:
    """Whether there may be a reply in work, or what a crash left of one."""
    return any(name.startswith("reply-") and name.endswith(".jsonl") for name in disk.names(path))


def keeps_memories(path: str) -> bool:
    """Whether there may be something to remember; reading it says why where that is not known."""
    try:
        return disk.status(f"{path}/{MEMORY}") is not None
    except OSError:
        return True


# Writing ---------------------------------------------------------------------------------


def make(
    path: str, session: Session, messages: Sequence[Message] = (), more: More = _nothing
) -> Entry:
    """Make a session's folder with all its messages at once, durably, or nothing at all:
    a process that is killed meanwhile leaves neither half a session nor a file that is no
    JSON."""
    aside = place_aside(path)
    fill(aside, session, messages, more)
    try:
        disk.move(aside, path)
    except BaseException:
        disk.remove_tree_quietly(aside)
        raise
    try:
        disk.sync_folder(path.rpartition("/")[0])
    except BaseException:
        disk.remove_tree_quietly(path)
        raise
    return counted(path, session)


def place_aside(path: str) -> str:
    """Where the folder of a session that is to be at ``path`` is made."""
    root, _, session_id = path.rpartition("/")
    return f"{root}/.import-{session_id}-{os.urandom(6).hex()}"


def fill(path: str, session: Session, messages: Sequence[Message], more: More = _nothing) -> None:
    """Make a folder with a session in it, durable except for its own name."""
    from agno_shell.builtin.json_storage import layout

    newest = None
    if session.head is not None:
        newest = messages[-1].id if messages else ROOT
    with_files: list[Message] = []
    disk.make_folder(path)
    try:
        lines = _lines(messages, with_files)
        disk.create_in_pieces(f"{path}/{MESSAGES}", layout.pieces(lines))
        disk.create_whole(f"{path}/{SESSION}", record_bytes(SessionRecord(session, newest)))
        more(path, with_files)
        disk.sync_folder(path)
    except BaseException:
        disk.remove_tree_quietly(path)
        raise


def _lines(messages: Iterable[Message], with_files: list[Message]) -> Iterator[bytes]:
    """The lines of messages; gone through once, for they may be read from a disk."""
    for message in messages:
        if message.attachments:
            with_files.append(message)
        yield json_records.message_line(message)


def counted(path: str, session: Session) -> Entry:
    """What the index is to say of a session whose messages were just written whole."""
    status = disk.status(f"{path}/{MESSAGES}")
    return (
        Entry(session, status.st_size, status.st_mtime_ns, checked=True)
        if status
        else Entry(session)
    )


def make_record(path: str, session: Session) -> None:
    """Write a ``session.json`` where there is none."""
    if disk.status(f"{path}/{SESSION}") is None:
        disk.create_by_link(f"{path}/{SESSION}", record_bytes(SessionRecord(session)))

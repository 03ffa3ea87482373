"""Replies in work, kept beside the messages so that a crash does not lose them.

``reply-N.jsonl`` holds the message as one line of JSON, then a line for every piece that
was added: a JSON text for its content, ``["provider", "text"]`` for its reasoning. Its
writer holds a lock as long as it lives, so that another shell on the same session can tell
a leftover from a reply that is still running.
"""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Callable
from contextlib import suppress

from agno_shell.builtin.json_storage import disk
from agno_shell.builtin.json_storage.locks import Lock, Locks
from agno_shell.builtin.json_storage.problems import not_saved
from agno_shell.errors import StorageError
from agno_shell.toolkit import json_records
from agno_shell.types import Growth, Message, grown

PLACES = 16
"""How many replies can run in one session at the same time."""
_SYNC_EVERY = 1.0
"""Seconds."""
_PLANTED = (errno.ELOOP, errno.EINVAL)
"""What :mod:`disk` raises for a symbolic link and for a FIFO."""
_NAME = re.compile(r"reply-(\d{1,2})\.jsonl", re.ASCII)


class Replies:
    """The replies that one handle of a store receives. ``folder`` returns that of a session,
    ``locks`` are made when needed."""

    def __init__(
        self,
        folder: Callable[[str], str],
        locks: Callable[[], Locks],
    ) -> None:
        self._folder = folder
        self._locks = locks
        self._running: dict[str, RunningReply] = {}

    def save(self, session_id: str, message: Message | None) -> None:
        """See :meth:`agno_shell.contracts.Storage.save_partial`."""
        reply = self._running.get(session_id)
        if message is None:
            if reply is not None:
                reply.remove()
            return
        path = self._folder(session_id)
        try:
            if reply is None:
                reply = self._running[session_id] = RunningReply(self._locks(), path, session_id)
            elif reply.message_id not in (None, message.id):
                reply.remove()
            reply.save(message)
        except (OSError, json_records.UnwritableError) as error:
            raise not_saved("The reply in work", path, error) from error

    def extend(self, session_id: str, growth: Growth) -> None:
        """See :meth:`agno_shell.contracts.Storage.extend_partial`."""
        reply = self._running.get(session_id)
        if reply is None:
            raise StorageError(f"No reply is in work in session {str(session_id)[:80]}.")
        try:
            reply.extend(growth)
        except (OSError, json_records.UnwritableError) as error:
            raise not_saved("The reply in work", reply.folder, error) from error

    def saved(self, session_id: str, message: Message) -> None:
        """A message is saved: if it was the reply in work, nothing is left of that."""
        reply = self._running.get(session_id)
        if reply is not None and reply.message_id == message.id:
            reply.remove()

    def release(self, session_id: str) -> None:
        """Stop writing; what was kept becomes an interrupted message at the next open."""
        reply = self._running.pop(session_id, None)
        if reply is not None:
            reply.release()

    def close(self) -> None:
        for session_id in list(self._running):
            self.release(session_id)


class RunningReply:
    """The reply that this shell is receiving in one session."""

    def __init__(self, locks: Locks, folder: str, session_id: str) -> None:
        self._locks = locks
        self.folder = folder
        self._session_id = session_id
        self._held: Lock | None = None
        self._path = ""
        self._fd = -1
        self._end = 0
        self._synced_at = 0.0
        self._suspect = False
        self._message: Message | None = None
        self._growth: list[Growth] = []
        """What was added to the message since."""

    @property
    def message_id(self) -> str | None:
        """The message whose text is kept, if there is one."""
        return self._message.id if self._message else None

    def save(self, message: Message) -> None:
        """Keep ``message``; costs what was added to it, and a sync once a second."""
        if self._held is not None and self._is_removed():
            self.release()
        if self._held is None:
            self._begin()
        if self._suspect:
            self._write_anew(message)
        else:
            self._write(self._difference(message))
        self._message, self._growth = message, []
        if time.monotonic() - self._synced_at >= _SYNC_EVERY:
            self._sync()

    def extend(self, growth: Growth) -> None:
        """Keep what was added to the message that is kept; nothing is synced, and nothing
        read. ``StorageError`` when another message is kept, or none."""
        if growth.message_id != self.message_id or self._is_removed():
            raise StorageError(f"No reply {growth.message_id[:80]!r} is kept in {self.folder}.")
        data = b""
        if growth.reasoning:
            data += json_records.dumps([growth.provider, growth.reasoning]) + b"\n"
        if growth.text:
            data += json_records.dumps(growth.text) + b"\n"
        self._write(data)
        self._growth.append(growth)

    def _is_removed(self) -> bool:
        """Whether somebody has removed the file: what is written to it is nowhere."""
        return disk.status_of(self._fd).st_nlink == 0

    def _write(self, data: bytes) -> None:
        if not data:
            return
        try:
            disk.write_at(self._fd, self._end, data)
        except BaseException:
            # What was kept so far stays: on a full disk it is all there will be.
            with suppress(OSError):
                disk.truncate(self._fd, self._end)
            raise
        self._end += len(data)

    def _sync(self) -> None:
        try:
            disk.sync(self._fd)
            disk.sync_folder(self.folder)
        except BaseException:
            self._suspect = True  # a second sync of this file would prove nothing
            raise
        self._synced_at = time.monotonic()

    def _write_anew(self, message: Message) -> None:
        data = json_records.message_line(message) + b"\n"
        disk.replace(self._path, data)
        fd = disk.open_to_write(self._path)
        disk.close(self._fd)
        self._fd, self._end, self._suspect = fd, len(data), False
        self._synced_at = time.monotonic()

    def remove(self) -> None:
        """The reply is saved as a message, or is not wanted: nothing is left of it."""
        if self._held is not None:
            disk.remove_quietly(self._path)
        self.release()

    def release(self) -> None:
        """Stop writing; what was kept becomes an interrupted message at the next open."""
        if self._held is not None:
            if not self._end:  # a full disk took nothing: this is no reply
                disk.remove_quietly(self._path)
            disk.close(self._fd)
            self._held.release()
        self._held, self._message, self._suspect = None, None, False
        self._growth = []

    def _kept(self) -> Message | None:
        """The message as the file has it."""
        return self._message and grown(self._message, self._growth)

    def _difference(self, message: Message) -> bytes:
        before = self._kept()
        if before is None or not message.content.startswith(before.content):
            return json_records.message_line(message) + b"\n"
        if message != before._replace(content=message.content):
            return json_records.message_line(message) + b"\n"
        added = message.content[len(before.content) :]
        return json_records.dumps(added) + b"\n" if added else b""

    def _begin(self) -> None:
        for place in range(PLACES):
            held = self._locks.try_reply(self._session_id, place)
            if held is None:
                continue
            path = path_of(self.folder, place)
            try:
                self._fd = disk.create(path)
            except FileExistsError:
                held.release()  # a leftover, until the session is opened again
                continue
            except BaseException:
                held.release()
                raise
            self._held, self._path, self._end = held, path, 0
            self._synced_at = time.monotonic()
            return
        raise OSError(f"{PLACES} replies are running in this session already")


def leftovers(folder: str) -> list[int]:
    """The places in which a reply is kept, running or not."""
    matches = (_NAME.fullmatch(name) for name in disk.names(folder))
    return sorted(int(match[1]) for match in matches if match and int(match[1]) < PLACES)


def path_of(folder: str, place: int) -> str:
    return f"{folder}/reply-{place}.jsonl"


def kept(folder: str) -> list[Message]:
    """What is kept of every reply, running or not; what is no file is none."""
    found = []
    for place in leftovers(folder):
        try:
            found.append(read(path_of(folder, place)))
        except FileNotFoundError:
            pass  # its writer has just finished it
        except OSError as error:
            if error.errno not in _PLANTED:
                raise
    return [message for message in found if message is not None]


def read(path: str) -> Message | None:
    """What was kept of a reply, up to the first line that is torn."""
    return parse(disk.read(path))[0]


def parse(data: bytes) -> tuple[Message | None, bool]:
    """What was kept of a reply, up to the first line that is torn, and whether there is
    something behind it: only the last line of a write that was cut off is torn."""
    *lines, torn = data.split(b"\n")
    message: Message | None = None
    growth: list[Growth] = []
    is_damaged = False
    for line in lines:
        try:
            value = json_records.loads(line)
        except json_records.Damage:
            is_damaged = True
            break
        if isinstance(value, dict) and json_records.is_settled(value):
            message = json_records.message_of(
                value, value["id"], value["parent"], json_records.EPOCH
            )
            growth = []
        elif message and (piece := _growth(message.id, value)):
            growth.append(piece)
        else:
            is_damaged = True
            break
    if message is None:
        return None, is_damaged or bool(torn.strip(b"\0"))
    return grown(message, growth), is_damaged


def _growth(message_id: str, value: object) -> Growth | None:
    """What a line adds; None where it is no such line."""
    if isinstance(value, str):
        return Growth(message_id, value)
    if isinstance(value, list) and [*map(type, value)] == [str, str]:
        return Growth(message_id, "", value[1], value[0])
    return None

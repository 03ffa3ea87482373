"""From places in the index to messages, sessions and snippets, read from the files."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime

from agno_shell.builtin.json_storage import (
    disk,
    index,
    index_line,
    message_reader,
    search_reader,
)
from agno_shell.builtin.json_storage.folder import MESSAGES
from agno_shell.builtin.json_storage.search_index import File, MessagePosition
from agno_shell.builtin.json_storage.session_catalog import SessionCatalog
from agno_shell.errors import StorageError
from agno_shell.toolkit import json_records
from agno_shell.toolkit.full_text import Query
from agno_shell.types import Message, SearchHit, Session

_MOST_OPEN = 64
"""Descriptors: a word may be found in thousands of sessions, and a process may often have
no more than 256 files open."""


class Hits:
    """What one search has found so far. Some files stay open until :meth:`close`."""

    def __init__(
        self, root: str, catalog: SessionCatalog, query: Query, since: datetime | None = None
    ) -> None:
        self._root = root
        self._catalog = catalog
        self._query = query
        self._since = since
        self._open: dict[str, int] = {}
        self._whole: dict[str, list[Message]] = {}
        self._sessions: dict[str, Session] = {}
        self._listed: bytes | None = None
        self._seen: set[tuple[str, str]] = set()
        self.found: list[SearchHit] = []
        self.stale: set[str] = set()
        """Sessions of which the index says what is not there."""

    def add(self, places: Iterable[MessagePosition], files: Mapping[int, File], limit: int) -> None:
        """Read what stands at these places until there are ``limit`` hits. ``files`` are
        the readings by generation."""
        for each in places:
            if len(self.found) >= limit:
                return
            file = files.get(each.generation)
            if file is None:
                continue  # the session was changed in this moment
            message = self._message(file, each.offset)
            if message is None or not self._query.matches(message.content):
                self.stale.add(file.session_id)
            elif self._since is None or message.created_at >= self._since:
                self._take(file, message)

    def _take(self, file: File, message: Message) -> None:
        key = (file.session_id, message.id)
        session = self._session(file)
        # A damaged file may hold a message twice.
        if session is not None and key not in self._seen:
            self._seen.add(key)
            snippet = self._query.snippet(message.content)
            self.found.append(SearchHit(session, message, snippet))

    def _message(self, file: File, offset: int) -> Message | None:
        path = f"{self._root}/{file.session_id}/{MESSAGES}"
        try:
            if file.form == "whole":
                return self._messages(path)[offset]
            fd = self._open.get(path)
            if fd is None:
                if len(self._open) == _MOST_OPEN:
                    self.close()
                fd = self._open[path] = disk.open_to_read(path)
            raw = json_records.loads(search_reader.line_at(fd, offset))
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                raise  # that says nothing about this file
            return None
        except (IndexError, *json_records.Damage):
            return None
        if not isinstance(raw, dict) or not json_records.is_settled(raw):
            return None
        return json_records.message_of(raw, raw["id"], raw["parent"], json_records.EPOCH)

    def _messages(self, path: str) -> list[Message]:
        if path not in self._whole:
            self._whole[path] = message_reader.load(path).messages
        return self._whole[path]

    def _session(self, file: File) -> Session | None:
        """The session as the list of sessions shows it; None if it is gone."""
        session_id = file.session_id
        if session_id not in self._sessions:
            listed = self._listed_session(file)
            try:
                self._sessions[session_id] = listed or self._catalog.find(session_id).session
            except (StorageError, OSError):
                return None
        return self._sessions[session_id]

    def _listed_session(self, file: File) -> Session | None:
        """What the index of sessions says, if it has counted the same file."""
        if self._listed is None:
            self._listed = b""
            with suppress(OSError):  # the folders tell the same
                data = disk.read(f"{self._root}/{index.NAME}")
                self._listed = data if index_line.is_ours(data) else b""
        # There may be thousands of lines, and this goes through them for each session.
        place = self._listed.find(f'{{"session_id":"{file.session_id}",'.encode("ascii"))
        if place < 0:
            return None
        entry = index_line.read_line(self._listed[place : self._listed.find(b"\n", place)])
        if entry is None or (entry.size, entry.mtime_ns) != (file.look.size, file.look.mtime_ns):
            return None
        return entry.session if entry.session.session_id == file.session_id else None

    def close(self) -> None:
        for fd in self._open.values():
            disk.close(fd)
        self._open.clear()

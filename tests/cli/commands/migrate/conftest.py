"""What the tests of migrating share."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agno_shell.builtin.json_storage.store import JsonStorage
from agno_shell.cli.commands.migrate import migration
from agno_shell.cli.commands.migrate.order import MigrationOptions
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.types import Message, new_id, now


class MigrationResult(NamedTuple):
    """What a migration has written."""

    status: int
    out: str
    err: str


@pytest.fixture
def move() -> Callable[..., MigrationResult]:
    """Migrate from one storage, called here, to another, called there."""

    def move(
        from_: Storage, to: Storage, /, notices: Any = None, **options: Any
    ) -> MigrationResult:
        out, err = io.StringIO(), io.StringIO()
        named = MigrationOptions("here", "there")._replace(**options)
        status = migration.migrate(from_, to, named, out, err, notices)
        return MigrationResult(status, out.getvalue(), err.getvalue())

    return move


@pytest.fixture
def open_json(tmp_path: Path) -> Callable[..., JsonStorage]:
    """Open the JSON store in a folder of this name; its notices go to ``notices``."""

    def open_json(name: str = "json", notices: list[str] | None = None) -> JsonStorage:
        notice = notices.append if notices is not None else lambda _line: None
        return JsonStorage(StorageOptions(str(tmp_path / name), notice=notice))

    return open_json


@pytest.fixture
def say() -> Callable[..., list[Message]]:
    """Append a message for each text, each one following the one before."""

    def say(storage: Storage, session_id: str, *texts: str, **fields: Any) -> list[Message]:
        messages = storage.messages(session_id, last=1)
        for text in texts:
            parent = messages[-1].id if messages else None
            messages.append(Message(new_id(), "user", text, now(), parent, **fields))
            storage.append(session_id, messages[-1])
        return messages[-len(texts) :]

    return say


@pytest.fixture
def held() -> Callable[[Storage], dict[str, Any]]:
    """All that a storage holds, in a form that two can be compared by."""

    def contents(messages: list[Message], read: Callable[[str], bytes]) -> list[bytes]:
        return [read(file.sha256) for message in messages for file in message.attachments]

    return lambda storage: {
        "sessions": {
            each.session_id: (
                each,
                storage.tree(each.session_id),
                storage.messages(each.session_id),
                storage.memories(each.session_id),
                contents(storage.tree(each.session_id), partial(storage.attachment, each[0])),
            )
            for each in storage.sessions()
        },
        "trash": {
            (each.session.session_id, each.deleted_at): (
                each.session,
                storage.trashed_messages(each.trash_id),
                storage.trashed_memories(each.trash_id),
                contents(
                    storage.trashed_messages(each.trash_id),
                    partial(storage.trashed_attachment, each.trash_id),
                ),
            )
            for each in storage.trash()
        },
        "current": storage.current(),
    }


@pytest.fixture
def files() -> Callable[[Path], dict[str, Any]]:
    """Every file and folder below one, with bytes and times."""
    return lambda folder: {
        str(path): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in sorted([folder, *folder.rglob("*")])
    }

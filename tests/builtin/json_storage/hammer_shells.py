"""Run by path: one process of many on one session, ``writer``, ``replacer`` or ``reader``.

Says ``ready``, waits for a line, works, and prints what it did as one line of JSON. All
but a writer work until there is a file ``stop`` beside the store.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from agno_shell.builtin.json_storage import disk, layout, message_reader
from agno_shell.builtin.json_storage.locks import Locks
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import StorageOptions
from agno_shell.errors import StorageError
from agno_shell.toolkit.json_records import message_fields, message_line
from agno_shell.types import Message, new_id, now


def writer(root: str, session_id: str, name: str, number: str) -> list[tuple[str, int]]:
    """Appends; the ids, and how many messages there were by then, as it was told."""
    store = open_storage(StorageOptions(root))
    saved: list[tuple[str, int]] = []
    for each in range(int(number)):
        content = f"{name} {each} " + "x" * (each * 37 % 300)
        parent = saved[-1][0] if saved else None
        message = Message(new_id(), "user", content, now(), parent)
        while True:
            try:
                session = store.append(session_id, message)
                break
            except StorageError as error:
                # So many at once may keep one waiting for too long: it is told, and tries
                # again, as a person would.
                if "has been locked" not in str(error):
                    raise
                print("waited", name, each, file=sys.stderr)
        saved.append((message.id, session.message_count))
    return saved


def replacer(root: str, session_id: str, pause: str) -> list[int]:
    """Puts fresh files in the place of the messages, as recovery does, under the lock."""
    path = f"{root}/{session_id}/messages.json"
    replaced = 0
    while not os.path.exists(f"{root}/../stop"):
        with Locks(root).session(session_id):
            messages = message_reader.load(path).messages
            if replaced % 4 == 3:  # in another layout, which the next append has to mend
                fields = [message_fields(each) for each in messages]
                disk.replace(path, json.dumps(fields, indent=1).encode())
            else:
                disk.replace(path, layout.whole(message_line(each) for each in messages))
        replaced += 1
        time.sleep(float(pause))
    return [replaced]


def reader(root: str, session_id: str) -> list[int]:
    """Reads without a lock: what was there once stays, and new messages come behind it."""
    told: list[str] = []
    store = open_storage(StorageOptions(root, notice=told.append))
    before: list[str] = []
    reads = 0
    while not os.path.exists(f"{root}/../stop"):
        found = [each.id for each in store.tree(session_id)]
        assert found[: len(before)] == before, "a reader saw something go, or move"
        last = store.messages(session_id, last=3)
        assert not found or last
        before = found
        reads += 1
        assert told == [], told
    return [reads]


ROLES: dict[str, Callable[..., Any]] = {"writer": writer, "replacer": replacer, "reader": reader}

if __name__ == "__main__":
    role, *arguments = sys.argv[1:]
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(ROLES[role](*arguments)))

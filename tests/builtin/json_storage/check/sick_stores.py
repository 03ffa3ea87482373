"""Stores as they are found: of this program, of agno-cli, edited, copied, torn.

Every word in one is a token of its own, so that it can be looked for in whatever the store
has become.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from agno_shell.builtin.json_storage import index_format, index_line
from agno_shell.builtin.json_storage.folder import Entry
from agno_shell.toolkit.json_records import stamp
from agno_shell.types import Session, now

Change = Callable[[bytes], bytes]


class SickStore:
    """One store in the folder ``root``, which ``random`` decides everything about."""

    def __init__(self, root: Path, random: Random) -> None:
        self.root = root
        self._random = random
        self._tokens = 0
        self._counts: dict[str, int] = {}
        root.mkdir(mode=0o700)
        self._is_theirs = self._chance(0.5)
        listed = [self._session() for _ in range(random.randint(1, 4))]
        for _ in range(random.randint(0, 2)):
            self._trashed()
        self._list([each for each in listed if each is not None])
        self._extras(root)
        self._modes()

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _one_of(self, *choices: Any) -> Any:
        return self._random.choice(choices)

    def word(self) -> str:
        """A text that stands nowhere else."""
        self._tokens += 1
        decoration = self._one_of("", " ä漢🙂", ' "quoted"', "\\n line", "{", "[1]", " ")
        return f"w{self._tokens}w{decoration}"

    def _id(self) -> str:
        self._tokens += 1
        return f"{self._tokens:08x}-0000-4000-8000-{self._random.getrandbits(48):012x}"

    def _time(self) -> str:
        moment = f"2024-{self._random.randint(1, 12):02d}-10T0{self._random.randint(0, 9)}:30:00"
        return moment if self._is_theirs else f"{moment}.000001+00:00"

    # Sessions ----------------------------------------------------------------------------

    def _session(self) -> dict[str, Any] | None:
        """Make a folder; what the list says of it, if it does."""
        session_id = self._id()
        entry: dict[str, Any] = {
            "session_id": session_id,
            "name": self.word(),
            "created_at": self._time(),
            "updated_at": self._time(),
            "message_count": 0,
            "description": self.word() if self._chance(0.5) else "",
        }
        is_listed = self._chance(0.8)
        if not (is_listed and self._chance(0.1)):
            folder = self.root / session_id
            folder.mkdir(mode=0o700)
            number = self._fill(folder, entry, is_listed=is_listed)
            entry["message_count"] = self._counts[session_id] = number
        if self._chance(0.1):
            entry["message_count"] += self._random.randint(1, 9)
        for key in ("name", "created_at", "updated_at", "description", "message_count"):
            if self._chance(0.05):
                del entry[key]
        if self._chance(0.1):
            entry["name"] = self.word()
        return entry if is_listed else None

    def _trashed(self) -> None:
        session_id = self._id()
        folder = self.root / "trash" / f"{session_id}-20260720T103000123456Z"
        folder.mkdir(mode=0o700, parents=True)
        (self.root / "trash").chmod(0o700)
        entry = {"session_id": session_id, "name": self.word(), "created_at": self._time()}
        self._fill(folder, entry, is_listed=False)

    def _fill(self, folder: Path, entry: dict[str, Any], *, is_listed: bool) -> int:
        number = 0
        if self._is_theirs and is_listed and self._chance(0.4):
            return 0  # an empty folder
        if self._chance(0.9):
            number = self._messages(folder)
        if not self._is_theirs or self._chance(0.2):
            self._record(folder, entry)
        if self._chance(0.2):
            self._memory(folder)
        if self._chance(0.2):
            self._attachments(folder)
        if self._chance(0.3):
            self._leftovers(folder)
        return number

    def _record(self, folder: Path, entry: dict[str, Any]) -> None:
        record = {key: value for key, value in entry.items() if key != "message_count"}
        record["tags"] = [self.word()]
        record["mine"] = {"kept": self.word()}
        if self._chance(0.1):
            record["name"] = self.word()  # changed by hand, or the list is behind
        for key in list(record):
            if self._chance(0.04):
                del record[key]
            elif self._chance(0.04):
                record[key] = self._one_of(None, 5, [], {"a": 1}, " ", "2026")
        if self._chance(0.1):
            record["head"], record["pinned"] = "x", ["x", 5]
        data = json.dumps(record, indent=self._one_of(None, 2), ensure_ascii=self._chance(0.5))
        self._write(folder / "session.json", data.encode())

    def _messages(self, folder: Path) -> int:
        messages = [self._message(number) for number in range(self._random.randint(0, 4))]
        if messages and self._chance(0.1):
            messages.append(dict(messages[0]))  # the same once more
        if messages and self._chance(0.1):
            messages.append({**messages[0], "content": self.word()})  # another with its id
        if self._chance(0.05):
            messages.insert(0, self._one_of([self._message(9)], 5, self.word(), None))
        value: Any = messages
        if self._chance(0.1):
            value = {"messages": messages, "title": self.word()}
        if value is messages and not self._is_theirs:
            lines = [json.dumps(each, separators=(",", ":")) for each in messages]
            data = "[\n" + "\n,".join(lines) + "\n]\n" if lines else "[\n]\n"
        else:
            data = json.dumps(value, indent=2, ensure_ascii=self._chance(0.5))
        self._write(folder / "messages.json", data.encode())
        return len(messages)

    def _message(self, number: int) -> dict[str, Any]:
        said: dict[str, Any] = {"role": self._one_of("user", "assistant"), "content": self.word()}
        if self._is_theirs:
            said["timestamp"] = self._time()
        else:
            before = f"m{number - 1}" if number else None
            said |= {"id": f"m{number}", "created_at": self._time(), "parent": before}
        for key in list(said):
            if key != "content" and self._chance(0.04):
                del said[key]
            elif key != "content" and self._chance(0.03):
                said[key] = self._one_of(None, 5, ["x"], "nobody")
        if self._chance(0.05):
            said["content"] = [{"type": "text", "text": self.word()}]
        if self._chance(0.1):
            said["of another version"] = self.word()
        return said

    def _memory(self, folder: Path) -> None:
        facts: Any = [{"text": self.word(), "id": "f", "created_at": self._time()}, self.word()]
        if self._chance(0.2):
            facts.append(self._one_of(5, {"note": self.word()}, [self.word()]))
        value = self._one_of(facts, {"memories": facts})
        self._write(folder / "memory.json", json.dumps(value, indent=1).encode())

    def _attachments(self, folder: Path) -> None:
        place = folder / "attachments"
        place.mkdir(mode=0o700)
        data = self.word().encode()
        name = hashlib.sha256(data).hexdigest()
        (place / name).write_bytes(data if self._chance(0.7) else self.word().encode())
        if self._chance(0.3):
            (place / f"{name}.0123456789ab.tmp").write_bytes(self._one_of(data, data[:2], b""))

    def _leftovers(self, folder: Path) -> None:
        name = self._one_of("messages.json", "session.json", "memory.json")
        left = json.dumps({"content": self.word(), "name": self.word()}).encode()
        target = folder / name
        if target.exists() and self._chance(0.5):
            left = target.read_bytes()
        (folder / f"{name}.0123456789ab.tmp").write_bytes(self._torn(left))
        if self._chance(0.3):
            line = {"id": "r", "role": "assistant", "content": self.word(), "parent": "m0"}
            data = json.dumps(line).encode() + b'\n"and more"\n"torn'
            (folder / "reply-0.jsonl").write_bytes(self._one_of(data, data[:20], b"\0\0"))
        self._extras(folder)

    # The list ----------------------------------------------------------------------------

    def _list(self, entries: list[dict[str, Any]]) -> None:
        path = self.root / "sessions.json"
        if self._chance(0.1):
            return
        current = self._one_of(None, *(each["session_id"] for each in entries))
        if self._is_theirs:
            if entries and self._chance(0.1):
                entries.append({**entries[0], "name": self.word()})
            raw = {"current_session_id": current, "sessions": entries}
            data = json.dumps(raw, indent=self._one_of(2, 2, None)).encode()
        else:
            lines = [self._line(each) for each in entries]
            data = index_format.whole(current, lines)
        self._write(path, data)

    def _line(self, raw: dict[str, Any]) -> bytes:
        session_id = raw["session_id"]
        path = self.root / session_id / "messages.json"
        session = Session(
            session_id,
            raw.get("name", "unnamed"),
            now(),
            now(),
            raw.get("description", ""),
            self._counts.get(session_id, 0),
        )
        if not path.exists() or self._chance(0.2):
            return index_line.line(Entry(session, 4, 1), local=False)
        status = path.stat()
        entry = Entry(session, status.st_size, status.st_mtime_ns, self._chance(0.5))
        return index_line.line(entry, local=False)

    # What happens to files ---------------------------------------------------------------

    def _write(self, path: Path, data: bytes) -> None:
        if self._chance(0.15):
            change: Change = self._one_of(
                self._torn,
                self._garbled,
                lambda data: b"\xef\xbb\xbf" + data,
                lambda data: data.replace(b"\n", b"\r\n"),
                lambda data: data + b"\0" * 9,
                lambda _data: b"",
            )
            data = change(data)
        path.write_bytes(data)
        path.chmod(0o600)

    def _torn(self, data: bytes) -> bytes:
        return data[: self._random.randint(0, len(data))]

    def _garbled(self, data: bytes) -> bytes:
        place = self._random.randint(0, len(data))
        return data[:place] + self._one_of(b"\xff\xfe", b"}", b'"', b"\0", b",,") + data[place:]

    def _extras(self, folder: Path) -> None:
        if self._chance(0.1):
            (folder / "notes of mine.txt").write_text(self.word())
        if self._chance(0.1):
            kept = folder / "session.json.before-20260720T103000123456Z"
            kept.write_text(json.dumps({"name": self.word()}))
        if self._chance(0.05):
            (folder / "link").symlink_to("/nowhere")
        if folder == self.root and self._chance(0.2):
            staged = folder / f".import-{self._id()}-0123456789ab"
            staged.mkdir()
            session_id = staged.name.removeprefix(".import-")[:36]
            record = {
                "session_id": session_id,
                "name": self.word(),
                "created_at": stamp(now()),
            }
            (staged / "session.json").write_text(json.dumps(record))
            (staged / "messages.json").write_text(self._one_of("[\n]\n", '[\n{"content":"x"}\n]\n'))

    def _modes(self) -> None:
        """As another program, or a copy, leaves them; also ones that shut out the owner."""
        for path in self.root.rglob("*"):
            if path.is_symlink():
                continue
            if self._is_theirs or self._chance(0.1):
                path.chmod(0o755 if path.is_dir() else 0o644)
            if path.is_file() and self._chance(0.02) and os.geteuid() == 0:
                path.chmod(0)

"""The page on the file formats says enough to read a store, and nothing that is not so."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from agno_shell.builtin.json_storage import index_format, layout
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.testing.storage_contract import message, say
from agno_shell.toolkit import json_records
from agno_shell.types import (
    ROOT,
    Attachment,
    Message,
    ProviderTool,
    Session,
    Timing,
    ToolCall,
    Usage,
)

PAGE = (Path(__file__).parents[2] / "docs" / "file-formats.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text below a heading, up to the next one of the same level."""
    text = PAGE.split(f"\n## {title}\n", 1)[1]
    return text.split("\n## ", 1)[0]


def documented_keys(title: str) -> set[str]:
    """Every key in the first column of the section's tables."""
    rows = re.findall(r"^\| (`.*?`(?:, `.*?`)*) \|", section(title), re.MULTILINE)
    return {key for row in rows for key in re.findall(r"`(\w+)`", row)}


@pytest.fixture
def store(tmp_path: Path) -> Storage:
    return open_storage(StorageOptions(str(tmp_path)))


def printed(tmp_path: Path, session: Session) -> list[str]:
    """What the page's own reader prints of a session."""
    (code,) = re.findall(r"^```python\n(.*?)^```", section("A reader"), re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / session.session_id)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_the_pages_reader_reads_branches_and_heads(tmp_path: Path, store: Storage) -> None:
    session = store.create("cups")
    assert printed(tmp_path, session) == []
    said = say(store, session.session_id, "a", "b", "c")
    assert printed(tmp_path, session) == ["user: a", "user: b", "user: c"]
    store.update(session.session_id, head=said[0].id)
    assert printed(tmp_path, session) == ["user: a"]
    store.append(session.session_id, message("b2", said[0], role="assistant"))
    assert printed(tmp_path, session) == ["user: a", "assistant: b2"]
    store.update(session.session_id, head=ROOT)
    assert printed(tmp_path, session) == []
    store.append(session.session_id, message("another beginning"))
    assert printed(tmp_path, session) == ["user: another beginning"]


def test_the_pages_reader_reads_a_session_that_stands_before_its_first_message(
    tmp_path: Path, store: Storage
) -> None:
    session = store.create("cups")
    store.update(session.session_id, head=ROOT)
    assert printed(tmp_path, session) == []
    say(store, session.session_id, "a")
    assert printed(tmp_path, session) == ["user: a"]


def full_message() -> Message:
    return message(
        "?",
        status="incomplete",
        model="a/model",
        usage=Usage(1, 2, 3, 4, 0.5),
        timing=Timing(0.25, 1.5),
        attachments=(Attachment("a", "b/c", "0" * 64, 3),),
        provider_data={"a": {"signature": "x"}},
        tool_calls=(ToolCall("1", "look", "{}"),),
        tool_call_id="0",
        speaker="Ada",
        provider_tools=(ProviderTool("1", "search", "{}", "x", "failed", 0.5, 1),),
        covers="0",
    )


def test_the_keys_of_a_message_are_those_of_the_page(tmp_path: Path, store: Storage) -> None:
    session_id = store.create("keys").session_id
    store.append(session_id, full_message())
    (written,) = json.loads((tmp_path / session_id / "messages.json").read_bytes())
    assert set(written) == documented_keys("messages.json")
    (call,), (file,) = written["tool_calls"], written["attachments"]
    (tool,) = written["provider_tools"]
    for names in (written["usage"], written["timing"], call, file, tool):
        assert all(f"`{name}`" in section("messages.json") for name in names)
    assert all(f"`{role}`" in section("messages.json") for role in json_records.ROLES)


def test_the_keys_of_a_memory_are_those_of_the_page(tmp_path: Path, store: Storage) -> None:
    session_id = store.create("keys").session_id
    store.remember(session_id, "blue")
    path = tmp_path / session_id / "memory.json"
    (written,) = json.loads(path.read_bytes())
    assert set(written) == documented_keys("memory.json")
    store.forget(session_id, written["id"])
    assert path.read_bytes() == layout.EMPTY


def test_a_content_is_where_the_page_says(tmp_path: Path, store: Storage) -> None:
    session_id = store.create("files").session_id
    digest = store.attach(session_id, b"content")
    assert "<id>/attachments/<sha256>" in PAGE
    path = tmp_path / session_id / "attachments" / digest
    assert path.read_bytes() == b"content"
    assert digest == hashlib.sha256(b"content").hexdigest()


def test_the_keys_of_a_session_are_those_of_the_page(tmp_path: Path, store: Storage) -> None:
    session_id = store.create("keys", "words", model="m", agent="g").session_id
    said = say(store, session_id, "a", "b")
    pins = (said[0].id,)
    chosen = {"api_base": "http://x", "tags": ("t",), "pinned": pins, "reasoning": "low"}
    store.update(session_id, head=said[0].id, **chosen)
    written = json.loads((tmp_path / session_id / "session.json").read_bytes())
    assert set(written) == documented_keys("session.json")


def test_the_keys_of_the_index_are_those_of_the_page(tmp_path: Path, store: Storage) -> None:
    session_id = store.create("keys").session_id
    store.update(session_id, name="x")
    path = tmp_path / session_id / "session.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"colour": "blue"}))
    store.update(session_id, name="y")
    (written,) = json.loads((tmp_path / "sessions.json").read_bytes())["sessions"]
    own = set(written) - documented_keys("session.json") - {"message_count"}
    assert own == documented_keys("sessions.json")
    assert json.loads(index_format.whole(None, [])) == {"current_session_id": None, "sessions": []}


def test_the_bytes_of_a_file_are_those_of_the_page(tmp_path: Path, store: Storage) -> None:
    session_id = store.create("bytes").session_id
    path = tmp_path / session_id / "messages.json"
    assert path.read_bytes() == b"[\n]\n" == layout.EMPTY
    say(store, session_id, "a\nb", "c")
    first, second = (json.dumps(each) for each in json.loads(path.read_bytes()))
    lines = path.read_bytes().split(b"\n")
    assert (lines[0], lines[3], lines[4]) == (b"[", b"]", b"")
    assert json.loads(lines[1]) == json.loads(first)
    assert lines[2][:1] == b","
    assert json.loads(lines[2][1:]) == json.loads(second)

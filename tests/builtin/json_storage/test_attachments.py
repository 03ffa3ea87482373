"""The contents of attached files on the disk: written once, checked whenever they are read."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from agno_shell.builtin.json_storage import attachments
from agno_shell.contracts import Storage
from agno_shell.errors import SessionNotFoundError, StorageError

Opened = Callable[[], Storage]
DATA = b"\0content\n"
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def place(root: Path, session_id: str) -> Path:
    return root / session_id / "attachments"


def test_a_content_is_a_private_file_named_after_its_hash(
    store: Storage, session_id: str, place: Path
) -> None:
    assert store.attach(session_id, DATA) == DIGEST
    (file,) = place.iterdir()
    assert (file.name, file.read_bytes()) == (DIGEST, DATA)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_the_same_content_is_written_once(
    store: Storage, session_id: str, place: Path, faults: object
) -> None:
    store.attach(session_id, DATA)
    before = (place / DIGEST).stat()
    store.attach(session_id, DATA)
    after = (place / DIGEST).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert os.listdir(place) == [DIGEST]


@pytest.mark.parametrize("damaged", [b"", DATA[:-1], DATA + b"x", b"X" + DATA[1:]])
def test_a_content_that_is_another_one_is_told_and_put_aside(
    damaged: bytes, store: Storage, session_id: str, place: Path, notices: list[str]
) -> None:
    store.attach(session_id, DATA)
    (place / DIGEST).write_bytes(damaged)
    with pytest.raises(StorageError, match=f"An attachment of session {session_id}") as told:
        store.attachment(session_id, DIGEST)
    assert str(place / DIGEST) in str(told.value)
    assert told.value.hint
    assert store.attach(session_id, DATA) == DIGEST
    assert store.attachment(session_id, DIGEST) == DATA
    (aside,) = place.glob(f"{DIGEST}.damaged-*")
    assert aside.read_bytes() == damaged
    assert notices == [f"{place / DIGEST} was damaged; it is kept as {aside}."]


def test_a_content_that_is_not_there_is_told(store: Storage, session_id: str, place: Path) -> None:
    with pytest.raises(StorageError, match=f"session {session_id} is not there: .*{DIGEST}"):
        store.attachment(session_id, DIGEST)
    assert not place.exists()


@pytest.mark.parametrize(
    "name", ["../session.json", ".", "", DIGEST.upper(), f"{DIGEST}\n", f"{DIGEST}.tmp", None]
)
def test_what_is_no_hash_never_becomes_a_path(
    name: str, store: Storage, session_id: str, place: Path, faults: object
) -> None:
    store.attach(session_id, DATA)
    (place / f"{DIGEST}.tmp").write_bytes(DATA)
    with pytest.raises(StorageError, match="names no attachment of"):
        store.attachment(session_id, name)


def a_folder(path: Path) -> None:
    path.mkdir()


def a_link(path: Path) -> None:
    elsewhere = path.parent.parent / "elsewhere"
    elsewhere.write_bytes(DATA)
    path.symlink_to(elsewhere)


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("plant", [a_folder, a_link, a_pipe])
def test_what_is_no_file_is_named_and_left_alone(
    plant: Callable[[Path], None], store: Storage, session_id: str, place: Path
) -> None:
    store.attach(session_id, b"another")
    plant(place / DIGEST)
    before = os.lstat(place / DIGEST)
    with pytest.raises(StorageError, match=DIGEST):
        store.attachment(session_id, DIGEST)
    with pytest.raises(StorageError, match=f"The attachment was not saved: .*{DIGEST}"):
        store.attach(session_id, DATA)
    after = os.lstat(place / DIGEST)
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)


def test_a_folder_that_is_a_link_is_not_followed(
    store: Storage, session_id: str, place: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / DIGEST).write_bytes(DATA)
    place.symlink_to(elsewhere)
    with pytest.raises(StorageError, match="a symbolic link is not followed"):
        store.attachment(session_id, DIGEST)
    with pytest.raises(StorageError, match="a symbolic link is not followed"):
        store.attach(session_id, b"new")
    assert os.listdir(elsewhere) == [DIGEST]


def test_what_a_crash_has_left_is_in_nobodys_way(
    store: Storage, session_id: str, place: Path
) -> None:
    store.attach(session_id, b"another")
    (place / f"{DIGEST}.0123456789ab.tmp").write_bytes(DATA[:3])
    assert store.attach(session_id, DATA) == DIGEST
    assert store.attachment(session_id, DIGEST) == DATA


def test_the_trash_says_how_much_it_holds(store: Storage, session_id: str) -> None:
    before = store.delete(session_id)
    store.restore(before.trash_id)
    store.attach(session_id, b"x" * 5000)
    assert store.delete(session_id).size == before.size + 5000


def test_a_session_that_is_deleted_meanwhile_is_told(
    open_store: Opened, session_id: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, store = open_store(), open_store()
    store.attach(session_id, DATA)
    real = attachments.content

    def content(*given: str) -> bytes:
        monkeypatch.setattr(attachments, "content", real)
        other.delete(session_id)
        return real(*given)

    monkeypatch.setattr(attachments, "content", content)
    with pytest.raises(SessionNotFoundError):
        store.attachment(session_id, DIGEST)
    with pytest.raises(SessionNotFoundError):
        store.attach(session_id, DATA)
    assert not (root / session_id).exists()

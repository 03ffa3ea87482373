"""What a power cut has torn is sound JSON again once a shell has started."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from agno_shell.builtin.json_storage.store import JsonStorage, open_storage
from agno_shell.contracts import StorageOptions
from agno_shell.testing.storage_contract import say


class Torn:
    """A store with two sessions, and one of them torn."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notices: list[str] = []
        with closing(self.open()) as store:
            self.ids = [store.create(name).session_id for name in ("torn", "whole")]
            for session_id in self.ids:
                say(store, session_id, "one", "two [1, 2]", "three")
        self.file = folder / self.ids[0] / "messages.json"

    def open(self) -> JsonStorage:
        storage = open_storage(StorageOptions(str(self.folder), notice=self.notices.append))
        assert isinstance(storage, JsonStorage)
        return storage

    def copies(self) -> list[bytes]:
        return [each.read_bytes() for each in self.file.parent.glob("messages.json.before-*")]


@pytest.fixture
def torn(tmp_path: Path) -> Torn:
    return Torn(tmp_path / "sessions")


def cut(data: bytes) -> bytes:
    return data[:-9]


def without_the_end(data: bytes) -> bytes:
    return data[:-2]


def zeros(data: bytes) -> bytes:
    return data[:-20] + b"\0" * 20


def more_zeros(data: bytes) -> bytes:
    return data[:-2] + b"\0" * 4096


@pytest.mark.parametrize("tear", [cut, without_the_end, zeros, more_zeros])
@pytest.mark.parametrize("how", ["open", "mend"])
def test_it_is_mended_and_the_torn_one_is_kept(torn: Torn, tear: object, how: str) -> None:
    data = tear(torn.file.read_bytes())  # type: ignore[operator]
    torn.file.write_bytes(data)
    with closing(torn.open()) as store:
        read = [each.content for each in store.tree(torn.ids[0])]
        assert torn.file.read_bytes() == data, "reading writes nothing"
        if how == "open":
            store.open(torn.ids[0])
        else:
            list(store.mend())
        assert [each["content"] for each in json.loads(torn.file.read_bytes())] == read
        assert read[:2] == ["one", "two [1, 2]"]
        assert torn.copies() == [data]
        assert any("The damaged file is kept as" in line for line in torn.notices)
        before = torn.file.stat()
        list(store.mend())
        store.open(torn.ids[0])
        assert torn.file.stat() == before
        assert store.open(torn.ids[0]).message_count == len(read)
        say(store, torn.ids[0], "four")
        assert [each.content for each in store.tree(torn.ids[0])] == [*read, "four"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'[{"role": "user", "content": "x"}]',
        b'[\n  {\n    "role": "user",\n    "content": "x"\n  }\n]',
        b'\xef\xbb\xbf[\r\n{"role": "user", "content": "x"}\r\n]\r\n',
    ],
)
def test_another_layout_stays_as_it_is(torn: Torn, data: bytes) -> None:
    torn.file.write_bytes(data)
    with closing(torn.open()) as store:
        list(store.mend())
        store.open(torn.ids[0])
    assert torn.file.read_bytes() == data
    assert torn.copies() == []


def test_a_session_that_is_being_written_is_left_alone(torn: Torn) -> None:
    torn.file.write_bytes(data := cut(torn.file.read_bytes()))
    with closing(torn.open()) as writing, closing(torn.open()) as store:
        with writing._locks.session(torn.ids[0]):
            list(store.mend())
            store.open(torn.ids[0])
        assert torn.file.read_bytes() == data
        list(store.mend())
        assert torn.file.read_bytes() != data


def test_a_disk_that_cannot_be_written_opens_it_all_the_same(
    torn: Torn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agno_shell.builtin.json_storage import disk

    torn.file.write_bytes(data := cut(torn.file.read_bytes()))

    def full(_path: str, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "create_whole", full)
    with closing(torn.open()) as store:
        list(store.mend())
        assert store.open(torn.ids[0]).message_count == 2
    assert torn.file.read_bytes() == data

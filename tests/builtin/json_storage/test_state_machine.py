"""Random work on two handles and a model of what must be true."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from agno_shell.builtin.json_storage import layout, message_reader
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.testing.storage_contract import message
from agno_shell.types import ROOT, Attachment, Memory, Message, new_id

TEXT = st.text(st.characters(codec=None, categories=None), max_size=30)


@dataclass
class Model:
    """What a session must look like."""

    name: str
    messages: list[Message] = field(default_factory=list)
    head: str | None = None
    memories: list[Memory] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)

    def cut(self, kept: int) -> None:
        """A power cut, or another program, has taken the last messages."""
        if kept < len(self.messages):
            # A head holds as long as the newest message is the one it was set behind.
            self.head = None
        del self.messages[kept:]

    def path(self) -> list[Message]:
        by_id = {each.id: each for each in self.messages}
        head = self.head
        if head is None and self.messages:
            head = self.messages[-1].id
        found: list[Message] = []
        while head:  # neither None nor ROOT
            found.append(by_id[head])
            head = found[-1].parent
        return found[::-1]


class Shells(RuleBasedStateMachine):
    ids = Bundle("ids")
    deleted = Bundle("deleted")

    def __init__(self) -> None:
        super().__init__()
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.root = Path(tempfile.mkdtemp(prefix="agno-shell-test-", dir=memory))
        self.stores = [self._open(), self._open()]
        self.model: dict[str, Model] = {}
        self.trash: dict[str, tuple[str, Model]] = {}
        self.current: str | None = None
        """None: there may be one or none."""

    def _open(self) -> Storage:
        return open_storage(StorageOptions(str(self.root / "sessions")))

    def teardown(self) -> None:
        for store in self.stores:
            store.close()
        shutil.rmtree(self.root)

    @rule(target=ids, store=st.integers(0, 1), name=TEXT.filter(str.strip))
    def create(self, store: int, name: str) -> str:
        session = self.stores[store].create(name)
        self.model[session.session_id] = Model(name)
        return session.session_id

    @rule(ident=ids, store=st.integers(0, 1), text=TEXT)
    def append(self, ident: str, store: int, text: str) -> None:
        if ident in self.model:
            session = self.model[ident]
            path = session.path()
            session.messages.append(message(text, path[-1] if path else None))
            session.head = None
            after = self.stores[store].append(ident, session.messages[-1])
            assert after.message_count == len(session.messages)

    @rule(ident=ids, store=st.integers(0, 1), text=TEXT, data=st.data())
    def branch(self, ident: str, store: int, text: str, data: st.DataObject) -> None:
        """Answer any message, or begin anew."""
        if ident in self.model:
            session = self.model[ident]
            parent = data.draw(st.sampled_from([None, *session.messages]))
            session.messages.append(message(text, parent, role="assistant"))
            session.head = None
            self.stores[store].append(ident, session.messages[-1])

    @rule(ident=ids, store=st.integers(0, 1), data=st.data())
    def move_head(self, ident: str, store: int, data: st.DataObject) -> None:
        session = self.model.get(ident)
        if session and session.messages:
            places = [ROOT, *(each.id for each in session.messages)]
            session.head = data.draw(st.sampled_from(places))
            self.stores[store].update(ident, head=session.head)

    @rule(ident=ids, store=st.integers(0, 1), text=TEXT)
    def remember(self, ident: str, store: int, text: str) -> None:
        if ident in self.model:
            self.model[ident].memories.append(self.stores[store].remember(ident, text))

    @rule(ident=ids, store=st.integers(0, 1), data=st.data())
    def forget(self, ident: str, store: int, data: st.DataObject) -> None:
        if ident in self.model and (memories := self.model[ident].memories):
            memory = data.draw(st.sampled_from(memories))
            assert self.stores[store].forget(ident, memory.id) == memory
            memories.remove(memory)

    @rule(ident=ids, store=st.integers(0, 1), content=st.binary(max_size=20))
    def attach(self, ident: str, store: int, content: bytes) -> None:
        if ident in self.model:
            session = self.model[ident]
            digest = self.stores[store].attach(ident, content)
            session.contents[digest] = content
            path = session.path()
            files = (Attachment("a", "b/c", digest, len(content)),)
            session.messages.append(message("see", path[-1] if path else None, attachments=files))
            session.head = None
            self.stores[store].append(ident, session.messages[-1])

    @rule(ident=ids)
    def write_memories_by_hand(self, ident: str) -> None:
        path = self.root / "sessions" / ident / "memory.json"
        if ident in self.model and path.exists():
            path.write_text(json.dumps(json.loads(path.read_bytes()), indent=1))

    @rule(ident=ids, store=st.integers(0, 1), name=TEXT.filter(str.strip))
    def rename(self, ident: str, store: int, name: str) -> None:
        if ident in self.model:
            self.model[ident].name = name
            self.stores[store].update(ident, name=name)

    @rule(target=deleted, ident=consumes(ids), store=st.integers(0, 1))
    def delete(self, ident: str, store: int) -> str:
        trash_id = self.stores[store].delete(ident).trash_id
        self.trash[trash_id] = (ident, self.model.pop(ident))
        if self.current == ident:
            self.current = None
        return trash_id

    @rule(target=ids, trash_id=consumes(deleted), store=st.integers(0, 1))
    def restore(self, trash_id: str, store: int) -> str:
        ident, session = self.trash.pop(trash_id)
        self.stores[store].restore(trash_id)
        self.model[ident] = session
        return ident

    @rule(trash_id=consumes(deleted), store=st.integers(0, 1))
    def purge(self, trash_id: str, store: int) -> None:
        self.stores[store].purge(trash_id)
        del self.trash[trash_id]

    @rule(target=ids, ident=ids, store=st.integers(0, 1))
    def copy_over(self, ident: str, store: int) -> str:
        """What a migration does, under another id."""
        if ident not in self.model:
            return ident
        source = self.stores[1 - store]
        session = source.open(ident)._replace(session_id=new_id())
        self.stores[store].import_session(
            session,
            source.tree(ident),
            memories=source.memories(ident),
            attachment=partial(source.attachment, ident),
        )
        copied = self.model[ident]
        named = {file.sha256 for each in copied.messages for file in each.attachments}
        self.model[session.session_id] = Model(
            copied.name,
            [*copied.messages],
            copied.head,
            [*copied.memories],
            {digest: copied.contents[digest] for digest in named},
        )
        return session.session_id

    @rule(store=st.integers(0, 1), ident=ids)
    def use(self, store: int, ident: str) -> None:
        if ident in self.model:
            self.stores[store].set_current(ident)
            self.current = ident

    @rule(store=st.integers(0, 1))
    def reopen(self, store: int) -> None:
        self.stores[store].close()
        self.stores[store] = self._open()

    @rule()
    def lose_the_index(self) -> None:
        (self.root / "sessions" / "sessions.json").unlink(missing_ok=True)
        self.current = None

    @rule(ident=ids)
    def reformat(self, ident: str) -> None:
        path = self.root / "sessions" / ident / "messages.json"
        if ident in self.model and layout.read(path.read_bytes()).form in ("ours", "foreign"):
            path.write_text(json.dumps(json.loads(path.read_bytes()), indent=1))

    @rule(ident=ids, share=st.floats(0, 1))
    def cut_off(self, ident: str, share: float) -> None:
        """The end of the messages is lost; those before it are not."""
        if ident not in self.model or not self.model[ident].messages:
            return
        path = self.root / "sessions" / ident / "messages.json"
        data = path.read_bytes()
        if layout.count(data) != len(self.model[ident].messages):
            return  # laid out by another program; where its messages end is its own affair
        kept = data[: int(share * len(data))]
        path.write_bytes(kept)
        self.model[ident].cut(sum(map(_is_message, kept.split(b"\n"))))

    @invariant()
    def both_handles_see_the_model(self) -> None:
        for store in self.stores:
            listed = {each.session_id: (each.name, each.message_count) for each in store.sessions()}
            assert listed == {
                ident: (each.name, len(each.messages)) for ident, each in self.model.items()
            }
            assert {each.trash_id for each in store.trash()} == self.trash.keys()
            for trash_id, (_, trashed) in self.trash.items():
                assert store.trashed_messages(trash_id) == trashed.messages
                assert store.trashed_memories(trash_id) == trashed.memories
                for digest, content in trashed.contents.items():
                    assert store.trashed_attachment(trash_id, digest) == content
            current = store.current()
            assert current == self.current if self.current else current in (None, *self.model)
            for ident, session in self.model.items():
                assert store.tree(ident) == session.messages
                assert store.memories(ident) == session.memories
                for digest, content in session.contents.items():
                    assert store.attachment(ident, digest) == content
                assert store.messages(ident) == session.path()
                assert store.messages(ident, last=2) == session.path()[-2:]
                assert store.open(ident).name == session.name


def _is_message(line: bytes) -> bool:
    """Whether a line is a whole message, with or without the newline behind it; one that
    was cut may end with the brace of something within it."""
    try:
        return isinstance(json.loads(line.removeprefix(b",")), dict)
    except ValueError:
        return False


@pytest.mark.parametrize(
    ("runs", "steps"),
    [(100, 12), pytest.param(3000, 40, marks=pytest.mark.slow)],
    ids=["short", "long"],
)
@pytest.mark.usefixtures("faults")
def test_random_work(runs: int, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_reader.time, "sleep", lambda _seconds: None)
    Shells.TestCase.settings = settings(
        max_examples=runs,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    Shells.TestCase("runTest").runTest()

"""Random work on two handles and a model of what must be true."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.testing.storage_contract import message
from agno_shell.types import Message

TEXT = st.text(st.characters(codec=None, categories=None), max_size=30)


@dataclass
class Model:
    """What a session must look like."""

    name: str
    messages: list[Message] = field(default_factory=list)
    head: str | None = None

    def path(self) -> list[Message]:
        by_id = {each.id: each for each in self.messages}
        head = self.head or (self.messages[-1].id if self.messages else None)
        found: list[Message] = []
        while head is not None:
            found.append(by_id[head])
            head = found[-1].parent
        return found[::-1]


class Shells(RuleBasedStateMachine):
    ids = Bundle("ids")
    deleted = Bundle("deleted")

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="agno-shell-test-"))
        self.stores = [self._open(), self._open()]
        self.model: dict[str, Model] = {}
        self.trash: dict[str, tuple[str, Model]] = {}

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

    @rule(ident=ids, store=st.integers(0, 1), data=st.data())
    def move_head(self, ident: str, store: int, data: st.DataObject) -> None:
        session = self.model.get(ident)
        if session and session.messages:
            session.head = data.draw(st.sampled_from([each.id for each in session.messages]))
            self.stores[store].update(ident, head=session.head)

    @rule(ident=ids, store=st.integers(0, 1), name=TEXT.filter(str.strip))
    def rename(self, ident: str, store: int, name: str) -> None:
        if ident in self.model:
            self.model[ident].name = name
            self.stores[store].update(ident, name=name)

    @rule(target=deleted, ident=consumes(ids), store=st.integers(0, 1))
    def delete(self, ident: str, store: int) -> str:
        trash_id = self.stores[store].delete(ident).trash_id
        self.trash[trash_id] = (ident, self.model.pop(ident))
        return trash_id

    @rule(target=ids, trash_id=consumes(deleted), store=st.integers(0, 1))
    def restore(self, trash_id: str, store: int) -> str:
        ident, session = self.trash.pop(trash_id)
        self.stores[store].restore(trash_id)
        self.model[ident] = session
        return ident

    @rule(store=st.integers(0, 1))
    def reopen(self, store: int) -> None:
        self.stores[store].close()
        self.stores[store] = self._open()

    @rule()
    def lose_the_index(self) -> None:
        (self.root / "sessions" / "sessions.json").unlink(missing_ok=True)

    @rule(ident=ids)
    def reformat(self, ident: str) -> None:
        path = self.root / "sessions" / ident / "messages.json"
        if ident in self.model:
            path.write_text(json.dumps(json.loads(path.read_bytes()), indent=1))

    @invariant()
    def both_handles_see_the_model(self) -> None:
        for store in self.stores:
            listed = {each.session_id: (each.name, each.message_count) for each in store.sessions()}
            assert listed == {
                ident: (each.name, len(each.messages)) for ident, each in self.model.items()
            }
            assert {each.trash_id for each in store.trash()} == self.trash.keys()
            for ident, session in self.model.items():
                assert store.tree(ident) == session.messages
                assert store.messages(ident) == session.path()
                assert store.messages(ident, last=2) == session.path()[-2:]
                assert store.open(ident).name == session.name


@pytest.mark.usefixtures("faults")
def test_random_work() -> None:
    Shells.TestCase.settings = settings(
        max_examples=25,
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    Shells.TestCase("runTest").runTest()

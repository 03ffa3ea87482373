"""What the model is to remember in a session: adding, listing, taking away."""

# ruff: noqa: S101 - a contract is made of assertions

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from agno_shell.contracts import Storage
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.testing.storage_contract.samples import (
    HOSTILE_IDS,
    TEXTS,
    UNKNOWN_ID,
    UNWRITABLE,
    OpenStore,
    old_memories,
    old_session,
    say,
)
from agno_shell.testing.storage_contract.verdicts import only, refuses, same, unchanged


class MemoriesContract:
    """Nothing that is to be remembered is lost, and nothing else changes by it."""

    def test_what_is_to_be_remembered_comes_back(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            session_id = store.create("remembers").session_id
            same(store.memories(session_id), [], "a new session has nothing to remember")
            kept = [store.remember(session_id, text) for text in TEXTS]
            same([each.text for each in kept], list(TEXTS), "remember() returns what it keeps")
            assert len({each.id for each in kept}) == len(kept), "each has an id of its own"
            assert all(each.created_at.tzinfo is not None for each in kept), (
                "created_at is timezone-aware"
            )
            same(store.memories(session_id), kept, "memories() are what remember() returned")
        with closing(open_store()) as store:
            same(store.memories(session_id), kept, "a reopened store has its memories")
            other = store.create("another").session_id
            same(store.memories(other), [], "another session does not remember it")

    def test_what_is_forgotten_is_gone(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            session_id = store.create("forgets").session_id
            kept = [store.remember(session_id, text) for text in ("a", "b", "a", "c")]
            same(store.forget(session_id, kept[2].id), kept[2], "forget() returns what it took")
            what = "forget() for the second time"
            with unchanged(store, what), refuses(StorageError, what):
                store.forget(session_id, kept[2].id)
            del kept[2]
            kept.append(store.remember(session_id, "d"))
        with closing(open_store()) as store:
            same(store.memories(session_id), kept, "forget() takes the one that was named")
            for memory in kept:
                store.forget(session_id, memory.id)
            same(store.memories(session_id), [], "all of it can be forgotten")

    def test_forgetting_what_is_not_there_is_refused(self, store: Storage) -> None:
        session_id = store.create("remembers").session_id
        elsewhere = store.remember(store.create("another").session_id, "elsewhere").id
        store.remember(session_id, "a")
        for ident in (UNKNOWN_ID, elsewhere, *HOSTILE_IDS):
            what = f"forget() of the id {ident[:60]!r}"
            with unchanged(store, what), refuses(StorageError, what):
                store.forget(session_id, ident)

    def test_two_handles_remember_in_one_session(self, open_store: OpenStore) -> None:
        with closing(open_store()) as one, closing(open_store()) as two:
            session_id = one.create("shared").session_id
            kept = []
            for number in range(4):
                kept += [store.remember(session_id, f"{number}") for store in (one, two)]
            one.forget(session_id, kept[3].id)
            two.forget(session_id, kept[0].id)
            kept = [kept[1], kept[2], *kept[4:]]
            for store in (one, two):
                same(store.memories(session_id), kept, "two handles lose nothing to each other")

    def test_remembering_changes_nothing_else(self, store: Storage) -> None:
        session_id = store.create("quiet").session_id
        messages = say(store, session_id, "a", "b")
        store.update(session_id, head=messages[0].id)
        store.create("later")
        before = store.sessions(), store.open(session_id), store.messages(session_id)
        for what in ("remember()", "forget()"):
            if what == "remember()":
                memory = store.remember(session_id, "a")
            else:
                store.forget(session_id, memory.id)
            same(store.sessions(), before[0], f"{what} leaves the list as it is")
            same(store.open(session_id), before[1], f"{what} changes neither time nor head")
            same(store.messages(session_id), before[2], f"{what} leaves the conversation")

    def test_what_is_remembered_goes_to_the_trash_and_back(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            session_id = store.create("thrown away").session_id
            kept = [store.remember(session_id, text) for text in TEXTS]
            trash_id = store.delete(session_id).trash_id
            with refuses(SessionNotFoundError, "memories() of a deleted session"):
                store.memories(session_id)
        with closing(open_store()) as store:
            found = store.trashed_memories(trash_id)
            same(found, kept, "trashed_memories() are those of memories() before the deletion")
            store.restore(trash_id)
            same(store.memories(session_id), kept, "a restored session remembers again")
            with refuses(SessionNotFoundError, "trashed_memories() after restore()"):
                store.trashed_memories(trash_id)

    def test_what_is_remembered_is_imported(self, store: Storage) -> None:
        session, messages = old_session()
        kept = old_memories()
        store.import_session(session, messages, memories=kept)
        same(store.memories(session.session_id), kept, "import_session() takes the memories over")
        kept.append(store.remember(session.session_id, "more"))
        same(store.memories(session.session_id), kept, "what was imported stays as it was")
        deleted_at = datetime(2022, 3, 4, 5, 6, 7, 8, tzinfo=UTC)
        session, messages = old_session()
        store.import_session(session, messages, deleted_at=deleted_at, memories=kept)
        trashed = only(store.trash(), "trash() lists the deleted session")
        found = store.trashed_memories(trashed.trash_id)
        same(found, kept, "memories are imported into the trash as well")

    def test_an_import_with_memories_is_all_or_nothing(self, store: Storage) -> None:
        session, messages = old_session()
        kept = old_memories()
        for value in UNWRITABLE:
            what = f"import_session() with {value!r} in its last memory"
            strange = kept[-1]._replace(extra={"a": value})
            with unchanged(store, what), refuses(StorageError, what):
                store.import_session(session, messages, memories=[*kept[:-1], strange])

"""``version``: how a shell sees that a session it has open was changed elsewhere."""

# ruff: noqa: S101 - a contract is made of assertions

from __future__ import annotations

from contextlib import closing

from agno_shell.contracts import Storage
from agno_shell.errors import SessionNotFoundError
from agno_shell.testing.storage_contract.samples import OpenStore, message, say
from agno_shell.testing.storage_contract.verdicts import refuses


class VersionContract:
    """Another value after every change, the same one as long as there is none."""

    def test_the_version_changes_with_the_session(self, open_store: OpenStore) -> None:
        with closing(open_store()) as watcher, closing(open_store()) as other:
            session_id = watcher.create("watched").session_id
            seen = [watcher.version(session_id)]

            def changed(what: str) -> None:
                version = watcher.version(session_id)
                assert version not in seen, f"version() is another one after {what}"
                seen.append(version)

            for name, store in (("this handle", watcher), ("another handle", other)):
                messages = say(store, session_id, "a", "b")
                changed(f"append() by {name}")
                store.update(session_id, head=messages[0].id)
                changed(f"a move of the head by {name}")
                store.update(session_id, name=f"renamed by {name}")
                changed(f"a new name by {name}")
                store.update(session_id, tags=(name,))
                changed(f"new tags by {name}")
                store.update(session_id, pinned=(messages[0].id, messages[1].id))
                changed(f"a pin by {name}")
                memory = store.remember(session_id, "a")
                changed(f"remember() by {name}")
                store.remember(session_id, "b")
                store.forget(session_id, memory.id)
                changed(f"forget() by {name}")

    def test_changes_that_look_alike_have_versions_of_their_own(self, store: Storage) -> None:
        session_id = store.create("alike").session_id
        seen = [store.version(session_id)]
        for number in range(20):
            store.update(session_id, description=f"{number:02}")
            version = store.version(session_id)
            assert version not in seen, "version() never returns to that of another state"
            seen.append(version)

    def test_a_rescued_reply_changes_the_version(self, open_store: OpenStore) -> None:
        with closing(open_store()) as watcher:
            session_id = watcher.create("rescue").session_id
            (question,) = say(watcher, session_id, "?")
            before = watcher.version(session_id)
            with closing(open_store()) as dying:
                dying.save_partial(session_id, message("half", question, role="assistant"))
            watcher.open(session_id)
            assert watcher.version(session_id) != before, (
                "version() is another one after open() has rescued a reply"
            )

    def test_the_version_stays_while_nothing_changes(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store, closing(open_store()) as other:
            session_id = store.create("quiet").session_id
            messages = say(store, session_id, "a", "b")
            store.update(session_id, head=messages[0].id)
            before = store.version(session_id)
            assert store.version(session_id) == before, "version() is the same when asked again"
            for reader in (store, other):
                reader.sessions()
                reader.open(session_id)
                reader.messages(session_id)
                reader.messages(session_id, last=1)
                reader.tree(session_id)
                reader.partials(session_id)
                reader.memories(session_id)
                reader.version(session_id)
            assert store.version(session_id) == before, "version() is the same after reading"

    def test_a_deleted_session_has_no_version(self, open_store: OpenStore) -> None:
        with closing(open_store()) as watcher, closing(open_store()) as other:
            session_id = watcher.create("gone").session_id
            say(watcher, session_id, "a")
            watcher.version(session_id)
            trash_id = other.delete(session_id).trash_id
            for store in (watcher, other):
                with refuses(SessionNotFoundError, "version() of a deleted session"):
                    store.version(session_id)
            other.restore(trash_id)
            before = watcher.version(session_id)
            say(other, session_id, "b")
            assert watcher.version(session_id) != before, (
                "version() is another one after restore() and append()"
            )

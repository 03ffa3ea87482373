"""The trash and the current session: only the user deletes anything."""

# ruff: noqa: S101 - a contract is made of assertions

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

from agno_shell.contracts import Storage
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.testing.storage_contract.samples import OpenStore, message, old_session, say
from agno_shell.testing.storage_contract.verdicts import refuses, same, unchanged


class TrashContract:
    """Deleting, restoring, purging."""

    def test_delete_and_restore(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            session_id = store.create("thrown away").session_id
            messages = say(store, session_id, "a", "b")
            before = store.open(session_id)
            trashed = store.delete(session_id)
            same(trashed.session, before, "delete() returns the session as it was")
            same(store.sessions(), [], "a deleted session is not listed")
            with refuses(SessionNotFoundError, "messages() of a deleted session"):
                store.messages(session_id)
        with closing(open_store()) as store:
            same(store.trash(), [trashed], "trash() lists what delete() returned")
            same(store.restore(trashed.trash_id), before, "restore() gives the session back")
            same(store.trash(), [], "a restored session is not in the trash")
            same(store.sessions(), [before], "a restored session is listed")
            same(store.messages(session_id), messages, "a restored session has its messages")
            with refuses(SessionNotFoundError, "restore() for the second time"):
                store.restore(trashed.trash_id)

    def test_trashed_messages_are_those_of_all_branches(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            session_id = store.create("branches").session_id
            messages = say(store, session_id, "a", "b", "c")
            store.update(session_id, head=messages[0].id)
            messages += say(store, session_id, "b2")
            trash_id = store.delete(session_id).trash_id
        with closing(open_store()) as store:
            found = store.trashed_messages(trash_id)
            same(found, messages, "trashed_messages() are those of tree() before the deletion")
            store.restore(trash_id)
            same(store.tree(session_id), messages, "tree() has them again after restore()")
            with refuses(SessionNotFoundError, "trashed_messages() after restore()"):
                store.trashed_messages(trash_id)

    def test_a_reply_that_was_cut_off_is_deleted_as_a_message(self, open_store: OpenStore) -> None:
        with closing(open_store()) as dying:
            session_id = dying.create("cut off").session_id
            (question,) = say(dying, session_id, "?")
            reply = message("half an", question, role="assistant")
            dying.save_partial(session_id, reply)
        with closing(open_store()) as store:
            messages = [question, reply._replace(status="interrupted")]
            trash_id = store.delete(session_id).trash_id
            found = store.trashed_messages(trash_id)
            same(found, messages, "trashed_messages() have the reply that was cut off")
            store.restore(trash_id)
            same(store.tree(session_id), messages, "delete() of a session rescues its reply")

    def test_the_trash_lists_the_latest_first(self, store: Storage) -> None:
        deleted = [store.delete(store.create(name).session_id) for name in ("a", "b", "c")]
        same(store.trash(), deleted[::-1], "trash() has the latest deletion first")

    def test_purge_is_for_good(self, store: Storage) -> None:
        kept, gone = (store.delete(store.create(name).session_id) for name in ("kept", "gone"))
        store.purge(gone.trash_id)
        found = [each.trash_id for each in store.trash()]
        assert gone.trash_id not in found, "a purged session is not in the trash"
        same(found, [kept.trash_id], "purge() leaves what else is in the trash")
        for name in ("restore", "purge", "trashed_messages", "trashed_memories"):
            with refuses(SessionNotFoundError, f"{name}() after purge()"):
                getattr(store, name)(gone.trash_id)

    def test_restore_never_overwrites(self, store: Storage) -> None:
        session_id = store.create("first").session_id
        say(store, session_id, "a")
        trashed = store.delete(session_id)
        session, messages = old_session(session_id=session_id)
        store.import_session(session, messages)
        what = "restore() of a session whose id is taken"
        with unchanged(store, what), refuses(StorageError, what):
            store.restore(trashed.trash_id)

    def test_two_deletions_of_one_session_are_both_kept(self, store: Storage) -> None:
        session, messages = old_session()
        early = datetime(2022, 1, 1, tzinfo=UTC)
        late = early + timedelta(microseconds=1)
        store.import_session(session, messages, deleted_at=late)
        store.import_session(session._replace(message_count=3), messages[:3], deleted_at=early)
        found = store.trash()
        same([each.deleted_at for each in found], [late, early], "both deletions are in the trash")
        later, earlier = (each.trash_id for each in found)
        same(store.trashed_messages(later), messages, "each deletion keeps its own messages")
        same(store.trashed_messages(earlier), messages[:3], "each deletion keeps its own messages")
        store.restore(earlier)
        same(store.tree(session.session_id), messages[:3], "restore() takes the one that was named")
        same([each.trash_id for each in store.trash()], [later], "restore() leaves the other")

    # The current session -----------------------------------------------------------------

    def test_the_current_session(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            ids = [store.create(name).session_id for name in ("a", "b")]
            for session_id in ids:
                store.set_current(session_id)
                same(store.current(), session_id, "current() is what set_current() named")
        with closing(open_store()) as store:
            same(store.current(), ids[1], "a reopened store knows the current session")

    def test_deleting_the_current_session_picks_the_newest(self, store: Storage) -> None:
        a, b, c = (store.create(name).session_id for name in ("a", "b", "c"))
        store.append(a, message("newest"))
        store.set_current(c)
        store.delete(c)
        same(store.current(), a, "the most recently updated session follows the deleted one")
        store.delete(b)
        same(store.current(), a, "deleting another session leaves the current one")
        store.delete(a)
        same(store.current(), None, "the last one to be deleted leaves none")

    def test_a_deletion_makes_no_session_current(self, store: Storage) -> None:
        store.create("another")
        store.delete(store.create("gone").session_id)
        same(store.current(), None, "where no session was current, a deletion makes none so")

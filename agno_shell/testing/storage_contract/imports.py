"""``import_session``: taking over what another storage has kept."""

# ruff: noqa: S101 - a contract is made of assertions

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

from agno_shell.contracts import Storage
from agno_shell.errors import StorageError
from agno_shell.testing.storage_contract.samples import (
    HOSTILE_IDS,
    TEXTS,
    UNWRITABLE,
    OpenStore,
    message,
    old_session,
    say,
)
from agno_shell.testing.storage_contract.verdicts import only, refuses, same, unchanged
from agno_shell.types import ROOT, now

DELETED_AT = datetime(2022, 3, 4, 5, 6, 7, 8, tzinfo=UTC)


class ImportContract:
    """A session arrives whole or not at all, and never in the place of another."""

    def test_an_imported_session_is_whole(self, open_store: OpenStore) -> None:
        session, messages = old_session()
        with closing(open_store()) as store:
            here = store.create("was here")
            store.set_current(here.session_id)
            store.import_session(session, messages)
        with closing(open_store()) as store:
            same(
                store.tree(session.session_id), messages, "tree() has every message of every branch"
            )
            found = store.messages(session.session_id)
            same(found, messages[:3], "messages() are the path to the head that it came with")
            same(store.open(session.session_id), session, "open() gives what was imported")
            same(store.sessions(), [here, session], "sessions() lists what was imported")
            same(store.current(), here.session_id, "an import leaves the current session")

    def test_any_text_is_imported_as_it_was(self, store: Storage) -> None:
        session, _said = old_session(head=None, pinned=())
        messages = [message("?")]
        for text in TEXTS:
            messages.append(message(text, messages[-1]))
        session = session._replace(message_count=len(messages), name="é \ud800", updated_at=now())
        store.import_session(session, messages)
        same(store.messages(session.session_id), messages, "any text is imported letter by letter")
        same(store.sessions(), [session], "any name is imported letter by letter")

    def test_a_session_of_which_all_was_taken_back_is_imported(self, store: Storage) -> None:
        session, messages = old_session(head=ROOT)
        store.import_session(session, messages)
        same(store.sessions(), [session], "the head is imported as it was")
        same(store.messages(session.session_id), [], "there are no messages at such a head")
        same(store.tree(session.session_id), messages, "tree() has what was taken back")

    def test_an_empty_session_is_imported(self, store: Storage) -> None:
        session, _said = old_session(message_count=0, head=None, pinned=())
        store.import_session(session, [])
        same(store.sessions(), [session], "a session without messages is imported")
        same(store.messages(session.session_id), [], "it has none afterwards")

    def test_an_imported_session_goes_on(self, store: Storage) -> None:
        tomorrow = now() + timedelta(days=1)
        session, messages = old_session(updated_at=tomorrow)
        store.import_session(session, messages)
        session_id = session.session_id
        messages += say(store, session_id, "d")
        found = store.messages(session_id)
        same(found, [*messages[:3], messages[-1]], "append() goes on behind the head")
        same(store.tree(session_id), messages, "append() keeps the other branches")
        after = store.update(session_id, name="goes on")
        same((after.message_count, after.head), (len(messages), None), "append() counts on")
        same(after.extra, session.extra, "unknown keys stay when the session goes on")
        assert after.updated_at >= tomorrow, "updated_at never goes back, whatever the clock says"
        same(store.sessions(), [after], "the session is listed as it goes on")

    def test_a_deleted_session_is_imported_into_the_trash(self, open_store: OpenStore) -> None:
        session, messages = old_session()
        with closing(open_store()) as store:
            store.import_session(session, messages, deleted_at=DELETED_AT)
        with closing(open_store()) as store:
            same(store.sessions(), [], "a deleted session is imported into the trash alone")
            trashed = only(store.trash(), "trash() lists the deleted session")
            found = store.trashed_messages(trashed.trash_id)
            same(found, messages, "trashed_messages() has every branch")
            same(trashed.session, session, "trash() lists the session as it was")
            same(trashed.deleted_at, DELETED_AT, "trash() says when it was deleted at first")
            same(store.restore(trashed.trash_id), session, "restore() gives it back as it was")
            same(
                store.tree(session.session_id), messages, "tree() has every branch after restore()"
            )
            same(store.messages(session.session_id), messages[:3], "restore() gives the head back")

    def test_an_import_never_overwrites(self, store: Storage) -> None:
        session, messages = old_session()
        store.import_session(session, messages)
        other = session._replace(name="another", message_count=1, head=None, pinned=())
        what = "import_session() of an id that is there"
        with unchanged(store, what), refuses(StorageError, what):
            store.import_session(other, [message("x")])
        store.import_session(session, messages, deleted_at=DELETED_AT)
        what = "import_session() of a deletion that is in the trash"
        with unchanged(store, what), refuses(StorageError, what):
            store.import_session(other, [message("x")], deleted_at=DELETED_AT)

    def test_an_import_with_a_hostile_id_is_refused(self, store: Storage) -> None:
        for ident in HOSTILE_IDS:
            session, messages = old_session(session_id=ident)
            for deleted_at in (None, DELETED_AT):
                what = f"import_session() of the id {ident[:60]!r}"
                with unchanged(store, what), refuses(StorageError, what):
                    store.import_session(session, messages, deleted_at=deleted_at)

    def test_an_import_is_all_or_nothing(self, store: Storage) -> None:
        session, messages = old_session()
        for value in UNWRITABLE:
            strange = messages[-1]._replace(provider_data={"a": value})
            for deleted_at in (None, DELETED_AT):
                what = f"import_session() with {value!r} in its last message"
                with unchanged(store, what), refuses(StorageError, what):
                    store.import_session(session, [*messages[:-1], strange], deleted_at=deleted_at)
        store.import_session(session, messages)
        same(store.tree(session.session_id), messages, "the sound session is imported afterwards")

"""The contents of attached files, which are kept with the session by their SHA-256."""

from __future__ import annotations

import hashlib
import random
from contextlib import closing
from datetime import UTC, datetime

from agno_shell.contracts import Storage
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.testing.storage_contract.samples import (
    HOSTILE_IDS,
    OpenStore,
    old_session,
    say,
)
from agno_shell.testing.storage_contract.verdicts import only, refuses, same, unchanged
from agno_shell.types import Attachment, Message, Session

CONTENTS = (
    b"",
    b"plain",
    bytes(range(256)),
    b"\0" * 1000,
    random.Random(1).randbytes(2**20),  # noqa: S311 - the same bytes in every run
)


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def old_session_with_files(*contents: bytes) -> tuple[Session, list[Message]]:
    """A session of another storage whose messages, on several branches, name these files."""
    session, messages = old_session()
    for number, data in enumerate(contents):
        file = Attachment(f"{number}.bin", "image/png", digest_of(data), len(data))
        before = messages[number % 3]
        messages[number % 3] = before._replace(attachments=(*before.attachments, file))
    return session, messages


class AttachmentsContract:
    """A session can be read again when the attached files are gone."""

    def test_a_content_comes_back(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            session_id = store.create("files").session_id
            for data in CONTENTS:
                digest = store.attach(session_id, data)
                same(digest, digest_of(data), "attach() returns the SHA-256 of the content")
        with closing(open_store()) as store:
            for data in CONTENTS:
                found = store.attachment(session_id, digest_of(data)) == data
                same(found, True, f"a content of {len(data)} bytes comes back byte by byte")

    def test_the_same_content_can_be_attached_again(self, open_store: OpenStore) -> None:
        with closing(open_store()) as one, closing(open_store()) as two:
            session_id = one.create("twice").session_id
            for store in (one, two, one):
                same(store.attach(session_id, b"x"), digest_of(b"x"), "attach() works again")
                same(store.attachment(session_id, digest_of(b"x")), b"x", "the content is there")

    def test_a_content_that_is_not_there_is_refused(self, store: Storage) -> None:
        session_id, other = (store.create(name).session_id for name in ("one", "other"))
        digest = store.attach(session_id, b"x")
        elsewhere = store.attach(other, b"y")
        for name in (elsewhere, digest.upper(), digest[:-1], f"{digest}\n", *HOSTILE_IDS):
            with refuses(StorageError, f"attachment() of {name[:70]!r}"):
                store.attachment(session_id, name)
        same(store.attachment(session_id, digest), b"x", "what is there is still given")

    def test_attaching_changes_nothing_else(self, store: Storage) -> None:
        session_id = store.create("quiet").session_id
        messages = say(store, session_id, "a", "b")
        store.update(session_id, head=messages[0].id)
        with unchanged(store, "attach()"):
            store.attach(session_id, b"x")

    def test_contents_go_to_the_trash_and_back(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            session_id = store.create("thrown away").session_id
            digest = store.attach(session_id, CONTENTS[2])
            trash_id = store.delete(session_id).trash_id
            with refuses(SessionNotFoundError, "attachment() of a deleted session"):
                store.attachment(session_id, digest)
        with closing(open_store()) as store:
            found = store.trashed_attachment(trash_id, digest)
            same(found, CONTENTS[2], "trashed_attachment() gives what was attached")
            with refuses(StorageError, "trashed_attachment() of what is not there"):
                store.trashed_attachment(trash_id, digest_of(b"?"))
            store.restore(trash_id)
            found = store.attachment(session_id, digest)
            same(found, CONTENTS[2], "a restored session has what was attached")
            store.purge(store.delete(session_id).trash_id)
            session, messages = old_session(session_id=session_id)
            store.import_session(session, messages)
            with refuses(StorageError, "attachment() after purge()"):
                store.attachment(session_id, digest)

    # From another storage ----------------------------------------------------------------

    def test_contents_are_imported(self, store: Storage) -> None:
        at_hand = {digest_of(data): data for data in CONTENTS}
        for deleted_at in (None, datetime(2022, 3, 4, 5, 6, 7, 8, tzinfo=UTC)):
            session, messages = old_session_with_files(*CONTENTS)
            store.import_session(
                session, messages, deleted_at=deleted_at, attachment=at_hand.__getitem__
            )
            if deleted_at is not None:
                store.delete(store.create("in the way").session_id)
                trashed = [each for each in store.trash() if each.deleted_at == deleted_at]
                trash_id = only(trashed, "trash() lists the imported session").trash_id
            for digest, data in at_hand.items():
                found = (
                    store.attachment(session.session_id, digest)
                    if deleted_at is None
                    else store.trashed_attachment(trash_id, digest)
                )
                same(found == data, True, "import_session() takes over what messages name")

    def test_a_content_that_is_lost_does_not_keep_the_rest(self, store: Storage) -> None:
        def source(digest: str) -> bytes:
            if digest == digest_of(b"lost"):
                raise StorageError("It is lost.")
            return b"x" if digest == digest_of(b"x") else b"something else"

        session, messages = old_session_with_files(b"lost", b"x", b"altered")
        store.import_session(session, messages, attachment=source)
        session_id = session.session_id
        same(store.tree(session_id), messages, "a session is taken over without a lost content")
        found = store.attachment(session_id, digest_of(b"x"))
        same(found, b"x", "the other contents are taken over")
        for data in (b"lost", b"altered"):
            with refuses(StorageError, "attachment() of what could not be taken over"):
                store.attachment(session_id, digest_of(data))

    def test_without_a_source_no_content_is_imported(self, store: Storage) -> None:
        session, messages = old_session_with_files(b"x")
        store.import_session(session, messages)
        same(store.tree(session.session_id), messages, "a session is taken over without contents")
        with refuses(StorageError, "attachment() of what was not taken over"):
            store.attachment(session.session_id, digest_of(b"x"))

    def test_an_import_that_is_interrupted_leaves_nothing(self, store: Storage) -> None:
        def source(digest: str) -> bytes:
            if digest == max(map(digest_of, CONTENTS)):
                raise KeyboardInterrupt
            return next(data for data in CONTENTS if digest_of(data) == digest)

        session, messages = old_session_with_files(*CONTENTS)
        with unchanged(store, "an interrupted import_session()"):
            try:
                store.import_session(session, messages, attachment=source)
            except KeyboardInterrupt:
                pass
            else:
                raise AssertionError("import_session() lets a KeyboardInterrupt pass")
        store.import_session(session, messages)
        same(store.tree(session.session_id), messages, "the session can be imported afterwards")

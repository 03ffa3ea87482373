"""Stores that lose what was deleted or what they take over, each rejected for its reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest

from agno_shell.errors import StorageError
from agno_shell.testing.memory_storage import MemoryStorage, StoredSession
from agno_shell.types import Message, Session, TrashedSession, new_id, now


class ReallyDeletes(MemoryStorage):
    def delete(self, session_id: str) -> TrashedSession:
        trashed = super().delete(session_id)
        del self.store.trash[trashed.trash_id]
        return trashed


class DeletesWithoutTheReply(MemoryStorage):
    def delete(self, session_id: str) -> TrashedSession:
        partials, self.store.partials = self.store.partials, {}
        trashed = super().delete(session_id)
        self.store.partials = partials
        return trashed


class LeavesTheCurrentSession(MemoryStorage):
    def delete(self, session_id: str) -> TrashedSession:
        current = self.store.current
        trashed = super().delete(session_id)
        self.store.current = current
        return trashed


class TrashOldestFirst(MemoryStorage):
    def trash(self) -> list[TrashedSession]:
        return super().trash()[::-1]


class PurgesEverything(MemoryStorage):
    def purge(self, trash_id: str) -> None:
        super().purge(trash_id)
        self.store.trash.clear()


class PurgesNothing(MemoryStorage):
    def purge(self, trash_id: str) -> None:
        self._trashed(trash_id)


class RestoresUnderAnotherId(MemoryStorage):
    def restore(self, trash_id: str) -> Session:
        kept = self._trashed(trash_id)[1]
        kept.session = kept.session._replace(session_id=new_id())
        del self.store.trash[trash_id]
        self.store.sessions[kept.session.session_id] = kept
        return kept.session


class RestoresOverWhatIsThere(MemoryStorage):
    def restore(self, trash_id: str) -> Session:
        self.store.sessions.pop(self._trashed(trash_id)[0].session.session_id, None)
        return super().restore(trash_id)


class TrashedPathOnly(MemoryStorage):
    def trashed_messages(self, trash_id: str) -> list[Message]:
        return self._path(self._trashed(trash_id)[1])


class OneDeletionPerSession(MemoryStorage):
    def _throw_away(self, kept: StoredSession, deleted_at: datetime) -> TrashedSession:
        session_id = kept.session.session_id
        for trash_id, (trashed, _kept) in list(self.store.trash.items()):
            if trashed.session.session_id == session_id:
                del self.store.trash[trash_id]
        return super()._throw_away(kept, deleted_at)


class Imports(MemoryStorage):
    """Takes over a session after :meth:`alter` has spoilt it."""

    def import_session(
        self,
        session: Session,
        messages: Sequence[Message],
        *,
        deleted_at: datetime | None = None,
        **more: Any,
    ) -> None:
        altered = self.alter(session, messages, deleted_at)
        super().import_session(altered[0], altered[1], deleted_at=altered[2], **more)

    def alter(
        self, session: Session, messages: Sequence[Message], deleted_at: datetime | None
    ) -> tuple[Session, Sequence[Message], datetime | None]:
        raise NotImplementedError


class ImportForgetsBranches(Imports):
    def alter(
        self, session: Session, messages: Sequence[Message], deleted_at: datetime | None
    ) -> tuple[Session, Sequence[Message], datetime | None]:
        return session, self._path(StoredSession(session, list(messages))), deleted_at


class ImportForgetsTheHead(Imports):
    def alter(
        self, session: Session, messages: Sequence[Message], deleted_at: datetime | None
    ) -> tuple[Session, Sequence[Message], datetime | None]:
        return session._replace(head=None), messages, deleted_at


class ImportIsAChange(Imports):
    def alter(
        self, session: Session, messages: Sequence[Message], deleted_at: datetime | None
    ) -> tuple[Session, Sequence[Message], datetime | None]:
        return session._replace(updated_at=max(now(), session.updated_at)), messages, deleted_at


class ImportForgetsExtra(Imports):
    def alter(
        self, session: Session, messages: Sequence[Message], deleted_at: datetime | None
    ) -> tuple[Session, Sequence[Message], datetime | None]:
        return session._replace(extra={}), messages, deleted_at


class ImportDeletesToday(Imports):
    def alter(
        self, session: Session, messages: Sequence[Message], deleted_at: datetime | None
    ) -> tuple[Session, Sequence[Message], datetime | None]:
        return session, messages, deleted_at and now()


class ImportForgetsTheTrash(Imports):
    def alter(
        self, session: Session, messages: Sequence[Message], deleted_at: datetime | None
    ) -> tuple[Session, Sequence[Message], datetime | None]:
        return session, messages, None


class ImportOverwrites(Imports):
    def alter(
        self, session: Session, messages: Sequence[Message], deleted_at: datetime | None
    ) -> tuple[Session, Sequence[Message], datetime | None]:
        if deleted_at is None:
            self.store.sessions.pop(session.session_id, None)
        return session, messages, deleted_at


class ImportDoublesDeletions(MemoryStorage):
    def import_session(
        self,
        session: Session,
        messages: Sequence[Message],
        *,
        deleted_at: datetime | None = None,
        **more: Any,
    ) -> None:
        before = dict(self.store.trash)
        self.store.trash.clear()
        try:
            super().import_session(session, messages, deleted_at=deleted_at, **more)
        finally:
            self.store.trash.update(before)


class ImportLeavesAHalf(MemoryStorage):
    def import_session(
        self,
        session: Session,
        messages: Sequence[Message],
        *,
        deleted_at: datetime | None = None,
        **more: Any,
    ) -> None:
        try:
            super().import_session(session, messages, deleted_at=deleted_at, **more)
        except StorageError:
            if session.session_id not in self.store.sessions and len(session.session_id) == 36:
                super().import_session(session, messages[:-1], deleted_at=deleted_at, **more)
            raise


class ImportTakesAnyId(MemoryStorage):
    def import_session(
        self,
        session: Session,
        messages: Sequence[Message],
        *,
        deleted_at: datetime | None = None,
        **more: Any,
    ) -> None:
        own = session
        if session.session_id.endswith("/etc/passwd"):
            own = session._replace(session_id=new_id())
        super().import_session(own, messages, deleted_at=deleted_at, **more)
        if own is not session and deleted_at is None:
            self.store.sessions[session.session_id] = self.store.sessions.pop(own.session_id)


class ImportBecomesCurrent(MemoryStorage):
    def import_session(
        self,
        session: Session,
        messages: Sequence[Message],
        *,
        deleted_at: datetime | None = None,
        **more: Any,
    ) -> None:
        super().import_session(session, messages, deleted_at=deleted_at, **more)
        if deleted_at is None:
            self.store.current = session.session_id


BROKEN: dict[type[MemoryStorage], tuple[str, ...]] = {
    ReallyDeletes: (
        "test_delete_and_restore",
        "trash() lists what delete() returned",
        "test_a_deleted_session_has_no_version",
        "test_a_reply_that_was_cut_off_is_deleted_as_a_message",
        "test_a_used_store_is_healthy_and_stays_as_it_is",
        "test_purge_is_for_good",
        "test_the_trash_lists_the_latest_first",
        "test_trashed_messages_are_those_of_all_branches",
        "test_what_is_remembered_goes_to_the_trash_and_back",
        "test_contents_go_to_the_trash_and_back",
    ),
    DeletesWithoutTheReply: (
        "test_a_reply_that_was_cut_off_is_deleted_as_a_message",
        "trashed_messages() have the reply that was cut off",
    ),
    LeavesTheCurrentSession: (
        "test_deleting_the_current_session_picks_the_newest",
        "the most recently updated session follows the deleted one",
    ),
    TrashOldestFirst: (
        "test_the_trash_lists_the_latest_first",
        "trash() has the latest deletion first",
        "test_two_deletions_of_one_session_are_both_kept",
    ),
    PurgesEverything: ("test_purge_is_for_good", "purge() leaves what else is in the trash"),
    PurgesNothing: ("test_purge_is_for_good", "a purged session is not in the trash"),
    RestoresUnderAnotherId: (
        "test_delete_and_restore",
        "restore() gives the session back",
        "test_a_deleted_session_has_no_version",
        "test_a_reply_that_was_cut_off_is_deleted_as_a_message",
        "test_a_deleted_session_is_imported_into_the_trash",
        "test_restore_never_overwrites",
        "test_trashed_messages_are_those_of_all_branches",
        "test_two_deletions_of_one_session_are_both_kept",
        "test_what_is_remembered_goes_to_the_trash_and_back",
        "test_contents_go_to_the_trash_and_back",
    ),
    RestoresOverWhatIsThere: (
        "test_restore_never_overwrites",
        "raises StorageError, but it raised nothing",
    ),
    TrashedPathOnly: (
        "test_trashed_messages_are_those_of_all_branches",
        "trashed_messages() are those of tree() before the deletion",
        "test_a_deleted_session_is_imported_into_the_trash",
        "test_two_deletions_of_one_session_are_both_kept",
    ),
    OneDeletionPerSession: (
        "test_two_deletions_of_one_session_are_both_kept",
        "both deletions are in the trash",
    ),
    ImportForgetsBranches: (
        "test_an_imported_session_is_whole",
        "tree() has every message of every branch",
        "test_a_deleted_session_is_imported_into_the_trash",
        "test_an_import_is_all_or_nothing",
        "test_an_imported_session_goes_on",
        "test_two_deletions_of_one_session_are_both_kept",
        "test_a_session_of_which_all_was_taken_back_is_imported",
        "test_a_content_that_is_lost_does_not_keep_the_rest",
        "test_an_import_that_is_interrupted_leaves_nothing",
        "test_without_a_source_no_content_is_imported",
    ),
    ImportForgetsTheHead: (
        "test_an_imported_session_is_whole",
        "messages() are the path to the head that it came with",
        "test_a_deleted_session_is_imported_into_the_trash",
        "test_an_imported_session_goes_on",
        "test_a_session_of_which_all_was_taken_back_is_imported",
    ),
    ImportIsAChange: (
        "test_an_imported_session_is_whole",
        "open() gives what was imported, but updated_at",
        "test_a_deleted_session_is_imported_into_the_trash",
        "test_an_empty_session_is_imported",
        "test_any_text_is_imported_as_it_was",
        "test_a_session_of_which_all_was_taken_back_is_imported",
    ),
    ImportForgetsExtra: (
        "test_an_imported_session_is_whole",
        "open() gives what was imported, but extra",
        "test_a_deleted_session_is_imported_into_the_trash",
        "test_an_empty_session_is_imported",
        "test_an_imported_session_goes_on",
        "test_any_text_is_imported_as_it_was",
        "test_a_session_of_which_all_was_taken_back_is_imported",
    ),
    ImportDeletesToday: (
        "test_a_deleted_session_is_imported_into_the_trash",
        "trash() says when it was deleted",
        "test_an_import_never_overwrites",
        "test_two_deletions_of_one_session_are_both_kept",
        "test_contents_are_imported",
    ),
    ImportForgetsTheTrash: (
        "test_a_deleted_session_is_imported_into_the_trash",
        "imported into the trash alone",
        "test_an_import_never_overwrites",
        "test_two_deletions_of_one_session_are_both_kept",
        "test_what_is_remembered_is_imported",
        "test_contents_are_imported",
    ),
    ImportOverwrites: (
        "test_an_import_never_overwrites",
        "import_session() of an id that is there raises StorageError",
    ),
    ImportDoublesDeletions: (
        "test_an_import_never_overwrites",
        "import_session() of a deletion that is in the trash raises StorageError",
    ),
    ImportLeavesAHalf: (
        "test_an_import_is_all_or_nothing",
        "changes nothing, but sessions(): there are 1 instead of 0",
    ),
    ImportTakesAnyId: (
        "test_an_import_with_a_hostile_id_is_refused",
        "import_session() of the id '../../etc/passwd' raises",
    ),
    ImportBecomesCurrent: (
        "test_an_imported_session_is_whole",
        "an import leaves the current session",
    ),
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_it_is_rejected_for_its_own_reason(
    broken: type[MemoryStorage], reject: Callable[..., None]
) -> None:
    reject(broken, *BROKEN[broken])

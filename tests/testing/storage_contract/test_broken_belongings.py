"""Stores that lose or change what is remembered and what was attached, or that know neither
calls of tools nor the place before the first message, each rejected for its reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agno_shell.errors import StorageError
from agno_shell.testing.memory_storage import MemoryStorage, StoredSession
from agno_shell.types import ROOT, Memory, Message, Session, TrashedSession, new_id

# What is remembered ----------------------------------------------------------------------


class RemembersForItself(MemoryStorage):
    """Goes on from what this handle has seen last."""

    def remember(self, session_id: str, text: str) -> Memory:
        kept = self._kept(session_id)
        seen: dict[str, list[Memory]] = self.__dict__.setdefault("seen", {})
        mine = seen.setdefault(session_id, list(kept.memories))
        memory = super().remember(session_id, text)
        mine.append(memory)
        kept.memories[:] = mine
        return memory

    def forget(self, session_id: str, memory_id: str) -> Memory:
        self.__dict__.pop("seen", None)
        return super().forget(session_id, memory_id)


class RemembersNewestFirst(MemoryStorage):
    def memories(self, session_id: str) -> list[Memory]:
        return super().memories(session_id)[::-1]

    def trashed_memories(self, trash_id: str) -> list[Memory]:
        return super().trashed_memories(trash_id)[::-1]


class RemembersEachTextOnce(MemoryStorage):
    def remember(self, session_id: str, text: str) -> Memory:
        for memory in self.memories(session_id):
            if memory.text == text:
                return memory
        return super().remember(session_id, text)


class RemembersForAll(MemoryStorage):
    def memories(self, session_id: str) -> list[Memory]:
        self._kept(session_id)
        return [each for kept in self.store.sessions.values() for each in kept.memories]


class ForgetsByText(MemoryStorage):
    def forget(self, session_id: str, memory_id: str) -> Memory:
        memory = super().forget(session_id, memory_id)
        kept = self._kept(session_id).memories
        kept[:] = [each for each in kept if each.text != memory.text]
        return memory


class ForgetsAnything(MemoryStorage):
    """Takes it for done when there is nothing to forget."""

    def forget(self, session_id: str, memory_id: str) -> Memory:
        try:
            return super().forget(session_id, memory_id)
        except StorageError:
            self._kept(session_id)
            return Memory(str(memory_id), "", self._now())


class RememberingIsAChange(MemoryStorage):
    def remember(self, session_id: str, text: str) -> Memory:
        self._touch(self._kept(session_id))
        return super().remember(session_id, text)


class VersionWithoutMemories(MemoryStorage):
    def version(self, session_id: str) -> object:
        return self._kept(session_id).session


class DeletesMemories(MemoryStorage):
    def delete(self, session_id: str) -> TrashedSession:
        self._kept(session_id).memories.clear()
        return super().delete(session_id)


class ShowsNoTrashedMemories(MemoryStorage):
    def trashed_memories(self, trash_id: str) -> list[Memory]:
        self._trashed(trash_id)
        return []


class ImportsNoMemories(MemoryStorage):
    def import_session(self, *given: Any, memories: Any = (), **more: Any) -> None:
        super().import_session(*given, **more)


class ImportsMemoriesAnew(MemoryStorage):
    def import_session(self, *given: Any, memories: Any = (), **more: Any) -> None:
        copies = [each._replace(id=new_id()) for each in memories]
        super().import_session(*given, memories=copies, **more)


class ImportsAnyMemory(MemoryStorage):
    def import_session(
        self, session: Session, messages: Any, *, memories: Any = (), **more: Any
    ) -> None:
        super().import_session(session, messages, **more)
        if session.session_id in self.store.sessions:
            self._kept(session.session_id).memories[:] = memories
        else:
            newest = list(self.store.trash.values())[-1]
            newest[1].memories[:] = memories


# What was attached -----------------------------------------------------------------------


class AttachesUnderAnyName(MemoryStorage):
    def attach(self, session_id: str, data: bytes) -> str:
        digest = super().attach(session_id, data)
        return digest.upper()


class AttachesText(MemoryStorage):
    """Keeps what the text says."""

    def attachment(self, session_id: str, sha256: str) -> bytes:
        return super().attachment(session_id, sha256).decode("utf-8", "replace").encode()


class AttachesOnce(MemoryStorage):
    def attach(self, session_id: str, data: bytes) -> str:
        before = set(self._kept(session_id).contents)
        digest = super().attach(session_id, data)
        if digest in before:
            raise StorageError("It is attached already.")
        return digest


class SharesContents(MemoryStorage):
    def attachment(self, session_id: str, sha256: str) -> bytes:
        self._kept(session_id)
        for kept in self.store.sessions.values():
            if sha256 in kept.contents:
                return kept.contents[sha256]
        raise StorageError("There is no such content.")


class FindsContentsInAnyCase(MemoryStorage):
    def attachment(self, session_id: str, sha256: str) -> bytes:
        return super().attachment(session_id, sha256.lower())


class GivesNothingForMissingContents(MemoryStorage):
    def attachment(self, session_id: str, sha256: str) -> bytes:
        return self._kept(session_id).contents.get(sha256, b"")


class AttachingIsAChange(MemoryStorage):
    def attach(self, session_id: str, data: bytes) -> str:
        digest = super().attach(session_id, data)
        self._touch(self._kept(session_id))
        return digest


class DeletesContents(MemoryStorage):
    def delete(self, session_id: str) -> TrashedSession:
        self._kept(session_id).contents.clear()
        return super().delete(session_id)


class KeepsPurgedContents(MemoryStorage):
    """Finds them again under the session's id."""

    def purge(self, trash_id: str) -> None:
        trashed, kept = self._trashed(trash_id)
        self.store.__dict__.setdefault("left", {})[trashed.session.session_id] = kept.contents
        super().purge(trash_id)

    def attachment(self, session_id: str, sha256: str) -> bytes:
        left = self.store.__dict__.get("left", {}).get(session_id, {})
        return left[sha256] if sha256 in left else super().attachment(session_id, sha256)


class ImportsNoContents(MemoryStorage):
    def import_session(self, *given: Any, attachment: Any = None, **more: Any) -> None:
        super().import_session(*given, **more)


class WantsEveryContent(MemoryStorage):
    def import_session(
        self, session: Session, messages: Any, *, attachment: Any = None, **more: Any
    ) -> None:
        for message in messages if attachment else ():
            for each in message.attachments:
                attachment(each.sha256)
        super().import_session(session, messages, attachment=attachment, **more)


class BelievesEveryContent(MemoryStorage):
    def import_session(
        self, session: Session, messages: Any, *, attachment: Any = None, **more: Any
    ) -> None:
        super().import_session(session, messages, attachment=attachment, **more)
        if attachment is not None and session.session_id in self.store.sessions:
            self._kept(session.session_id).contents["believed"] = b""

    def attachment(self, session_id: str, sha256: str) -> bytes:
        kept = self._kept(session_id)
        if "believed" in kept.contents and len(sha256) == 64 and sha256 not in kept.contents:
            return b"something else"
        return super().attachment(session_id, sha256)


class ImportsBeforeTheContents(MemoryStorage):
    """Leaves the session behind when it is interrupted over the contents."""

    def import_session(
        self, session: Session, messages: Any, *, attachment: Any = None, **more: Any
    ) -> None:
        try:
            super().import_session(session, messages, attachment=attachment, **more)
        except KeyboardInterrupt:
            super().import_session(session, messages, **more)
            raise


# Messages and heads ----------------------------------------------------------------------


class DropsCalls(MemoryStorage):
    def append(self, session_id: str, message: Message) -> Session:
        return super().append(session_id, message._replace(tool_calls=()))


class DropsCallIds(MemoryStorage):
    def append(self, session_id: str, message: Message) -> Session:
        return super().append(session_id, message._replace(tool_call_id=None))


class DropsCovers(MemoryStorage):
    def append(self, session_id: str, message: Message) -> Session:
        return super().append(session_id, message._replace(covers=None))


class DropsReasoning(MemoryStorage):
    def update(self, session_id: str, **changes: Any) -> Session:
        changes.pop("reasoning", None)
        return super().update(session_id, **changes)


class KnowsNoRoot(MemoryStorage):
    def _path(self, kept: StoredSession) -> list[Message]:
        if kept.session.head == ROOT:
            return super()._path(StoredSession(kept.session._replace(head=None), kept.messages))
        return super()._path(kept)


class RefusesTheRoot(MemoryStorage):
    def update(self, session_id: str, **changes: Any) -> Session:
        if changes.get("head") == ROOT:
            raise StorageError("There is no such message.")
        return super().update(session_id, **changes)


class RootIsNone(MemoryStorage):
    def update(self, session_id: str, **changes: Any) -> Session:
        return super().update(session_id, **{**changes, "head": changes.get("head") or None})


class ChoosesAfterADeletion(MemoryStorage):
    def delete(self, session_id: str) -> TrashedSession:
        trashed = super().delete(session_id)
        if self.store.current is None and self.store.sessions:
            self.store.current = self.sessions()[0].session_id
        return trashed


BROKEN: dict[type[MemoryStorage], tuple[str, ...]] = {
    RemembersForItself: ("test_two_handles_remember_in_one_session", "there are 3 instead of 6"),
    RemembersNewestFirst: (
        "test_what_is_to_be_remembered_comes_back",
        "number 1 of 8 differs",
        "test_two_handles_remember_in_one_session",
        "test_what_is_forgotten_is_gone",
        "test_what_is_remembered_goes_to_the_trash_and_back",
        "test_what_is_remembered_is_imported",
    ),
    RemembersEachTextOnce: (
        "test_what_is_forgotten_is_gone",
        "there are 3 instead of 4, without",
        "test_the_version_changes_with_the_session",
        "test_two_handles_remember_in_one_session",
    ),
    RemembersForAll: (
        "test_what_is_to_be_remembered_comes_back",
        "another session does not remember it",
    ),
    ForgetsByText: (
        "test_what_is_forgotten_is_gone",
        "forget() takes the one that was named",
        "test_two_handles_remember_in_one_session",
    ),
    ForgetsAnything: (
        "test_forgetting_what_is_not_there_is_refused",
        "raises StorageError, but it raised nothing",
        "test_what_is_forgotten_is_gone",
    ),
    RememberingIsAChange: (
        "test_remembering_changes_nothing_else",
        "remember() leaves the list as it is",
    ),
    VersionWithoutMemories: (
        "test_the_version_changes_with_the_session",
        "another one after remember() by this handle",
    ),
    DeletesMemories: (
        "test_what_is_remembered_goes_to_the_trash_and_back",
        "those of memories() before the deletion, but there are 0",
    ),
    ShowsNoTrashedMemories: (
        "test_what_is_remembered_is_imported",
        "imported into the trash as well",
        "test_what_is_remembered_goes_to_the_trash_and_back",
    ),
    ImportsNoMemories: (
        "test_what_is_remembered_is_imported",
        "takes the memories over, but there are 0",
        "test_an_import_with_memories_is_all_or_nothing",
    ),
    ImportsMemoriesAnew: (
        "test_what_is_remembered_is_imported",
        "takes the memories over, but number 1 of 8 differs",
    ),
    ImportsAnyMemory: (
        "test_an_import_with_memories_is_all_or_nothing",
        "with nan in its last memory raises StorageError",
    ),
    AttachesUnderAnyName: (
        "test_a_content_comes_back",
        "attach() returns the SHA-256",
        "test_a_content_that_is_not_there_is_refused",
        "test_contents_go_to_the_trash_and_back",
        "test_the_same_content_can_be_attached_again",
    ),
    AttachesText: (
        "test_a_content_comes_back",
        "a content of 256 bytes comes back",
        "test_contents_are_imported",
        "test_contents_go_to_the_trash_and_back",
    ),
    AttachesOnce: ("test_the_same_content_can_be_attached_again", "It is attached already."),
    SharesContents: (
        "test_a_content_that_is_not_there_is_refused",
        "attachment() of 'a1fce4363854ff888cff4b8e7875d600c2682390412a8cf79b37d0b11148b0fa' raises",
    ),
    FindsContentsInAnyCase: (
        "test_a_content_that_is_not_there_is_refused",
        "attachment() of '2D711642",
    ),
    GivesNothingForMissingContents: (
        "test_without_a_source_no_content_is_imported",
        "attachment() of what was not taken over raises",
        "test_a_content_that_is_lost_does_not_keep_the_rest",
        "test_a_content_that_is_not_there_is_refused",
        "test_contents_go_to_the_trash_and_back",
    ),
    AttachingIsAChange: (
        "test_attaching_changes_nothing_else",
        "attach() changes nothing, but sessions()",
    ),
    DeletesContents: ("test_contents_go_to_the_trash_and_back", "has no attachment"),
    KeepsPurgedContents: (
        "test_contents_go_to_the_trash_and_back",
        "attachment() after purge() raises StorageError",
    ),
    ImportsNoContents: (
        "test_contents_are_imported",
        "has no attachment",
        "test_a_content_that_is_lost_does_not_keep_the_rest",
        "test_an_import_that_is_interrupted_leaves_nothing",
    ),
    WantsEveryContent: ("test_a_content_that_is_lost_does_not_keep_the_rest", "It is lost."),
    BelievesEveryContent: (
        "test_a_content_that_is_lost_does_not_keep_the_rest",
        "what could not be taken over raises StorageError",
    ),
    ImportsBeforeTheContents: (
        "test_an_import_that_is_interrupted_leaves_nothing",
        "changes nothing, but sessions(): there are 1 instead of 0",
    ),
    DropsCalls: ("test_calls_results_and_summaries_come_back", "tool_calls: it is ()"),
    DropsCallIds: ("test_calls_results_and_summaries_come_back", "tool_call_id: it is None"),
    DropsCovers: ("test_calls_results_and_summaries_come_back", "covers: it is None"),
    DropsReasoning: ("test_update", "update() returns the new reasoning"),
    KnowsNoRoot: (
        "test_every_turn_can_be_taken_back",
        "messages() are none before the first one",
        "test_a_rescued_reply_does_not_bring_back_what_was_taken_back",
        "test_a_session_of_which_all_was_taken_back_is_imported",
    ),
    RefusesTheRoot: (
        "test_every_turn_can_be_taken_back",
        "There is no such message.",
        "test_a_rescued_reply_does_not_bring_back_what_was_taken_back",
        "test_a_session_without_messages_begins_at_its_first",
        "test_a_used_store_is_healthy_and_stays_as_it_is",
    ),
    RootIsNone: (
        "test_every_turn_can_be_taken_back",
        "update(head=ROOT) returns the new head",
        "test_a_rescued_reply_does_not_bring_back_what_was_taken_back",
    ),
    ChoosesAfterADeletion: ("test_a_deletion_makes_no_session_current", "a deletion makes none so"),
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_it_is_rejected_for_its_own_reason(
    broken: type[MemoryStorage], reject: Callable[..., None]
) -> None:
    reject(broken, *BROKEN[broken])

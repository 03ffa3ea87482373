"""Stores that lose a running reply, or are wrong about themselves: their version, their
health, their size. Each is rejected for its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from agno_shell.errors import SessionNotFoundError
from agno_shell.testing.memory_storage import MemoryStorage, StoredSession
from agno_shell.testing.storage_contract.large import LargeStoreContract
from agno_shell.types import Finding, Growth, Message, Session


class StealsRunningReplies(MemoryStorage):
    """Takes every reply in work for one that a crash has left."""

    def open(self, session_id: str) -> Session:
        self.store.writing.clear()
        return super().open(session_id)


class LosesCutOffReplies(MemoryStorage):
    def close(self) -> None:
        super().close()
        self.store.partials.clear()


class LosesThoughts(MemoryStorage):
    def save_partial(self, session_id: str, message: Message | None) -> None:
        if message is None or message.content:
            super().save_partial(session_id, message)


class LosesToolsOfReplies(MemoryStorage):
    def save_partial(self, session_id: str, message: Message | None) -> None:
        kept = message and message._replace(provider_tools=message.provider_tools[:1])
        super().save_partial(session_id, kept)


class CallsThemComplete(MemoryStorage):
    def _rescue(self, kept: StoredSession, message: Message) -> None:
        super()._rescue(kept, message._replace(status="complete"))


class RescuesIntoTheConversation(MemoryStorage):
    def _rescue(self, kept: StoredSession, message: Message) -> None:
        self.append(kept.session.session_id, message)


class ShowsOnlyOwnReplies(MemoryStorage):
    def partials(self, session_id: str) -> list[Message]:
        self._kept(session_id)
        mine = self.store.partials.get((session_id, self._handle))
        theirs = [
            message
            for (owner, handle), message in self.store.partials.items()
            if owner == session_id and handle not in self.store.writing
        ]
        return [*theirs, *([mine] if mine else [])]


class ShowsOldReplies(MemoryStorage):
    """Keeps the first text of a reply and none that is longer."""

    def save_partial(self, session_id: str, message: Message | None) -> None:
        before = self.store.partials.get((session_id, self._handle))
        if message is None or before is None or before.id != message.id:
            super().save_partial(session_id, message)


class LosesWhatIsAdded(MemoryStorage):
    def extend_partial(self, session_id: str, growth: Growth) -> None:
        if growth.reasoning:
            super().extend_partial(session_id, growth)


class LosesThoughtsThatAreAdded(MemoryStorage):
    def extend_partial(self, session_id: str, growth: Growth) -> None:
        super().extend_partial(session_id, growth._replace(reasoning=""))


class AddsToAnyReply(MemoryStorage):
    def extend_partial(self, session_id: str, growth: Growth) -> None:
        for message in self.partials(session_id):
            super().extend_partial(session_id, growth._replace(message_id=message.id))


class RepliesNeverEnd(MemoryStorage):
    def save_partial(self, session_id: str, message: Message | None) -> None:
        if message is not None:
            super().save_partial(session_id, message)


class ReadingRescues(MemoryStorage):
    def messages(self, session_id: str, last: int | None = None) -> list[Message]:
        self.open(session_id)
        return super().messages(session_id, last)


class ReadingTakesThem(MemoryStorage):
    def partials(self, session_id: str) -> list[Message]:
        found = super().partials(session_id)
        for key in [key for key in self.store.partials if key[1] not in self.store.writing]:
            del self.store.partials[key]
        return found


# Versions --------------------------------------------------------------------------------


class VersionNeverChanges(MemoryStorage):
    def version(self, session_id: str) -> object:
        self._kept(session_id)
        return 1


class VersionAlwaysChanges(MemoryStorage):
    def version(self, session_id: str) -> object:
        self._kept(session_id)
        return object()


class VersionCountsMessages(MemoryStorage):
    def version(self, session_id: str) -> object:
        return len(self._kept(session_id).messages)


class VersionIsASize(MemoryStorage):
    def version(self, session_id: str) -> object:
        kept = self._kept(session_id)
        return len(kept.messages), kept.session.head, len(repr(kept.session))


class VersionOfTheHandle(MemoryStorage):
    """Counts what was done through this handle."""

    done = 0

    def append(self, session_id: str, message: Message) -> Session:
        self.done += 1
        return super().append(session_id, message)

    def update(self, session_id: str, **changes: object) -> Session:
        session = super().update(session_id, **changes)
        self.done += 1
        return session

    def version(self, session_id: str) -> object:
        self._kept(session_id)
        return self.done, tuple(self._kept(session_id).memories)


class VersionOfTheDead(MemoryStorage):
    def version(self, session_id: str) -> object:
        try:
            return super().version(session_id)
        except SessionNotFoundError:
            if any(each.session.session_id == session_id for each in self.trash()):
                return None
            raise


# Health and size -------------------------------------------------------------------------


class CriesWolf(MemoryStorage):
    def check(self, *, repair: bool = False) -> Iterator[Finding]:
        for session in self.sessions():
            if session.message_count == 0:
                yield Finding(session.session_id, "The session is empty.")


class CriesInAnEmptyHouse(MemoryStorage):
    def check(self, *, repair: bool = False) -> Iterator[Finding]:
        if not self.sessions() and not self.trash():
            yield Finding("the store", "There is nothing in it.")


class RepairsWhatIsWhole(MemoryStorage):
    def check(self, *, repair: bool = False) -> Iterator[Finding]:
        if repair:
            for session in self.sessions():
                self.update(session.session_id, description=session.description)
        return iter(())


class TidiesRunningReplies(MemoryStorage):
    def check(self, *, repair: bool = False) -> Iterator[Finding]:
        self.store.partials.clear()
        return iter(())


class ListingReadsMessages(MemoryStorage):
    def sessions(self) -> list[Session]:
        for session_id in self.store.sessions:
            "".join(each.content for each in self.tree(session_id))
        return super().sessions()


class TheEndReadsEverything(MemoryStorage):
    def messages(self, session_id: str, last: int | None = None) -> list[Message]:
        "".join(each.content for each in super().messages(session_id))
        return super().messages(session_id, last)


BROKEN: dict[type[MemoryStorage], tuple[str, ...]] = {
    StealsRunningReplies: (
        "test_a_running_reply_is_left_alone",
        "open() by another handle leaves a running reply alone",
    ),
    LosesCutOffReplies: (
        "test_a_reply_cut_off_by_a_crash_is_kept",
        "open() makes it a message",
        "test_what_is_added_to_a_reply_is_kept",
        "test_a_reply_that_was_cut_off_is_deleted_as_a_message",
        "test_a_rescued_reply_changes_the_version",
        "test_a_rescued_reply_does_not_move_the_conversation",
        "test_reading_leaves_the_leftovers_of_a_crash",
        "test_a_rescued_reply_does_not_bring_back_what_was_taken_back",
        "test_what_was_thought_before_the_first_word_is_kept",
        "test_what_the_provider_ran_is_kept",
    ),
    LosesThoughts: (
        "test_what_was_thought_before_the_first_word_is_kept",
        "a reply that had no word yet is kept",
        "test_what_is_added_to_a_reply_is_kept",
        "test_what_the_provider_ran_is_kept",
    ),
    LosesToolsOfReplies: ("test_what_the_provider_ran_is_kept", "keeps what it is given"),
    CallsThemComplete: (
        "test_a_reply_cut_off_by_a_crash_is_kept",
        "differs: status: it is 'complete'",
        "test_what_is_added_to_a_reply_is_kept",
        "test_a_reply_that_was_cut_off_is_deleted_as_a_message",
        "test_reading_leaves_the_leftovers_of_a_crash",
        "test_what_was_thought_before_the_first_word_is_kept",
        "test_what_the_provider_ran_is_kept",
    ),
    RescuesIntoTheConversation: (
        "test_a_rescued_reply_does_not_move_the_conversation",
        "the conversation stays where it went on",
        "test_a_rescued_reply_does_not_bring_back_what_was_taken_back",
    ),
    ShowsOnlyOwnReplies: (
        "test_a_reply_in_work_is_seen_by_every_handle",
        "keeps, but there are 0 instead of 1",
    ),
    ShowsOldReplies: (
        "test_a_reply_in_work_is_seen_by_every_handle",
        "differs: content: it is 'half'",
        "test_a_reply_cut_off_by_a_crash_is_kept",
        "test_what_was_thought_before_the_first_word_is_kept",
        "test_what_the_provider_ran_is_kept",
    ),
    LosesWhatIsAdded: (
        "test_what_is_added_to_a_reply_is_kept",
        "extend_partial() adds to the content",
        "test_only_a_reply_in_work_here_can_be_added_to",
    ),
    LosesThoughtsThatAreAdded: (
        "test_what_is_added_to_a_reply_is_kept",
        "extend_partial() adds to the reasoning",
    ),
    AddsToAnyReply: (
        "test_only_a_reply_in_work_here_can_be_added_to",
        "extend_partial() of an unknown reply raises StorageError",
    ),
    RepliesNeverEnd: (
        "test_a_reply_that_is_over_is_not_in_work",
        "save_partial(None) removes the reply",
        "test_only_a_reply_in_work_here_can_be_added_to",
        "test_a_saved_reply_is_not_kept_twice",
    ),
    ReadingRescues: ("test_reading_leaves_the_leftovers_of_a_crash", "messages() rescue no reply"),
    ReadingTakesThem: (
        "test_reading_leaves_the_leftovers_of_a_crash",
        "partials() has what a crash has left",
    ),
    VersionNeverChanges: (
        "test_the_version_changes_with_the_session",
        "another one after append() by this handle",
        "test_a_deleted_session_has_no_version",
        "test_a_rescued_reply_changes_the_version",
        "test_changes_that_look_alike_have_versions_of_their_own",
    ),
    VersionAlwaysChanges: (
        "test_the_version_stays_while_nothing_changes",
        "the same when asked again",
    ),
    VersionCountsMessages: (
        "test_the_version_changes_with_the_session",
        "another one after a move of the head by this handle",
        "test_changes_that_look_alike_have_versions_of_their_own",
    ),
    VersionIsASize: (
        "test_changes_that_look_alike_have_versions_of_their_own",
        "never returns to that of another state",
        "test_the_version_changes_with_the_session",
    ),
    VersionOfTheHandle: (
        "test_the_version_changes_with_the_session",
        "another one after append() by another handle",
        "test_a_deleted_session_has_no_version",
    ),
    VersionOfTheDead: (
        "test_a_deleted_session_has_no_version",
        "version() of a deleted session raises",
    ),
    CriesWolf: (
        "test_a_used_store_is_healthy_and_stays_as_it_is",
        "finds nothing wrong in a healthy store",
    ),
    CriesInAnEmptyHouse: (
        "test_an_empty_store_is_healthy",
        "finds nothing wrong in an empty store",
    ),
    RepairsWhatIsWhole: (
        "test_a_used_store_is_healthy_and_stays_as_it_is",
        "check(repair=True) changes nothing, but sessions()",
    ),
    TidiesRunningReplies: (
        "test_a_used_store_is_healthy_and_stays_as_it_is",
        "check(repair=False) changes nothing, but partials()",
    ),
    ListingReadsMessages: (
        "test_listing_and_opening_read_no_messages",
        "sessions() of a store with 8 MB",
    ),
    TheEndReadsEverything: (
        "test_the_end_of_a_long_session_is_read_alone",
        "messages(last=1) of a session",
    ),
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_it_is_rejected_for_its_own_reason(
    broken: type[MemoryStorage], reject: Callable[..., None]
) -> None:
    reject(broken, *BROKEN[broken], rooms=(LargeStoreContract,))

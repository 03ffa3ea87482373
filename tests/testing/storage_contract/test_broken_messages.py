"""Stores that lose, change or reorder messages and sessions, each rejected for its reason."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from agno_shell.testing.memory_storage import MemoryStorage, MemoryStore, StoredSession
from agno_shell.testing.storage_contract import StorageContract
from agno_shell.testing.storage_contract.killed import KilledProcessContract
from agno_shell.types import Message, Session, now


class Forgets(MemoryStorage):
    """Keeps nothing for the next handle."""

    def __init__(self, _store: MemoryStore) -> None:
        super().__init__()


class CutsAtNul(MemoryStorage):
    def append(self, session_id: str, message: Message) -> Session:
        return super().append(session_id, message._replace(content=message.content.split("\0")[0]))


class ReplacesSurrogates(MemoryStorage):
    def append(self, session_id: str, message: Message) -> Session:
        text = message.content.encode("utf-8", "replace").decode()
        return super().append(session_id, message._replace(content=text))


class CutsLongMessages(MemoryStorage):
    def append(self, session_id: str, message: Message) -> Session:
        return super().append(session_id, message._replace(content=message.content[:1_000_000]))


class DropsSpeakers(MemoryStorage):
    def append(self, session_id: str, message: Message) -> Session:
        return super().append(session_id, message._replace(speaker=None))


class DropsToolsOfTheProvider(MemoryStorage):
    def append(self, session_id: str, message: Message) -> Session:
        tools = (tool._replace(seconds=None) for tool in message.provider_tools)
        return super().append(session_id, message._replace(provider_tools=tuple(tools)))


class DropsExtra(MemoryStorage):
    def append(self, session_id: str, message: Message) -> Session:
        return super().append(session_id, message._replace(extra={}))


class FirstInsteadOfLast(MemoryStorage):
    def messages(self, session_id: str, last: int | None = None) -> list[Message]:
        return super().messages(session_id)[:last]


class SortsByTime(MemoryStorage):
    def tree(self, session_id: str) -> list[Message]:
        return sorted(super().tree(session_id), key=lambda each: each.created_at)


class TakesWhatCannotBeWritten(MemoryStorage):
    def append(self, session_id: str, message: Message) -> Session:
        kept = self._kept(session_id)
        super().append(session_id, message._replace(provider_data={}))
        kept.messages[-1] = message
        return kept.session


class OldestFirst(MemoryStorage):
    def sessions(self) -> list[Session]:
        return super().sessions()[::-1]


class TakesAnyField(MemoryStorage):
    def update(self, session_id: str, **changes: Any) -> Session:
        fields = set(Session._fields) - {"session_id", "message_count", "updated_at", "extra"}
        known = {key: value for key, value in changes.items() if key in fields}
        return super().update(session_id, **known) if known else self.open(session_id)


class MakesMissingSessions(MemoryStorage):
    def append(self, session_id: str, message: Message) -> Session:
        if session_id not in self.store.sessions:
            return self.create("made up")
        return super().append(session_id, message)


class TimeGoesBack(MemoryStorage):
    def append(self, session_id: str, message: Message) -> Session:
        kept = self._kept(session_id)
        before = kept.session.updated_at
        super().append(session_id, message)
        kept.session = kept.session._replace(updated_at=before - timedelta(microseconds=1))
        return kept.session


class TimeOfTheMessage(MemoryStorage):
    def append(self, session_id: str, message: Message) -> Session:
        kept = self._kept(session_id)
        super().append(session_id, message)
        kept.session = kept.session._replace(updated_at=message.created_at)
        return kept.session


class FollowsTheClock(MemoryStorage):
    def _touch(self, kept: StoredSession, **changes: Any) -> Session:
        kept.session = kept.session._replace(**changes, updated_at=now())
        return kept.session


class CountsNothing(MemoryStorage):
    def append(self, session_id: str, message: Message) -> Session:
        return super().append(session_id, message)._replace(message_count=0)


class UndoesWhatOthersDid(MemoryStorage):
    """Writes a session as this handle has seen it first."""

    def append(self, session_id: str, message: Message) -> Session:
        names: dict[str, str] = self.__dict__.setdefault("names", {})
        session = super().append(session_id, message)
        name = names.setdefault(session_id, session.name)
        return self._touch(self._kept(session_id), name=name)


class DropsApiBase(MemoryStorage):
    def update(self, session_id: str, **changes: Any) -> Session:
        changes.pop("api_base", None)
        return super().update(session_id, **changes)


class ForgetsBranches(MemoryStorage):
    """Returns what was saved instead of the path to the head."""

    def messages(self, session_id: str, last: int | None = None) -> list[Message]:
        found = self.tree(session_id)
        return found if last is None else found[-last:] if last else []


class DropsTheOldBranch(MemoryStorage):
    def append(self, session_id: str, message: Message) -> Session:
        kept = self._kept(session_id)
        if kept.session.head:
            kept.messages[:] = self._path(kept)
        return super().append(session_id, message)


class KeepsTheHead(MemoryStorage):
    def append(self, session_id: str, message: Message) -> Session:
        kept = self._kept(session_id)
        head = kept.session.head
        super().append(session_id, message)
        return self._touch(kept, head=head)


class TakesAnyHead(MemoryStorage):
    def update(self, session_id: str, **changes: Any) -> Session:
        head = changes.pop("head", None)
        session = super().update(session_id, **changes)
        return self._touch(self._kept(session_id), head=head) if head is not None else session


class LacksNothing(MemoryStorage):
    def lacks(self, session_id: str, message_ids: Collection[str]) -> set[str]:
        self._kept(session_id)
        return set()


class LacksOtherBranches(MemoryStorage):
    def lacks(self, session_id: str, message_ids: Collection[str]) -> set[str]:
        return set(message_ids) - {each.id for each in self.messages(session_id)}


BROKEN: dict[type[MemoryStorage], tuple[str, ...]] = {
    LacksNothing: (
        "test_what_a_session_lacks_is_told",
        "a session lacks what is no message of its own",
    ),
    LacksOtherBranches: (
        "test_what_a_session_lacks_is_told",
        "a session lacks none of its messages",
    ),
    CutsAtNul: (
        "test_any_text_comes_back_as_it_was",
        "number 4 of 8",
        "test_what_is_added_to_a_reply_is_kept",
    ),
    ReplacesSurrogates: (
        "test_any_text_comes_back_as_it_was",
        "number 7 of 8",
        "test_what_is_added_to_a_reply_is_kept",
    ),
    CutsLongMessages: ("test_a_message_of_4_mb", "a message of 4 MB comes back, but number 2"),
    DropsSpeakers: (
        "test_speakers_and_tools_of_the_provider_come_back",
        "differs: speaker",
        "test_what_the_provider_ran_is_kept",
    ),
    DropsToolsOfTheProvider: (
        "test_speakers_and_tools_of_the_provider_come_back",
        "differs: provider_tools",
        "test_what_the_provider_ran_is_kept",
    ),
    DropsExtra: (
        "test_every_field_comes_back",
        "every field comes back, but number 2 of 2 differs: extra",
    ),
    FirstInsteadOfLast: (
        "test_the_last_messages_only",
        "messages(last=1) are the end of messages()",
        "test_a_message_of_4_mb",
        "test_an_imported_session_goes_on",
        "test_appending_to_an_older_head_makes_a_branch",
        "test_moving_the_head_shortens_the_conversation",
        "test_the_order_of_saving_counts_and_not_the_clock",
        "test_two_handles_see_each_other",
    ),
    SortsByTime: (
        "test_the_order_of_saving_counts_and_not_the_clock",
        "tree() keeps the order of saving",
        "test_a_rescued_reply_does_not_move_the_conversation",
    ),
    TakesWhatCannotBeWritten: (
        "test_what_cannot_be_written_is_refused",
        "append() of provider_data with nan raises StorageError",
    ),
    OldestFirst: (
        "test_newest_first",
        "sessions() has the most recently used one first",
        "test_an_imported_session_is_whole",
        "test_deleting_the_current_session_picks_the_newest",
    ),
    TakesAnyField: (
        "test_update_refuses_what_is_no_field",
        "update() of message_count raises TypeError",
    ),
    MakesMissingSessions: (
        "test_unknown_and_hostile_ids",
        "raises SessionNotFoundError, but it raised nothing",
    ),
    TimeGoesBack: (
        "test_counts_and_times_follow_the_messages",
        "append() never moves updated_at back",
        "test_an_imported_session_goes_on",
        "test_deleting_the_current_session_picks_the_newest",
        "test_newest_first",
        "test_the_order_of_saving_counts_and_not_the_clock",
    ),
    TimeOfTheMessage: (
        "test_the_order_of_saving_counts_and_not_the_clock",
        "updated_at never goes back, whatever a message says",
        "test_an_imported_session_goes_on",
    ),
    FollowsTheClock: (
        "test_an_imported_session_goes_on",
        "updated_at never goes back, whatever the clock says",
    ),
    CountsNothing: (
        "test_counts_and_times_follow_the_messages",
        "append() returns the number of messages",
    ),
    UndoesWhatOthersDid: (
        "test_two_handles_see_each_other",
        "does not undo what another handle changed",
    ),
    DropsApiBase: ("test_update", "update() returns the new api_base"),
    ForgetsBranches: (
        "test_moving_the_head_shortens_the_conversation",
        "messages() end at the head",
        "test_a_deleted_session_is_imported_into_the_trash",
        "test_a_rescued_reply_does_not_move_the_conversation",
        "test_an_imported_session_goes_on",
        "test_an_imported_session_is_whole",
        "test_appending_to_an_older_head_makes_a_branch",
        "test_two_answers_to_one_message_are_two_branches",
        "test_a_session_of_which_all_was_taken_back_is_imported",
        "test_every_turn_can_be_taken_back",
        "test_a_rescued_reply_does_not_bring_back_what_was_taken_back",
    ),
    DropsTheOldBranch: (
        "test_appending_to_an_older_head_makes_a_branch",
        "tree() keeps the other branch",
        "test_a_used_store_is_healthy_and_stays_as_it_is",
        "test_an_imported_session_goes_on",
        "test_trashed_messages_are_those_of_all_branches",
    ),
    KeepsTheHead: (
        "test_appending_to_an_older_head_makes_a_branch",
        "append() makes the message the head",
        "test_an_imported_session_goes_on",
        "test_a_session_without_messages_begins_at_its_first",
        "test_every_turn_can_be_taken_back",
    ),
    TakesAnyHead: (
        "test_a_head_that_is_no_message_is_refused",
        "raises StorageError, but it raised nothing",
        "test_moving_the_head_shortens_the_conversation",
    ),
}


def test_a_store_that_forgets_is_rejected_wherever_it_is_reopened(
    failures: Callable[..., dict[str, str]],
) -> None:
    found = failures(lambda: partial(Forgets, MemoryStore()))
    reopening = {
        name
        for name, test in inspect.getmembers(StorageContract, inspect.isfunction)
        if "open_store" in inspect.signature(test).parameters
        and name.startswith("test_")
        and not hasattr(KilledProcessContract, name)
    }
    assert set(found) == reopening
    assert "a reopened store lists its sessions" in found["test_a_reopened_store_has_everything"]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_it_is_rejected_for_its_own_reason(
    broken: type[MemoryStorage], reject: Callable[..., None]
) -> None:
    reject(broken, *BROKEN[broken])

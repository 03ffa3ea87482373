"""The storage contract accepts the stores that keep it and rejects those that do not."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from agno_shell.contracts import Storage
from agno_shell.errors import StorageError
from agno_shell.testing.memory_storage import MemoryStorage, MemoryStore
from agno_shell.testing.storage_contract import VERSION, StorageContract
from agno_shell.types import Message, Session, Trashed

OpenStore = Callable[[], Storage]


class TestMemoryStorage(StorageContract):
    @pytest.fixture
    def open_store(self) -> OpenStore:
        data = MemoryStore()
        return lambda: MemoryStorage(data)


def test_the_contract_has_a_version() -> None:
    assert isinstance(VERSION, int)
    assert VERSION >= 1


# Broken stores ---------------------------------------------------------------------------


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


class DropsExtra(MemoryStorage):
    def append(self, session_id: str, message: Message) -> Session:
        return super().append(session_id, message._replace(extra={}))


class FirstInsteadOfLast(MemoryStorage):
    def messages(self, session_id: str, last: int | None = None) -> list[Message]:
        return super().messages(session_id)[:last]


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


class ReallyDeletes(MemoryStorage):
    def delete(self, session_id: str) -> Trashed:
        trashed = super().delete(session_id)
        self.store.trash.clear()
        return trashed


class LeavesTheCurrentSession(MemoryStorage):
    def delete(self, session_id: str) -> Trashed:
        current = self.store.current
        trashed = super().delete(session_id)
        self.store.current = current
        return trashed


class OldestFirst(MemoryStorage):
    def sessions(self) -> list[Session]:
        return super().sessions()[::-1]


class TakesAnyField(MemoryStorage):
    def update(self, session_id: str, **changes: Any) -> Session:
        known = {key: value for key, value in changes.items() if key in ("name", "description")}
        return super().update(session_id, **known) if known else self.open(session_id)


class MakesMissingSessions(MemoryStorage):
    def append(self, session_id: str, message: Message) -> Session:
        if session_id not in self.store.sessions:
            return self.create("made up")
        return super().append(session_id, message)


class TimeGoesBack(MemoryStorage):
    def _touch(self, kept: Any, **changes: Any) -> Session:
        session = super()._touch(kept, **changes)
        kept.session = session._replace(updated_at=session.updated_at - timedelta(hours=1))
        return kept.session


class StealsRunningReplies(MemoryStorage):
    """Takes every reply in work for one that a crash has left."""

    def open(self, session_id: str) -> Session:
        self.store.writing.clear()
        return super().open(session_id)


class LosesCutOffReplies(MemoryStorage):
    def close(self) -> None:
        super().close()
        self.store.partials.clear()


class CountsNothing(MemoryStorage):
    def append(self, session_id: str, message: Message) -> Session:
        return super().append(session_id, message)._replace(message_count=0)


class ClaimsToSearch(MemoryStorage):
    can_search = True

    def search(self, query: str, *, limit: int = 20) -> list[Message]:
        return []


BROKEN = {
    Forgets: "test_a_reopened_store_has_everything",
    CutsAtNul: "test_any_text_comes_back_as_it_was",
    ReplacesSurrogates: "test_any_text_comes_back_as_it_was",
    DropsExtra: "test_every_field_comes_back",
    FirstInsteadOfLast: "test_the_last_messages_only",
    ForgetsBranches: "test_moving_the_head_shortens_the_conversation",
    DropsTheOldBranch: "test_appending_to_an_older_head_makes_a_branch",
    ReallyDeletes: "test_delete_and_restore",
    LeavesTheCurrentSession: "test_deleting_the_current_session_picks_the_newest",
    OldestFirst: "test_newest_first",
    TakesAnyField: "test_update_refuses_what_is_no_field",
    MakesMissingSessions: "test_unknown_and_hostile_ids",
    TimeGoesBack: "test_counts_and_times_follow_the_messages",
    StealsRunningReplies: "test_a_running_reply_is_left_alone",
    LosesCutOffReplies: "test_a_reply_cut_off_by_a_crash_is_kept",
    CountsNothing: "test_counts_and_times_follow_the_messages",
    ClaimsToSearch: "test_search_is_there_or_is_refused",
}


def failures(make: Callable[[MemoryStore], Storage]) -> set[str]:
    """The names of the contract's tests that a store does not pass."""
    found = set()
    for name, test in inspect.getmembers(StorageContract, inspect.isfunction):
        if not name.startswith("test_"):
            continue
        data = MemoryStore()

        def open_store(data: MemoryStore = data) -> Storage:
            return make(data)

        given = {"open_store": open_store, "store": open_store()}
        wanted = {key: given[key] for key in inspect.signature(test).parameters if key != "self"}
        try:
            test(StorageContract(), **wanted)
        except (AssertionError, StorageError, pytest.fail.Exception):
            found.add(name)
    return found


def test_the_fake_passes_when_it_is_run_this_way() -> None:
    assert failures(MemoryStorage) == set()


@pytest.fixture(params=BROKEN, ids=lambda broken: broken.__name__)
def broken(request: pytest.FixtureRequest) -> type[MemoryStorage]:
    kind: type[MemoryStorage] = request.param
    return kind


def test_a_broken_store_is_rejected_for_its_own_reason(broken: type[MemoryStorage]) -> None:
    assert BROKEN[broken] in failures(broken)

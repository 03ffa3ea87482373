"""Stores that find too much or too little, or show something else, each rejected for its
reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.storage_contract.hits import SearchHitsContract
from agno_shell.testing.storage_contract.queries import QueriesContract
from agno_shell.toolkit import full_text
from agno_shell.types import Message, Role, SearchHit, Session


class IgnoresTheSession(MemoryStorage):
    def search(
        self, query: str, *, session_id: str | None = None, **filters: Any
    ) -> list[SearchHit]:
        if session_id is not None:
            self._kept(session_id)
        return super().search(query, **filters)


class TakesAnySession(MemoryStorage):
    def search(
        self, query: str, *, session_id: str | None = None, **filters: Any
    ) -> list[SearchHit]:
        if session_id not in (None, *self.store.sessions):
            return []
        return super().search(query, session_id=session_id, **filters)


class IgnoresTheRole(MemoryStorage):
    def search(self, query: str, *, role: Role | None = None, **filters: Any) -> list[SearchHit]:
        return super().search(query, **filters)


class IgnoresTheTime(MemoryStorage):
    def search(
        self, query: str, *, since: datetime | None = None, **filters: Any
    ) -> list[SearchHit]:
        return super().search(query, **filters)


class ComparesTimesAsText(MemoryStorage):
    def search(
        self, query: str, *, since: datetime | None = None, **filters: Any
    ) -> list[SearchHit]:
        return [
            hit
            for hit in super().search(query, **filters)
            if since is None or hit.message.created_at.isoformat() >= since.isoformat()
        ]


class IgnoresTheLimit(MemoryStorage):
    def search(self, query: str, *, limit: int = 20, **filters: Any) -> list[SearchHit]:
        return super().search(query, limit=1000, **filters)


class LimitsAtTen(MemoryStorage):
    def search(self, query: str, *, limit: int = 20, **filters: Any) -> list[SearchHit]:
        return super().search(query, limit=min(limit, 10), **filters)


# Altered afterwards ----------------------------------------------------------------------------


class SearchVariant(MemoryStorage):
    """Finds what is to be found, and makes something else of all of it."""

    def search(self, query: str, *, limit: int = 20, **filters: Any) -> list[SearchHit]:
        self.wanted, self.limit = full_text.parse(query), limit
        return self.alter(super().search(query, limit=1000, **filters))[:limit]

    def alter(self, hits: list[SearchHit]) -> list[SearchHit]:
        raise NotImplementedError

    def kept_ids(self) -> set[str]:
        return {message.id for kept in self.store.sessions.values() for message in kept.messages}


class LatestFirst(SearchVariant):
    def alter(self, hits: list[SearchHit]) -> list[SearchHit]:
        return sorted(hits, key=lambda hit: hit.message.created_at, reverse=True)


class EarliestFirst(SearchVariant):
    def alter(self, hits: list[SearchHit]) -> list[SearchHit]:
        return sorted(hits, key=lambda hit: hit.message.created_at)


class LimitsBeforeRanking(SearchVariant):
    def alter(self, hits: list[SearchHit]) -> list[SearchHit]:
        first = sorted(hits, key=lambda hit: hit.message.created_at)[: self.limit]
        return [hit for hit in hits if hit in first]


class ShowsWholeMessages(SearchVariant):
    def alter(self, hits: list[SearchHit]) -> list[SearchHit]:
        return [
            hit._replace(snippet=self.wanted.snippet(hit.message.content, 10**9)) for hit in hits
        ]


class MarksNothing(SearchVariant):
    def alter(self, hits: list[SearchHit]) -> list[SearchHit]:
        return [
            hit._replace(snippet=tuple((piece, False) for piece, _marked in hit.snippet))
            for hit in hits
        ]


class MarksTheLine(SearchVariant):
    def alter(self, hits: list[SearchHit]) -> list[SearchHit]:
        return [
            hit._replace(snippet=(("".join(piece for piece, _marked in hit.snippet), True),))
            for hit in hits
        ]


class MarksWithBrackets(SearchVariant):
    def alter(self, hits: list[SearchHit]) -> list[SearchHit]:
        return [
            hit._replace(
                snippet=tuple(
                    (f"[{piece}]" if marked else piece, marked) for piece, marked in hit[2]
                )
            )
            for hit in hits
        ]


class MarksNoPrefixes(SearchVariant):
    def alter(self, hits: list[SearchHit]) -> list[SearchHit]:
        plain = full_text.Query([term for term in self.wanted.terms if not term.prefix])
        return [hit._replace(snippet=plain.snippet(hit.message.content)) for hit in hits]


class FindsTheConversationAlone(SearchVariant):
    def alter(self, hits: list[SearchHit]) -> list[SearchHit]:
        return [hit for hit in hits if hit.message in self.messages(hit.session.session_id)]


class CutsTheMessage(SearchVariant):
    def alter(self, hits: list[SearchHit]) -> list[SearchHit]:
        return [hit._replace(message=Message(*hit.message[:5])) for hit in hits]


class IndexesOnce(SearchVariant):
    """Finds what there was when this handle searched for the first time."""

    def alter(self, hits: list[SearchHit]) -> list[SearchHit]:
        self.index = getattr(self, "index", None) or self.kept_ids()
        return [hit for hit in hits if hit.message.id in self.index]


class ForgetsRestored(SearchVariant):
    def restore(self, trash_id: str) -> Session:
        session = super().restore(trash_id)
        self.store.__dict__.setdefault("restored", set()).add(session.session_id)
        return session

    def alter(self, hits: list[SearchHit]) -> list[SearchHit]:
        restored = self.store.__dict__.get("restored", ())
        return [hit for hit in hits if hit.session.session_id not in restored]


class MissesRescued(SearchVariant):
    def open(self, session_id: str) -> Session:
        before = self.kept_ids()
        session = super().open(session_id)
        self.store.__dict__.setdefault("rescued", set()).update(self.kept_ids() - before)
        return session

    def alter(self, hits: list[SearchHit]) -> list[SearchHit]:
        return [hit for hit in hits if hit.message.id not in self.store.__dict__.get("rescued", ())]


class ShowsOldNames(SearchVariant):
    def alter(self, hits: list[SearchHit]) -> list[SearchHit]:
        known: dict[str, str] = self.store.__dict__.setdefault("names", {})
        return [
            hit._replace(
                session=hit.session._replace(
                    name=known.setdefault(hit.session.session_id, hit.session.name)
                )
            )
            for hit in hits
        ]


class FindsDeletedSessions(MemoryStorage):
    def search(self, query: str, **filters: Any) -> list[SearchHit]:
        alive = self.store.sessions
        deleted = {each.session.session_id: kept for each, kept in self.store.trash.values()}
        self.store.sessions = {**deleted, **alive}
        try:
            return super().search(query, **filters)
        finally:
            self.store.sessions = alive


BROKEN: dict[type[MemoryStorage], tuple[str, ...]] = {
    IgnoresTheSession: ("test_search_in_one_session", "finds in this session alone"),
    TakesAnySession: (
        "test_search_in_one_session",
        "raises SessionNotFoundError, but it raised nothing",
    ),
    IgnoresTheRole: ("test_search_by_role", "search(role='user') finds what the user wrote"),
    IgnoresTheTime: (
        "test_search_since_a_moment",
        "search(since=2024-01-01T23:30:00.000001+00:00)",
    ),
    ComparesTimesAsText: ("test_search_since_a_moment", "search(since=2024-01-03T08:30:00+09:00)"),
    IgnoresTheLimit: (
        "test_search_with_a_limit",
        "search(limit=1) stops there",
        "test_the_best_comes_first",
    ),
    LimitsAtTen: (
        "test_search_with_a_limit",
        "search(limit=100) finds all 25",
        "test_a_snippet_is_a_part_of_the_message",
        "test_deleted_sessions_are_not_found",
    ),
    LatestFirst: ("test_the_best_comes_first", "a text that says walrus thrice"),
    EarliestFirst: ("test_the_best_comes_first", "a text that says needle thrice"),
    LimitsBeforeRanking: ("test_the_best_comes_first", "search(limit=1) returns the best"),
    ShowsWholeMessages: ("test_a_snippet_is_a_part_of_the_message", "a snippet is a few words"),
    MarksNothing: (
        "test_a_snippet_is_a_part_of_the_message",
        "a snippet marks what was looked for",
        "test_a_snippet_marks_words_phrases_and_prefixes",
    ),
    MarksTheLine: (
        "test_a_snippet_is_a_part_of_the_message",
        "what is marked is what was looked for",
        "test_a_snippet_marks_words_phrases_and_prefixes",
    ),
    MarksWithBrackets: (
        "test_a_snippet_is_a_part_of_the_message",
        "join to a part of the message",
        "test_a_snippet_marks_words_phrases_and_prefixes",
    ),
    MarksNoPrefixes: (
        "test_a_snippet_marks_words_phrases_and_prefixes",
        "the snippet of 'waln*' marks",
    ),
    FindsDeletedSessions: (
        "test_deleted_sessions_are_not_found",
        "search() finds nothing in deleted sessions",
    ),
    FindsTheConversationAlone: (
        "test_other_branches_are_found",
        "finds all branches",
        "test_search_since_a_moment",
        "test_what_was_just_saved_is_found",
    ),
    CutsTheMessage: ("test_a_hit_has_the_session_and_the_message", "a hit has the whole message"),
    IndexesOnce: (
        "test_what_was_just_saved_is_found",
        "a message as soon as it is saved",
        "test_deleted_sessions_are_not_found",
    ),
    ForgetsRestored: (
        "test_deleted_sessions_are_not_found",
        "search() finds restored sessions again",
    ),
    MissesRescued: ("test_a_rescued_reply_is_found", "a reply that open() has rescued"),
    ShowsOldNames: (
        "test_a_renamed_session_is_found_by_its_new_name",
        "the name that the session has now",
    ),
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_it_is_rejected_for_its_own_reason(
    broken: type[MemoryStorage], reject: Callable[..., None]
) -> None:
    reject(broken, *BROKEN[broken], rooms=(QueriesContract, SearchHitsContract))

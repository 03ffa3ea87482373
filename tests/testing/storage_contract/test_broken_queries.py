"""Stores that take a query for something else, each rejected for its reason."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from agno_shell.contracts import Progress
from agno_shell.testing.memory_storage import MemoryStorage, MemoryStore
from agno_shell.testing.storage_contract.hits import SearchHitsContract
from agno_shell.testing.storage_contract.queries import QueriesContract
from agno_shell.toolkit import full_text
from agno_shell.types import SearchHit


class ClaimsToSearch(MemoryStorage):
    def search(self, query: str, **filters: Any) -> list[SearchHit]:
        super().search(query, **filters)
        return []


class SearchesInSecret(MemoryStorage):
    """Says that it cannot search and does it all the same."""

    can_search = False


class RaisesOnPunctuation(MemoryStorage):
    def search(self, query: str, **filters: Any) -> list[SearchHit]:
        if query.count('"') % 2:
            raise ValueError("unterminated string")
        return super().search(query, **filters)


class RaisesOnSurrogates(MemoryStorage):
    def search(self, query: str, **filters: Any) -> list[SearchHit]:
        query.encode("utf-8")
        return super().search(query, **filters)


class TakesOperators(MemoryStorage):
    """Leaves out words that mean something in FTS5."""

    def search(self, query: str, **filters: Any) -> list[SearchHit]:
        return super().search(re.sub(r"\b(AND|OR|NOT|NEAR)\b", " ", query), **filters)


class FindsEverythingForNothing(MemoryStorage):
    def search(self, query: str, **filters: Any) -> list[SearchHit]:
        if full_text.parse(query):
            return super().search(query, **filters)
        return [
            SearchHit(kept.session, message, ())
            for kept in self.store.sessions.values()
            for message in kept.messages
        ]


class FindsPartsOfWords(MemoryStorage):
    def search(self, query: str, **filters: Any) -> list[SearchHit]:
        words = [f"{word}*" if word.isalnum() else word for word in query.split()]
        return super().search(" ".join(words), **filters)


class LeavesOutSigns(MemoryStorage):
    def search(self, query: str, **filters: Any) -> list[SearchHit]:
        return super().search(re.sub(r"[^\w\s\"*]", " ", query), **filters)


class SeesPartsOfEmoji(MemoryStorage):
    """Takes what joins symbols for a blank."""

    def search(self, query: str, **filters: Any) -> list[SearchHit]:
        return super().search(query.replace("\u200d", " "), **filters)


class PreparesForEver(MemoryStorage):
    def prepare_search(self) -> Iterator[Progress]:
        yield Progress(1, 1)


class WritesWhatItPrepares(MemoryStorage):
    def prepare_search(self) -> Iterator[Progress]:
        self.create("index")
        return iter(())


class TakesNoPrefix(MemoryStorage):
    def search(self, query: str, **filters: Any) -> list[SearchHit]:
        return super().search(query.replace("*", ""), **filters)


class TakesNoPhrase(MemoryStorage):
    def search(self, query: str, **filters: Any) -> list[SearchHit]:
        return super().search(query.replace('"', " "), **filters)


class AnyWordWillDo(MemoryStorage):
    def search(self, query: str, **filters: Any) -> list[SearchHit]:
        found = {}
        for word in [query] if '"' in query else query.split()[:5]:
            found.update({hit.message.id: hit for hit in super().search(word, **filters)})
        return list(found.values())


class MindsLetterCase(MemoryStorage):
    def search(self, query: str, **filters: Any) -> list[SearchHit]:
        words = [word for word in query.split() if word.isalpha()]
        return [
            hit
            for hit in super().search(query, **filters)
            if all(word in hit.message.content for word in words)
        ]


class FoldsAsciiAlone(MindsLetterCase):
    def search(self, query: str, **filters: Any) -> list[SearchHit]:
        if query.isascii():
            return MemoryStorage.search(self, query, **filters)
        return super().search(query, **filters)


class WantsBlanksBetweenWords(MemoryStorage):
    def search(self, query: str, **filters: Any) -> list[SearchHit]:
        chinese = re.findall(r"[\u3000-\u9fff]+", query)
        return [
            hit
            for hit in super().search(query, **filters)
            if all(word in re.findall(r"\w+", hit.message.content) for word in chinese)
        ]


class StopsAtNul(MemoryStorage):
    def search(self, query: str, **filters: Any) -> list[SearchHit]:
        return [
            hit
            for hit in super().search(query, **filters)
            if full_text.parse(query).matches(hit.message.content.split("\0")[0])
        ]


class SearchingIsAChange(MemoryStorage):
    def search(self, query: str, **filters: Any) -> list[SearchHit]:
        found = super().search(query, **filters)
        for hit in found:
            self.update(hit.session.session_id, description="found")
        return found


BROKEN: dict[type[MemoryStorage], tuple[str, ...]] = {
    SearchesInSecret: (
        "test_search_is_there_or_is_refused",
        "search() where can_search is false raises StorageError",
    ),
    RaisesOnPunctuation: (
        "test_nothing_typed_is_an_error",
        "raised ValueError",
        "test_a_query_with_a_phrase",
        "test_what_has_no_meaning_is_left_out",
    ),
    RaisesOnSurrogates: ("test_nothing_typed_is_an_error", "raised UnicodeEncodeError"),
    TakesOperators: (
        "test_what_has_no_meaning_is_left_out",
        "the query 'OR' finds words that mean something elsewhere",
    ),
    FindsEverythingForNothing: (
        "test_what_has_no_meaning_is_left_out",
        "the query '' finds nothing",
    ),
    FindsPartsOfWords: (
        "test_a_query_with_a_prefix",
        "no word that only begins so, without the star",
    ),
    LeavesOutSigns: (
        "test_words_with_signs_and_symbols",
        "no other word with the same letters",
    ),
    SeesPartsOfEmoji: ("test_words_with_signs_and_symbols", "an emoji of several code points"),
    PreparesForEver: ("test_searching_can_be_prepared", "says when nothing is to do"),
    WritesWhatItPrepares: ("test_searching_can_be_prepared", "prepare_search() changes nothing"),
    TakesNoPrefix: (
        "test_a_query_with_a_prefix",
        "finds words that begin so",
        "test_a_snippet_marks_words_phrases_and_prefixes",
        "test_any_letter_case",
    ),
    TakesNoPhrase: ("test_a_query_with_a_phrase", "next to each other, in this order"),
    AnyWordWillDo: (
        "test_a_query_of_words",
        "messages that hold all the words",
        "test_a_query_with_a_prefix",
        "test_text_without_spaces_between_words",
    ),
    MindsLetterCase: (
        "test_any_letter_case",
        "the query 'needle' finds a word in any letter case",
        "test_a_query_of_words",
        "test_a_snippet_is_a_part_of_the_message",
        "test_a_snippet_marks_words_phrases_and_prefixes",
        "test_what_has_no_meaning_is_left_out",
    ),
    FoldsAsciiAlone: ("test_any_letter_case", "in any letter case, with accents too"),
    WantsBlanksBetweenWords: (
        "test_text_without_spaces_between_words",
        "a Chinese word inside a sentence",
        "test_a_snippet_marks_words_phrases_and_prefixes",
    ),
    StopsAtNul: (
        "test_words_beside_odd_text",
        "a word beside any other text",
        "test_a_snippet_is_a_part_of_the_message",
    ),
    SearchingIsAChange: (
        "test_searching_changes_nothing",
        "search() changes nothing",
        "test_a_hit_has_the_session_and_the_message",
    ),
}


def test_a_store_that_claims_to_search_is_rejected_wherever_it_is_asked(
    failures: Callable[..., dict[str, str]],
) -> None:
    found = failures(lambda: partial(ClaimsToSearch, MemoryStore()))
    asked = {
        name
        for room in (QueriesContract, SearchHitsContract)
        for name, _test in inspect.getmembers(room, inspect.isfunction)
        if name.startswith("test_")
    }
    asked -= {"test_nothing_typed_is_an_error", "test_searching_changes_nothing"}
    assert set(found) == asked
    assert "finds the message with the word" in found["test_search_is_there_or_is_refused"]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_it_is_rejected_for_its_own_reason(
    broken: type[MemoryStorage], reject: Callable[..., None]
) -> None:
    reject(broken, *BROKEN[broken], rooms=(QueriesContract, SearchHitsContract))

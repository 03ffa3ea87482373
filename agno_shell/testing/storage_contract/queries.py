"""What a search query means, for storages that can search."""

# ruff: noqa: S101 - a contract is made of assertions

from __future__ import annotations

from contextlib import closing

import pytest

from agno_shell.contracts import Storage
from agno_shell.errors import StorageError
from agno_shell.testing.storage_contract.samples import TEXTS, OpenStore, message, say
from agno_shell.testing.storage_contract.verdicts import refuses, same, unchanged

NASTY_QUERIES = (
    '"', '""', '" "', '"open', 'a"b', '"a" "', '"""', '"a"*', '*"a"', "*", "**", "a*b", "*a",
    "a *", "AND", "OR", "NOT", "NEAR", "a AND", "OR b", "NOT a", "a AND AND b", "NEAR(",
    "NEAR(a b, 2)", "(", ")", "(a", "a)", "()", "((a) OR", "^", "^a", "-", "-a", "+", "a + b",
    ":", "content:a", "a:", "{a b}: c", "-content:a", "rowid:1", "%", "_", "a%", "\\", "\\'",
    "'", "''", "'; --", "/*", "--", "[a]", "a?b", "<a>", "a|b", "&", "~a", "$a", "@a", "#a",
    ";", ",", ".", "..", "a.b", "e-mail@x.y", "", " ", "\t\n", "\0", "a\0b", "\x1b[31m",
    "\u2028", "\ufeff", "\u202e", "\ud800", "a\udfff b", "🚀", "👩\u200d🚀", "é", "e\u0301", "ﬁ",
    "İ", "ß", "\u0660", "你", "你好吗", "×", "…", "1e400", "x" * 10_000, "a " * 2_000, '"' * 501,
    "(" * 500, "a* " * 500, "NOT " * 300,
)  # fmt: skip
"""What users type and paste: syntax of other search engines, of SQL and of patterns."""

MEANINGLESS = ("", " \t\n", '"', '""', '" "', "*", "* *", '"*"', "()", "-", "!?", ".,;:", "\0")
"""Queries in which there is nothing to look for."""


def require_search(store: Storage) -> None:
    """Skip a test of what this storage does not support."""
    if not store.can_search:
        pytest.skip("this storage cannot search, as can_search says")


def found_by(store: Storage, query: str, expected: list[str], what: str) -> None:
    """Fail unless a query finds the messages with exactly these texts, in any order."""
    found = sorted(hit.message.content for hit in store.search(query))
    same(found, sorted(expected), f"the query {query!r} finds {what}")


class QueriesContract:
    """Words, phrases and prefixes, and nothing that is typed is an error."""

    def test_search_is_there_or_is_refused(self, store: Storage) -> None:
        session_id = store.create("search").session_id
        say(store, session_id, "a needle in a haystack", "hay")
        if store.can_search:
            found_by(store, "needle", ["a needle in a haystack"], "the message with the word")
        else:
            with refuses(StorageError, "search() where can_search is false"):
                store.search("needle")

    def test_a_query_of_words(self, store: Storage) -> None:
        require_search(store)
        session_id = store.create("words").session_id
        say(store, session_id, "modern art", "a party of art lovers", "the party", "MODERN PARTY")
        found_by(store, "party", ["a party of art lovers", "the party", "MODERN PARTY"], "the word")
        found_by(store, "art", ["modern art", "a party of art lovers"], "whole words alone")
        found_by(store, "art party", ["a party of art lovers"], "messages that hold all the words")
        found_by(store, "lovers party", ["a party of art lovers"], "the words in any order")
        found_by(store, "party absent", [], "nothing where a word is missing")

    def test_any_letter_case(self, store: Storage) -> None:
        require_search(store)
        session_id = store.create("case").session_id
        messages = [
            "a Needle",
            "THE NEEDLE",
            "needle",
            "Über Äpfel",
            "über äpfel",
            "МОСКВА",
            "Москва",
        ]
        say(store, session_id, *messages)
        for query in ("needle", "NEEDLE", "nEEdle", '"NEEDLE"', "NEED*"):
            found_by(store, query, messages[:3], "a word in any letter case")
        for query in ("äpfel", "ÄPFEL", '"ÜBER ÄPFEL"', "ÄPF*"):
            found_by(store, query, messages[3:5], "a word in any letter case, with accents too")
        for query in ("москва", "МОСКВА"):
            found_by(store, query, messages[5:], "a word in any letter case, of any alphabet")

    def test_a_query_with_a_phrase(self, store: Storage) -> None:
        require_search(store)
        session_id = store.create("phrases").session_id
        messages = ["the quick brown fox", "brown and quick", "quick, brown!", "a quick red fox"]
        say(store, session_id, *messages)
        phrase = [messages[0], messages[2]]
        found_by(store, '"quick brown"', phrase, "the words next to each other, in this order")
        found_by(store, '"quick brown" fox', messages[:1], "a phrase and a word together")
        found_by(store, '"quick brown', phrase, "a phrase that is not closed")
        found_by(store, '"brown quick"', [], "nothing in which the order is another one")

    def test_a_query_with_a_prefix(self, store: Storage) -> None:
        require_search(store)
        session_id = store.create("prefixes").session_id
        messages = ["a walrus", "a walnut", "a swallow", "the wall and a walrus"]
        say(store, session_id, *messages)
        found_by(store, "wal*", [messages[0], messages[1], messages[3]], "words that begin so")
        found_by(store, "walr* wall", messages[3:], "a prefix and a word together")
        found_by(store, "wal", [], "no word that only begins so, without the star")

    def test_words_with_signs_and_symbols(self, store: Storage) -> None:
        require_search(store)
        session_id = store.create("signs").session_id
        messages = [
            "C++ it is",
            "in C",
            "C# alone",
            "go $path",
            "the path",
            "yes 👍🏽",
            "yes 👍",
            "a 👩\u200d🚀",
        ]
        messages += [f"ö {text}" for text in messages]
        say(store, session_id, *messages)

        def both(*numbers: int) -> list[str]:
            return [messages[each + more] for each in numbers for more in (0, len(messages) // 2)]

        found_by(store, "C++", both(0), "no other word with the same letters")
        found_by(store, "c#", both(2), "no other word with the same letters")
        found_by(store, "C", both(0, 1, 2), "a word whatever signs touch it")
        found_by(store, "$path", both(3), "no word without the sign")
        found_by(store, "path", both(3, 4), "a word whatever signs touch it")
        found_by(store, "👍🏽", both(5), "an emoji of this colour")
        found_by(store, "👍", both(5, 6), "an emoji of any colour")
        found_by(store, "👩\u200d🚀", both(7), "an emoji of several code points")
        found_by(store, "🚀", [], "no part of an emoji")

    def test_searching_can_be_prepared(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            require_search(store)
            for name in ("a", "b", "c"):
                say(store, store.create(name).session_id, f"needle {name}")
        with closing(open_store()) as store:
            with unchanged(store, "prepare_search()"):
                # Some of it, then all: nothing is lost by stopping early.
                next(iter(store.prepare_search()), None)
                steps = list(store.prepare_search())
            for done, total in steps:
                assert 0 <= done <= total > 0, "prepare_search() yields how much is done of what"
            same(list(store.prepare_search()), [], "prepare_search() says when nothing is to do")
            found_by(store, "needle", ["needle a", "needle b", "needle c"], "what was prepared")

    def test_text_without_spaces_between_words(self, store: Storage) -> None:
        require_search(store)
        session_id = store.create("scripts").session_id
        messages = [
            "今天天气很好，我们去公园散步。",
            "公共图书馆",
            "東京タワーに行きました",
            "meeting 公园 tomorrow",
        ]
        say(store, session_id, *messages)
        found_by(store, "公园", [messages[0], messages[3]], "a Chinese word inside a sentence")
        found_by(store, "天天气很好", messages[:1], "a longer part of a Chinese sentence")
        found_by(store, "タワー", messages[2:3], "a Japanese word inside a sentence")
        found_by(store, "京タ", messages[2:3], "any two characters in a row")
        found_by(store, "meeting 公园", messages[3:], "such a word together with another one")
        found_by(store, "园公", [], "nothing in which the order is another one")

    def test_words_beside_odd_text(self, store: Storage) -> None:
        require_search(store)
        session_id = store.create("odd").session_id
        messages = [f"walrus {text} needle" for text in TEXTS]
        say(store, session_id, *messages)
        for query in ("needle", "walrus", "needle walrus"):
            found_by(store, query, messages, "a word beside any other text")

    def test_nothing_typed_is_an_error(self, store: Storage) -> None:
        require_search(store)
        session_id = store.create("nasty").session_id
        messages = say(store, session_id, "this or that", "a b", *TEXTS)
        store.append(session_id, message("a reply", messages[-1], role="assistant"))
        for query in NASTY_QUERIES:
            try:
                found = store.search(query)
            except Exception as error:
                raise AssertionError(
                    f"no query is an error, but {query[:60]!r} raised {error!r}"
                ) from error
            assert isinstance(found, list), f"search({query[:60]!r}) returns a list"

    def test_what_has_no_meaning_is_left_out(self, store: Storage) -> None:
        require_search(store)
        session_id = store.create("meaning").session_id
        messages = say(store, session_id, "a needle", "this or that", "not so near")
        for query in MEANINGLESS:
            found_by(store, query, [], "nothing, for it says nothing")
        for query in (
            'needle "',
            "(needle",
            "needle !",
            '"" needle',
            "* needle",
            "needle:",
            "-needle",
        ):
            found_by(store, query, [messages[0].content], "what the rest of it means")
        found_by(store, "OR", [messages[1].content], "words that mean something elsewhere")
        found_by(store, "NOT NEAR", [messages[2].content], "words that mean something elsewhere")

    def test_searching_changes_nothing(self, store: Storage) -> None:
        require_search(store)
        session_id = store.create("quiet").session_id
        say(store, session_id, "a needle", "hay")
        before = store.version(session_id)
        with unchanged(store, "search()"):
            store.search("needle")
        same(store.version(session_id), before, "search() leaves the version")

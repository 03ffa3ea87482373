from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agno_shell.toolkit import full_text
from agno_shell.toolkit.full_text import Term, parse

PIECES = [
    "a",
    "b",
    "ab",
    "abc",
    "Ä",
    "ba",
    "你",
    "好",
    "你好",
    "é",
    "ß",
    "ss",
    " ",
    " ",
    ", ",
    "-",
    "\n",
    "+",
    "#",
    "--",
    "👍",
    "🏽",
]
SIGNS = [
    *PIECES,
    '"',
    '"',
    "*",
    "* ",
    "^",
    "AND ",
    "NEAR(",
    "x:",
    "'",
    ";",
    "\0",
    "\ud800",
    "(",
    "+",
]
TEXTS = st.lists(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join), min_size=1, max_size=15
)
QUERIES = st.lists(st.sampled_from(SIGNS), max_size=8).map("".join) | st.text(max_size=30)

check = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("blue CUPS", [("blue",), ("cups",)]),
        ('"blue cups" saucer', [("blue", "cups"), ("saucer",)]),
        ("sauc*", ["sauc*"]),
        ('"blue cu"*', ["blue cu*"]),
        ('"blue cups', [("blue", "cups")]),
        ("foo-bar don't 1.5", [("foo", "bar"), ("don", "t"), ("1", "5")]),
        ("C-+ *x ^y -z", [("c",), ("x",), ("y",), ("z",)]),
        ("foo-* bar**", [("foo",), "bar*"]),
        ("AND NEAR(a b) col:x", [("and",), ("near", "a"), ("b",), ("col", "x")]),
        ("你好*", ["你 好*"]),
        ("twice Twice", [("twice",)]),
        ('* ^ "" - \' ; \0 \ud800 "', []),
        ("", []),
    ],
)
def test_what_is_typed_and_what_it_means(query: Any, terms: Any) -> None:
    expected = [
        Term(tuple(term[:-1].split()), prefix=True) if isinstance(term, str) else Term(term)
        for term in terms
    ]
    assert list(parse(query).terms) == expected
    assert bool(parse(query)) == bool(terms)


def test_nothing_has_no_expression() -> None:
    with pytest.raises(ValueError):
        parse("*").expression()
    assert not parse("*").matches("*")
    assert parse("*").ranked(["*", ""]) == []


@pytest.mark.parametrize(
    "query",
    [
        "a " * 50_000,
        "a-" * 50_000,
        '"' * 100_000,
        "好" * 100_000,
        "a" * 100_000,
        " ".join(map(str, range(20_000))),
    ],
)
def test_a_query_of_any_length_is_one(table: Any, query: Any) -> None:
    parsed = parse(query)
    assert sum(len(term.words) for term in parsed.terms) <= 100
    if parsed:
        table(["a b"]).execute("SELECT 1 FROM words WHERE words MATCH ?", (parsed.expression(),))


def test_of_a_long_query_the_first_words_count() -> None:
    numbers = " ".join(map(str, range(150)))
    phrase = parse(f'{" ".join(map(str, range(60)))} "{numbers}"*')
    assert phrase.terms[-1] == Term(tuple(map(str, range(40))), prefix=False)
    assert parse(numbers).matches(" ".join(map(str, range(100))))
    assert not parse(numbers).matches(" ".join(map(str, range(99))))


FOUND_AS_THEMSELVES = {
    "C++": ("I like C++.", "C++17"),
    "C#": ("a C# class",),
    "F#": ("F#!",),
    "g++": ("g++ -O2",),
    ".NET": ("for .NET 9",),
    "node.js": ("a node.js-server",),
    "@decorator": ("@decorator\ndef f():",),
    "$HOME": ("cd $HOME/x",),
    "--flag": ("cmd --flag=1",),
    "a/b": ("the a/b test",),
    "#42": ("see #42",),
    "👍": ("👍", "so 👍🏽!"),
    "👍🏽": ("so 👍🏽!",),
    "❤": ("❤️",),
    "👩\u200d🚀": ("a 👩\u200d🚀 flies",),
    "🇩🇪": ("🇪🇸🇩🇪",),
    "€": ("5€ or 6 €",),
}
OTHERS = (
    "C", "c ++i", "C #define", "F", "g", "net", "node", "js node", "decorator", "me@decorator",
    "home", "flag", "-flag", "a", "b", "b/a", "42", "C+", "C+++", "👩 🚀", "👩", "🚀", "🇩🇰🇪🇸", "💔",
    "$", "ö C", "ö net", "ö home flag", "EUR",
)  # fmt: skip


@pytest.mark.parametrize("query", FOUND_AS_THEMSELVES)
def test_what_is_more_than_letters_is_found_as_itself(table: Any, query: Any) -> None:
    every = [text for texts in FOUND_AS_THEMSELVES.values() for text in texts]
    all_of_them = list(dict.fromkeys([*every, *OTHERS]))
    # Text that is ASCII alone is gone through in another way.
    for texts, wanted in (
        (all_of_them, FOUND_AS_THEMSELVES[query]),
        (
            [f"ö {text} ö" for text in all_of_them],
            [f"ö {text} ö" for text in FOUND_AS_THEMSELVES[query]],
        ),
    ):
        parsed = parse(query)
        assert {text for text in texts if parsed.matches(text)} == set(wanted)
        found = "SELECT rowid FROM words WHERE words MATCH ?"
        rows = table(texts).execute(found, (parsed.expression(),))
        assert {texts[row] for (row,) in rows} == set(wanted)


@pytest.mark.parametrize("word", ["c", "net", "home", "flag", "decorator"])
def test_a_word_is_found_whatever_signs_touch_it(word: Any) -> None:
    every = [text for texts in FOUND_AS_THEMSELVES.values() for text in texts]
    whole = re.compile(rf"(?<![a-z0-9]){word}(?![a-z0-9])", re.IGNORECASE)
    assert [t for t in every if parse(word).matches(t)] == [t for t in every if whole.search(t)]


@check
@given(TEXTS, QUERIES)
def test_sqlite_finds_the_same_texts_in_the_same_order(table: Any, texts: Any, query: Any) -> None:
    parsed = parse(query)
    matching = [number for number, text in enumerate(texts) if parsed.matches(text)]
    assert sorted(parsed.ranked(texts)) == matching
    if not parsed:
        assert matching == []
        return
    rows = (
        table(texts)
        .execute(
            "SELECT rowid, round(bm25(words), 9) FROM words WHERE words MATCH ?",
            (parsed.expression(),),
        )
        .fetchall()
    )
    assert sorted(row for row, _score in rows) == matching
    # Equal scores stand in any order in SQLite's answer: the scores are compared.
    scores = dict(rows)
    assert [scores[row] for row in parsed.ranked(texts)] == sorted(scores.values())


@check
@given(TEXTS, QUERIES)
def test_what_is_marked_is_what_was_looked_for(texts: Any, query: Any) -> None:
    parsed = parse(query)
    for text in texts:
        spans = parsed.spans(text)
        assert all(0 <= start < end <= len(text) for start, end in spans)
        assert all(one[1] <= two[0] for one, two in pairwise(spans))
        alone = [full_text.Query([term]) for term in parsed.terms]
        for start, end in spans:
            assert any(term.spans(text[start:end]) for term in alone)
        assert bool(spans) == any(term.matches(text) for term in alone)


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("blue", "Blue blues blue", ["Blue", "blue"]),
        ("blu*", "Blue blues sky-blue", ["Blue", "blues", "blue"]),
        ('"blue cups"', "blue\n-CUPS, cups blue", ["blue\n-CUPS"]),
        ("a-a", "a a a", ["a a a"]),
        ("don't", "I don’t", ["don’t"]),
        ("strasse", "Die Straße", ["Straße"]),
        ("好吗", "你好吗?", ["好吗"]),
        ("café cafe", "CAFÉ", ["CAFÉ"]),
    ],
)
def test_spans(query: Any, text: str, marked: Any) -> None:
    assert [text[start:end] for start, end in parse(query).spans(text)] == marked


def test_ascii_is_searched_like_any_other_text() -> None:
    for query in ("blue", "blu*", '"blue cups"', "a-a", "x*"):
        for text in ("Blue blues, blue-cups a a a", "xblue blue_cups", "a1 1a a"):
            ascii_spans = parse(query).spans(text)
            assert parse(query).spans(f"{text} é") == ascii_spans

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agno_shell.toolkit import full_text

ODD = (
    "aZß ſ\u0301\u0308ёЁйЙéÉıİ½①ﬁＡ\u00ad\u200d\u200b'’-_.+*\"(:,\0\n\t\ud800"
    "#$@+ +#$@-.👍🏽🇩🇪🚀\u200d\ufe0f€→"
    "你好ガカ\uff9eか\u3099한\u1112\u1161\u11abที่हिन्दी،أ"
)
TEXTS = st.text(st.sampled_from(ODD) | st.characters(), max_size=60)


def words(text: str) -> list[str]:
    return [token.text for token in full_text.tokens(text)]


def behind(sign: str) -> str:
    """The word of a symbol, or of a sign that stands behind another word."""
    places = (0x50000 + code if code < 0x20000 else 0x70000 for code in map(ord, sign))
    return "".join(map(chr, places))


def before(sign: str) -> str:
    """The word of a sign that stands before another one."""
    return "".join(chr(0x40000 + ord(each)) for each in sign)


def in_fts5(table: Any, texts: Any) -> Any:
    """The words of each text as SQLite sees them."""
    found: list[list[Any]] = [[] for _ in texts]
    for term, row in table(texts).execute("SELECT term, doc FROM terms ORDER BY doc, offset"):
        found[row].append(term)
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Blue cups", ["blue", "cups"]),
        ("don't don’t", ["don", "t", "don", "t"]),
        ("C-+ x_1 1.5 a.b/c", ["c", "x", "1", "1", "5", "a", "b", "c"]),
        ("C++ C# a@b", ["c", behind("++"), "c", behind("#"), "a", behind("@"), "b"]),
        (
            "$x #1 @y --z .n",
            [
                before("$"),
                "x",
                before("#"),
                "1",
                before("@"),
                "y",
                before("--"),
                "z",
                before("."),
                "n",
            ],
        ),
        ("Café CAFE\u0301", ["cafe", "cafe"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("Σίσυφος", ["σισυφοσ"]),
        ("Мой йод, ёлка", ["мой", "йод", "елка"]),
        ("مُحَمَّد محمد", ["محمد", "محمد"]),
        ("soft\u00adhy\u200dphen", ["softhyphen"]),
        ("ＡＢＣ１ ﬁne", ["abc1", "fine"]),
        ("½ ①", ["1", "2", "1"]),
        ("हिन्दी", ["हिन्दी"]),
        ("你好abc世界", ["你", "好", "abc", "世", "界"]),
        ("ｶﾞガ か\u3099が", ["ガ", "ガ", "が", "が"]),
        ("한국어 \u1112\u1161\u11ab", ["한", "국", "어", "한"]),
        ("ที่", ["ท", "\u0e35", "\u0e48"]),
        ("❤️ … — \ud800", [behind("❤")]),
        ("👍🏽 🇩🇪🇪🇸", list(map(behind, ("👍", "🏽", "🇩🇪", "🇪🇸")))),
        ("👩\u200d🚀a€", [behind("👩"), behind("\u200d🚀"), "a", behind("€")]),
        ("┌─┐ + - a + b $ @ ## .. . --", ["a", "b"]),
        ("", []),
    ],
)
def test_words(text: str, expected: Any) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Blue, CUPS!", ["Blue", "CUPS"]),
        ("Café—crème ½", ["Café", "crème", "½", "½"]),
        ("你好 abc ｶﾞ", ["你", "好", "abc", "ｶﾞ"]),
        ("x你y", ["x", "你", "y"]),
        ("see C++, $HOME", ["see", "C", "++", "$", "HOME"]),
        ("ä C++ ❤️👩\u200d🚀", ["ä", "C", "++", "❤️", "👩", "\u200d🚀"]),
    ],
)
def test_a_word_says_where_it_stands(text: str, parts: Any) -> None:
    assert [text[token.start : token.end] for token in full_text.tokens(text)] == parts


def test_ascii_goes_into_the_index_as_it_is() -> None:
    text = "any\0ASCII text, a-b and 1.5"
    assert full_text.prepared(text) is text
    assert full_text.prepared("C++ or C#").split() == ["C", behind("++"), "or", "C", behind("#")]


def _agree(table: Any, codes: Any) -> None:
    texts = [f"a{chr(code)}B {chr(code)}" for code in codes if not 0xD800 <= code < 0xE000]
    assert in_fts5(table, texts) == [words(text) for text in texts]


def test_sqlite_finds_the_same_words_for_every_character(table: Any) -> None:
    ideographs = (range(0x3400, 0xA000), range(0xAC00, 0xD7A4))
    _agree(
        table,
        [
            code
            for code in range(0x1F000)
            if not any(code in each for each in ideographs) and (code < 0x3000 or code % 3 == 0)
        ],
    )


@pytest.mark.slow
def test_sqlite_finds_the_same_words_for_really_every_character(table: Any) -> None:
    _agree(table, range(0x110000))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=20))
def test_sqlite_finds_the_same_words_in_any_text(table: Any, texts: Any) -> None:
    assert in_fts5(table, texts) == [words(text) for text in texts]


@pytest.mark.parametrize(
    "word",
    ["\u0915\u093f\u0924\u093e\u092c", "\U00011013\U00011038\U00011013"],
    ids=["Devanagari", "Brahmi, beyond the first 65,536 code points"],
)
def test_marks_hold_a_word_together(word: str) -> None:
    assert words(f"é {word}.") == ["e", word]

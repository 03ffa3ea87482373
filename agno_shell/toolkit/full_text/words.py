"""The words of a text, and the text in which SQLite's ``unicode61`` finds the same ones.

A word is a run of letters, digits and the marks that belong to them, without regard to
letter case, to the accents of Latin and Greek letters, to the vowel points of Arabic and
Hebrew, and to compatibility forms (NFKC), so that ``Ａ`` is ``a``. In scripts that put no
blanks between words every character is a word: a search for several of them is a search for
a phrase, and so finds any part of a text. Korean has blanks, but its particles stick to
the words, so it is treated in the same way.

A symbol such as an emoji, € or → is a word as well; so are the signs that make another word
of the one they touch, as in C++, C#, $HOME, @media, --force and .NET. A search for C++
is one for the phrase of ``c`` and ``++``, and a search for C finds both. In the index,
which holds letters alone, such a word is written with code points that no text has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

TOKENIZE = "tokenize=\"unicode61 remove_diacritics 0 categories 'L* N* M* Cn'\""
"""The option of an FTS5 table that holds prepared texts. ``Cn`` is there for letters that
are younger than SQLite's tables; everything that is to be folded is folded before."""

VERSION = 2
"""Changes whenever :func:`prepared` turns a text into something else: an index that was made
before must then be rebuilt."""

_SPACELESS = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Burmese
    "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff\uffa0-\uffdc"  # Korean
    "\u1780-\u17ff"  # Khmer
    "\u1950-\u19df\u1a20-\u1aaf"  # Tai
    "\u1b00-\u1b7f\ua980-\ua9df"  # Balinese, Javanese
    "\u2e80-\u2fdf\u3000-\u312f\u3190-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Chinese, Japanese
    "\uff66-\uff9f\U00016ff0-\U00018d0f\U0001aff0-\U0001b2ff\U00020000-\U0003ffff"
    "\ua000-\ua4cf"  # Yi
)
_VOICED = "\u3099\u309a\uff9e\uff9f"
"""Marks that make one kana of two characters."""

_ZWJ = "\u200d"
_JOINERS = "\u00ad\u200c\u200d\u2060\ufeff"
"""Invisible characters within words."""

_POINTS = (
    "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640"
    "\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\U000e0100-\U000e01ef"
)
"""Accents, vowel points and what only chooses the look of a character."""

_SYMBOLS = (
    "\u00a2-\u00a7\u00a9\u00ac\u00ae\u00b0\u00b1\u00b6\u00d7\u00f7\u20a0-\u20cf\u2100-\u214f"
    "\u2190-\u24ff\u25a0-\u27ff\u2900-\u2bff\u3012\u3020\u3030\u303d\u3297\u3299"
)
"""Symbols up to U+FFFF, but for those that frames and bars are drawn with. What is a letter or
a digit within these ranges is part of a word before."""
_PICTURES = "\U0001f000-\U0001faff"
_FLAG_LETTERS = "\U0001f1e6-\U0001f1ff"
_TAGS = "\U000e0020-\U000e007f"
"""The letters that make a flag of a part of a country."""

_WORD = "[^\\W_]"
_MORE = r"(?:(?<=\+)\++|(?<=#)#+|(?<=\$)\$+|(?<=@)@+)?"
_BEHIND = f"(?<={_WORD}[+#$@])"
_SIGNS = (
    rf"[-+#$@.](?:{_BEHIND}(?P<behind>{_MORE})"
    rf"|(?:(?<=[+#$@]){_MORE}|(?<=-)(?<![\w-]-)-+|(?<=\.)(?<![\w.]\.))(?={_WORD})(?P<before>))"
)
"""Signs that touch a word: behind it, or before one. It begins with the characters that there
are, which ``re`` finds fast; the groups only show which kind it is."""
_MAY_BE_SIGNS = r"[-+#$@.](?:(?<=[+#$@])|(?<=-)-|(?<=\.)(?<![\w.]\.)\w)"
_SYMBOL = f"(?!{_WORD})(?:[{_SYMBOLS}]|[{_FLAG_LETTERS}]{{2}}|[{_PICTURES}]|[{_TAGS}]+)"
"""One; joined to the symbol before it, it is another one than by itself."""
_ANY_SYMBOL = f"[{_SYMBOLS}{_PICTURES}{_TAGS}]"
_PLANES = {"behind": 0x50000, "before": 0x40000, "symbol": 0x50000}
"""Where the code points stand that signs are written with in the index. What stands behind a
word differs from what stands before one: ``C #define`` does not hold C#."""

_LONGEST_KEPT = 24
_MOST_KEPT = 50_000


class Token(NamedTuple):
    """A word, and the part of the text that it stands for."""

    text: str
    """As it is compared."""
    start: int
    end: int


def prepared(text: str) -> str:
    """What an FTS5 table with the option :data:`TOKENIZE` is given for ``text``."""
    if not has_signs(text):
        return text if text.isascii() else " ".join(map(_folded.__getitem__, _findall()(text)))
    if text.isascii():
        return re.sub(_SIGNS, lambda match: f" {_sign(match)} ", text)
    return " ".join(
        _folded[match[0]] if match.lastgroup is None else _sign(match)
        for match in _pattern().finditer(text)
    )


def has_signs(text: str) -> bool:
    """Whether there may be words in a text that are signs or symbols."""
    if re.search(_MAY_BE_SIGNS, text):
        return True
    return not text.isascii() and re.search(_ANY_SYMBOL, text) is not None


def tokens(text: str) -> Iterator[Token]:
    """The words of a text, from left to right."""
    if text.isascii():
        for match in re.finditer(f"[A-Za-z0-9]+|{_SIGNS}", text):
            word = match[0].lower() if match.lastgroup is None else _sign(match)
            yield Token(word, match.start(), match.end())
        return
    for match in _pattern().finditer(text):
        start = match.start()
        if match.lastgroup is not None:
            yield Token(_sign(match), start, match.end())
            continue
        for part in _parts(match[0]):
            end = start + len(part)
            for word in _folded_part(part).split():
                yield Token(word, start, end)
            start = end


class _FoldedWords(dict[str, str]):
    """The words of a run of characters, with blanks between them. Short runs are kept:
    most of a text is words that were there before."""

    def __missing__(self, run: str) -> str:
        folded = " ".join(filter(None, map(_folded_part, _parts(run))))
        if len(run) <= _LONGEST_KEPT:
            if len(self) >= _MOST_KEPT:
                self.clear()
            self[run] = folded
        return folded


_folded = _FoldedWords()


def _sign(match: re.Match[str]) -> str:
    """The word that a sign or a symbol is, in code points that no text has."""
    kind = match.lastgroup or ""
    text = match[kind] if kind == "symbol" else match[0]
    return "".join(
        chr(_PLANES[kind] + code if code < 0x20000 else 0x70000 | code & 0xFFFF)
        for code in map(ord, text)
    )


@lru_cache(maxsize=1)
def _marks() -> tuple[str, str]:
    """The marks up to U+FFFF, and those beyond.

    ``\\w`` has no marks. Where they are is asked of Python's own tables, which takes some
    milliseconds, once, and not for ASCII.
    """
    from unicodedata import category

    marks = [
        chr(code)
        for code in (*range(0x300, 0x1F000), *range(0xE0100, 0xE01F0))
        if category(chr(code))[0] == "M"
    ]
    # A class that reaches beyond the first 65,536 code points is searched range by range,
    # ten times slower than the table that ``re`` makes of the others.
    low = "".join(mark for mark in marks if mark <= "\uffff")
    return low, "".join(mark for mark in marks if mark > "\uffff")


def _runs_of(low: str, high: str) -> str:
    """A run of letters, digits, marks and joiners; what joins symbols is not among them."""
    joiners = _JOINERS.replace(_ZWJ, "")
    within = f"[{low}{joiners}]|{_ZWJ}(?!{_SYMBOL})|[\U00010000-\U0010ffff](?<=[{high}])"
    return f"(?:{_WORD}+|{within})+"


@lru_cache(maxsize=1)
def _findall() -> Callable[[str], list[str]]:
    """Finds all runs in a text."""
    return re.compile(_runs_of(*_marks())).findall


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    """A run; or, with a group, a sign or a symbol, of which what only chooses its look is no
    part."""
    low, high = _marks()
    signs = _SIGNS.replace(_BEHIND, f"(?:{_BEHIND}|(?<=[{low}][+#$@]))")
    return re.compile(f"{_runs_of(low, high)}|(?P<symbol>{_ZWJ}?{_SYMBOL})[\ufe0e\ufe0f]?|{signs}")


def _parts(run: str) -> list[str]:
    """A run taken apart into words and the characters that are words themselves."""
    if run.isascii():
        return [run]
    return re.findall(
        # Syllables that are spelt out in single letters (NFD) are one character as well.
        "[\u1100-\u115f\ua960-\ua97c][\u1160-\u11a7\ud7b0-\ud7c6][\u11a8-\u11ff\ud7cb-\ud7fb]?"
        f"|[{_SPACELESS}][{_VOICED}]?|[^{_SPACELESS}]+",
        run,
    )


def _folded_part(part: str) -> str:
    """A part as it is compared; perhaps nothing, perhaps several words: ½ is 1 and 2."""
    if part.isascii():
        return part.lower()
    from unicodedata import normalize

    if re.match(f"[{_SPACELESS}]", part):
        composed = normalize("NFKC", part).casefold()
        return composed if len(composed) == 1 else " ".join(_findall()(" ".join(composed)))
    text = re.sub(f"[{_JOINERS}]", "", part)
    # A Cyrillic letter with a mark is another letter, and no accented one: й is no и.
    text = re.sub(f"(?<![\u0400-\u052f])[{_POINTS}]", "", normalize("NFKD", text))
    text = normalize("NFKC", normalize("NFC", text).casefold())
    text = re.sub(f"[{_POINTS}]", "", text).replace("ё", "е")
    return " ".join(_findall()(text))

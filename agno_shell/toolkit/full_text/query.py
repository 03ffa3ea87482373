"""What a user looks for: words, ``"phrases"`` and ``prefix*``; a text must hold them all.

Nothing that is typed is an error. Signs that belong to no word are left out, and hold the
words beside them together: ``foo-bar`` and ``don't`` are phrases of two words. So are ``C++``
and ``$HOME``, of a word and the sign that touches it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from agno_shell.toolkit.full_text.words import Token, has_signs, tokens

MOST_WORDS = 100

_PARTS = r'"([^"]*)(?:"(\*?)|$)|([^\s"]+)'
"""A phrase, whether it is closed or not, with a star behind it; or a word."""


class Term(NamedTuple):
    """Words that must stand one behind the other."""

    words: tuple[str, ...]
    """One or more, as :func:`~agno_shell.toolkit.full_text.tokens` gives them."""
    prefix: bool = False
    """The last one may be the beginning of a word."""

    def fits(self, position: int, word: str) -> bool:
        """Whether a word of a text may stand in the place of the one at ``position``."""
        if self.prefix and position + 1 == len(self.words):
            return word.startswith(self.words[position])
        return word == self.words[position]


class Query:
    """What is looked for; false when it is nothing."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self.terms = tuple(terms)

    def __bool__(self) -> bool:
        return bool(self.terms)

    def expression(self) -> str:
        """The query for FTS5's ``MATCH``. ``ValueError`` when nothing is looked for."""
        if not self.terms:
            raise ValueError("nothing is looked for")
        # Words hold neither quotes nor anything else that FTS5 would interpret.
        return " AND ".join(
            f'"{" ".join(term.words)}"{" *" if term.prefix else ""}' for term in self.terms
        )

    def matches(self, text: str) -> bool:
        """Whether a text holds all that is looked for."""
        found = {number for number, _start, _end in self._places(text)}
        return bool(self.terms) and len(found) == len(self.terms)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where a text holds anything of what is looked for, from left to right, without
        overlaps."""
        from agno_shell.toolkit.full_text.snippet import joined

        return joined((start, end) for _number, start, end in self._places(text))

    def snippet(self, text: str, width: int = 160) -> tuple[tuple[str, bool], ...]:
        """About ``width`` characters of a text on one line, with as much as possible of
        what is looked for, in pieces: each with whether it is what is looked for."""
        from agno_shell.toolkit.full_text.snippet import snippet

        return snippet(text, self._places, len(self.terms), width)

    def ranked(self, texts: Sequence[str]) -> list[int]:
        """The positions of the texts that hold all that is looked for, the best first, as
        FTS5 ranks them; of equal ones the earlier first."""
        from agno_shell.toolkit.full_text.ranking import scores

        counts = [self._counts(text) for text in texts]
        lengths = [sum(1 for _ in tokens(text)) for text in texts]
        scored = scores(counts, lengths) if self.terms else {}
        return sorted(scored, key=lambda position: (-scored[position], position))

    def _counts(self, text: str) -> list[int]:
        counts = [0] * len(self.terms)
        for number, _start, _end in self._places(text):
            counts[number] += 1
        return counts

    def _places(self, text: str) -> Iterator[tuple[int, int, int]]:
        """Every place of every term in a text: its number, start and end."""
        if text.isascii() and not self._meets_signs(text):
            return self._places_in_ascii(text)
        return self._places_of_words(tokens(text))

    def _meets_signs(self, text: str) -> bool:
        """Whether signs in an ASCII text may be, or part, what is looked for."""
        return any(len(term.words) > 1 for term in self.terms) and has_signs(text)

    def _places_in_ascii(self, text: str) -> Iterator[tuple[int, int, int]]:
        """Without making words of all the text: it may be megabytes."""
        small = text.lower()
        for number, pattern in enumerate(self._patterns):
            if pattern is not None:
                for match in pattern.finditer(small):
                    yield number, match.start(), match.end(1)

    @cached_property
    def _patterns(self) -> list[re.Pattern[str] | None]:
        return [_ascii_pattern(term) for term in self.terms]

    def _places_of_words(self, found: Iterator[Token]) -> Iterator[tuple[int, int, int]]:
        """Walks through the text once, with a position for each place that may become a match."""
        starts: dict[str, list[int]] = {}
        prefixes: list[int] = []
        for number, term in enumerate(self.terms):
            if len(term.words) == 1 and term.prefix:
                prefixes.append(number)
            else:
                starts.setdefault(term.words[0], []).append(number)
        open_: list[tuple[int, int, int]] = []  # term, words seen, start
        for word, start, end in found:
            following = [
                (number, seen, begun)
                for number, seen, begun in open_
                if self.terms[number].fits(seen, word)
            ]
            following += [(number, 0, start) for number in starts.get(word, ())]
            following += [
                (n, 0, start) for n in prefixes if word.startswith(self.terms[n].words[0])
            ]
            open_ = []
            for number, seen, begun in following:
                if seen + 1 == len(self.terms[number].words):
                    yield number, begun, end
                else:
                    open_.append((number, seen + 1, begun))


def parse(query: str) -> Query:
    """What a user typed, whatever it is. Of a text longer than :data:`MOST_WORDS` words,
    which is most likely pasted, the rest is not looked for."""
    terms: dict[Term, None] = {}
    left = MOST_WORDS
    for match in re.finditer(_PARTS, query):
        if left <= 0:
            break
        term = _quoted(match[1], match[2]) if match[3] is None else _word(match[3])
        if len(term.words) > left:
            term = Term(term.words[:left])
        if term.words:
            terms[term] = None
            left -= len(term.words)
    return Query(tuple(terms))


def _quoted(text: str, star: str | None) -> Term:
    return Term(_words(text), prefix=star == "*")


def _word(text: str) -> Term:
    stem = text.rstrip("*")
    words = _words(stem)
    # A star means something only where it stands behind a letter or digit.
    prefix = stem != text and bool(_words(stem[-1:]))
    return Term(words, prefix)


def _words(text: str) -> tuple[str, ...]:
    return tuple(token.text for token in islice(tokens(text), MOST_WORDS))


def _ascii_pattern(term: Term) -> re.Pattern[str] | None:
    """Finds a term in ASCII text of small letters, from the start of a place to the end of
    its group 1; None if it cannot be there.

    It begins with letters, which ``re`` finds fast, and only looks at what follows, so
    that two places may share words.
    """
    if not all(word.isascii() for word in term.words):
        return None
    first, *others = term.words
    rest = "".join(f"[^a-z0-9]+{word}" for word in others)
    rest += "[a-z0-9]*" if term.prefix else "(?![a-z0-9])"
    return re.compile(f"{first}(?<![a-z0-9]{first})(?=({rest}))")

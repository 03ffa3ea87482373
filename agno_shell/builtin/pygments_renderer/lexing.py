"""Pygments line by line: lexers that are not incremental, made to remember.

A line is lexed from a checkpoint: the start of a line at which no string or comment was
open, with the lexer's stack of states there. Lines behind the checkpoint are kept as long
as the newline at their end belongs to a string or a comment, since then the rule that
matched may match differently once more text is known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from inspect import signature
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pygments.lexer import Lexer
    from pygments.token import _TokenType

Token = tuple["_TokenType", str]

MAX_WINDOW_LINES = 30
MAX_WINDOW = 8_000
"""Lines and characters behind the checkpoint that are lexed again for a line."""

MAX_LINE = 4_000
"""A longer line is shown without colours."""

# What may begin something of several lines, and what would end it. Where a rule needs the
# end in order to match at all, the end is lent to the lexer for a moment.
_PAIRS = (
    ("/*", "*/"),
    ("<!--", "-->"),
    ('"""', '"""'),
    ("'''", "'''"),
    ("`", "`"),
    ("(*", "*)"),
    ("{-", "-}"),
    ("--[[", "]]"),
    ('"', '"'),
    ("'", "'"),
)
# A docstring is coloured as one only when it is whole.
_DOCSTRINGS = (('"""', '"""'), ("'''", "'''"))
_HEREDOC = re.compile(r"<<[-~]?\s*(['\"]?)(\w+)\1")
_ELEMENT = re.compile(r"<(script|style)\b", re.IGNORECASE)


class LineLexer:
    """Tokens of a text that arrives in lines."""

    def __init__(self, lexer: Lexer, stack: tuple[str, ...] = ("root",)) -> None:
        from pygments.lexer import RegexLexer

        self._lexer: Any = lexer
        own = type(lexer).get_tokens_unprocessed
        self._post_processed = own is not RegexLexer.get_tokens_unprocessed
        self._resumable = isinstance(lexer, RegexLexer) and "stack" in signature(own).parameters
        self._html = "html" in " ".join(lexer.aliases)
        self._stack = stack
        self._window: list[str] = []

    def copy(self) -> LineLexer:
        other = copy(self)
        other._window = self._window[:]
        return other

    def line(self, text: str) -> list[Token]:
        """The tokens of the next line, without its newline; joined they are ``text``."""
        if len(text) > MAX_LINE:
            self._window = []
            return [(_plain(), text)]
        line = f"{text}\n"
        before = "".join(self._window)
        tokens, stack, last = self._lex(before + line)
        if self._resumable and _is_literal(tokens):
            # A newline that is a match of its own, inside a state, cannot become another.
            settled = last == len(before) + len(line) - 1 and len(stack) > 1
            closers: Sequence[tuple[str, str]] = _DOCSTRINGS if settled else ()
        else:
            settled = self._resumable
            closers = _PAIRS
        completed = self._lex_completed(before + line, closers)
        settled = settled and completed is None
        if settled:
            self._stack, self._window = stack, []
        else:
            self._keep(line)
        return _cut(completed or tokens, len(before), len(before) + len(text))

    def _keep(self, line: str) -> None:
        """Remember a line behind the checkpoint, within bounds."""
        self._window.append(line)
        if self._resumable:
            # All that stands between the first line, which opened the string or comment,
            # and the last ones is its inside: it can be forgotten.
            if len(self._window) > MAX_WINDOW_LINES:
                del self._window[1]
        elif len(self._window) > MAX_WINDOW_LINES:
            del self._window[: MAX_WINDOW_LINES // 2]
        while len(self._window) > 1 and sum(map(len, self._window)) > MAX_WINDOW:
            del self._window[1 if self._resumable else 0]

    def _lex(self, text: str) -> tuple[list[Token], tuple[str, ...], int]:
        """Tokens of ``text``, the stack at its end and where the last match began."""
        if not self._resumable:
            found = self._lexer.get_tokens_unprocessed(text)
            return [(kind, value) for _at, kind, value in found], (), 0
        tokens, stack, last = lex_with_stack(self._lexer, text, self._stack)
        if self._post_processed:
            found = self._lexer.get_tokens_unprocessed(text, self._stack)
            tokens = [(kind, value) for _at, kind, value in found]
        return tokens, stack, last

    def _lex_completed(self, text: str, pairs: Sequence[tuple[str, str]]) -> list[Token] | None:
        """The tokens if something is open at the end of ``text`` that has yet to end."""
        for closer in self._closers(text, pairs):
            tokens = _cut(self._lex(text + closer)[0], 0, len(text))
            if closer.startswith("</") or _is_literal(tokens):
                return tokens
        return None

    def _closers(self, text: str, pairs: Sequence[tuple[str, str]]) -> list[str]:
        found: list[str] = []
        if self._html and (elements := _ELEMENT.findall(text)):
            opened, closed = f"<{elements[-1]}".lower(), f"</{elements[-1]}".lower()
            if text.lower().rfind(opened) > text.lower().rfind(closed):
                found.append(f"</{elements[-1]}>")
        if pairs is _PAIRS and (heredocs := _HEREDOC.findall(text)):
            found.append(f"{heredocs[-1][1]}\n")
        for opener, closer in pairs:
            if opener == closer:
                if text.count(opener) % 2:
                    found.append(closer)
            elif text.rfind(opener) > text.rfind(closer):
                found.append(closer)
        return found


def lex_with_stack(
    lexer: Any, text: str, stack: tuple[str, ...]
) -> tuple[list[Token], tuple[str, ...], int]:
    """What ``RegexLexer.get_tokens_unprocessed`` yields for ``text``, and what it keeps to
    itself: the stack of states at the end, and where the last match began.

    The meaning of rules and of state changes is that of the pygments documentation,
    "Write your own lexer".
    """
    from pygments.token import Error, Whitespace, _TokenType

    states = list(stack)
    tokens: list[Token] = []
    position = last = 0
    # At the end of `text` no rule is tried: an empty match there might not be one once the
    # next line is known.
    while position < len(text):
        found = _first_match(lexer._tokens[states[-1]], text, position)
        if found is None:
            newline = text[position] == "\n"
            if newline:
                states = ["root"]
            tokens.append((Whitespace if newline else Error, text[position]))
            last = position
            position += 1
            continue
        match, action, change = found
        if match.end() > position:
            last = position
        if isinstance(action, _TokenType):
            tokens.append((action, match[0]))
        elif action is not None:
            tokens.extend((kind, value) for _at, kind, value in action(lexer, match))
        position = match.end()
        if change is not None:
            _change_state(states, change)
    return tokens, tuple(states), last


def _first_match(rules: Any, text: str, position: int) -> tuple[re.Match[str], Any, Any] | None:
    for matches, action, change in rules:
        if match := matches(text, position):
            return match, action, change
    return None


def _change_state(states: list[str], change: tuple[str, ...] | int | str) -> None:
    if isinstance(change, int):
        # A rule may pop more than there is; the root always stays.
        del states[max(len(states) + change, 1) :]
        return
    for step in change if isinstance(change, tuple) else (change,):
        if step == "#pop":
            del states[max(len(states) - 1, 1) :]
        else:
            states.append(states[-1] if step == "#push" else step)


def _is_literal(tokens: list[Token]) -> bool:
    """Whether the newline at the end belongs to a string or a comment."""
    from pygments.token import Comment, String

    for kind, value in reversed(tokens):
        if value:
            return String in kind.split() or Comment in kind.split()
    return False


def _cut(tokens: list[Token], start: int, end: int) -> list[Token]:
    """The part of ``tokens`` between two offsets of the text they make up."""
    found: list[Token] = []
    at = 0
    for kind, value in tokens:
        piece = value[max(start - at, 0) : max(end - at, 0)]
        at += len(value)
        if piece:
            found.append((kind, piece))
        if at >= end:
            break
    return found


def _plain() -> _TokenType:
    from pygments.token import Text

    return Text

"""What stands within a line: emphasis, code, links, images; and where a line can be cut.

Nothing is hidden: the target of a link is shown in full, a comment or a tag of HTML as
it was written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from agno_shell.builtin.pygments_renderer.theme import FAINT, IMAGE, INLINE_CODE, LINK, join
from agno_shell.builtin.pygments_renderer.wrapping import Fragment
from agno_shell.toolkit.terminal_text import clean

if TYPE_CHECKING:
    from markdown_it.token import Token

_SCHEMES = ("http://", "https://", "mailto:")
_BARE_URL = re.compile(r"https?://[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]}]")

MAX_DELIMITERS = 600
"""The parser's work grows with the square of these; text with more of them is nothing
that anybody would read, and is shown as it is."""

_COSTLY = re.compile(r"[*_~\[\]]")

_STYLES = {"strong_open": "bold", "em_open": "italic", "s_open": "strike"}
_CLOSERS = {"strong_close", "em_close", "s_close"}


class Inline:
    """Parses with markdown-it, which is imported when the first one is made."""

    def __init__(self) -> None:
        from markdown_it import MarkdownIt

        self._parser = MarkdownIt("commonmark").enable("strikethrough")
        # Addresses are shown as they were written and not percent-encoded.
        self._parser.normalizeLink = lambda url: url  # type: ignore[method-assign]
        self._parser.normalizeLinkText = lambda link: link  # type: ignore[method-assign]

    def parse(self, text: str, base: str = "") -> list[Fragment]:
        """Fragments in the style ``base``; a newline in ``text`` stays one."""
        if not _MARKUP.search(text) or len(_COSTLY.findall(text)) > MAX_DELIMITERS:
            return [(base, text)]
        tokens = self._parser.parseInline(text, {})[0].children or []
        return _Fragments(base).walk(tokens)


class _Fragments:
    """One walk over the tokens of a line."""

    def __init__(self, base: str) -> None:
        self._styles = [base]
        self._links: list[tuple[int, Token]] = []
        self._out: list[Fragment] = []

    def walk(self, tokens: list[Token]) -> list[Fragment]:
        for token in tokens:
            kind = token.type
            if kind in _STYLES:
                self._styles.append(join(self._styles[-1], _STYLES[kind]))
            elif kind in _CLOSERS:
                self._styles.pop()
            elif kind in ("softbreak", "hardbreak"):
                self._put("\n")
            elif kind == "code_inline":
                self._put(token.content, INLINE_CODE)
            elif kind == "image":
                self._put(f"[image: {token.content}]", IMAGE)
                self._put(f" ({_address(token, 'src')})", FAINT)
            elif kind == "link_open":
                self._links.append((len(self._out), token))
            elif kind == "link_close":
                self._close_link(*self._links.pop())
            elif kind == "html_inline":
                self._put(token.content)
            else:
                self._put_text(token.content)
        return self._out

    def _put(self, text: str, style: str = "") -> None:
        # An entity such as `&#x202e;` has only now become what it stands for.
        if text:
            self._out.append((join(self._styles[-1], style), clean(text)))

    def _put_text(self, text: str) -> None:
        text = clean(text).replace("\n", " ")
        position = 0
        if not self._links:
            for match in _BARE_URL.finditer(text):
                self._put(text[position : match.start()])
                self._put(match[0], LINK)
                position = match.end()
        self._put(text[position:])

    def _close_link(self, start: int, token: Token) -> None:
        href = str(token.attrs.get("href", ""))
        label = self._out[start:]
        if not href.lower().startswith(_SCHEMES):
            # Not a link that may be followed: as it was written.
            self._out.insert(start, (self._styles[-1], "["))
            self._put(f"]({_address(token, 'href')})")
            return
        self._out[start:] = [(join(style, LINK), text) for style, text in label]
        shown = "".join(text for _style, text in label)
        if shown not in (href, href.removeprefix("mailto:")) or token.attrs.get("title"):
            self._put(f" ({_address(token, 'href')})", FAINT)


def _address(token: Token, key: str) -> str:
    title: Any = token.attrs.get("title")
    return f'{token.attrs.get(key, "")} "{title}"' if title else str(token.attrs.get(key, ""))


_MARKUP = re.compile(r"[\\`*_~\[\]!<&]|https?://|\n")

_DELIMITER = re.compile(r"\\.|(`+)|(\*+|_+|~~)|(\[)|(\]\(?)|(\))|(\s+)", re.DOTALL)


def scan(text: str) -> tuple[int, str]:
    """Where ``text`` could be cut, and what is still open at its end.

    The first value is the last place behind white space where no code span, emphasis or
    link is open, or 0; the second is the text that would close what is open, and ``]``
    stands for a link that cannot be closed yet. A guess in both cases: the parser decides.
    """
    safe = 0
    opened: list[str] = []
    position = 0
    while match := _DELIMITER.search(text, position):
        position = match.end()
        code, run, bracket, link, paren, space = match.groups()
        if code:
            end = _end_of_code(text, position, len(code))
            if end < 0:
                return safe, "".join(reversed([*opened, code]))
            position = end
        elif run:
            _emphasis(opened, run, text[match.start() - 1 : match.start()], text[position:][:1])
        elif bracket:
            opened.append("]")
        elif link and "]" in opened:
            _close(opened, "]")
            if len(link) == 2:
                opened.append(")")
        elif paren and ")" in opened:
            _close(opened, ")")
        elif space and not opened:
            safe = position
    return safe, "".join(reversed(opened))


def _end_of_code(text: str, position: int, length: int) -> int:
    for match in re.compile("`+").finditer(text, position):
        if match.end() - match.start() == length:
            return match.end()
    return -1


def _emphasis(opened: list[str], run: str, before: str, behind: str) -> None:
    can_open = bool(behind.strip())
    can_close = bool(before.strip())
    if run[0] == "_":
        can_open = can_open and not before.isalnum()
        can_close = can_close and not behind.isalnum()
    if can_close and run in opened:
        _close(opened, run)
    elif can_close and run[0] * 3 == run and {"*" * 2, "*"} <= set(opened):
        _close(opened, "**")
        _close(opened, "*")
    elif can_open:
        opened.append(run)


def _close(opened: list[str], what: str) -> None:
    if what in opened:
        while opened.pop() != what:
            pass

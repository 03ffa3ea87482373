"""The terminal rule: foreign text is made visible, never interpreted, never swallowed.

Foreign is what this project's own code did not write: the output of models, error
texts, names, paths, files. All of it passes through here before it reaches a terminal;
what is stored is never changed.

- LF and TAB stay; CRLF, U+2028 and U+2029 become LF.
- Other C0 controls and DEL become their control picture (ESC becomes ``␛``), C1
  controls and bidirectional controls their number, as in ``‹U+202E›``.
- A run of invisible code points becomes ``‹hidden 3›``. Joiners and the two emoji
  variation selectors stay, two in a row at most, and combining marks, eight at most;
  what is more than that is hidden text as well.
- A surrogate pair is joined, a lone surrogate becomes U+FFFD.

Cleaning what is clean changes nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache

MAX_JOINERS = 2
MAX_MARKS = 8

_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")

# The patterns are compiled by `re` when they are first needed, and kept by it: most
# commands show nothing but ASCII, and compiling them takes 2 ms.
_INVISIBLE = (
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u206a-\u206f\u3164"
    "\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)

_NOT_PLAIN = r"[^\t\n -~]"

# Everything that may need doing: all but printable ASCII, LF, TAB and what counts as a
# letter or digit. Four invisible "letters" are named one by one. Combining marks are no
# word characters for `re`, so this finds them without a table of Unicode's marks.
_UNUSUAL = "(?:[^\\w\\t\\n -~]|[\u115f\u1160\u3164\uffa0])+"

_SURROGATE = "[\ud800-\udfff]"
_SURROGATES = "[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]"

_BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))

_SHOWN = {
    **{chr(code): chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"},
    "\x7f": "\u2421",
    **{chr(code): f"‹U+{code:04X}›" for code in (*range(0x80, 0xA0), *_BIDI)},
    "\u2028": "\n",
    "\u2029": "\n",
}


def clean(text: str) -> str:
    """``text`` as a terminal may show it; the lines stay lines."""
    if _is_plain(text):
        return text
    cleaner = Cleaner()
    return cleaner.feed(text) + cleaner.finish()


def clean_line(text: str, limit: int = 200) -> str:
    """``text`` as one line of at most ``limit`` characters, for names, paths and errors.

    White space is collapsed; what is cut off leaves an ellipsis.
    """
    line = " ".join(clean(text).split())
    if len(line) <= limit:
        return line
    return line[: max(limit - 1, 0)].rstrip() + "…"


def count_hidden(text: str) -> int:
    """How many code points of a text cannot be seen, act on a terminal, or turn the direction
    of writing. Line ends, tabs, joiners and combining marks are not counted."""
    if _is_plain(text):
        return 0
    runs = (match[0] for match in re.finditer(_UNUSUAL, text))
    return sum(1 for run in runs for char in run if _is_hidden(char))


def _is_hidden(char: str) -> bool:
    if char in _SHOWN:
        return char not in "\r\f\u2028\u2029"
    return _kind(char) == "invisible"


class Cleaner:
    """Cleans a text that arrives in pieces.

    The pieces given back add up to :func:`clean` of the whole, for every way of splitting
    it. Held back are only a final CR, a final high surrogate and the count of a run of
    hidden code points, so the cost of a piece depends on its own length alone.
    """

    __slots__ = ("_held", "_hidden", "_joiners", "_marks")

    def __init__(self) -> None:
        self._held = ""
        self._hidden = 0
        self._joiners = 0
        self._marks = 0

    def feed(self, chunk: str) -> str:
        """Take the next piece; return what is certain by now."""
        text = self._held + chunk
        if _is_plain(text):
            return self._visible(text) if text else ""
        self._held = ""
        text = self._hold_back(text)
        if re.search(_SURROGATE, text):
            text = re.sub(_SURROGATES, _join_surrogates, text)
        return self._clean(text)

    def finish(self) -> str:
        """The end of the text: return what was held back."""
        held, self._held = self._held, ""
        if not held:
            return self._visible("")
        return self._visible("\ufffd" if held != "\r" else _SHOWN["\r"])

    def _hold_back(self, text: str) -> str:
        last = text[-1]
        if last == "\r" or "\ud800" <= last <= "\udbff":
            self._held = last
            return text[:-1]
        return text

    def _clean(self, text: str) -> str:
        parts: list[str] = []
        position = 0
        for match in re.finditer(_UNUSUAL, text):
            start, end = match.span()
            if start > position:
                parts.append(self._visible(text[position:start]))
            run = match[0]
            if run[-1] == "\r" and text.startswith("\n", end):
                run = run[:-1]
            parts.append(self._clean_run(run))
            position = end
        if position < len(text):
            parts.append(self._visible(text[position:]))
        return "".join(parts)

    def _visible(self, text: str) -> str:
        """End a run of hidden code points in front of ``text``, which can be seen."""
        self._marks = self._joiners = 0
        if not self._hidden:
            return text
        note = f"‹hidden {self._hidden}›"
        self._hidden = 0
        return note + text

    def _clean_run(self, run: str) -> str:
        parts: list[str] = []
        for char in run:
            kind = _kind(char)
            if kind == "joiner":
                self._joiners += 1
                parts.append(self._keep_or_hide(char))
            elif kind == "mark":
                self._joiners = 0
                self._marks += 1
                parts.append(self._keep_or_hide(char))
            elif kind == "invisible":
                self._hidden += 1
            else:
                parts.append(self._visible(_SHOWN.get(char, char)))
        return "".join(parts)

    def _keep_or_hide(self, char: str) -> str:
        """Marks are counted over a whole run of zero-width characters, so that joiners
        strewn between them do not let a tower of marks through."""
        if self._joiners > MAX_JOINERS or self._marks > MAX_MARKS:
            self._hidden += 1
            return ""
        if not self._hidden:
            return char
        note = f"‹hidden {self._hidden}›"
        self._hidden = 0
        return note + char


def _is_plain(text: str) -> bool:
    if text.isascii() and text.isprintable():
        return True
    return re.search(_NOT_PLAIN, text) is None


@lru_cache(maxsize=1024)
def _kind(char: str) -> str:
    # Here and not above: most shells that start never see a character of this kind.
    from unicodedata import category

    if char in _JOINERS:
        return "joiner"
    if re.match(_INVISIBLE, char):
        return "invisible"
    return "mark" if category(char)[0] == "M" else "visible"


def _join_surrogates(match: re.Match[str]) -> str:
    pair = match[0]
    if len(pair) == 1:
        return "\ufffd"
    return chr(0x10000 + (ord(pair[0]) - 0xD800) * 0x400 + ord(pair[1]) - 0xDC00)

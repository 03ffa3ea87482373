"""The blocks of a reply, source line by source line.

What a line is depends on the lines before it and on itself; only a table's header waits
for the line behind it. So nothing that is out has to change. Two things of CommonMark are
given up for it: underlined headings, and references (``[text][1]``), which both need text
that comes later; they are shown as they are written.
"""

from __future__ import annotations

import re
from copy import copy

from agno_shell.builtin.pygments_renderer.code import FencedBlock, IndentedBlock
from agno_shell.builtin.pygments_renderer.containers import (
    BAR,
    FENCE,
    HEADING,
    RULE,
    Containers,
    LinePosition,
)
from agno_shell.builtin.pygments_renderer.inline import Inline
from agno_shell.builtin.pygments_renderer.prose import LIMIT, STEP, Prose
from agno_shell.builtin.pygments_renderer.table import Table, alignments
from agno_shell.builtin.pygments_renderer.theme import FAINT, HEADINGS, CodeTheme
from agno_shell.builtin.pygments_renderer.wrapping import Fragments, columns
from agno_shell.contracts import Line

RULE_WIDTH = 48

_CLOSING_MARKS = re.compile(r"[ \t]+#+[ \t]*$")


class Document:
    """Takes source lines and puts finished lines into ``out``.

    A line of fewer than ``long_at`` characters is given to :meth:`line`. A longer one is
    begun with :meth:`begin_long` and its first ``long_at`` characters, continued with
    :meth:`add` and ended with :meth:`end_long`; what it is, is decided by its beginning.
    """

    def __init__(self, width: int, inline: Inline, theme: CodeTheme) -> None:
        self._width = width
        self._inline = inline
        self._theme = theme
        self._containers = Containers(width)
        self._prose: Prose | None = None
        self._code: FencedBlock | IndentedBlock | None = None
        self._table: Table | None = None
        self._header: LinePosition | None = None
        self._in_paragraph = False
        self._long_code: list[str] | None = None
        self._blank: int | None = None
        self._began = False
        self.out: list[Line] = []

    def copy(self) -> Document:
        """An independent copy, to see how the text would end here."""
        other = copy(self)
        other._containers = self._containers.copy()
        other._prose = self._prose and self._prose.copy()
        other._code = self._code and self._code.copy()
        other._table = self._table and self._table.copy()
        other.out = []
        return other

    @property
    def long_at(self) -> int:
        """From this many characters on a line is a long one."""
        return STEP if self._table is None and self._header is None else LIMIT

    # Lines ---------------------------------------------------------------------------

    def line(self, text: str) -> None:
        """A whole source line, without its newline."""
        if self._code_line(text):
            return
        if not text.strip():
            self._blank_line(0)
            return
        place = self._enter(text)
        if not place.body and not place.opens_item:
            self._blank_line(place.quotes)
        elif not self._table_line(place):
            self._open_block(place, whole=True)

    def begin_long(self, prefix: str) -> None:
        """The beginning of a long line."""
        if self._code is not None and self._code.body(prefix) is None:
            self._end_code()
        if self._code is None:
            place = self._enter(prefix)
            self._end_table()
            self._open_block(place, whole=False)
        if self._code is not None:
            self._long_code = [prefix]

    def add(self, text: str) -> None:
        """More of a long line."""
        if self._long_code is not None:
            self._long_code.append(text)
        elif self._prose is not None:
            self._emit(self._prose.feed(text))

    def end_long(self) -> None:
        """The end of a long line."""
        if self._long_code is not None:
            text, self._long_code = "".join(self._long_code), None
            self._code_line(text)
        elif not self._in_paragraph or (self._prose is not None and not self._prose.waits()):
            self._end_prose()

    def end(self, *, preview: bool = False) -> None:
        """The end of the text."""
        self._end_table()
        self._end_prose(preview=preview)
        if self._code is not None:
            self._end_code()

    def preview_long_code(self, most: int) -> Line | None:
        """The end of a code line that is long and not finished."""
        if self._long_code is None or self._code is None:
            return None
        parts: list[str] = []
        length = 0
        for part in reversed(self._long_code):
            parts.append(part[-most:])
            length += len(part)
            if length >= most:
                break
        return self._code.preview("".join(reversed(parts))[-most:])

    # Blocks --------------------------------------------------------------------------

    def _enter(self, text: str) -> LinePosition:
        return self._containers.enter(text, lazy=self._in_paragraph)

    def _open_block(self, place: LinePosition, *, whole: bool) -> None:
        """Begin what is no table: ``whole`` is false for the beginning of a long line."""
        body = place.body
        if place.indent >= 4 and not self._in_paragraph:
            self._open_code(IndentedBlock(place))
            if whole and isinstance(self._code, IndentedBlock):
                self._emit(self._code.lines(" " * (place.indent - 4) + body))
        elif whole and (fence := FENCE.match(body)):
            marks, info = (fence[1], fence[2]) if fence[1] else (fence[3], fence[4])
            self._open_code(FencedBlock(place, marks, info, self._theme, self._width))
        elif whole and RULE.match(body):
            self._end_prose()
            self._in_paragraph = False
            self._emit([(*place.first, (FAINT, "─" * self._rule_width(place.first)))])
        elif heading := HEADING.match(body):
            text = _CLOSING_MARKS.sub("", heading[2]) if whole else heading[2]
            self._end_prose()
            self._open_prose(place, text, HEADINGS[len(heading[1]) - 1])
            self._in_paragraph = False
            if whole:
                self._end_prose()
        else:
            self._paragraph_line(place, whole=whole)

    def _paragraph_line(self, place: LinePosition, *, whole: bool) -> None:
        if whole and "|" in place.body and self._prose is None:
            self._header = place
            self._in_paragraph = True
            return
        if self._prose is not None and self._in_paragraph and not place.opens_item:
            self._emit(self._prose.feed(f"\n{place.body}"))
        else:
            self._end_prose()
            self._open_prose(place, place.body)
        self._in_paragraph = True
        if whole and self._prose is not None and not self._prose.waits():
            self._end_prose()

    def _open_prose(self, place: LinePosition, text: str, style: str = "") -> None:
        self._prose = Prose(self._inline, self._width, place.first, place.rest, style)
        self._emit(self._prose.feed(text))

    def _end_prose(self, *, preview: bool = False) -> None:
        if self._prose is not None:
            prose, self._prose = self._prose, None
            self._emit(prose.close(preview=preview))

    def _blank_line(self, quotes: int) -> None:
        self._end_table()
        self._end_prose()
        self._in_paragraph = False
        self._blank = quotes if self._blank is None else min(self._blank, quotes)

    # Tables --------------------------------------------------------------------------

    def _table_line(self, place: LinePosition) -> bool:
        """Whether the line belongs to a table, or to what may become one."""
        plain = not place.opens_item and place.indent < 4 and "|" in place.body
        if self._table is not None:
            if plain and not HEADING.match(place.body):
                self._emit(self._table.add(place.body))
                return True
            self._end_table()
        elif self._header is not None:
            header = self._header
            aligns = alignments(header.body, place.body) if plain else None
            if aligns:
                self._header = None
                self._table = Table(
                    self._inline, self._width, header.first, header.rest, header.body, aligns
                )
                return True
            self._end_table()
        return False

    def _end_table(self) -> None:
        if self._table is not None:
            table, self._table = self._table, None
            self._in_paragraph = False
            self._emit(table.close())
        elif self._header is not None:
            header, self._header = self._header, None
            self._open_prose(header, header.body)
            if self._prose is not None and not self._prose.waits():
                self._end_prose()

    # Code ----------------------------------------------------------------------------

    def _open_code(self, code: FencedBlock | IndentedBlock) -> None:
        self._end_prose()
        self._in_paragraph = False
        self._code = code
        self._emit(code.opening())

    def _code_line(self, text: str) -> bool:
        """Whether the line was taken by the code block that is open."""
        if self._code is None:
            return False
        body = self._code.body(text)
        if body is None:
            self._end_code()
            return False
        if self._code.is_end(body):
            self._end_code()
        else:
            self._emit(self._code.lines(body))
        return True

    def _end_code(self) -> None:
        if self._code is not None:
            code, self._code = self._code, None
            self._emit(code.closing())
            if isinstance(code, IndentedBlock) and code.ended_blank:
                self._blank_line(0)

    # Output --------------------------------------------------------------------------

    def _emit(self, lines: list[Line]) -> None:
        """Put lines out; blank lines before them have become one, and none at the start."""
        if not lines:
            return
        if self._blank is not None:
            if self._began:
                quotes = min(self._blank, self._containers.quotes)
                self.out.append(((FAINT, BAR * quotes),) if quotes else ())
            self._blank = None
        self._began = True
        self.out += lines

    def _rule_width(self, prefix: Fragments) -> int:
        room = min(self._width, RULE_WIDTH) if self._width else RULE_WIDTH
        return max(room - sum(columns(text) for _style, text in prefix), 3)

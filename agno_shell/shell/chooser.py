"""A list above the input, from which a user picks a line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import (
    ConditionalContainer,
    Dimension,
    FormattedTextControl,
    HSplit,
    ScrollOffsets,
    Window,
)

from agno_shell.contracts import Line
from agno_shell.shell.lines import flat, rows, safe

VISIBLE = 10
"""Rows; a longer list scrolls."""

MARK = "▸ "

FAR = 1_000_000_000
"""More lines than there are."""


class Chooser:
    """The list, its keys, and what is picked.

    Lines are marked with the arrow keys and by their number, or by a letter where each has
    one. Most lists go away when something else is typed; one with letters is a question
    that somebody waits for, and stays until it is answered.

    ``closed`` is called when the list goes away, whatever the reason. ``passed_on`` gets
    what is typed that means nothing to the list, and whether it is Enter that ends it: it
    was begun before the list stood there, so it belongs to the input. ``stopped`` is called
    for Ctrl-C at a list that stays.
    """

    def __init__(
        self,
        width: Callable[[], int],
        *,
        closed: Callable[[], None],
        passed_on: Callable[[str, bool], None],
        stopped: Callable[[], None],
    ) -> None:
        self._width = width
        self._closed = closed
        self._passed_on = passed_on
        self._stopped = stopped
        self._options: Sequence[Line] = ()
        self._letters = ""
        """One for each line, or none."""
        self._selected: int | None = None
        self._default = 0
        self._digits = ""
        """The number that is being typed."""
        self._typed = ""
        """All digits since the last other key, or the letter that was the last key."""
        self._picked: asyncio.Future[int | None] | None = None
        self.window = Window(
            FormattedTextControl(
                self._fragments, focusable=True, show_cursor=False, key_bindings=self._keys()
            ),
            height=lambda: Dimension(min=1, max=max(1, min(VISIBLE, len(self._options)))),
            dont_extend_height=True,
            scroll_offsets=ScrollOffsets(top=1, bottom=1),
        )
        hint = Window(FormattedTextControl(self._hint), height=1)
        self.container = ConditionalContainer(
            HSplit([self.window, hint]), filter=Condition(lambda: self.is_open)
        )

    @property
    def is_open(self) -> bool:
        return self._picked is not None

    @property
    def stays(self) -> bool:
        """Whether the list is open, and stays so whatever is typed."""
        return self.is_open and bool(self._letters)

    def open(
        self, options: Sequence[Line], *, marked: bool, default: int = 0, letters: str = ""
    ) -> asyncio.Future[int | None]:
        """Show the list; the result is the index that is picked, or None. The ``default``
        is ``marked`` from the start unless the user is typing."""
        self._options = [flat(safe(option)) for option in options]
        self._letters, self._default = letters, default
        self._selected = default if marked else None
        self._digits = self._typed = ""
        self._picked = asyncio.get_running_loop().create_future()
        return self._picked

    def mark(self) -> None:
        """Mark the default line: the keys are the list's from now on."""
        self._selected, self._digits, self._typed = self._default, "", ""

    def close(self, picked: int | None = None) -> None:
        """Take the list away."""
        future, self._picked, self._options = self._picked, None, ()
        if future is None:
            return
        if not future.done():
            future.set_result(picked)
        self._closed()

    # What is seen -----------------------------------------------------------------------

    def _fragments(self) -> StyleAndTextTuples:
        fragments: StyleAndTextTuples = []
        number_width = 1 if self._letters else len(str(len(self._options)))
        width = self._width() - number_width - len(MARK) - 3
        for index, option in enumerate(self._options):
            chosen = index == self._selected
            if index:
                fragments.append(("", "\n"))
            if chosen:
                # The window scrolls to where the cursor is.
                fragments.append(("[SetCursorPosition]", ""))
            fragments.append(("class:prompt", MARK if chosen else " " * len(MARK)))
            name = self._letters[index] if self._letters else f"{index + 1:>{number_width}}"
            fragments.append(("class:notice", f"{name}  "))
            style = " class:choice.selected" if chosen else ""
            fragments.extend((part + style, text) for part, text in _cut(option, width))
        return fragments

    def _hint(self) -> StyleAndTextTuples:
        total = len(self._options)
        if self._letters and self._selected is None:
            hint = "waits for an answer · Enter sends your message first · arrows go to the list"
        elif self._letters:
            hint = "Enter takes the marked one · letters or arrows mark another · Ctrl-C stops"
        elif self._selected is None:
            hint = f"{total} · arrows or a number mark one · Esc leaves"
        else:
            hint = f"{self._selected + 1}/{total} · Enter picks · Esc leaves · arrows or a number"
        return [("class:notice", hint)]

    # What is pressed --------------------------------------------------------------------

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        for names, step in (
            (("up", "c-p"), -1),
            (("down", "c-n"), 1),
            (("pageup",), -VISIBLE),
            (("pagedown",), VISIBLE),
            (("home",), -FAR),
            (("end",), FAR),
        ):
            for name in names:
                keys.add(name)(lambda _event, step=step: self._move(step))
        for name in ("escape", "c-d", "c-g"):
            keys.add(name)(lambda _event: self.close())
        keys.add("c-c")(lambda _event: self._stopped() if self._letters else self.close())
        for digit in "0123456789":
            keys.add(digit)(lambda _event, digit=digit: self._jump(digit))

        @keys.add("enter")
        def _(_event: KeyPressEvent) -> None:
            if self._selected is None:
                self._pass_on("", entered=True)
            else:
                self.close(self._selected)

        @keys.add(Keys.BracketedPaste)
        @keys.add(Keys.Any)
        def _(event: KeyPressEvent) -> None:
            if event.key_sequence[0].key == Keys.BracketedPaste:
                self._pass_on(event.data)
            elif event.data.isprintable():
                self._type(event.data)

        return keys

    def _move(self, step: int) -> None:
        self._digits = self._typed = ""
        if self._selected is None:
            self._selected = 0 if step > 0 else len(self._options) - 1
        else:
            self._selected = min(max(self._selected + step, 0), len(self._options) - 1)

    def _type(self, character: str) -> None:
        """Go to the line of a letter, unless the letter is one of a word."""
        place = self._letters.find(character.lower()) if not self._typed else -1
        if place < 0:
            self._pass_on(character)
        else:
            self._typed, self._selected = character, place

    def _jump(self, digit: str) -> None:
        """Go to the line of the number typed so far, or else of this digit alone."""
        if self._letters:
            self._pass_on(digit)
            return
        self._typed += digit
        for digits in (self._digits + digit, digit):
            if 0 < int(digits) <= len(self._options):
                self._digits, self._selected = digits, int(digits) - 1
                return
        self._digits = ""

    def _pass_on(self, text: str, *, entered: bool = False) -> None:
        # A number, or a letter, in front of words was one of the words.
        text = self._typed + text
        if self._letters:
            self._selected, self._typed = None, ""
        else:
            self.close()
        self._passed_on(text, entered)


def _cut(line: Line, width: int) -> Line:
    """As much of a line as fits into one row."""
    made = rows(line, max(1, width))
    return made[0] if len(made) == 1 else (*rows(line, max(1, width - 1))[0], ("", "…"))

"""What the keys mean, beyond prompt_toolkit's own bindings."""

from __future__ import annotations

import os
from typing import Protocol

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import (
    Condition,
    emacs_mode,
    has_focus,
    has_selection,
    is_searching,
    vi_navigation_mode,
)
from prompt_toolkit.key_binding import (
    KeyBindings,
    KeyBindingsBase,
    KeyPressEvent,
)
from prompt_toolkit.keys import Keys


class Hands(Protocol):
    """What the keys act on."""

    buffer: Buffer
    """The input."""

    @property
    def question_waits(self) -> bool:
        """Whether a question waits for the message in the input to be finished."""

    def to_question(self) -> None:
        """Give the keys to the question that waits."""

    def edit_input(self) -> None:
        """Open the input in an editor."""

    def accept(self) -> None:
        """Take what is in the input as said."""

    def interrupt(self) -> None:
        """Stop what is in work, or clear the input."""

    def leave(self) -> None:
        """End the shell."""

    def paste(self, text: str) -> None:
        """Put a pasted text into the input."""

    def close_menu(self) -> None:
        """Take the completion that was chosen."""


def key_bindings(hands: Hands) -> KeyBindingsBase:
    """Enter says, Alt-Enter breaks the line, Ctrl-C stops, Ctrl-D leaves, Ctrl-X Ctrl-E
    opens an editor."""
    keys = KeyBindings()
    in_input = has_focus("input")
    empty = Condition(lambda: not hands.buffer.text)
    question_waits = Condition(lambda: hands.question_waits)

    @keys.add("enter", filter=in_input & ~is_searching)
    def _(event: KeyPressEvent) -> None:
        state = event.current_buffer.complete_state
        if state and state.current_completion:
            # The first Enter takes the completion that was chosen, the second one says it.
            hands.close_menu()
        else:
            hands.accept()

    @keys.add("escape", "enter", filter=in_input)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.newline(copy_margin=False)

    @keys.add("c-c", filter=in_input)
    @keys.add("<sigint>")
    def _(event: KeyPressEvent) -> None:
        hands.interrupt()

    @keys.add("c-d", filter=in_input & empty)
    def _(event: KeyPressEvent) -> None:
        hands.leave()

    @keys.add("up", filter=in_input & question_waits)
    @keys.add("down", filter=in_input & question_waits)
    def _(event: KeyPressEvent) -> None:
        hands.to_question()

    @keys.add("c-x", "c-e", filter=in_input & emacs_mode & ~has_selection)
    @keys.add("v", filter=in_input & vi_navigation_mode & ~has_selection)
    def _(event: KeyPressEvent) -> None:
        hands.edit_input()

    @keys.add(Keys.BracketedPaste, filter=in_input)
    def _(event: KeyPressEvent) -> None:
        hands.paste(event.data)

    if hasattr(os, "fork"):

        @keys.add("c-z")
        def _(event: KeyPressEvent) -> None:
            event.app.suspend_to_background()

    return keys

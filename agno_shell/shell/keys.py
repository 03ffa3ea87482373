"""What the keys mean, beyond prompt_toolkit's own bindings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from prompt_toolkit.filters import Condition, has_focus, is_searching
from prompt_toolkit.key_binding import (
    KeyBindings,
    KeyBindingsBase,
    KeyPressEvent,
    merge_key_bindings,
)
from prompt_toolkit.key_binding.bindings.open_in_editor import load_open_in_editor_bindings
from prompt_toolkit.keys import Keys

if TYPE_CHECKING:
    from agno_shell.shell.terminal_front import TerminalFront


def key_bindings(front: TerminalFront) -> KeyBindingsBase:
    """Enter says, Alt-Enter breaks the line, Ctrl-C stops, Ctrl-D leaves, Ctrl-X Ctrl-E
    opens an editor."""
    keys = KeyBindings()
    in_input = has_focus("input")
    empty = Condition(lambda: not front.buffer.text)

    @keys.add("enter", filter=in_input & ~is_searching)
    def _(event: KeyPressEvent) -> None:
        state = event.current_buffer.complete_state
        if state and state.current_completion:
            # The first Enter takes the completion that was chosen, the second one says it.
            event.current_buffer.complete_state = None
            front.screen.shrink()
        else:
            front.accept()

    @keys.add("escape", "enter", filter=in_input)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.newline(copy_margin=False)

    @keys.add("c-c", filter=in_input)
    @keys.add("<sigint>")
    def _(event: KeyPressEvent) -> None:
        front.interrupt()

    @keys.add("c-d", filter=in_input & empty)
    def _(event: KeyPressEvent) -> None:
        front.leave()

    @keys.add(Keys.BracketedPaste, filter=in_input)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text(front.pastes.take(event.data))

    if hasattr(os, "fork"):

        @keys.add("c-z")
        def _(event: KeyPressEvent) -> None:
            event.app.suspend_to_background()

    return merge_key_bindings([load_open_in_editor_bindings(), keys])

"""The live part of the screen, from top to bottom: the line in work, a list to choose
from, the input, the toolbar."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition, is_searching
from prompt_toolkit.formatted_text import StyleAndTextTuples, fragment_list_width
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    Container,
    Dimension,
    Float,
    FloatContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    SearchBufferControl,
    Window,
)
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.layout.processors import (
    BeforeInput,
    HighlightIncrementalSearchProcessor,
    Processor,
    Transformation,
    TransformationInput,
)

from agno_shell.contracts import Line
from agno_shell.toolkit.terminal_text import clean

MENU_ROWS = 8

INPUT_ROWS = 12
"""A longer input scrolls within this height."""


class ShowHidden(Processor):
    """A pasted text may hold characters that turn or hide what stands beside them: in the
    input each is shown as U+FFFD. What is sent stays as it is."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        fragments = transformation_input.fragments
        if all(fragment[1].isascii() for fragment in fragments):
            return Transformation(fragments)
        return Transformation([(each[0], _visible(each[1])) for each in fragments])


def _visible(text: str) -> str:
    if clean(text) == text:
        return text
    # One for one, so that the cursor stays where it is; control codes are shown already.
    return "".join("\ufffd" if ord(c) >= 0x80 and clean(c) != c else c for c in text)


def build_layout(
    buffer: Buffer,
    *,
    prompt: Callable[[], StyleAndTextTuples],
    live: Callable[[], list[Line]],
    chooser: Container,
    toolbar: Callable[[], Line] | None,
) -> Layout:
    """The layout; each part is asked for its content when it is drawn."""
    search = SearchBufferControl(
        buffer=Buffer(name="search", multiline=False),
        input_processors=[BeforeInput("search: ", "class:prompt")],
        ignore_case=True,
    )
    control = BufferControl(
        buffer=buffer,
        search_buffer_control=search,
        preview_search=True,
        input_processors=[HighlightIncrementalSearchProcessor(), ShowHidden()],
    )
    text = Window(
        control,
        height=lambda: _input_height(buffer),
        wrap_lines=True,
        dont_extend_height=True,
        get_line_prefix=lambda line, wrapped: _prefix(prompt, line, wrapped),
    )
    parts: list[Container] = [
        ConditionalContainer(
            Window(FormattedTextControl(lambda: _joined(live())), dont_extend_height=True),
            filter=Condition(lambda: bool(live())),
        ),
        chooser,
        text,
        ConditionalContainer(Window(search, height=1), filter=is_searching),
    ]
    if toolbar:
        parts.append(
            ConditionalContainer(
                Window(FormattedTextControl(lambda: list(toolbar())), height=1),
                filter=Condition(lambda: bool(toolbar())) & ~is_searching,
            )
        )
    menu = Float(CompletionsMenu(max_height=MENU_ROWS, scroll_offset=1), xcursor=True, ycursor=True)
    return Layout(FloatContainer(HSplit(parts), floats=[menu]), focused_element=text)


def _joined(lines: list[Line]) -> StyleAndTextTuples:
    fragments: StyleAndTextTuples = []
    for line in lines:
        if fragments:
            fragments.append(("", "\n"))
        fragments.extend(line)
    return fragments


def _input_height(buffer: Buffer) -> Dimension:
    """Room for the menu while it is open, for the text always."""
    if buffer.complete_state and buffer.complete_state.completions:
        rows = max(1, min(1 + MENU_ROWS, get_app().output.get_size().rows - 2))
        return Dimension(min=rows, max=INPUT_ROWS + MENU_ROWS)
    return Dimension(min=1, max=INPUT_ROWS)


def _prefix(
    prompt: Callable[[], StyleAndTextTuples], line: int, wrapped: int
) -> StyleAndTextTuples:
    fragments = prompt()
    if line == 0 and wrapped == 0:
        return fragments
    return [("", " " * fragment_list_width(fragments))]

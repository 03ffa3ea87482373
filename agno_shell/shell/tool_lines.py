"""A call of a tool and its result, as lines. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Callable

from agno_shell.contracts import Line
from agno_shell.events import ProviderToolFinished
from agno_shell.shell.lines import flat, rows
from agno_shell.toolkit import wording
from agno_shell.toolkit.terminal_text import clean, clean_line
from agno_shell.types import Message, ProviderTool, Status, ToolCall

MARK = "▷ "

ONE_LINE = 76
"""Characters of arguments that stand behind the tool's name; more get lines of their own."""

ARGUMENT_LINES = 16
ARGUMENT_CHARACTERS = 4_000
RESULT_LINES = 6
RESULT_CHARACTERS = 1_000

BY_PROVIDER = " · run by the provider"
"""Behind a call that nobody was asked for here."""

ENDED = {"interrupted": "stopped", "incomplete": "not finished", "failed": "failed"}
"""How a tool ended that is not complete."""

INDENT = "  "
GOES_ON = "↪ "


def call_lines(call: ToolCall, *, whole: bool = False, width: int = 0, by: str = "") -> list[Line]:
    """The call as it is shown before it runs: its name and its arguments, of long ones the
    beginning; ``whole``: all of them, because the user is asked for leave. Then a line
    that is wider than ``width`` goes on behind a sign, so that no row passes for a line.
    ``by`` says who runs it, if not the shell."""
    name = ("class:tool", f"{MARK}{clean_line(call.name, 100)}")
    text = _pretty(call.arguments)
    if "\n" not in text and len(text) <= ONE_LINE:
        behind = (f" {clean(text)}" if text else "") + by
        return [(name, ("class:notice", behind))] if behind else [(name,)]
    first: Line = (name, ("class:notice", by)) if by else (name,)
    if not whole:
        return [first, *_block(text, ARGUMENT_LINES, ARGUMENT_CHARACTERS)]
    return [first, *(row for line in clean(text).split("\n") for row in _broken(line, width))]


def result_lines(result: Message, seconds: float | None) -> list[Line]:
    """The first lines of a result and how it ended; ``seconds`` is how long it took, None
    where the tool did not run."""
    return outcome_lines(result.content, result.status, seconds)


def outcome_lines(result: str, status: Status, seconds: float | None) -> list[Line]:
    """The same of any tool."""
    lines = _block(result, RESULT_LINES, RESULT_CHARACTERS)
    size = wording.size(len(result.encode("utf-8", "replace")))
    took = "" if seconds is None else f" · {seconds:.1f} s"
    if status == "complete":
        return [*lines, (("class:notice", f"{INDENT}{size}{took}"),)]
    said = ENDED.get(status, status)
    return [*lines, (("class:error", f"{INDENT}{said}"), ("class:notice", f" · {size}{took}"))]


def stored_tool_lines(tool: ProviderTool) -> list[Line]:
    """What a provider ran itself in an earlier turn, in two lines."""
    call = stored_call_line(ToolCall(tool.id, tool.name, tool.arguments))
    return [(*call, ("class:notice", BY_PROVIDER)), _stored_outcome(tool.result, tool.status)]


def stored_call_line(call: ToolCall) -> Line:
    """The call in one line, of an earlier turn."""
    arguments = clean_line(_compact(call.arguments), ONE_LINE)
    return (
        ("class:tool", f"{MARK}{clean_line(call.name, 100)}"),
        ("class:notice", f" {arguments}" if arguments else ""),
    )


def stored_result_line(result: Message) -> Line:
    """The result in one line, of an earlier turn."""
    return _stored_outcome(result.content, result.status)


def _stored_outcome(result: str, status: Status) -> Line:
    size = wording.size(len(result.encode("utf-8", "replace")))
    beginning = clean_line(result[: 4 * ONE_LINE], ONE_LINE)
    said = f"{INDENT}{beginning} · {size}" if beginning else f"{INDENT}{size}"
    if status == "complete":
        return (("class:notice", said),)
    return (("class:notice", f"{said} · "), ("class:error", ENDED.get(status, status)))


def _broken(text: str, width: int) -> list[Line]:
    line: Line = (("class:notice", text),)
    if not width:
        return [(("class:notice", INDENT), *line)]
    made = rows(flat(line), max(1, width - len(INDENT) - len(GOES_ON)))
    marks = [INDENT, *[INDENT + GOES_ON] * (len(made) - 1)]
    return [(("class:tool", mark), *row) for mark, row in zip(marks, made, strict=True)]


def _block(text: str, most: int, characters: int) -> list[Line]:
    """Dimmed lines with what is left out in words."""
    text = text.strip("\n")
    if not text:
        return []
    shown = clean(text[:characters]).split("\n")[:most]
    lines: list[Line] = [(("class:notice", INDENT + line),) for line in shown]
    left = len(text) - sum(map(len, shown)) - len(shown) + 1
    if left > 0:
        further = text.count("\n") + 1 - len(shown)
        what = wording.count(further, "more line") if further > 0 else f"{left:,} more characters"
        lines.append((("class:notice", f"{INDENT}… {what}"),))
    return lines


def _pretty(arguments: str) -> str:
    """Arguments laid out over lines, if they are JSON and too long for one; the model's own
    text where they are not. An object without keys is nothing to show."""
    compact = _compact(arguments)
    if len(compact) <= ONE_LINE and "\n" not in compact:
        return compact
    try:
        return _dumped(json.loads(arguments), indent=2)
    except (ValueError, RecursionError):
        return arguments


def _compact(arguments: str) -> str:
    try:
        value = json.loads(arguments)
        return _dumped(value) if value != {} else ""
    except (ValueError, RecursionError):
        return arguments.strip()


def _dumped(value: object, indent: int | None = None) -> str:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    # These would end a line on the screen, and what follows could pass for another argument.
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


class ProviderCalls:
    """Those of one turn. What it returns is to be printed at once."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._running: dict[str, tuple[ToolCall, float]] = {}
        self._unseen: dict[str, ToolCall] = {}
        """Calls that are not shown yet, because their arguments may still come."""
        self._above: str | None = None
        """The id of the call that stands right above what is printed next."""

    @property
    def at_work(self) -> str:
        """The name of the tool that began last of those that run; empty: none does."""
        return next((call.name for call, _since in reversed(self._running.values())), "")

    def start(self, call: ToolCall) -> list[Line]:
        """A tool has begun."""
        self._running[call.id] = call, self._clock()
        if not call.arguments:
            self._unseen[call.id] = call
            return []
        return [*self.others(), *self._shown(call)]

    def others(self) -> list[Line]:
        """Something else is shown next."""
        self._above = None
        unseen, self._unseen = self._unseen, {}
        return [line for call in unseen.values() for line in self._shown(call)]

    def finish(self, event: ProviderToolFinished) -> list[Line]:
        """A tool is over. If its call does not stand right above, it is shown with it."""
        began = self._running.pop(event.call.id, None)
        self._unseen.pop(event.call.id, None)
        lines: list[Line] = []
        if self._above != event.call.id:
            call = event.call
            if began:
                known = began[0]
                name, arguments = call.name or known.name, call.arguments or known.arguments
                call = ToolCall(call.id, name, arguments)
            lines = [*self.others(), *self._shown(call)]
        self._above = None
        took = self._clock() - began[1] if began else None
        return [*lines, *outcome_lines(event.result, event.status, took), ()]

    def _shown(self, call: ToolCall) -> list[Line]:
        self._above = call.id
        return call_lines(call, by=BY_PROVIDER)

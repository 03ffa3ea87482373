"""Asking the user before a tool runs."""

from __future__ import annotations

from agno_shell.contracts import Permission, Tool
from agno_shell.shell.frontend import Frontend, Option
from agno_shell.shell.present import Presenter
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.types import ToolCall

ANSWERS: tuple[tuple[Permission, Option], ...] = (
    ("once", Option("y", "Run it once")),
    ("always", Option("a", "Always in this session")),
    ("no", Option("n", "No")),
    ("never", Option("v", "Never in this session")),
)
DEFAULT = 2

NOBODY = "(Nobody is here to be asked whether {} may run; it was not run.)"

CHANGED = "It is not what you were asked about before:"

LONGEST_CHANGE = 500
"""Characters."""


class Approval:
    """An :data:`~agno_shell.contracts.Approve`: shows the whole call, and asks."""

    def __init__(self, frontend: Frontend, presenter: Presenter) -> None:
        self._frontend = frontend
        self._presenter = presenter

    async def __call__(self, call: ToolCall, tool: Tool) -> Permission:
        name = clean_line(call.name, 100)
        self._presenter.ask_about(call)
        try:
            if not self._frontend.has_user:
                self._presenter.notice(NOBODY.format(name))
                return "no"
            source = f" ({clean_line(tool.source)})" if tool.source else ""
            self._presenter.notice(f"The model asks to run {name}{source}.")
            if tool.changed:
                self._presenter.notice(CHANGED, "class:error")
            for line in tool.changed:
                self._presenter.notice(f"  {clean_line(line, LONGEST_CHANGE)}")
            options = [option for _permission, option in ANSWERS]
            picked = await self._frontend.ask_choice(options, default=DEFAULT)
        finally:
            self._presenter.asked()
        permission, option = ANSWERS[DEFAULT if picked is None else picked]
        self._presenter.notice(f"  {option.label}.")
        return permission

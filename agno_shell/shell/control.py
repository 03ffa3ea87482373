"""What slash commands can do with the open conversation: the engine, shown by the shell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agno_shell.contracts import Figures, Step, ToolState
from agno_shell.types import Attachment, Message, Reasoning, Session

if TYPE_CHECKING:
    from agno_shell.conversation.turn import Turn
    from agno_shell.events import Receipt
    from agno_shell.shell.loop import Shell


class Control:
    """The :class:`~agno_shell.contracts.ConversationControl` of a running shell."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._conversation = shell.conversation

    # Turns ------------------------------------------------------------------------------

    async def ask(self, text: str) -> None:
        await self._run(self._conversation.turn(text))

    async def _run(self, turn: Turn) -> None:
        await self._shell.run_turn(turn)

    # Standing elsewhere: branches4

    # What is sent: context4

    # Attachments: shell4

    # Tools ------------------------------------------------------------------------------

    def tool_boxes(self) -> Sequence[ToolState]:
        return self._conversation.toolbelt.states()

    async def switch_tools(self, name: str, *, on: bool) -> ToolState:
        return await self._conversation.toolbelt.switch(name, on=on)

    # What happened: figures4

"""What slash commands can do with the open conversation: the engine, shown by the shell."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from agno_shell.config import settings
from agno_shell.contracts import Figures, Step, ToolState
from agno_shell.conversation.files.attachments import Attachments, unattached
from agno_shell.conversation.tree.moves import Moves
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.types import Attachment, Message, Reasoning, Session, Stretch

if TYPE_CHECKING:
    from agno_shell.conversation.turn import Turn
    from agno_shell.events import Receipt
    from agno_shell.shell.compacting import Compacting
    from agno_shell.shell.loop import Shell

RECALLED = 72
"""Characters of what is answered again that are shown."""


class Control:
    """The :class:`~agno_shell.contracts.ConversationControl` of a running shell."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._conversation = shell.conversation
        self._moves = Moves(shell.conversation)
        self._compacter: Compacting | None = None
        self._attachments = Attachments(shell.conversation, shell.presenter.notice)

    # Turns ------------------------------------------------------------------------------

    async def ask(self, text: str) -> None:
        chosen: tuple[Attachment, ...] | None = ()
        if self._attachments.waiting or "@" in text:
            chosen = await self._with_files(text)
        if chosen is not None:
            await self._run(self._conversation.turn(text, chosen))

    async def retry(self, model: str | None = None) -> None:
        again = await self._moves.retry(model)
        self._recall(again.follows)
        await self._run(again.turn, model)

    async def resume(self) -> None:
        again = await self._moves.resume()
        self._recall(again.follows)
        await self._run(again.turn)

    async def edit(self, message_id: str, text: str) -> None:
        chosen: tuple[Attachment, ...] | None = ()
        if self._attachments.waiting or "@" in text:
            number = (await self.numbers((message_id,))).get(message_id, 0)
            old = (await self.part(number - 1, number))[0] if number else None
            # What was not attached then, such as what a pasted text names, is not now.
            unwanted = unattached(old) if old else ()
            chosen = await self._with_files(
                text, typed=f"/edit {number} -- {text}", unwanted=unwanted
            )
        if chosen is not None:
            await self._run(await self._moves.edit(message_id, text, chosen))

    async def _run(self, turn: Turn, model: str | None = None) -> None:
        await self._shell.run_turn(turn, model)
        if self._conversation.config[settings.CONVERSATION_AUTO_COMPACT]:
            await self._compacting.after(turn)

    def _recall(self, message: Message) -> None:
        """Say what is answered, or gone on with: it may stand far above by now."""
        if message.role == "user":
            words = f"› {clean_line(message.content, RECALLED)}"
        else:
            words = f"… {clean_line(message.content[-RECALLED:], RECALLED)}"
        self._shell.presenter.notice(f"{words}\n")

    # Standing elsewhere -----------------------------------------------------------------

    async def undo(self, turns: int = 1) -> Sequence[Message]:
        return await self._moves.undo(turns)

    async def redo(self, turns: int = 1) -> Sequence[Message]:
        return await self._moves.redo(turns)

    async def go_to(self, message_id: str) -> None:
        await self._moves.go_to(message_id)

    async def fork(self, name: str, message_id: str | None = None) -> Session:
        loop = asyncio.get_running_loop()

        def told(done: int, count: int) -> None:
            line = f"Copied {done:,} of {count:,} messages … Ctrl-C stops, and leaves nothing."
            loop.call_soon_threadsafe(self._shell.presenter.progress, line)

        made = await self._moves.fork(name, message_id, told)
        await self._shell.open(made.session_id)
        return made

    async def path(self) -> Sequence[Message]:
        return await self._conversation.whole_path()

    async def length(self) -> int:
        return await self._conversation.numbered.length()

    async def part(self, start: int, stop: int) -> Sequence[Message]:
        return await self._conversation.numbered.part(start, stop)

    async def numbers(self, message_ids: Collection[str]) -> Mapping[str, int]:
        return await self._conversation.numbered.numbers(message_ids)

    async def outline(self) -> Sequence[Stretch]:
        return await self._conversation.numbered.outline()

    async def saved(self, start: int, stop: int) -> Sequence[Message]:
        return await self._conversation.numbered.saved(start, stop)

    async def place(self, message_id: str) -> int | None:
        return await self._conversation.numbered.place(message_id)

    async def tree(self) -> Sequence[Message]:
        return await self._conversation.tree(self._conversation.reader)

    async def recover(self) -> int:
        recovered = await self._conversation.recovery.recover()
        if recovered.error:
            raise recovered.error
        return recovered.messages

    # What is sent -----------------------------------------------------------------------

    async def receipt(self) -> Receipt:
        return await self._conversation.requests.receipt()

    async def pin(self, message_id: str, *, pinned: bool = True) -> None:
        def change(before: Sequence[str]) -> Sequence[str]:
            others = [each for each in before if each != message_id]
            return [*others, message_id] if pinned else others

        await self._conversation.pin_anew(change)

    @property
    def _compacting(self) -> Compacting:
        if self._compacter is None:
            # Most runs of the shell sum up nothing.
            from agno_shell.shell.compacting import Compacting

            self._compacter = Compacting(self._shell)
        return self._compacter

    async def compact(self, instruction: str = "") -> Message | None:
        return await self._compacting.compact(instruction)

    async def uncompact(self) -> None:
        await self._compacting.uncompact()

    # Attachments ------------------------------------------------------------------------

    @property
    def attached(self) -> Sequence[Attachment]:
        return self._attachments.waiting

    async def attach(self, path: str) -> Attachment:
        return await self._attachments.attach(path)

    async def attach_data(self, data: bytes, name: str) -> Attachment:
        return await self._attachments.attach_data(data, name)

    def extent(self, attachment: Attachment) -> str:
        return self._attachments.extent(attachment)

    def detach(self, attachment: Attachment) -> None:
        self._attachments.detach(attachment)

    async def _with_files(
        self, text: str, *, typed: str = "", unwanted: Sequence[str] = ()
    ) -> tuple[Attachment, ...] | None:
        """What goes with a message, but for ``unwanted`` mentions in it; None when it does not
        leave, and what was ``typed`` for it is in the input again. Ctrl-C stops looking: a
        disk, or a provider that starts, may take a while."""
        frontend = self._shell.frontend
        chosen: list[Attachment] | None = None

        async def choose() -> None:
            nonlocal chosen
            # What a program pipes in does not choose what leaves this machine.
            naming = text if frontend.has_person else ""
            outgoing = await self._attachments.of(naming, pasted=[*frontend.pasted, *unwanted])
            if outgoing.doubt:
                self._shell.presenter.notice(outgoing.doubt)
                if frontend.has_person and not await frontend.confirm("Send it all the same?"):
                    return
            chosen = [*outgoing.attachments]

        try:
            await self._shell.finished(choose())
        finally:
            if chosen is None:
                self._shell.fail("Nothing was sent.", "class:notice")
                frontend.fill(typed or text)
        if chosen is None:
            frontend.print_gap()
            return None
        self._attachments.sent()
        return tuple(chosen)

    # Tools ------------------------------------------------------------------------------

    def tool_boxes(self) -> Sequence[ToolState]:
        return self._conversation.tool_registry.states()

    async def switch_tools(self, name: str, *, on: bool) -> ToolState:
        return await self._conversation.tool_registry.switch(name, on=on)

    # What happened ----------------------------------------------------------------------

    @property
    def last_turn(self) -> Step | None:
        return self._shell.status.last_turn

    async def figures(self) -> Figures:
        conversation = self._conversation
        return await conversation.budget.spent(conversation.session.session_id)

    async def set_reasoning(self, level: Reasoning | None) -> None:
        await self._conversation.update(reasoning=level)

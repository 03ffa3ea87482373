"""The engine of a fake command context: branches and attachments work, and nobody is asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agno_shell.contracts import ConversationControl, Figures, Step, Storage, ToolState
from agno_shell.errors import AgnoShellError, UsageError
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.types import (
    ROOT,
    Attachment,
    Message,
    Reasoning,
    Role,
    Session,
    Stretch,
    new_id,
    now,
)

if TYPE_CHECKING:
    from agno_shell.testing.fake_context import FakeContext


class FakeConversation:
    """Fulfils :class:`~agno_shell.contracts.ConversationControl` over the storage of a
    :class:`~agno_shell.testing.fake_context.FakeContext`.

    Each call is recorded in ``calls`` as its name and its arguments, as in
    ``("retry", "model-b")``. A call that is named in ``errors`` raises what stands there.
    What answers comes from ``replies``, one after the other, and else repeats the question.
    ``boxes``, ``last_turn``, ``totals`` and ``next_receipt`` are what a test puts there.
    """

    def __init__(self, context: FakeContext) -> None:
        self._context = context
        self._undone: list[str] = []
        """The heads before each step back."""
        self.calls: list[tuple[Any, ...]] = []
        self.errors: dict[str, AgnoShellError] = {}
        self.replies: deque[str] = deque()
        self.attached: list[Attachment] = []
        self.extents: dict[str, str] = {}
        """What :meth:`extent` says, by the hash of the content."""
        self.boxes: list[ToolState] = []
        self.last_turn: Step | None = None
        self.totals = Figures()
        self.next_receipt: Any = None

    def _call(self, name: str, *arguments: Any) -> None:
        self.calls.append((name, *arguments))
        if name in self.errors:
            raise self.errors[name]

    # Turns ------------------------------------------------------------------------------

    async def ask(self, text: str) -> None:
        self._call("ask", text)
        question = self._say("user", text, self._head(), attachments=tuple(self.attached))
        self.attached.clear()
        self._answer(question)

    async def retry(self, model: str | None = None) -> None:
        self._call("retry", model)
        self._answer(self._last_question(), model)

    async def resume(self) -> None:
        self._call("resume")
        path = await self.path()
        if not path or path[-1].status == "complete":
            raise UsageError("The last reply is whole.")
        self._answer(path[-1])

    async def edit(self, message_id: str, text: str) -> None:
        self._call("edit", message_id, text)
        old = self._by_id()[message_id]
        self._answer(self._say("user", text, old.parent, attachments=old.attachments))

    def _answer(self, to: Message, model: str | None = None) -> None:
        text = self.replies.popleft() if self.replies else f"echo: {to.content}"
        self._say("assistant", text, to.id, model=model or self._context.model)
        self._undone.clear()

    def _say(self, role: Role, text: str, parent: str | None, **fields: Any) -> Message:
        message = Message(new_id(), role, text, now(), parent=parent, **fields)
        self._context.session = self._storage.append(self._session_id, message)
        return message

    # Standing elsewhere -----------------------------------------------------------------

    async def undo(self, turns: int = 1) -> Sequence[Message]:
        self._call("undo", turns)
        undone: list[Message] = []
        while len(undone) < turns and any(each.role == "user" for each in self._path()):
            head, question = self._head(), self._last_question()
            self._undone.append(head or ROOT)
            self._stand_at(question.parent)
            undone.append(question)
        if not undone:
            raise UsageError("There is nothing to take back.")
        return undone

    async def redo(self, turns: int = 1) -> Sequence[Message]:
        self._call("redo", turns)
        redone: list[Message] = []
        while len(redone) < turns and self._undone:
            self._stand_at(self._undone.pop())
            redone.append(self._last_question())
        if not redone:
            raise UsageError("There is nothing to bring back.")
        return redone

    async def go_to(self, message_id: str) -> None:
        self._call("go_to", message_id)
        self._stand_at(message_id)

    async def fork(self, name: str, message_id: str | None = None) -> Session:
        self._call("fork", name, message_id)
        made = self._storage.create(name)
        parent: str | None = None
        for message in self._path(message_id):
            copy = message._replace(id=new_id(), parent=parent)
            self._storage.append(made.session_id, copy)
            parent = copy.id
        await self._context.switch(made.session_id)
        return self._context.session

    async def path(self) -> Sequence[Message]:
        return list(self._context.history)

    async def length(self) -> int:
        return len(self._context.history)

    async def part(self, start: int, stop: int) -> Sequence[Message]:
        return list(self._context.history)[start:stop]

    async def numbers(self, message_ids: Collection[str]) -> Mapping[str, int]:
        path = enumerate(self._context.history, 1)
        return {each.id: number for number, each in path if each.id in message_ids}

    async def outline(self) -> Sequence[Stretch]:
        return self._storage.outline(self._session_id)

    async def saved(self, start: int, stop: int) -> Sequence[Message]:
        return self._storage.part(self._session_id, start, stop)

    async def place(self, message_id: str) -> int | None:
        return self._storage.locate(self._session_id, (message_id,)).get(message_id)

    async def tree(self) -> Sequence[Message]:
        return self._storage.tree(self._session_id)

    @property
    def _storage(self) -> Storage:
        return self._context.storage

    @property
    def _session_id(self) -> str:
        return self._context.session.session_id

    def _by_id(self) -> dict[str, Message]:
        return {each.id: each for each in self._storage.tree(self._session_id)}

    def _path(self, message_id: str | None = None) -> list[Message]:
        if message_id is None:
            return self._storage.messages(self._session_id)
        by_id = self._by_id()
        path: list[Message] = []
        while message_id is not None:
            path.append(by_id[message_id])
            message_id = path[-1].parent
        return path[::-1]

    def _head(self) -> str | None:
        path = self._path()
        return path[-1].id if path else None

    def _last_question(self) -> Message:
        for message in self._path()[::-1]:
            if message.role == "user":
                return message
        raise UsageError("Nothing has been asked in this session yet.")

    def _stand_at(self, message_id: str | None) -> None:
        self._change(head=message_id or ROOT)

    def _change(self, **changes: Any) -> None:
        self._context.session = self._storage.update(self._session_id, **changes)

    # What is sent -----------------------------------------------------------------------

    async def receipt(self) -> Any:
        self._call("receipt")
        return self.next_receipt

    async def pin(self, message_id: str, *, pinned: bool = True) -> None:
        self._call("pin", message_id, pinned)
        others = [each for each in self._context.session.pinned if each != message_id]
        self._change(pinned=[*others, message_id] if pinned else others)

    async def compact(self, instruction: str = "") -> Message | None:
        self._call("compact", instruction)
        text = self.replies.popleft() if self.replies else "the summary"
        return self._say("summary", text, self._head(), covers=self._head())

    async def uncompact(self) -> None:
        self._call("uncompact")
        self._say("summary", "", self._head())

    async def recover(self) -> int:
        self._call("recover")
        raise UsageError("The store has everything that this shell shows of the session.")

    async def set_reasoning(self, level: Reasoning | None) -> None:
        self._call("set_reasoning", level)
        self._change(reasoning=level)

    # Attachments ------------------------------------------------------------------------

    async def attach(self, path: str) -> Attachment:
        self._call("attach", path)
        try:
            with open(path, "rb") as stream:
                data = stream.read()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise AgnoShellError(f"{clean_line(path)} cannot be attached: {reason}.") from error
        return self._attach(data, path.rpartition("/")[2])

    async def attach_data(self, data: bytes, name: str) -> Attachment:
        self._call("attach_data", data, name)
        return self._attach(data, name)

    def extent(self, attachment: Attachment) -> str:
        return self.extents.get(attachment.sha256, "")

    def detach(self, attachment: Attachment) -> None:
        self._call("detach", attachment)
        self.attached.remove(attachment)

    def _attach(self, data: bytes, name: str) -> Attachment:
        from mimetypes import guess_type

        digest = self._storage.attach(self._session_id, data)
        media_type = guess_type(name)[0] or "text/plain"
        self.attached.append(Attachment(name, media_type, digest, len(data)))
        return self.attached[-1]

    # Tools ------------------------------------------------------------------------------

    def tool_boxes(self) -> Sequence[ToolState]:
        return self.boxes

    async def switch_tools(self, name: str, *, on: bool) -> ToolState:
        self._call("switch_tools", name, on)
        for index, box in enumerate(self.boxes):
            if box.name == name.partition(".")[0]:
                self.boxes[index] = box._replace(on=on)
                return self.boxes[index]
        raise UsageError(f"There is no tool box called {name!r}.")

    # What happened ----------------------------------------------------------------------

    async def figures(self) -> Figures:
        self._call("figures")
        return self.totals


if TYPE_CHECKING:

    def _fulfils(conversation: FakeConversation) -> ConversationControl:
        """Lets the type checker compare the fake with the contract."""
        return conversation

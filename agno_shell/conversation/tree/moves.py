"""Taking back, trying again and branching off, in the session that is open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event
from typing import NamedTuple

from agno_shell.contracts import Storage
from agno_shell.conversation.journal import Journal
from agno_shell.conversation.open_session import OpenSession
from agno_shell.conversation.session_editor import SessionEditor
from agno_shell.conversation.store import StoreThread
from agno_shell.conversation.tree import branches, fork, outline
from agno_shell.conversation.tree.branches import Start, UndoneTurn, question_start
from agno_shell.conversation.tree.numbered import MessageReader
from agno_shell.errors import StorageError, UsageError
from agno_shell.toolkit.wording import count
from agno_shell.types import ROOT, Attachment, Message, Session, goes_on

SPOKEN = ("user", "assistant", "tool")
"""Roles of messages that a reply can go on from."""


class FollowUp(NamedTuple):
    """A turn without a question of its own."""

    start: Start
    message: Message
    """What is answered, or gone on with."""


class Moves:
    """Where the conversation goes on. It remembers the way back from each step, as long as
    the user says nothing new and stays in the session."""

    def __init__(
        self,
        session: OpenSession,
        journal: Journal,
        editor: SessionEditor,
        messages: MessageReader,
        reader: StoreThread,
    ) -> None:
        self._session = session
        self._journal = journal
        self._editor = editor
        self._messages = messages
        self._reader = reader
        self._undone: list[UndoneTurn] = []
        """Turns that were taken back, the latest step last."""
        self._stands: tuple[str, str | None] | None = None
        """The session, and the head in it, where these lead on from."""

    # Standing elsewhere -----------------------------------------------------------------

    async def undo(self, turns: int) -> list[Message]:
        """See :meth:`~agno_shell.contracts.Engine.undo`."""
        await self._require_saved()
        places = await self._last_questions(turns)
        if not places:
            raise UsageError(
                "There is nothing to take back.",
                hint="/redo brings back, /tree shows all branches.",
            )
        path = self._session.history
        ends = [*(place - 1 for place in places[1:]), len(path) - 1]
        steps = [
            UndoneTurn(path[place], path[end].id) for place, end in zip(places, ends, strict=True)
        ]
        steps.reverse()
        undone = [*self._way_back(), *steps]
        first = places[0]
        await self._editor.return_to(path[first - 1].id if first else self._before_all())
        self._remember(undone)
        return [step.question for step in steps]

    async def redo(self, turns: int) -> list[Message]:
        """See :meth:`~agno_shell.contracts.Engine.redo`."""
        await self._require_saved()
        undone = self._way_back()
        steps: list[UndoneTurn] = []
        while undone and len(steps) < turns:
            steps.append(undone.pop())
        if len(steps) < turns:
            stands_at = steps[-1].end if steps else self._session.head
            further = branches.turns_below(await self._messages.tree(), stands_at)
            steps += further[: turns - len(steps)]
        if not steps:
            raise UsageError(
                "There is nothing to bring back: nothing follows here.",
                hint="/tree shows the other branches.",
            )
        await self._editor.return_to(steps[-1].end)
        self._remember(undone)
        return [step.question for step in steps]

    async def go_to(self, message_id: str) -> None:
        """Stand on any message; :data:`~agno_shell.types.ROOT`: before the first."""
        await self._require_saved()
        await self._editor.return_to(None if message_id == ROOT else message_id)
        self._remember([])

    async def fork(
        self, name: str, message_id: str | None, told: Callable[[int, int], None] | None = None
    ) -> Session:
        """Make a session of the path to a message, or of all of it. It is not opened. ``told``
        hears, in another thread, how far it has come; who is cancelled leaves nothing."""
        head = message_id or self._session.head
        if head is None:
            raise UsageError("There is nothing to fork: the conversation is empty.")
        session, stopped = self._session.record, Event()
        unsaved = await self._held(head) if self._journal.unsaved_here else None

        def work(storage: Storage) -> Session:
            runs = outline.path_to(storage, session.session_id, head) if not unsaved else ()
            if not (unsaved or runs):
                raise UsageError("There is nothing to fork: the conversation is empty.")
            count = outline.length(runs or ())

            def tell(done: int) -> None:
                if told is not None:
                    told(done, count)

            copies = (
                fork.held(unsaved)
                if unsaved
                else fork.stored(storage, session.session_id, runs or (), tell, stopped)
            )
            return fork.make(storage, session, copies, name)

        try:
            # What is said elsewhere does not wait for a copy of a long session.
            return await self._reader(work)
        finally:
            stopped.set()

    # Turns ------------------------------------------------------------------------------

    async def retry(self, model: str | None) -> FollowUp:
        """A turn that answers the last question once more."""
        question = await self._last_question()
        return FollowUp(Start(question.id, model=model), question)

    async def resume(self) -> FollowUp:
        """A turn that goes on where the last reply ended too early."""
        path = self._session.history
        said = [place for place, each in enumerate(path) if each.role in SPOKEN]
        if not said:
            raise UsageError("There is nothing to go on with: nothing has been said here.")
        last = path[said[-1]]
        if last.role == "assistant" and not (last.content or last.tool_calls):
            # Nothing of it had come: what stands before it is answered anew.
            question = await self._last_question()
            before = path[said[-1] - 1].id if said[-1] else None
            return FollowUp(Start(before), question)
        is_whole = last.status == "complete" and not (last.tool_calls or goes_on(last))
        if last.role == "assistant" and is_whole:
            raise UsageError("The last reply is whole.", hint="/retry asks for another one.")
        return FollowUp(Start(self._session.head), last)

    async def edit(
        self, message_id: str, text: str, attachments: Sequence[Attachment] = ()
    ) -> Start:
        """A turn that asks an earlier question in other words, with what was attached to it;
        of files with the same name those that are given now."""
        old = await self._message(message_id)
        if old is None or old.role != "user":
            raise UsageError("Only a question can be edited.", hint="/history shows the numbers.")
        if not text.strip():
            raise UsageError("A question cannot be empty.")
        parent = await self._message(old.parent) if old.parent is not None else None
        names = {each.name for each in attachments}
        kept = (each for each in old.attachments if each.name not in names)
        follows = parent.id if parent else None
        return question_start(follows, text, (*kept, *attachments))

    # ------------------------------------------------------------------------------------

    async def _held(self, head: str) -> Sequence[Message]:
        """The path to a message of which some are not saved; empty where it leads elsewhere."""
        path = await self._messages.path()
        places = [place for place, each in enumerate(path) if each.id == head]
        return path[: places[0] + 1] if places else ()

    async def _message(self, message_id: str) -> Message | None:
        """Any message of the session."""
        reader = self._messages
        for each in self._session.history:
            if each.id == message_id:
                return each
        place = await reader.place(message_id)
        return (await reader.saved(place, place + 1))[0] if place is not None else None

    def _way_back(self) -> list[UndoneTurn]:
        """The steps back that were taken to where the conversation stands."""
        return list(self._undone) if self._stands == self._place() else []

    def _remember(self, undone: list[UndoneTurn]) -> None:
        self._undone, self._stands = undone, self._place()

    def _place(self) -> tuple[str, str | None]:
        return self._session.id, self._session.head

    def _before_all(self) -> str | None:
        """What stands before the first message that was read."""
        path = self._session.path
        return None if path.is_whole else path.messages[0].parent

    async def _last_questions(self, turns: int) -> list[int]:
        """The places on the path of the last questions, ``turns`` at most, oldest first."""
        while True:
            path = self._session.history
            places = [place for place, each in enumerate(path) if each.role == "user"]
            if len(places) >= turns or not await self._session.path.read_further():
                return places[-turns:]

    async def _last_question(self) -> Message:
        if places := await self._last_questions(1):
            return self._session.history[places[0]]
        raise UsageError("There is no question to answer: nothing has been asked here.")

    async def _require_saved(self) -> None:
        """A storage cannot stand on, or before, what it does not have."""
        journal = self._journal
        if not journal.unsaved_here:
            return
        if error := await journal.save_here():
            unsaved = len(journal.unsaved_here)
            what = count(unsaved, "message", "are")
            raise StorageError(
                f"{what} not saved yet, so the conversation stays where it is: {error}",
                hint=error.hint,
            )

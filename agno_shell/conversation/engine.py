"""What a user can do with conversations, for whoever drives it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from agno_shell.base.program_log import note
from agno_shell.config import settings
from agno_shell.contracts import Figures, ModelList, Provider, Step
from agno_shell.conversation.accounts.trace import Recorder
from agno_shell.conversation.engine_parts import EngineParts
from agno_shell.conversation.files.attachments import unattached
from agno_shell.conversation.path import Path, read_end
from agno_shell.conversation.references import resolve
from agno_shell.conversation.tree.branches import Start, question_start
from agno_shell.conversation.tree.moves import FollowUp
from agno_shell.conversation.turn import Runnable, Turn
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.events import Receipt, TurnEvent
from agno_shell.toolkit.reports import address_words
from agno_shell.types import Attachment, Message, Reasoning, Session

if TYPE_CHECKING:
    from agno_shell.config import Agent
    from agno_shell.conversation.compaction.compactor import Compactor


class Engine(EngineParts):
    """The session that is open, and all that can be done in it. Whoever drives it gives it a
    :class:`~agno_shell.conversation.driver.Driver`, and sees through that what happens."""

    _recorder: Recorder | None = None
    _compactor_made: Compactor | None = None
    _in_work: tuple[Runnable, ...] = ()
    """The turns that run; one within the other where a command of a plugin asks."""

    # The open session -------------------------------------------------------------------

    @property
    def session(self) -> Session:
        return self.open_session.record

    @property
    def history(self) -> Sequence[Message]:
        """The newest messages of the path to the head, oldest first."""
        return self.open_session.history

    @property
    def unsaved(self) -> Sequence[Message]:
        """Messages of the open session that could not be saved yet."""
        return self.journal.unsaved_here

    async def open(self, session_id: str) -> Session:
        """Open a session, also the open one as it is by now, and make it the current one."""
        read, outbox = self.path_reader, self.journal.outbox
        record, history = await self.store(lambda storage: read_end(storage, session_id))
        path = Path(read.end, read.end_at)
        path.set(history)
        if unsaved := outbox.waiting(session_id):
            # What could not be written is still there; the head may have moved on since.
            await path.stand_before(unsaved[0].parent, partial(read.saved_end, session_id))
            for message in unsaved:
                path.append(message)
        self.open_session.begin(record, path, await self.editor.memories_of(session_id))
        self._requests = None
        self.recovery.forget()
        if unsaved:
            await outbox.send(session_id)
        # "Last used" is a convenience: a full or read-only disk still opens every session.
        try:
            if await self.store(lambda storage: storage.current()) != session_id:
                await self.store(lambda storage: storage.set_current(session_id))
        except StorageError as error:
            self._report(error.sentence())
        note(__name__, "session opened", messages=record.message_count, waiting=len(unsaved))
        self.plugins.session_opened(self.session)
        self.budget.begin(session_id)
        return self.session

    async def create(self, name: str, description: str = "") -> Session:
        """Make a session and open it."""
        made = await self.store(lambda storage: storage.create(name, description))
        return await self.open(made.session_id)

    async def switch(self, session_id: str, at: str | None = None) -> None:
        """Open a session and show its last exchanges, or those around the message ``at``."""
        if not await self._may_leave(session_id):
            self.driver.notice("It stays open.")
            return
        await self.open(session_id)
        place = None
        if at is not None:
            try:
                place = await self.messages.around(at)
            except StorageError as error:
                self.driver.fail(error.sentence())
            else:
                if place is None:
                    self.driver.fail("That message is not in the session any more.")
        await self.driver.opened(place)

    async def _may_leave(self, session_id: str) -> bool:
        """Whether the user leaves the open session, warned that there is no way back to one
        that is in memory only."""
        session = self.open_session
        if session.missing != "gone" or session.id == session_id or not self.driver.has_user:
            return True
        return bool(
            await self.driver.confirm(
                "The session open here is in no store any more, and /save PATH would keep what "
                "this shell has of it. Leave it behind for good?"
            )
        )

    async def resolve(self, reference: str) -> Session:
        """The session that an id, the beginning of one, or a name means."""
        # All in the storage's thread: there may be a hundred thousand to compare.
        return await self.store(lambda storage: resolve(reference, storage.sessions()))

    async def refresh(self) -> None:
        """Something changed the open session: know and show it as it is now."""
        # One that was deleted elsewhere stays as it is known here.
        with suppress(SessionNotFoundError):
            await self.editor.refresh()
        await self.driver.changed()

    # Turns ------------------------------------------------------------------------------

    async def ask(self, text: str) -> Message | None:
        """Ask, with the attachments that wait and the files that ``@path`` names; the last
        reply, None where nothing was sent."""
        files = await self._files(text) if self.attachments.waiting or "@" in text else ()
        if files is None:
            return None
        return await self._run(self.turn(text, files))

    async def retry(self, model: str | None = None) -> Message | None:
        """Answer the last question again: a second reply beside the first; by ``model`` for
        this one reply, if one is named."""
        return await self._follow_up(await self.moves.retry(model))

    async def resume(self) -> Message | None:
        """Go on where the last reply was stopped or cut off; where nothing of it had come, ask
        again."""
        return await self._follow_up(await self.moves.resume())

    async def edit(self, message_id: str, text: str) -> Message | None:
        """Ask an earlier question in other words, on a branch of its own that begins where the
        question stands. Its attachments go with it."""
        files: tuple[Attachment, ...] | None = ()
        if self.attachments.waiting or "@" in text:
            number = (await self.messages.numbers((message_id,))).get(message_id, 0)
            old = (await self.messages.part(number - 1, number))[0] if number else None
            # What was not attached then, such as what a pasted text names, is not now.
            unwanted = unattached(old) if old else ()
            files = await self._files(text, f"/edit {number} -- {text}", unwanted)
        if files is None:
            return None
        return await self._run(self.turn_from(await self.moves.edit(message_id, text, files)))

    def stop(self) -> bool:
        """Stop the turn in work; False where there is none."""
        for turn in self._in_work:
            turn.stop()
        return bool(self._in_work)

    def hurry(self) -> None:
        """The user wants to go on: a storage that does not answer is not waited for."""
        self.journal.outbox.hurry()

    async def _follow_up(self, follow_up: FollowUp) -> Message | None:
        self.driver.recalled(follow_up.message)
        return await self._run(self.turn_from(follow_up.start), follow_up.start.model)

    async def _run(self, turn: Turn, model: str | None = None) -> Message | None:
        reply = await self.run(turn, model)
        if self.config[settings.CONVERSATION_AUTO_COMPACT]:
            await self._compactor.after(reply)
        return reply

    async def run(self, turn: Runnable, model: str | None = None) -> Message | None:
        """Run a turn to its end and return its last reply; ``model`` answers, where it is not
        the session's own. It is a task of its own: whoever is cancelled while waiting for it
        stops it, and what was shown is kept."""
        self._in_work = (*self._in_work, turn)
        try:
            if not await self.driver.ready():
                turn.stop()
            self._recorder = Recorder()
            with self.driver.showing(model or self.current.choice.model, turn.stop):
                await self._finish(turn)
        finally:
            self._in_work = tuple(each for each in self._in_work if each is not turn)
        self.driver.turn_over()
        if self.config[settings.CONVERSATION_AUTO_TITLE]:
            self.titles.after(turn.reply)
        return turn.reply

    async def _finish(self, turn: Runnable) -> None:
        task = asyncio.ensure_future(turn.run(self.emit))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            turn.stop()
            await asyncio.wait([task])
            raise

    def emit(self, event: TurnEvent) -> None:
        """The one channel of every turn: the trace, then whoever drives this."""
        if self._recorder:
            self._recorder.feed(event)
        self.driver.emit(event)

    def turn(self, text: str, attachments: Sequence[Attachment] = ()) -> Turn:
        """The next turn; nothing happens until it runs."""
        return self.turn_at(self.open_session.head, text, attachments)

    def turn_at(
        self, follows: str | None, text: str, attachments: Sequence[Attachment] = ()
    ) -> Turn:
        """A turn whose question follows any message of the session, or none."""
        return self.turn_from(question_start(follows, text, attachments))

    def answer_turn(self, follows: str | None, model: str | None = None) -> Turn:
        """A turn without a question: what stands at ``follows`` is answered, or gone on
        with; by ``model`` if one is named."""
        return self.turn_from(Start(follows, model=model))

    def turn_from(self, start: Start) -> Turn:
        """A turn that begins where a move leads."""
        return Turn(self.turn_services, start)

    async def _files(
        self, text: str, typed: str = "", unwanted: Sequence[str] = ()
    ) -> tuple[Attachment, ...] | None:
        """What goes with a message, but for ``unwanted`` mentions in it; None when it does not
        leave, and what was ``typed`` for it is in the input again. A disk, or a provider that
        starts, may take a while, so the user can give it up."""
        driver = self.driver
        chosen: tuple[Attachment, ...] | None = None

        async def choose() -> None:
            nonlocal chosen
            # What a program pipes in does not choose what leaves this machine.
            naming = text if driver.has_user else ""
            outgoing = await self.attachments.of(naming, pasted=[*driver.pasted, *unwanted])
            if outgoing.doubt:
                driver.notice(outgoing.doubt)
                if driver.has_user and not await driver.confirm("Send it all the same?"):
                    return
            chosen = outgoing.attachments

        try:
            await driver.finished(choose())
        finally:
            if chosen is None:
                driver.not_sent(typed or text)
        if chosen is not None:
            self.attachments.sent()
        return chosen

    # Where the conversation goes on -----------------------------------------------------

    async def undo(self, turns: int = 1) -> Sequence[Message]:
        """Step back before the last questions; the questions, the latest first."""
        return await self.moves.undo(turns)

    async def redo(self, turns: int = 1) -> Sequence[Message]:
        """Step forward again; the questions that stand again, in their order."""
        return await self.moves.redo(turns)

    async def go_to(self, message_id: str) -> None:
        """Stand on any message of the session."""
        await self.moves.go_to(message_id)

    async def fork(self, name: str, message_id: str | None = None) -> Session:
        """A new session with the path to a message (None: all of it), which is opened."""
        loop = asyncio.get_running_loop()

        def progress(done: int, count: int) -> None:
            line = f"Copied {done:,} of {count:,} messages … Ctrl-C stops, and leaves nothing."
            loop.call_soon_threadsafe(self.driver.progress, line)

        made = await self.moves.fork(name, message_id, progress)
        await self.switch(made.session_id)
        return made

    async def recover(self) -> int:
        """Write what was said here, and is not in the store any more, behind what is there
        now; how many messages that were."""
        recovered = await self.recovery.recover()
        if recovered.error:
            raise recovered.error
        return recovered.messages

    # What is sent -----------------------------------------------------------------------

    async def receipt(self) -> Receipt:
        """Of the next request, without a question."""
        return await self.requests.receipt()

    async def pin(self, message_id: str, *, pinned: bool = True) -> None:
        """Always send a message with what belongs to its turn, or no longer."""
        await self.editor.pin(message_id, pinned=pinned)

    async def remember(self, text: str) -> int:
        """Let the model remember a text in this session; how many it has by now."""
        session_id = self.open_session.id
        await self.store(lambda storage: storage.remember(session_id, text))
        await self.refresh()
        return len(self.open_session.memories)

    async def compact(self, instruction: str = "") -> Message | None:
        """Let the model sum up the older turns; the summary, or None when nothing changed."""
        return await self._compactor.compact(instruction)

    async def uncompact(self) -> None:
        """Send the originals again in place of the newest summary of the path."""
        await self._compactor.uncompact()

    @property
    def _compactor(self) -> Compactor:
        if self._compactor_made is None:
            from agno_shell.conversation.compaction.compactor import Compactor

            self._compactor_made = Compactor(self.compaction_services, self.driver, self.run)
        return self._compactor_made

    # Who answers ------------------------------------------------------------------------

    @property
    def model(self) -> str:
        """The model in use; ``offline`` when none is set up."""
        return self.current.choice.model

    @property
    def provider(self) -> Provider:
        return self.current.provider

    @property
    def agents(self) -> Mapping[str, Agent]:
        """The configured agents by name, and those made since."""
        return self.current.agents

    @property
    def address(self) -> str:
        """The server that is asked, for a user to read; empty where it is the model's own
        service."""
        return address_words(self.current.address)

    @property
    def asked_at(self) -> str:
        """As :attr:`address`, but with the address of the model's own service as well."""
        return self.address or self.current.asked_at

    async def list_models(self, *, ask: bool = True) -> ModelList:
        """The models that can be used. Only a user who wants to see them makes it right to
        ``ask`` servers for theirs."""
        current = self.current
        return await self.models.listed(current.choice, current.api_base, ask=ask)

    async def set_model(self, name: str) -> None:
        """Use a model from the next message on; the session keeps it."""
        await self.editor.set_model(name)
        self.driver.model_chosen()

    async def set_agent(self, name: str | None) -> None:
        """Use an agent from the next message on; the session keeps it."""
        await self.editor.set_agent(name)

    async def set_reasoning(self, level: Reasoning | None) -> None:
        """How much the model is to think in this session; None: as configured."""
        await self.editor.update(reasoning=level)

    # What happened ----------------------------------------------------------------------

    @property
    def last_turn(self) -> Step | None:
        """The trace of the turn in work, or of the last one; None before the first."""
        return self._recorder.step if self._recorder else None

    @property
    def last_replies(self) -> Sequence[Message]:
        """The replies of that turn, as they were stored."""
        return self._recorder.replies if self._recorder else ()

    @property
    def run_figures(self) -> Figures:
        """What was used since the program started."""
        return self.ledger.run

    async def figures(self) -> Figures:
        """The sums over every reply of every branch of the session."""
        return await self.budget.spent(self.open_session.id)

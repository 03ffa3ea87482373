"""One question and its reply.

1 save the user's message · 2 choose what is sent · 3 let plugins look · 4 stream ·
5 save the reply with its state · 6 answer the tools that it asks for, and go on at 2. It
knows no terminal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from agno_shell.conversation.answerer import Answerer
from agno_shell.conversation.journal import Journal
from agno_shell.conversation.models import CurrentModel
from agno_shell.conversation.open_session import OpenSession
from agno_shell.conversation.reply import Reply
from agno_shell.conversation.request.rules import verdict
from agno_shell.conversation.session_editor import SessionEditor
from agno_shell.conversation.stopping import Stop
from agno_shell.conversation.tools.calls import ToolCalls
from agno_shell.conversation.tree.branches import Start, is_bare
from agno_shell.events import Emit, Interrupted
from agno_shell.types import Message, Session


class TurnServices(NamedTuple):
    """What every turn of an engine works with."""

    session: OpenSession
    current: CurrentModel
    journal: Journal
    editor: SessionEditor
    answering: Answerer
    tool_calls: ToolCalls
    finished: Callable[[Session, Message], object]
    """Called with the last reply when a turn is over."""


class Turn:
    """One turn of a conversation: :meth:`run` it once, stop it any time."""

    def __init__(self, services: TurnServices, start: Start) -> None:
        self._services = services
        self._start = start
        self._stop = Stop()
        self.reply: Message | None = None
        """The last reply as it was stored, once the turn is over."""

    def stop(self) -> None:
        """Stop the reply; the turn goes on to its end and what was shown is kept."""
        self._stop.set()

    async def run(self, emit: Emit) -> Message | None:
        """The last reply; what happens meanwhile goes to ``emit``: see
        :data:`~agno_shell.events.TurnEvent`."""
        session, current, journal, editor, answering, tool_calls, finished = self._services
        start, stop = self._start, self._stop
        stood_at, was_answered = session.head, self._was_answered()
        await session.path.checkout(start.follows)
        if start.question:
            emit(await journal.add(start.question))
        choices = current.choices(start.model)
        for is_last in tool_calls.rounds():
            reply = Reply(session.head, choices[0])
            self.reply = await answering.answer(reply, choices, emit, stop)
            if not self.reply.tool_calls:
                break
            # The one that has answered goes on; a model that was down is not waited for again.
            choices = choices[choices.index(reply.choice) :]
            has_ended = await tool_calls.answer(self.reply, emit, stop, is_last=is_last)
            if stop.is_set:
                if not has_ended:  # it was stopped while the last result was saved
                    emit(Interrupted())
                break
        if self._is_nothing(was_answered):
            # Nothing has come of asking again: what was answered before still stands.
            await editor.stand_again(stood_at)
        if self.reply:
            finished(session.record, self.reply)
        return self.reply

    def _is_nothing(self, was_answered: bool) -> bool:
        """Whether nothing came of asking again that is to stand on the path."""
        start, reply = self._start, self.reply
        if reply is None or start.question or reply.parent != start.follows:
            return False
        # Where nothing was answered before, a refusal is to be known of on this path.
        is_news = bool(verdict(reply)) and not was_answered
        return reply.status != "complete" and is_bare(reply) and not is_news

    def _was_answered(self) -> bool:
        """Whether there is an answer on the path to what is to be answered once more."""
        for message in reversed(self._services.session.history):
            if message.id == self._start.follows:
                return False
            if verdict(message) is False:
                return True
        return False


class Runnable(Protocol):
    """A turn, or what is shown like one."""

    @property
    def reply(self) -> Message | None: ...

    @property
    def stop(self) -> Callable[[], object]: ...

    async def run(self, emit: Emit) -> Message | None: ...

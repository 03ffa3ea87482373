"""One question and its reply, as a stream of events.

1 save the person's message · 2 choose what is sent · 3 let plugins look · 4 stream ·
5 save the reply with its state · 6 answer the tools that it asks for, and go on at 2. It
knows no terminal.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple

from agno_shell.contracts import Tool
from agno_shell.conversation.asking import Asking
from agno_shell.conversation.models import Choice
from agno_shell.conversation.reply import Reply
from agno_shell.conversation.request.refusals import advised, verdict
from agno_shell.conversation.stopping import Stop, StoppedError
from agno_shell.conversation.tools.tool_registry import Answer, stopped
from agno_shell.conversation.tree.branches import is_bare
from agno_shell.conversation.turn_log import logged
from agno_shell.errors import StorageError
from agno_shell.events import (
    Ending,
    Failed,
    Finished,
    Interrupted,
    MessageSaved,
    NotSaved,
    RequestPrepared,
    ToolFinished,
    ToolStarted,
    TurnEvent,
)
from agno_shell.types import Message, ToolCall, new_id, now

if TYPE_CHECKING:
    from agno_shell.conversation.conversation import Conversation


class Start(NamedTuple):
    """Where a turn begins."""

    follows: str | None
    """The message that the question, or without one the reply, follows; None: the root."""
    question: Message | None = None
    """What the person says; None: what is there already is answered, or gone on with."""
    model: str | None = None
    """Answers this time, in place of the session's."""


class Turn:
    """One turn of a conversation: iterate :meth:`events` to the end, stop it any time."""

    def __init__(self, conversation: Conversation, start: Start) -> None:
        self._conversation = conversation
        self._start = start
        self._stop = Stop()
        self._has_ended = False
        """Whether the ending was told before the last result of a tool was saved."""
        self.reply: Message | None = None
        """The last reply as it was stored, once the turn is over."""

    def stop(self) -> None:
        """Stop the reply; the events go on to their end and what was shown is kept."""
        self._stop.set()

    async def events(self) -> AsyncGenerator[TurnEvent, None]:
        """The turn: see :data:`~agno_shell.events.TurnEvent`."""
        conversation = self._conversation
        stood_at, was_answered = conversation.head(), self._was_answered()
        await conversation.checkout(self._start.follows)
        question = self._start.question
        if question:
            yield await conversation.add(question)
        choices = conversation.choices(self._start.model)
        for round_ in range(1, conversation.tool_rounds + 1):
            reply = Reply(conversation.head(), choices[0])
            async with aclosing(self._answer(reply, choices)) as events:
                async for event in events:
                    yield event
            stored = self.reply
            if stored is None or not stored.tool_calls:
                break
            # Who has answered goes on; a model that was down is not waited for again.
            choices = choices[choices.index(reply.choice) :]
            is_last = round_ == conversation.tool_rounds
            async with aclosing(logged(self._use_tools(stored, is_last=is_last))) as events:
                async for event in events:
                    yield event
            if self._stop.is_set:
                if not self._has_ended:  # it was stopped while the last result was saved
                    yield Interrupted()
                break
        if self.reply:
            is_first = self.reply.parent == self._start.follows
            is_nothing = self.reply.status != "complete" and is_bare(self.reply)
            # Where nothing was answered before, a refusal is to be known of on this path.
            is_news = bool(verdict(self.reply)) and not was_answered
            if question is None and is_first and is_nothing and not is_news:
                # Nothing has come of asking again: what was answered before still stands.
                await conversation.stand_again(stood_at)
            conversation.plugins.turn_finished(conversation.session, self.reply)

    def _was_answered(self) -> bool:
        """Whether there is an answer on the path to what is to be answered once more."""
        for message in reversed(self._conversation.history):
            if message.id == self._start.follows:
                return False
            if verdict(message) is False:
                return True
        return False

    # The model --------------------------------------------------------------------------

    async def _answer(
        self, reply: Reply, choices: tuple[Choice, ...]
    ) -> AsyncGenerator[TurnEvent, None]:
        """One reply, saved."""
        conversation = self._conversation
        keeping = conversation.keeping(reply)

        def begun(choice: Choice, prepared: RequestPrepared) -> None:
            reply.begin(choice)
            conversation.plugins.turn_started(conversation.session, prepared.request)

        asking = Asking(
            choices,
            conversation.models.provider,
            self._prepare,
            begun,
            conversation.retry_policy,
            self._stop,
            keeping.take,
        )
        ending: Ending = Interrupted()
        try:
            async with aclosing(asking.events()) as events:
                async for event in events:
                    if isinstance(event, Finished | Failed | Interrupted):
                        ending = self._advised(reply.judge(event))
                        break
                    for each in keeping.in_order.passed_on(event):
                        yield each
            if not reply.tool_calls(ending):
                yield ending
        finally:
            # Also when whoever reads the events fails: what was shown is kept.
            keeping.end()
            await keeping.save_ended()
            self.reply = reply.finish(ending)
            saved = await conversation.add(self.reply)
        for each in (*keeping.saved, saved):
            yield each

    def _advised(self, ending: Ending) -> Ending:
        path = self._conversation.history
        return advised(ending, path) if isinstance(ending, Failed) else ending

    async def _prepare(self, choice: Choice) -> RequestPrepared:
        """The next request, if the session may still cost what it costs."""
        prepared = await self._conversation.requests.prepare(choice)
        await self._conversation.budget.check(choice, prepared)
        return prepared

    # The tools --------------------------------------------------------------------------

    async def _use_tools(self, reply: Message, *, is_last: bool) -> AsyncGenerator[TurnEvent, None]:
        """A result for each call of a reply, whatever happens: one without would make every
        later request invalid."""
        waiting = list(reply.tool_calls)
        try:
            while waiting:
                call = waiting[0]
                answer = stopped(call)
                try:
                    decided = await self._stop.guard(self._decide(call))
                    if isinstance(decided, Answer):
                        answer = decided
                    else:
                        yield ToolStarted(call)
                        running = self._conversation.tool_registry.run(decided, call)
                        answer = await self._stop.guard(running)
                except StoppedError:
                    pass
                result = self._result(call, answer)
                waiting.pop(0)
                saved = await self._conversation.add(result)
                yield ToolFinished(call, result)
                if not waiting and (ending := self._end_of_round(is_last)):
                    self._has_ended = True
                    yield ending
                yield saved
        finally:
            for call in waiting:
                await self._conversation.add(self._result(call, stopped(call)))

    async def _decide(self, call: ToolCall) -> Tool | Answer:
        return await self._conversation.tool_registry.decide(
            call, self._conversation.session.session_id
        )

    def _result(self, call: ToolCall, answer: Answer) -> Message:
        return Message(
            new_id(),
            "tool",
            answer.content,
            now(),
            parent=self._conversation.head(),
            status=answer.status,
            tool_call_id=call.id,
        )

    def _end_of_round(self, is_last: bool) -> Ending | None:
        """How the turn ends after the results of its tools, if it does."""
        if self._stop.is_set:
            return Interrupted()
        if is_last:
            rounds = self._conversation.tool_rounds
            return Failed(
                "other",
                f"The model has called tools {rounds} times in this turn.",
                "/continue lets it go on; [tools] rounds in the config file allows more.",
            )
        return None


def saved_or_not(message: Message, error: StorageError | None) -> MessageSaved | NotSaved:
    """The event that tells whether a message is on disk."""
    if error is None:
        return MessageSaved(message)
    said = error.sentence().removeprefix("Nothing was saved: ")
    return NotSaved(message, said if "not saved" in said else f"The message was not saved: {said}")

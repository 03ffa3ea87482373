"""The calls of a reply, answered one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from agno_shell.contracts import Tool
from agno_shell.conversation.journal import Journal
from agno_shell.conversation.open_session import OpenSession
from agno_shell.conversation.stopping import Stop, StoppedError
from agno_shell.conversation.tools.tool_registry import Answer, ToolRegistry, stopped
from agno_shell.conversation.turn_log import TurnLog
from agno_shell.events import Emit, Ending, Failed, Interrupted, ToolFinished, ToolStarted
from agno_shell.types import Message, ToolCall, new_id, now


class ToolCalls:
    """Runs what a model asks for; ``most`` is how many times it may do so in one turn."""

    def __init__(
        self, session: OpenSession, journal: Journal, registry: ToolRegistry, most: int
    ) -> None:
        self._session = session
        self._journal = journal
        self._registry = registry
        self._most = most

    def rounds(self) -> Iterator[bool]:
        """One value for each reply that a turn may have: whether it is the last one."""
        return (number == self._most for number in range(1, self._most + 1))

    async def answer(self, reply: Message, emit: Emit, stop: Stop, *, is_last: bool) -> bool:
        """A result for each call of a reply, whatever happens: one without would make every
        later request invalid. Returns whether the turn has ended with them."""
        emit = TurnLog().before(emit)
        waiting, has_ended = list(reply.tool_calls), False
        try:
            while waiting:
                call = waiting[0]
                result = self._result(call, await self._answer(call, emit, stop))
                waiting.pop(0)
                saved = await self._journal.add(result)
                emit(ToolFinished(call, result))
                if not waiting and (ending := self._end_of_round(stop, is_last)):
                    has_ended = True
                    emit(ending)
                emit(saved)
        finally:
            for call in waiting:
                await self._journal.add(self._result(call, stopped(call)))
        return has_ended

    async def _answer(self, call: ToolCall, emit: Emit, stop: Stop) -> Answer:
        try:
            decided: Tool | Answer = await stop.guard(self._registry.decide(call, self._session.id))
            if isinstance(decided, Answer):
                return decided
            emit(ToolStarted(call))
            return await stop.guard(self._registry.run(decided, call))
        except StoppedError:
            return stopped(call)

    def _result(self, call: ToolCall, answer: Answer) -> Message:
        return Message(
            new_id(),
            "tool",
            answer.content,
            now(),
            parent=self._session.head,
            status=answer.status,
            tool_call_id=call.id,
        )

    def _end_of_round(self, stop: Stop, is_last: bool) -> Ending | None:
        """How the turn ends after the results of its tools, if it does."""
        if stop.is_set:
            return Interrupted()
        if is_last:
            return Failed(
                "other",
                f"The model has called tools {self._most} times in this turn.",
                "/continue lets it go on; [tools] rounds in the config file allows more.",
            )
        return None

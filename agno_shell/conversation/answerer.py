"""One reply of a turn: asked for, kept while it grows, saved with its state."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agno_shell.contracts import Provider
from agno_shell.conversation.attempts import Attempts, Prepare, RetryPolicy
from agno_shell.conversation.journal import Journal
from agno_shell.conversation.models import Choice
from agno_shell.conversation.open_session import OpenSession
from agno_shell.conversation.reply import Reply
from agno_shell.conversation.reply_writer import ReplyWriter
from agno_shell.conversation.request.rules import advised
from agno_shell.conversation.stopping import Stop
from agno_shell.conversation.store import StoreThread
from agno_shell.events import Emit, Ending, Failed, Interrupted, RequestPrepared, TurnEvent
from agno_shell.types import Message


class Answerer:
    """Gets replies for the open session.

    ``prepare`` makes the request for a choice, ``begun`` is called for each one that leaves,
    ``report`` gets a sentence when a reply is not kept while it grows.
    """

    def __init__(
        self,
        session: OpenSession,
        journal: Journal,
        store: StoreThread,
        provider: Callable[[Choice], Provider],
        policy: RetryPolicy,
        prepare: Prepare,
        begun: Callable[[RequestPrepared], object],
        report: Callable[[str], object],
    ) -> None:
        self._session = session
        self._journal = journal
        self._store = store
        self._provider = provider
        self._policy = policy
        self._prepare = prepare
        self._begun = begun
        self._report = report
        self._is_unkept = False
        """Whether it was reported that what is shown of replies is not kept for now."""

    async def answer(
        self, reply: Reply, choices: Sequence[Choice], emit: Emit, stop: Stop
    ) -> Message:
        """The reply as it was stored, or was to be. Its ending is emitted unless it asks for
        tools, which go on with the turn."""
        add = self._journal.add
        keeping = ReplyWriter(self._store, self._session.id, reply, self._report_kept, add)

        def begin(choice: Choice, prepared: RequestPrepared) -> None:
            reply.begin(choice)
            self._begun(prepared)

        def pass_on(event: TurnEvent) -> None:
            for each in keeping.in_order.passed_on(event):
                emit(each)

        ending: Ending = Interrupted()
        asking = Attempts(
            choices, self._provider, self._prepare, begin, self._policy, stop, keeping.take
        )
        try:
            ending = self._judged(reply, await asking.run(pass_on))
            if not reply.tool_calls(ending):
                emit(ending)
        finally:
            # Also when whoever gets the events fails: what was shown is kept.
            keeping.end()
            await keeping.save_ended()
            stored = reply.finish(ending)
            saved = await add(stored)
        for each in (*keeping.saved, saved):
            emit(each)
        return stored

    def _judged(self, reply: Reply, ending: Ending) -> Ending:
        ending = reply.judge(ending)
        return advised(ending, self._session.history) if isinstance(ending, Failed) else ending

    def _report_kept(self, problem: str | None) -> None:
        if problem and not self._is_unkept:
            self._report(problem)
        self._is_unkept = problem is not None

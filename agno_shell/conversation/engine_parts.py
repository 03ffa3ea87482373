"""What an engine is made of: each part gets the few others that it needs, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from agno_shell.config import settings
from agno_shell.conversation.accounts.budget import Budget
from agno_shell.conversation.accounts.figures import Ledger
from agno_shell.conversation.answerer import Answerer
from agno_shell.conversation.attempts import RetryPolicy
from agno_shell.conversation.driver import Driver
from agno_shell.conversation.files.attachments import Attachments
from agno_shell.conversation.journal import Journal
from agno_shell.conversation.models import Choice, CurrentModel, Models
from agno_shell.conversation.open_session import OpenSession
from agno_shell.conversation.reading import PathReader
from agno_shell.conversation.recovery import Recovery
from agno_shell.conversation.session_editor import SessionEditor
from agno_shell.conversation.store import StoreThread
from agno_shell.conversation.tools.calls import ToolCalls
from agno_shell.conversation.tools.tool_registry import ToolRegistry
from agno_shell.conversation.tree.moves import Moves
from agno_shell.conversation.tree.numbered import MessageReader
from agno_shell.conversation.turn import TurnServices
from agno_shell.conversation.watch import Watch
from agno_shell.events import RequestPrepared
from agno_shell.types import NOTHING

if TYPE_CHECKING:
    from agno_shell.config import Config
    from agno_shell.conversation.compaction.compaction import CompactionServices
    from agno_shell.conversation.request.requests import Requests
    from agno_shell.conversation.titles import Titles
    from agno_shell.plugins.manager import Plugins


class EngineParts:
    """Makes the parts. ``facts`` are what a model is told of where it runs; ``wait`` waits
    between tries."""

    def __init__(
        self,
        store: StoreThread,
        models: Models,
        plugins: Plugins,
        config: Config,
        *,
        tool_registry: ToolRegistry,
        reader: StoreThread | None = None,
        facts: Mapping[str, Any] = NOTHING,
        wait: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep,
    ) -> None:
        self.store = store
        self.reader = reader or store
        """For what may take long: a second handle, which nothing that is saved waits for."""
        self.models = models
        self.plugins = plugins
        self.config = config
        self.tools = tool_registry
        self._facts = facts
        self.driver = Driver()
        """Who drives it; set once, before a session is opened."""
        self.policy = RetryPolicy.of(config, wait)
        self.open_session = session = OpenSession()
        self.current = CurrentModel(session, models, config)
        self.ledger = Ledger()
        """What was used since the program started."""
        self.journal = Journal(session, store, self.ledger, plugins.message_saved)
        self.editor = SessionEditor(session, self.current, store, self._report)
        self.messages = MessageReader(session, self.reader, self.journal.outbox)
        self.recovery = Recovery(session, store, self.journal, self.ledger, self.editor)
        most_bytes = config[settings.CONVERSATION_ATTACHMENT_BYTES]
        self.attachments = Attachments(session, self.current, store, most_bytes, self._notice)
        limit = config[settings.PROVIDER_MAX_COST_PER_SESSION]
        self.budget = Budget(session, self.reader, self.ledger, models, limit, self._may_spend)
        self.path_reader = PathReader(session, store, self.journal.outbox)
        self.moves = Moves(session, self.journal, self.editor, self.messages, self.reader)
        tool_registry.approve = lambda call, tool: self.driver.approve(call, tool)

    @cached_property
    def watch(self) -> Watch:
        """Looks at the open session, for changes that are made elsewhere."""
        return Watch(self.open_session, self.store, self.journal, self.recovery)

    @property
    def requests(self) -> Requests:
        """What makes the requests of the open session."""
        if self._requests is None:
            # Nothing before the first question needs it.
            from agno_shell.conversation.request.contents import Contents
            from agno_shell.conversation.request.requests import Requests

            self._requests = Requests(
                self.open_session,
                self.current,
                self.messages,
                Contents(self.open_session, self.reader, self._report),
                self.tools,
                self.plugins,
                self._facts,
            )
        return self._requests

    _requests: Requests | None = None
    """Those of the open session; of another one nothing is kept."""

    @cached_property
    def turn_services(self) -> TurnServices:
        rounds = self.config[settings.TOOLS_ROUNDS]
        return TurnServices(
            self.open_session,
            self.current,
            self.journal,
            self.editor,
            Answerer(
                self.open_session,
                self.journal,
                self.store,
                self.models.provider,
                self.policy,
                self._prepare,
                self._begun,
                self._report,
            ),
            ToolCalls(self.open_session, self.journal, self.tools, rounds),
            self.plugins.turn_finished,
        )

    @property
    def compaction_services(self) -> CompactionServices:
        # Most runs of the program sum up nothing.
        from agno_shell.conversation.compaction.compaction import CompactionServices

        return CompactionServices(
            self.open_session,
            self.current,
            self.messages,
            self.requests,
            self.budget,
            self.ledger,
            self.journal,
            self.editor,
            self.policy,
        )

    @cached_property
    def titles(self) -> Titles:
        """What asks for the names of sessions that were given none."""
        from agno_shell.conversation.titles import Titles

        return Titles(
            self.open_session,
            self.current,
            self.store,
            self.budget,
            self.ledger,
            self.plugins,
            self.policy.limits,
            model=self.config[settings.CONVERSATION_TITLE_MODEL],
            named=lambda: self.driver.renamed(),
        )

    async def close(self) -> None:
        """Give up what is done behind the user's back."""
        if "titles" in vars(self):
            await self.titles.close()

    async def _prepare(self, choice: Choice) -> RequestPrepared:
        """The next request, if the session may still cost what it costs."""
        prepared = await self.requests.prepare(choice)
        await self.budget.check(choice, prepared)
        return prepared

    def _begun(self, prepared: RequestPrepared) -> None:
        self.plugins.turn_started(self.open_session.record, prepared.request)

    # The driver, and where reports go, are set after the parts are made.

    def _report(self, sentence: str) -> None:
        self.plugins.report(sentence)

    def _notice(self, text: str) -> None:
        self.driver.notice(text)

    async def _may_spend(self, question: str) -> bool:
        return await self.driver.may_spend(question)

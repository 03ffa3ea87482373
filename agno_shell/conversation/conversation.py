"""The open session: its messages, its model and agent, and its turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from agno_shell.base.program_log import note
from agno_shell.config import settings
from agno_shell.contracts import Address, Provider, Storage
from agno_shell.conversation.accounts.budget import Budget
from agno_shell.conversation.accounts.figures import Ledger
from agno_shell.conversation.asking import RetryPolicy
from agno_shell.conversation.keeping import Keeping
from agno_shell.conversation.models import Choice, Models, configured_reasoning
from agno_shell.conversation.outbox import Outbox
from agno_shell.conversation.path import Path, read_end
from agno_shell.conversation.reading import Reading
from agno_shell.conversation.recovery import Recovery
from agno_shell.conversation.store import StoreThread
from agno_shell.conversation.tools.tool_registry import ToolRegistry
from agno_shell.conversation.tree import branches
from agno_shell.conversation.tree.numbered import Numbered
from agno_shell.conversation.turn import Start, Turn, saved_or_not
from agno_shell.conversation.watch import Missing, find_missing, unsaved
from agno_shell.errors import SessionNotFoundError, StorageError, UsageError
from agno_shell.events import MessageSaved, NotSaved
from agno_shell.types import (
    NOTHING,
    ROOT,
    Attachment,
    Memory,
    Message,
    Reasoning,
    Session,
    new_id,
    now,
)

if TYPE_CHECKING:
    from agno_shell.config import Agent, Config
    from agno_shell.conversation.reply import Reply
    from agno_shell.conversation.request.requests import Requests
    from agno_shell.plugins.manager import Plugins

CHOSEN_HERE = frozenset(("model", "api_base", "agent", "reasoning"))
"""What a running shell keeps of its session, whatever another one chooses: its words must
not go to another place unasked."""


class Conversation:
    """A session that is open, and everything needed to go on with it."""

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
        """For what may take long: a second handle, which nothing that is said waits for."""
        self.models = models
        self.plugins = plugins
        self.config = config
        self.facts = facts
        self.tool_registry = tool_registry
        self.tool_rounds = config[settings.TOOLS_ROUNDS]
        self.retry_policy = RetryPolicy.of(config, wait)
        self.agents = dict(config.agents)
        """The configured agents by name, and those made since."""
        self.ledger = Ledger()
        """What was used since the shell started."""
        self._session: Session | None = None
        self.reading = Reading(self)
        self.path = Path(self.reading.end, self.reading.end_at)
        self.memories: Sequence[Memory] = ()
        """What the model is to remember in the open session."""
        self._requests: Requests | None = None
        self._is_unkept = False
        """Whether it was said that what is shown of replies is not kept for now."""
        self.outbox = Outbox(store, self._saved, self._renamed)
        self.missing: Missing | None = None
        """Where the open session is, if it was deleted elsewhere."""
        self.elsewhere = 0
        """Messages that were added to open sessions elsewhere, since the shell started."""
        self.budget = Budget(self)
        self.numbered = Numbered(self)
        self.recovery = Recovery(self)

    # What is open -----------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether a session is open yet."""
        return self._session is not None

    @property
    def session(self) -> Session:
        if self._session is None:
            raise UsageError("No session is open.", hint="/new makes one.")
        return self._session

    @property
    def history(self) -> Sequence[Message]:
        """The newest messages of the path to the head, oldest first."""
        return self.path.messages

    @property
    def unsaved(self) -> Sequence[Message]:
        """Messages that could not be written yet; they are tried again with the next."""
        return self.outbox.refused()

    @property
    def unsaved_here(self) -> Sequence[Message]:
        """Those of the open session."""
        return self.outbox.refused(self.session.session_id)

    @property
    def unsaved_elsewhere(self) -> Sequence[str]:
        """The ids of the other sessions that have some."""
        refused = (each for each in self.outbox.sessions() if self.outbox.refused(each))
        return [each for each in refused if each != self.session.session_id]

    @property
    def agent(self) -> Agent | None:
        """The session's agent, if the configuration (still) has it."""
        return self.agents.get(self.session.agent) if self.session.agent else None

    @property
    def choice(self) -> Choice:
        """The model and provider in use: the session's, else the agent's, else the default."""
        agent = self.agent
        model = self.session.model or (agent.model if agent else None)
        return self.models.choose(model, self.api_base)

    @property
    def api_base(self) -> str | None:
        """The server in use: the session's own, else the configured one, else the one that
        the model's name implies."""
        return self.session.api_base or self.config[settings.PROVIDER_API_BASE] or None

    @property
    def address(self) -> Address | None:
        """Where the model in use is asked, if not at the address of its own service."""
        return self.models.address(self.choice, self.api_base)

    @property
    def provider(self) -> Provider:
        return self.models.provider(self.choice)

    def choices(self, model: str | None = None) -> tuple[Choice, ...]:
        """Who is asked, one after the other while each is down; only ``model`` where one is
        named, because that one is wanted and no other."""
        if model is not None:
            return (self.models.choose(model, self.api_base),)
        own = self.agent.fallbacks if self.agent else ()
        others = (*own, *self.config[settings.PROVIDER_FALLBACKS])
        return self.models.in_turn(self.choice, others, self.api_base)

    @property
    def reasoning(self) -> Reasoning | None:
        """How much the model is to think: as the session says, else its agent, else the
        configuration; None: as the model does by itself."""
        agent = self.agent
        chosen = self.session.reasoning or (agent.reasoning if agent else None)
        return chosen or configured_reasoning(self.config)

    def head(self) -> str | None:
        """The id of the message that the next one follows."""
        return self.path.head

    # Opening and changing ---------------------------------------------------------------

    async def open(self, session_id: str) -> Session:
        """Open a session, also the open one as it is by now, and make it the current one."""
        session, history = await self.store(lambda storage: read_end(storage, session_id))
        path = Path(self.reading.end, self.reading.end_at)
        path.set(history)
        if unsaved := self.outbox.waiting(session_id):
            # What could not be written is still said; the head may have moved on since.
            await path.stand_before(unsaved[0].parent, partial(self.reading.saved_end, session_id))
            for message in unsaved:
                path.append(message)
        memories = await self._memories_of(session_id)
        # All of it at once: Ctrl-C in between would mix two sessions.
        self._session, self.path, self.memories = session, path, memories
        self._requests = None
        self.missing = None
        self.recovery.forget()
        if unsaved:
            await self.outbox.send(session_id)
        # "Last used" is a convenience: a full or read-only disk still opens every session.
        try:
            if await self.store(lambda storage: storage.current()) != session_id:
                await self.store(lambda storage: storage.set_current(session_id))
        except StorageError as error:
            self.plugins.report(error.sentence())
        note(__name__, "session opened", messages=session.message_count, waiting=len(unsaved))
        self.plugins.session_opened(self.session)
        self.budget.begin(session_id)
        return self.session

    async def place(self, message_id: str) -> branches.Place | None:
        """Where a message of the open session stands; None when there is no such message."""
        if place := branches.on_path(self.history, message_id):
            return place
        session_id = self.session.session_id
        return await self.reader(lambda storage: branches.around(storage, session_id, message_id))

    async def create(self, name: str, description: str = "") -> Session:
        """Make a session and open it."""
        made = await self.store(lambda storage: storage.create(name, description))
        return await self.open(made.session_id)

    async def refresh(self) -> None:
        """Read the open session's record, and what it remembers, again."""
        session_id = self.session.session_id
        self._take(await self.store(lambda storage: storage.open(session_id)), changed=CHOSEN_HERE)
        self.memories = await self._memories_of(session_id)

    async def _memories_of(self, session_id: str) -> Sequence[Memory]:
        # What cannot be read is said, and keeps nobody from the conversation.
        try:
            return await self.store(lambda storage: storage.memories(session_id))
        except StorageError as error:
            self.plugins.report(error.sentence())
            return ()

    def saw(self, session: Session, memories: Sequence[Memory] | None = None) -> None:
        """The open session's record and what it remembers, as a look at it has shown them;
        None: that was not looked at, or could not be read."""
        self._take(session)
        if memories is not None:
            self.memories = memories

    def _take(self, session: Session, *, own: int = 0, changed: Collection[str] = ()) -> None:
        """Go on with the record as it is now. Of the messages that it has more than before,
        ``own`` are this shell's; what was not ``changed`` here stays as it was chosen."""
        before = self.session
        self.elsewhere += max(0, session.message_count - before.message_count - own)
        kept = {key: getattr(before, key) for key in CHOSEN_HERE if key not in changed}
        self._session = session._replace(**kept)

    async def set_model(self, name: str) -> None:
        """Use a model from the next message on; the session remembers it. Empty: as
        configured."""
        await self.update(model=name or None)

    async def set_agent(self, name: str | None) -> None:
        """Use an agent from the next message on; the session remembers it. An agent with
        a model of its own takes the place of one that was chosen before."""
        if name is not None and name not in self.agents:
            known = ", ".join(sorted(self.agents)) or "none"
            raise UsageError(
                f"There is no agent called {name!r}.",
                hint=f"Configured agents: {known}; add [agents.{name}] to the configuration.",
            )
        if name is not None and self.agents[name].model:
            await self.update(agent=name, model=None)
        else:
            await self.update(agent=name)

    async def update(self, **changes: Any) -> None:
        """Change fields of the open session: see :meth:`Storage.update`."""
        session_id = self.session.session_id
        session = await self.store(lambda storage: storage.update(session_id, **changes))
        self._take(session, changed=changes.keys())

    async def pin_anew(self, change: Callable[[Sequence[str]], Sequence[str]]) -> None:
        """Pin what ``change`` makes of what is pinned by now, perhaps by another shell."""
        session_id = self.session.session_id

        def pin(storage: Storage) -> Session:
            return storage.update(session_id, pinned=change(storage.open(session_id).pinned))

        self._take(await self.store(pin), changed=("pinned",))

    # The tree ---------------------------------------------------------------------------

    async def tree(self, through: StoreThread | None = None) -> list[Message]:
        """Every message of every branch: see :meth:`Reading.tree`. It is read ``through`` the
        reader where nothing that is said is to wait for it."""
        return await self.reading.tree(through or self.store)

    async def whole_path(self) -> list[Message]:
        """The path from the root to where this shell stands, also what is not saved yet."""
        return await self.numbered.part(0, await self.numbered.length())

    async def checkout(self, message_id: str | None) -> None:
        """Go on from a message, in this shell; the storage knows of it with the next message
        that is said. None: from before the first."""
        await self.path.checkout(message_id)

    async def return_to(self, message_id: str | None) -> None:
        """Stand on a message, in this shell and in the storage; None: before the first."""
        await self.update(head=message_id or ROOT)
        await self.path.follow(message_id)

    async def stand_again(self, message_id: str | None) -> None:
        """Stand where the conversation stood before nothing came of a turn; in this shell
        alone, if the storage cannot be told: it is told with the next message."""
        with suppress(StorageError):
            await self.update(head=message_id or ROOT)
        await self.path.follow(message_id)

    # Turns ------------------------------------------------------------------------------

    def turn(self, text: str, attachments: Sequence[Attachment] = ()) -> Turn:
        """The next turn; nothing happens until its events are read."""
        return self.turn_at(self.head(), text, attachments)

    def turn_at(
        self, follows: str | None, text: str, attachments: Sequence[Attachment] = ()
    ) -> Turn:
        """A turn whose question follows any message of the session, or none."""
        question = Message(
            new_id(), "user", text, now(), parent=follows, attachments=tuple(attachments), extra={}
        )
        return Turn(self, Start(follows, question))

    def answer_turn(self, follows: str | None, model: str | None = None) -> Turn:
        """A turn without a question: what stands at ``follows`` is answered, or gone on
        with; by ``model`` if one is named."""
        return Turn(self, Start(follows, model=model))

    @property
    def requests(self) -> Requests:
        """What makes the requests of the open session."""
        if self._requests is None:
            # Nothing before the first question needs it.
            from agno_shell.conversation.request.requests import Requests

            self._requests = Requests(self)
        return self._requests

    async def add(self, message: Message) -> MessageSaved | NotSaved:
        """Put a message at the end, in memory always, on disk if it can be written."""
        self.path.append(message)
        self.ledger.add(self.session.session_id, message)
        error = await self.outbox.put(self.session.session_id, message)
        if isinstance(error, SessionNotFoundError):
            # If the trash cannot be read, the first error says enough.
            with suppress(StorageError):
                missing = await self.find_missing()
                error = unsaved(missing, self.session) if missing else await self.save_here()
        return saved_or_not(message, error)

    async def find_missing(self) -> Missing | None:
        """Where the open session is after it was not found: see :attr:`missing`."""
        session_id = self.session.session_id
        self.missing = await self.store(lambda storage: find_missing(storage, session_id))
        return self.missing

    async def save_here(self) -> StorageError | None:
        """Try once more to write what is not on disk yet of the open session."""
        return await self.outbox.send(self.session.session_id)

    async def save_again(self) -> None:
        """Try once more to write what is not on disk yet, of every session."""
        for session_id in self.outbox.sessions():
            await self.outbox.send(session_id)

    def hurry(self) -> None:
        """The person wants to go on: a storage that does not answer is not waited for."""
        self.outbox.hurry()

    def _saved(self, session: Session, message: Message) -> None:
        if self._session and self._session.session_id == session.session_id:
            self.recovery.saved(self._session, session)
            self._take(session, own=1)
        self.plugins.message_saved(session, message)

    def _renamed(self, session_id: str, ids: Mapping[str, str]) -> None:
        self.ledger.rename(session_id, ids)
        if self._session and self._session.session_id == session_id:
            self.path.rename(ids)
            # The beginnings of these messages were said here, and by nobody else.
            self.elsewhere -= len(ids)

    def keeping(self, reply: Reply) -> Keeping:
        """Keeps a reply of the open session while it grows."""
        return Keeping(self.store, self.session.session_id, reply, self._tell_kept, self.add)

    def _tell_kept(self, problem: str | None) -> None:
        if problem and not self._is_unkept:
            self.plugins.report(problem)
        self._is_unkept = problem is not None

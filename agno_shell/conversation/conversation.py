"""The open session: its messages, its model and agent, and its turns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from agno_shell.contracts import Provider, Storage
from agno_shell.conversation import branches
from agno_shell.conversation.context import (
    build_request,
    reply_reserve,
    select,
    system_message,
)
from agno_shell.conversation.models import Choice, Models
from agno_shell.conversation.outbox import Outbox, with_ids
from agno_shell.conversation.store import StoreThread
from agno_shell.conversation.turn import Turn, saved_or_not
from agno_shell.conversation.watch import Missing, find_missing
from agno_shell.errors import SessionNotFoundError, StorageError, UsageError
from agno_shell.events import MessageSaved, NotSaved, Request
from agno_shell.types import NOTHING, Message, Session

if TYPE_CHECKING:
    from agno_shell.config import Agent, Config
    from agno_shell.plugins import Plugins

FIRST_LOAD = 200
"""Messages that are read when a session is opened; more only if the window takes more."""

BYTES_PER_TOKEN = 8
"""More than any text needs on the average, so that a full window is surely filled."""

CHOSEN_HERE = frozenset(("model", "api_base", "agent"))
"""What a running shell keeps of its session, whatever another one chooses: its words must
not go to another place unasked."""

LOADS = 3
"""How often a session is read again that changes while it is read."""


class Conversation:
    """A session that is open, and everything needed to go on with it."""

    def __init__(
        self,
        store: StoreThread,
        models: Models,
        plugins: Plugins,
        config: Config,
        *,
        reader: StoreThread | None = None,
        facts: Mapping[str, Any] = NOTHING,
        api_base: str | None = None,
        default_window: int,
    ) -> None:
        self.store = store
        self.reader = reader or store
        """For what may take long: a second handle, which nothing that is said waits for."""
        self.models = models
        self.plugins = plugins
        self.facts = facts
        self._configured_base = api_base
        self._agents = config.agents
        self._default_window = default_window
        self._session: Session | None = None
        self._history: list[Message] = []
        self._loaded_all = True
        self._outbox = Outbox(store, self._saved, self._renamed)
        self.missing: Missing | None = None
        """Where the open session is, if it was deleted elsewhere."""
        self.elsewhere = 0
        """Messages that were added to open sessions elsewhere, since the shell started."""
        self._windows: dict[Choice, int] = {}
        self._system: Message | None = None

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
        return self._history

    @property
    def unsaved(self) -> Sequence[Message]:
        """Messages that could not be written yet; they are tried again with the next."""
        return self._outbox.refused()

    @property
    def unsaved_here(self) -> Sequence[Message]:
        """Those of the open session."""
        return self._outbox.refused(self.session.session_id)

    @property
    def unsaved_elsewhere(self) -> Sequence[str]:
        """The ids of the other sessions that have some."""
        refused = (each for each in self._outbox.sessions() if self._outbox.refused(each))
        return [each for each in refused if each != self.session.session_id]

    @property
    def agent(self) -> Agent | None:
        """The session's agent, if the configuration (still) has it."""
        return self._agents.get(self.session.agent) if self.session.agent else None

    @property
    def choice(self) -> Choice:
        """The model and provider in use: the session's, else the agent's, else the default."""
        agent = self.agent
        return self.models.choose(self.session.model or (agent.model if agent else None))

    @property
    def api_base(self) -> str | None:
        """The server in use: the session's own, else the configured one, else the one that
        the model's name implies."""
        return self.session.api_base or self._configured_base

    @property
    def provider(self) -> Provider:
        return self.models.provider(self.choice)

    def head(self) -> str | None:
        """The id of the message that the next one follows."""
        return self._history[-1].id if self._history else None

    # Opening and changing ---------------------------------------------------------------

    async def open(self, session_id: str) -> Session:
        """Open a session, also the open one as it is by now, and make it the current one."""
        session, history = await self.store(lambda storage: _read(storage, session_id))
        loaded_all = len(history) < FIRST_LOAD
        if unsaved := self._outbox.waiting(session_id):
            # What could not be written is still said; the head may have moved on since.
            before = await self._before(session_id, history, unsaved[0].parent)
            history = [*before, *unsaved]
        self._session, self._history, self._loaded_all = session, history, loaded_all
        self.missing = None
        self._compose()
        if unsaved:
            await self._outbox.send(session_id)
        # "Last used" is a convenience: a full or read-only disk still opens every session.
        try:
            if await self.store(lambda storage: storage.current()) != session_id:
                await self.store(lambda storage: storage.set_current(session_id))
        except StorageError as error:
            self.plugins.report(error.sentence())
        self.plugins.session_opened(self.session)
        return self.session

    async def _before(
        self, session_id: str, path: list[Message], message_id: str | None
    ) -> list[Message]:
        """The path to a message, which most often is the end of ``path`` itself."""
        if message_id is None:
            return []
        for index in range(len(path) - 1, -1, -1):
            if path[index].id == message_id:
                return path[: index + 1]
        tree = await self.store(lambda storage: storage.tree(session_id))
        return branches.path_to(tree, message_id, FIRST_LOAD)

    async def place(self, message_id: str) -> branches.Place | None:
        """Where a message of the open session stands; None when there is no such message."""
        if place := branches.on_path(self._history, message_id):
            return place
        session_id = self.session.session_id
        return await self.reader(lambda storage: branches.around(storage, session_id, message_id))

    async def create(self, name: str, description: str = "") -> Session:
        """Make a session and open it."""
        made = await self.store(lambda storage: storage.create(name, description))
        return await self.open(made.session_id)

    async def refresh(self) -> None:
        """Read the open session's record again."""
        session_id = self.session.session_id
        self._take(await self.store(lambda storage: storage.open(session_id)), changed=CHOSEN_HERE)
        self._compose()

    def saw(self, session: Session) -> None:
        """The open session's record, as a look at it has shown it."""
        self._take(session)

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
        await self._update(model=name or None)

    async def set_api_base(self, url: str) -> None:
        """Ask this server from the next message on; the session remembers it, so that its
        words never go elsewhere because an option was left out. Empty: as configured."""
        await self._update(api_base=url or None)

    async def set_agent(self, name: str | None) -> None:
        """Use an agent from the next message on; the session remembers it. An agent with
        a model of its own takes the place of one that was chosen before."""
        if name is not None and name not in self._agents:
            known = ", ".join(sorted(self._agents)) or "none"
            raise UsageError(
                f"There is no agent called {name!r}.",
                hint=f"Configured agents: {known}; add [agents.{name}] to the configuration.",
            )
        if name is not None and self._agents[name].model:
            await self._update(agent=name, model=None)
        else:
            await self._update(agent=name)

    async def _update(self, **changes: Any) -> None:
        session_id = self.session.session_id
        session = await self.store(lambda storage: storage.update(session_id, **changes))
        self._take(session, changed=changes.keys())
        self._compose()

    def _compose(self) -> None:
        """The system message is made once, so that its bytes stay the same for caches."""
        agent = self.agent
        self._system = system_message(agent.instructions if agent else "", self.facts)

    # Turns ------------------------------------------------------------------------------

    def turn(self, text: str) -> Turn:
        """The next turn; nothing happens until its events are read."""
        return Turn(self, text)

    async def prepare(self) -> tuple[Request, int]:
        """What is to be sent now, and how many earlier messages did not fit."""
        choice, agent = self.choice, self.agent
        window = await self._window(choice)
        budget = window - reply_reserve(window, agent.parameters if agent else NOTHING)
        await self._load_enough(budget)
        provider = self.provider

        async def count(messages: Sequence[Message]) -> list[int]:
            return await provider.count_tokens(choice.model, messages) if messages else []

        selection = await select(
            self._history,
            system=self._system,
            budget=budget,
            count=count,
            pinned=self.session.pinned,
        )
        missing = 0 if self._loaded_all else self.session.message_count - len(self._history)
        request = build_request(selection.messages, choice, agent, self.api_base)
        prepared = self.plugins.prepare_request(self.session, request)
        return prepared, selection.omitted + max(0, missing)

    async def add(self, message: Message) -> MessageSaved | NotSaved:
        """Put a message at the end, in memory always, on disk if it can be written."""
        self._history.append(message)
        error = await self._outbox.put(self.session.session_id, message)
        if isinstance(error, SessionNotFoundError):
            # If the trash cannot be read, the first error says enough.
            with suppress(StorageError):
                missing = await self.find_missing()
                error = self._explained(missing) if missing else await self.save_here()
        return saved_or_not(message, error)

    async def find_missing(self) -> Missing | None:
        """Where the open session is after it was not found: see :attr:`missing`."""
        session_id = self.session.session_id
        self.missing = await self.store(lambda storage: find_missing(storage, session_id))
        return self.missing

    def _explained(self, missing: Missing) -> StorageError:
        not_saved = "The message was not saved: this session"
        if missing == "gone":
            return StorageError(f"{not_saved} is gone, and the trash does not have it.")
        return StorageError(
            f"{not_saved} was deleted elsewhere and is in the trash.",
            hint=f"/undelete {self.session.session_id[:8]} brings it back.",
        )

    async def save_here(self) -> StorageError | None:
        """Try once more to write what is not on disk yet of the open session."""
        return await self._outbox.send(self.session.session_id)

    async def save_again(self) -> None:
        """Try once more to write what is not on disk yet, of every session."""
        for session_id in self._outbox.sessions():
            await self._outbox.send(session_id)

    def _saved(self, session: Session, message: Message) -> None:
        if self._session and self._session.session_id == session.session_id:
            self._take(session, own=1)
        self.plugins.message_saved(session, message)

    def _renamed(self, session_id: str, ids: Mapping[str, str]) -> None:
        if self._session and self._session.session_id == session_id:
            self._history = [with_ids(message, ids) for message in self._history]
            # The beginnings of these messages were said here, and by nobody else.
            self.elsewhere -= len(ids)

    def keep_partial(self, message: Message) -> None:
        """Keep the reply in work on disk, in the background: it is saved whole at its end,
        and that reports what is wrong."""
        session_id = self.session.session_id
        self.store.soon(lambda storage: storage.save_partial(session_id, message))

    async def _window(self, choice: Choice) -> int:
        if choice not in self._windows:
            known = await self.models.provider(choice).context_window(choice.model)
            self._windows[choice] = known or self._default_window
        return self._windows[choice]

    async def _load(self, last: int) -> list[Message]:
        session_id = self.session.session_id
        return await self.store(lambda storage: storage.messages(session_id, last=last))

    async def _load_enough(self, budget: int) -> None:
        """Read further back until the window is surely full or everything is there."""
        while not self._loaded_all and not self.unsaved_here:
            size = sum(len(message.content) for message in self._history)
            if size > budget * BYTES_PER_TOKEN:
                return
            wanted = len(self._history) * 2
            try:
                loaded = await self._load(wanted)
            except SessionNotFoundError:  # deleted a moment ago: what is known is sent
                return
            self._loaded_all = len(loaded) < wanted
            first = self._history[0].id if self._history else None
            places = [place for place, each in enumerate(loaded) if each.id == first]
            if not places:  # another shell has moved the head: this shell stays on its branch
                self._loaded_all = True
                return
            self._history[:0] = loaded[: places[0]]


def _read(storage: Storage, session_id: str) -> tuple[Session, list[Message]]:
    """A session and the end of its conversation, both of the same moment: another shell
    may be writing."""
    for _time in range(LOADS):
        version = storage.version(session_id)
        session = storage.open(session_id)
        history = storage.messages(session_id, last=FIRST_LOAD)
        if storage.version(session_id) == version:
            break
    return session, history

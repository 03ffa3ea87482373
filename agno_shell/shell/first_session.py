"""The session with which a shell starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from agno_shell.conversation.engine import Engine
from agno_shell.errors import StorageError
from agno_shell.toolkit.session_names import session_name
from agno_shell.types import Reasoning, default_session_name, now


class FirstSession(NamedTuple):
    """What the command line says of it."""

    session: str | None = None
    """A reference to the session to open; None: the current one."""
    new: str | None = None
    """The name of a session to make; an empty one asks for the default name."""
    agent: str | None = None
    model: str | None = None
    api_base: str | None = None
    reasoning: Reasoning | None = None

    async def choose(self, engine: Engine) -> None:
        """Use the agent, the model and the server that were named. The session remembers them:
        its words go nowhere else because an option is missing next time."""
        if self.agent is not None:
            await engine.set_agent(self.agent)
        given = {"model": self.model, "api_base": self.api_base, "reasoning": self.reasoning}
        if chosen := {key: each or None for key, each in given.items() if each is not None}:
            await engine.editor.update(**chosen)


async def open_first(
    engine: Engine, opening: FirstSession, report: Callable[[StorageError], None]
) -> None:
    """Open the session that was asked for, else the current one, else the newest, else a
    new one. ``report`` gets why one that was not asked for cannot be opened."""
    store = engine.store
    if opening.new is None and opening.session is not None:
        found = await engine.resolve(opening.session)
        await engine.open(found.session_id)
        return
    if opening.new is None:
        current = await store(lambda storage: storage.current())
        if current is None and (newest := await store(lambda storage: storage.sessions())):
            current = newest[0].session_id
        if current is not None:
            # A session that cannot be read must not keep the user from all others.
            try:
                await engine.open(current)
            except StorageError as error:
                report(error)
            else:
                return
    await engine.create(session_name(opening.new or "") or default_session_name(now()))

"""What goes on behind the prompt: plugins are loaded, the first request is made ready."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from importlib import import_module
from typing import Any

from agno_shell.contracts import Provider
from agno_shell.conversation import leisure
from agno_shell.conversation.engine import Engine
from agno_shell.shell.frontend import Frontend
from agno_shell.shell.plugin_life import LEAVING_SECONDS, PluginLife
from agno_shell.shell.present import Presenter
from agno_shell.shell.session_monitor import SessionMonitor
from agno_shell.shell.status import Status
from agno_shell.shell.tasks import quietly
from agno_shell.toolkit.guarding import quiet
from agno_shell.toolkit.threads import in_thread

REQUEST_FIRST = 0.5
"""Seconds for which the rest lets the provider and the plugins get ready first: imports at the same
time take as long as one after the other, and a provider may be slow for reasons of its own."""


class BackgroundWork:
    """Begins once the prompt stands, and ends with the shell."""

    def __init__(
        self,
        engine: Engine,
        frontend: Frontend,
        presenter: Presenter,
        status: Status,
        monitor: SessionMonitor,
    ) -> None:
        self._engine = engine
        self._frontend = frontend
        self._presenter = presenter
        self._status = status
        self._monitor = monitor
        self._loading: asyncio.Task[None] | None = None
        self._starting: dict[Provider, asyncio.Task[None]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, life: PluginLife) -> None:
        life.watch()
        self._loading = asyncio.create_task(life.load(lambda: self._engine.session))
        warming = self._begin(self._warm_up(life))
        self._begin(self._warm_up_reply(warming))
        if self._frontend.has_user:
            self._begin(self._monitor.run())
            session_id = self._engine.open_session.id
            self._begin(leisure.prepare(self._engine.reader, session_id))

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.append(task)
        return task

    @property
    def is_loading(self) -> bool:
        """Whether a plugin may still come."""
        return self._loading is not None and not self._loading.done()

    async def loaded(self) -> None:
        """Wait until every plugin is loaded."""
        if self._loading:
            await asyncio.shield(self._loading)

    def start_provider(self) -> Iterable[asyncio.Task[None]]:
        """Let the provider get ready; what does it."""
        # What is wrong is reported in the turn that needs the provider.
        with quiet():
            provider = self._engine.provider
            if provider not in self._starting:
                self._starting[provider] = asyncio.create_task(quietly(provider.start()))
        return self._starting.values()

    async def _warm_up(self, life: PluginLife) -> None:
        """Everything slow that the first request will need, now that the prompt stands."""
        starting = self.start_provider()
        if self._loading:
            await asyncio.wait([self._loading, *starting], timeout=REQUEST_FIRST)
        await asyncio.to_thread(import_module, "agno_shell.conversation.request.requests")
        await self.loaded()
        life.started()
        self._status.toolbar()

    async def _warm_up_reply(self, request: asyncio.Task[None]) -> None:
        """What keeps a message and shows its reply, behind what its request waits for: a shell
        that only stands there stays small."""
        await self._frontend.typing()
        await asyncio.wait([request])
        await asyncio.to_thread(import_module, "filelock")
        await in_thread(self._presenter.warm_up)

    async def end(self) -> None:
        """Give up what is under way."""
        tasks = [*self._tasks, *self._starting.values()]
        for task in tasks:
            task.cancel()
        ended = asyncio.gather(*tasks, self._engine.close(), return_exceptions=True)
        await asyncio.wait([ended], timeout=LEAVING_SECONDS)

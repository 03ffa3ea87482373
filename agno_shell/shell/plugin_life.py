"""The plugins of a running shell: loaded behind the prompt, told, watched, left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import TYPE_CHECKING, cast

from agno_shell.contracts import CommandContext
from agno_shell.plugins.manager import Plugins
from agno_shell.shell.keyboard import Keyboard
from agno_shell.toolkit.threads import in_thread
from agno_shell.types import Session

if TYPE_CHECKING:
    from agno_shell.shell.watchdog import Watchdog

LEAVING_SECONDS = 0.75
"""How long the end of the shell waits for hooks that are still running."""


class PluginLife:
    """One run. ``context_of`` makes what a plugin sees; ``leaving`` are the signals that end
    the shell."""

    def __init__(
        self,
        plugins: Plugins,
        context_of: Callable[[str], CommandContext],
        keyboard: Keyboard,
        leaving: Iterable[int],
    ) -> None:
        self._plugins = plugins
        self._context_of = context_of
        self._keyboard = keyboard
        self._leaving = tuple(leaving)
        self._watchdog: Watchdog | None = None
        self._loop = asyncio.get_running_loop()

    async def load(self, session: Callable[[], Session]) -> None:
        """Load the installed plugins, in a thread; one that takes long is named."""
        loading = asyncio.ensure_future(
            cast("Awaitable[Collection[str]]", in_thread(self._plugins.load_installed))
        )
        named = ""
        while not loading.done():
            await asyncio.wait([loading], timeout=self._plugins.hooks.seconds)
            if not loading.done() and (at := self._plugins.loading) and named != at[0].name:
                named = at[0].name
                self._plugins.report(
                    f"Plugin {at[0]} is still being imported. Nothing is sent to a model before "
                    "it is, because it may be a filter; Ctrl-C stops waiting. "
                    f'[plugins] off = ["{named}"] in the configuration switches it off.'
                )
        # They could not hear of the session when it was opened.
        self._plugins.session_opened(session(), only=loading.result())
        if self._watchdog and not self._plugins.has_installed:
            self._watchdog.stop()

    def watch(self) -> None:
        """Begin to watch, before anything that was typed is read: a plugin may be loaded
        already, and its command hold up the keys at once."""
        from agno_shell.shell.watchdog import Watchdog

        self._watchdog = Watchdog(
            self._keyboard,
            owner_of=self._plugins.owner_of,
            seconds=self._plugins.hooks.seconds,
            look=self._plugins.hooks.give_up_late,
        )
        self._watchdog.start(self._leaving)

    def started(self) -> None:
        """The prompt stands, and everything is loaded."""
        self._plugins.shell_started(self._for_hooks)

    async def end(self) -> None:
        """The last hooks, as far as they come back."""
        self._plugins.shell_stopped(self._for_hooks)
        await self._plugins.hooks.settled(LEAVING_SECONDS)
        if self._watchdog:
            self._watchdog.stop()

    def _for_hooks(self, plugin: str) -> CommandContext:
        from agno_shell.shell.hook_context import HookContext

        return cast("CommandContext", HookContext(self._context_of(plugin), self._loop))

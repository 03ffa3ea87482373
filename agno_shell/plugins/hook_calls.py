"""Calls of hooks, each in the thread of its plugin: notified without waiting, or waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from agno_shell.errors import PluginError
from agno_shell.plugins.hook_threads import HookThread
from agno_shell.toolkit.guarding import let_through
from agno_shell.toolkit.threads import in_thread

POLL_SECONDS = 0.1
"""How often a hook that is waited for is looked at."""


class HookTimeoutError(PluginError):
    """A hook that is waited for has not come back."""


class Implementation(NamedTuple):
    """One plugin's function for a hook."""

    plugin: str
    hook: str
    function: Callable[..., Any]
    names: tuple[str, ...]
    """Of the arguments that it takes."""

    def __call__(self, arguments: Mapping[str, Any]) -> Any:
        return self.function(*(arguments[name] for name in self.names))


class HookCalls:
    """Calls hooks. ``blame`` gets a plugin, a hook and what it did; in any thread."""

    def __init__(self, seconds: float, blame: Callable[[str, str, BaseException], None]) -> None:
        self.seconds = seconds
        """What a hook may take; one that was notified and takes longer is not called again."""
        self._blame = blame
        self._threads: dict[str, HookThread] = {}
        self._given_up: set[tuple[str, str]] = set()
        self._filters: set[tuple[str, str]] = set()
        """Hooks that are waited for: the waiter gives them up, and they are called again."""

    def notify(
        self,
        hook: Implementation,
        arguments: Mapping[str, Any],
        take: Callable[[str, Any], None] = lambda _plugin, _result: None,
    ) -> None:
        """Call a hook after the earlier calls of its plugin; ``take`` gets the plugin and
        what the hook returned, in the plugin's thread."""
        if (hook.plugin, hook.hook) not in self._given_up:
            self._thread(hook.plugin).submit(hook.hook, partial(self._run, hook, arguments, take))

    def _run(
        self,
        hook: Implementation,
        arguments: Mapping[str, Any],
        take: Callable[[str, Any], None],
    ) -> None:
        try:
            take(hook.plugin, hook(arguments))
        except BaseException as error:
            let_through(error)
            self._blame(hook.plugin, hook.hook, error)

    async def ask(self, hook: Implementation, arguments: Mapping[str, Any]) -> Any:
        """What a hook returns, or raises, after the earlier calls of its plugin, and without
        those if one hangs. :class:`HookTimeoutError` when it does not come back itself."""
        import asyncio

        thread, begun = self._thread(hook.plugin), []
        self._filters.add((hook.plugin, hook.hook))

        def run() -> Any:
            begun.append(True)
            return hook(arguments)

        answer = asyncio.ensure_future(
            in_thread(run, start=lambda started: thread.submit(hook.hook, started))
        )
        while True:
            # A hook that answers at once, as most do, is not polled.
            done, _waiting = await asyncio.wait([answer], timeout=min(POLL_SECONDS, self.seconds))
            if done:
                return answer.result()
            if (late := thread.late(self.seconds)) is None:
                continue
            if late.hook == hook.hook and begun:
                thread.abandon()
                raise HookTimeoutError(self._late())
            self._give_up(hook.plugin, thread)

    def give_up_late(self) -> None:
        """Name the hooks that have been running for too long, and go on without them."""
        for plugin, thread in list(self._threads.items()):
            late = thread.late(self.seconds)
            if late and (plugin, late.hook) not in self._filters:
                self._give_up(plugin, thread)

    async def settled(self, seconds: float) -> None:
        """Wait until all calls are done, but no longer than ``seconds``; the hooks that still
        run are named and left behind."""
        import asyncio

        end = time.monotonic() + seconds
        while busy := [each for each in self._threads.items() if not each[1].is_idle]:
            if time.monotonic() >= end:
                for plugin, thread in busy:
                    self._give_up(plugin, thread)
                return
            await asyncio.sleep(0.002)

    def _give_up(self, plugin: str, thread: HookThread) -> None:
        late = thread.late(0.0)
        if late:
            self._given_up.add((plugin, late.hook))
            took = HookTimeoutError(f"it has not come back after {late.seconds:.1f} seconds")
            self._blame(plugin, late.hook, took)
        thread.abandon(all_of_it=True)

    def _late(self) -> str:
        return f"it did not come back within {self.seconds:g} seconds"

    def _thread(self, plugin: str) -> HookThread:
        if plugin not in self._threads:
            self._threads[plugin] = HookThread(plugin)
        return self._threads[plugin]

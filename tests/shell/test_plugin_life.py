"""The plugins of a running shell are watched before one of them can be called."""

from __future__ import annotations

from typing import Any, cast

import pytest

from agno_shell.plugins.manager import Plugins
from agno_shell.shell import watchdog
from agno_shell.shell.keyboard import Keyboard
from agno_shell.shell.plugin_life import PluginLife
from agno_shell.types import new_session


class Watched:
    """Stands in for the watchdog."""

    running = 0

    def __init__(self, *_arguments: Any, **_options: Any) -> None:
        pass

    def start(self, _leaving: Any) -> None:
        Watched.running += 1

    def stop(self) -> None:
        Watched.running -= 1


@pytest.mark.parametrize("has_installed", [True, False])
async def test_a_plugin_is_watched_as_soon_as_it_is_loaded(
    monkeypatch: pytest.MonkeyPatch, has_installed: bool
) -> None:
    monkeypatch.setattr(watchdog, "Watchdog", Watched)
    monkeypatch.setattr(Plugins, "has_installed", has_installed)
    plugins = Plugins(installed=False)
    watched: list[int] = []

    def load() -> frozenset[str]:
        watched.append(Watched.running)
        return frozenset()

    monkeypatch.setattr(plugins, "load_installed", load)
    life = PluginLife(plugins, cast(Any, None), cast(Keyboard, None), ())
    life.watch()
    await life.load(lambda: new_session("Test"))
    assert watched == [1]
    assert Watched.running == int(has_installed), "without plugins nobody needs to be watched"
    Watched.running = 0

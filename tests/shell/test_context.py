"""What commands see of the shell."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from agno_shell.config import Config
from agno_shell.shell.context import ShellApp, ShellContext


def app_with(tables: dict[str, Any]) -> ShellApp:
    nobody: Any = SimpleNamespace(want=lambda: None)
    nothing: Any = lambda *_given: None  # noqa: E731
    config = Config(plugin_tables=tables)
    return ShellApp(
        nobody, nobody, nobody, config, remember=nothing, new_agent=nothing, examine=nothing
    )


def test_a_plugin_sees_its_own_settings_and_nobody_elses() -> None:
    part: Any = SimpleNamespace(store=None, reader=None)
    context = ShellContext(part, part, app_with({"mine": {"a": 1}, "yours": {"key": "b"}}))
    assert context.app.config == {}
    assert context.of("mine").app.config == {"a": 1}
    assert context.of("yours").app.config == {"key": "b"}
    assert context.of("another").app.config == {}
    assert context.app.config == {}, "what one plugin is given stays with it"

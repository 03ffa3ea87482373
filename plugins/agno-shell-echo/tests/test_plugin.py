"""The hooks of the echo plugin, called as the shell calls them."""

from __future__ import annotations

import subprocess
import sys

import agno_shell_echo
import pluggy
import pytest

from agno_shell import ProviderOptions, UsageError, hookspecs
from agno_shell.contracts import ToolbarView
from agno_shell.testing.fake_context import FakeContext


@pytest.fixture
def hooks():
    manager = pluggy.PluginManager(hookspecs.GROUP)
    manager.add_hookspecs(hookspecs)
    manager.register(agno_shell_echo, "echo")
    manager.check_pending()
    return manager.hook


def test_the_provider_is_registered_and_opens(hooks):
    [[factory]] = hooks.register_providers()
    assert factory.name == "echo"
    assert factory.default_model({}) == "echo"
    assert factory.open(ProviderOptions()).name == "echo"


def test_the_command_prints_its_text(hooks):
    [[command]] = hooks.register_commands()
    context = FakeContext()
    command.run(context, "two  words")
    assert context.ui.lines == ["two  words"]


def test_the_command_without_text_says_how_it_is_used(hooks):
    [[command]] = hooks.register_commands()
    with pytest.raises(UsageError) as raised:
        command.run(FakeContext(), "")
    assert raised.value.hint == "Usage: /echo TEXT"


def test_the_toolbar_counts_the_messages(hooks):
    session = FakeContext().engine.session._replace(message_count=4)
    view = ToolbarView(session, "echo", None, busy=False, queued=0)
    [[item]] = hooks.toolbar_items(view=view)
    assert item.text == "echo: 4 messages"


def test_importing_the_plugin_does_not_import_the_provider():
    code = (
        "import sys, agno_shell_echo;"
        "sys.exit(any(name in sys.modules for name in ('agno_shell_echo.provider', 'asyncio')))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

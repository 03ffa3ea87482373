from __future__ import annotations

import pluggy

from agno_shell import hookspecs
from agno_shell.builtin.commands import plugin


def test_the_commands_register_through_the_hook() -> None:
    manager = pluggy.PluginManager(hookspecs.GROUP)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin, "commands")
    manager.check_pending()
    [commands] = manager.hook.register_commands()
    names = [name for command in commands for name in (command.name, *command.aliases)]
    assert len(names) == len(set(names)) >= 20

"""The configuration of one run: read from files, the environment and the command line.

What ``session --list`` does not need is loaded when it is first asked for.
"""

from __future__ import annotations

from agno_shell.config.loading import load_config
from agno_shell.config.record import Config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agno_shell.config.agents import Agent
    from agno_shell.config.writing import new_agent, remember

__all__ = ["Agent", "Config", "load_config", "new_agent", "remember"]


def __getattr__(name: str) -> object:
    if name == "Agent":
        from agno_shell.config.agents import Agent

        return Agent
    if name in ("new_agent", "remember"):
        from agno_shell.config import writing

        found: object = getattr(writing, name)
        return found
    raise AttributeError(f"module 'agno_shell.config' has no attribute {name!r}")

"""What a model may call."""

# Annotations are not left as text here (PEP 563): a named tuple would compile each of them
# at every start.

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from agno_shell.types import NOTHING, ToolCall, ToolSchema

Permission = Literal["once", "always", "no", "never"]
"""What the user says to a call: this one; all of this tool in this session, as long as
the shell runs; not this one; none of this tool in this session, as long as the shell runs."""


class ToolOptions(NamedTuple):
    """What a tool box is opened with."""

    settings: Mapping[str, Any] = NOTHING
    """The table ``[plugins.NAME]`` of the configuration."""
    log: str | None = None
    """The absolute path of a file for what the tools' own programs print."""


class Tool(NamedTuple):
    """Something that a model can call once the user has switched it on."""

    schema: ToolSchema
    run: Callable[[Mapping[str, Any]], Awaitable[str]]
    """Gets the arguments, checked to be a JSON object and no more; returns what the model
    is told. May raise anything: the model is told that it failed, and why. Cancelling it
    stops it."""
    source: str = ""
    """Where it comes from, as the user is told: the function, or the server."""
    changed: Sequence[str] = ()
    """What is different since the user was last asked about it, a sentence each; the shell
    fills it in for :data:`Approve`."""


class ToolBox(ABC):
    """Some tools that are switched on together. It belongs to one event loop."""

    @abstractmethod
    async def tools(self) -> Sequence[Tool]:
        """The tools; may take long, such as for starting a server. Called again before
        each turn, so that what is ready answers at once. ``AgnoShellError`` when they
        cannot be had; the turn goes on without them."""

    def problems(self) -> Sequence[str]:
        """What was missing the last time, where only some of the tools cannot be had: a
        sentence each."""
        return ()

    async def close(self) -> None:  # noqa: B027 - many hold nothing open
        """Stop everything that was started."""


class ToolFactory(NamedTuple):
    """A tool box by name. Nothing is opened until it is named in ``[tools] on``."""

    name: str
    summary: str
    open: Callable[[ToolOptions], ToolBox]


class ToolState(NamedTuple):
    """A tool box as the user sees it."""

    name: str
    summary: str
    on: bool
    tools: Sequence[Tool] = ()
    """Those of a box that is on, as far as they are known by now."""
    problem: str = ""
    """Why they, or some of them, cannot be had."""
    off: Sequence[str] = ()
    """The names of those of the tools that are off one by one."""


Approve = Callable[[ToolCall, Tool], Awaitable[Permission]]
"""Asks the user before a tool runs."""

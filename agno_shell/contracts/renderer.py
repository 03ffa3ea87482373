"""What turns text into styled lines."""

# Annotations are not left as text here (PEP 563): a named tuple would compile each of them
# at every start.

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from agno_shell.types import NOTHING

Line = tuple[tuple[str, str], ...]
"""One styled line without its newline: pairs of a prompt_toolkit style string and text."""


class RendererOptions(NamedTuple):
    """What a renderer is opened with."""

    theme: str = ""
    """``[renderer] theme``."""
    settings: Mapping[str, Any] = NOTHING
    """The table ``[plugins.NAME]`` of the configuration."""


class RenderStream(ABC):
    """One reply on its way to the screen.

    For every way of splitting the same text into deltas, the finished lines are the
    same; a finished line never changes; a delta costs the same at any length.
    """

    @abstractmethod
    def feed(self, delta: str) -> list[Line]:
        """Take the next piece of text; return the lines that are finished by it."""

    @abstractmethod
    def tail(self) -> list[Line]:
        """The unfinished line as it looks now. Called once a frame, not once a delta."""

    @abstractmethod
    def finish(self) -> list[Line]:
        """The end of the text: return what was not finished yet."""


class Renderer(ABC):
    """Turns text into styled lines."""

    @abstractmethod
    def begin(self, width: int) -> RenderStream:
        """Start a reply on a terminal of ``width`` columns; 0: do not wrap."""


class RendererFactory(NamedTuple):
    """A renderer by name."""

    name: str
    summary: str
    open: Callable[[RendererOptions], Renderer]

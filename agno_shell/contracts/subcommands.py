"""Commands of the command line, and what they get to work with."""

# Annotations are not left as text here (PEP 563): a named tuple would compile each of them
# at every start.

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Protocol, TextIO

from agno_shell.base.paths import Paths
from agno_shell.contracts.storage import Storage

if TYPE_CHECKING:
    from argparse import ArgumentParser


class SubcommandContext(Protocol):
    """What a command of the command line works with."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The table ``[plugins.NAME]`` of the plugin that brought the command."""

    @property
    def paths(self) -> Paths:
        """Where the files of this user are."""

    @property
    def out(self) -> TextIO:
        """Standard output. What is foreign in a text goes through ``clean`` or ``clean_line``."""

    @property
    def err(self) -> TextIO:
        """Standard error, for what is no part of the output."""

    def open_storage(self) -> Storage:
        """The storage that is configured, opened for this command, which closes it."""

    def wrong_usage(self, sentence: str) -> NoReturn:
        """End with the usage of the command and ``sentence``; exit status 2."""


class Subcommand(NamedTuple):
    """A command of the command line, as in ``agno-shell NAME``."""

    name: str
    """One word, which begins with neither ``-`` nor ``/``."""
    summary: str
    """What stands in the list of commands."""
    add: Callable[["ArgumentParser"], object]
    """Gives the parser its description, its options and its epilog. ``--config``,
    ``--no-plugins`` and ``--help`` are there already."""
    run: Callable[[SubcommandContext, Mapping[str, Any]], int]
    """Does what was asked and returns the exit status. The mapping has what was given, by the
    ``dest`` of each option; what was not given, and has no ``default``, is not in it. It raises
    an ``AgnoShellError`` for what a user can mend."""

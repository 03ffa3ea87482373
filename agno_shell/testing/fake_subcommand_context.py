"""A :class:`~agno_shell.contracts.SubcommandContext` without a program around it."""

from __future__ import annotations

import io
import os
import shlex
from collections.abc import Mapping
from typing import Any, NoReturn

from agno_shell.base.paths import HOME_VARIABLE, Paths, find_paths
from agno_shell.cli.parser import PARSER, Parser, add_common_options, configured
from agno_shell.contracts import Storage, Subcommand
from agno_shell.errors import UsageError
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.types import NOTHING


class FakeSubcommandContext:
    """What a command of the command line works with, over a storage in memory. What it writes
    is in ``out`` and ``err``."""

    def __init__(
        self,
        storage: Storage | None = None,
        *,
        settings: Mapping[str, Any] = NOTHING,
        home: str = os.path.abspath(os.sep + "nowhere"),
        out: io.StringIO | None = None,
        err: io.StringIO | None = None,
    ) -> None:
        """``settings``: the table of the plugin; ``home``: the folder of all ``paths``."""
        self.storage: Storage = MemoryStorage() if storage is None else storage
        self.settings = settings
        self.paths: Paths = find_paths({HOME_VARIABLE: home})
        self.out = io.StringIO() if out is None else out
        self.err = io.StringIO() if err is None else err

    def open_storage(self) -> Storage:
        return self.storage

    def wrong_usage(self, sentence: str) -> NoReturn:
        """Raises ``UsageError``, where the program would end."""
        raise UsageError(sentence)

    def run(self, subcommand: Subcommand, line: str = "") -> int:
        """Run a command as the program does; ``line``: what is typed behind its name, quoted as
        for a shell. Returns the exit status. ``SystemExit`` for what the parser refuses."""
        parser = configured(Parser, prog=f"agno-shell {subcommand.name}")
        subcommand.add(parser)
        add_common_options(parser)
        given = vars(parser.parse_args(shlex.split(line)))
        del given[PARSER]
        return subcommand.run(self, given)

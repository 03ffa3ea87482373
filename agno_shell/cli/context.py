"""What a command gets to work with, built in or not."""

from __future__ import annotations

import sys

from agno_shell.cli.parser import common_options

TYPE_CHECKING = False  # as in ``typing``, without importing it at every start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, NoReturn, TextIO

    from agno_shell.base.paths import Paths
    from agno_shell.cli.parser import Parser
    from agno_shell.config import Config
    from agno_shell.contracts.storage import Storage
    from agno_shell.plugins.manager import Plugins


class Context:
    """A :class:`~agno_shell.contracts.SubcommandContext`; what is in it is made when it is
    first asked for."""

    def __init__(
        self,
        parser: Parser,
        given: Mapping[str, Any],
        *,
        configuration: tuple[Paths, Config] | None = None,
        plugins: Plugins | None = None,
        owner: str = "",
    ) -> None:
        """``configuration`` and ``plugins``: where they are loaded already, of which ``owner``
        brought the command."""
        self._parser = parser
        self._configuration = configuration
        self._plugins = plugins
        self._owner = owner
        self.common = common_options(given)
        self.out: TextIO = sys.stdout
        self.err: TextIO = sys.stderr

    def wrong_usage(self, sentence: str) -> NoReturn:
        """End with the usage of the command and what is wrong; exit status 2."""
        self._parser.error(sentence)

    def _configured(self) -> tuple[Paths, Config]:
        from agno_shell.app import parts

        if self._configuration is None:
            self._configuration = parts.configure(self.common)
        return self._configuration

    @property
    def paths(self) -> Paths:
        """Where the files of this user are."""
        return self._configured()[0]

    @property
    def config(self) -> Config:
        """Raises ``ConfigError`` where it is wrong; its warnings are printed."""
        return self._configured()[1]

    @property
    def settings(self) -> Mapping[str, Any]:
        """The table of the plugin that brought the command; empty for one that is built in."""
        return self.config.plugin_settings(self._owner)

    @property
    def plugins(self) -> Plugins:
        """The plugin manager, with no more plugins in it than were asked for."""
        from agno_shell.app import parts

        if self._plugins is None:
            self._plugins = parts.plugins_of(self.config, self.common)
        return self._plugins

    def open_storage(self, name: str | None = None, path: str | None = None) -> Storage:
        """The configured storage, or the one called ``name``, at ``path`` if that is given; the
        caller closes it."""
        from agno_shell.app import parts

        return parts.open_storage(
            self.config, self.paths, self.common, self._plugins, name=name, path=path
        )

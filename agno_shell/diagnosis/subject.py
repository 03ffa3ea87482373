"""What is looked at: the parts of the program, as far as they could be built."""

# Annotations are not left as text here (PEP 563): a named tuple would compile them.

from collections.abc import Callable, Sequence
from typing import NamedTuple

from agno_shell.base.paths import Paths
from agno_shell.config import Config
from agno_shell.contracts import Renderer, Storage
from agno_shell.conversation.models import Models
from agno_shell.errors import ConfigError
from agno_shell.plugins.manager import Plugins


class Subject(NamedTuple):
    """A wrong configuration does not end the look: what is right in it holds."""

    paths: Paths
    config_file: str
    """Absolute. The file that is read as the user's own."""
    config: Config
    problems: Sequence[ConfigError]
    """What is wrong in the configuration and was left out of it."""
    plugins: Plugins
    all_plugins: bool
    """Whether the installed plugins are looked at, too, and not only the builtin ones."""
    open_storage: Callable[[], Storage]
    open_models: Callable[[], Models]
    open_renderer: Callable[[], Renderer]

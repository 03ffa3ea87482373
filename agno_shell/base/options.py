"""What every command of the command line takes."""

# Annotations are not left as text here (PEP 563): a named tuple would compile each of them
# at every start.

from collections.abc import Mapping
from typing import Any, NamedTuple

from agno_shell.types import NOTHING


class CommonOptions(NamedTuple):
    """The options that every command takes."""

    config_file: str | None = None
    """``--config FILE``: read instead of the user's own file; it must exist."""
    no_plugins: bool = False
    """Load nothing but what the shell brings itself."""
    overrides: Mapping[str, Any] = NOTHING
    """Settings by dotted name that the command line decides: ``--model`` is
    ``provider.model``, ``--api-base`` is ``provider.api_base``, ``--reasoning`` is
    ``provider.reasoning``, ``--trace`` and ``--metrics`` are ``shell.trace`` and
    ``shell.metrics``."""

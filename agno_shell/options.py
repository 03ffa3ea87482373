"""What the command line asks for, as records: the one thing ``cli`` hands to ``app``."""

# Annotations are not left as text here (PEP 563): a named tuple would compile each of them
# at every start.

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from agno_shell.types import NOTHING, Role

SessionAction = Literal["list", "create", "set", "update", "delete", "trash", "restore", "purge"]
ConfigAction = Literal["show", "path", "get", "set", "unset"]
AgentsAction = Literal["list", "show", "create", "remove"]
TraceAction = Literal["list", "show", "export"]
ExportFormat = Literal["json", "csv", "markdown", "text"]


class CommonOptions(NamedTuple):
    """What every subcommand takes."""

    config_file: str | None = None
    """``--config FILE``: read instead of the user's own file; it must exist."""
    no_plugins: bool = False
    """Load nothing but what the shell brings itself."""
    overrides: Mapping[str, Any] = NOTHING
    """Settings by dotted name that the command line decides: ``--model`` is
    ``provider.model``, ``--api-base`` is ``provider.api_base``, ``--reasoning`` is
    ``provider.reasoning``, ``--trace`` and ``--metrics`` are ``shell.trace`` and
    ``shell.metrics``."""


class ChatOptions(NamedTuple):
    """The interactive shell."""

    common: CommonOptions = CommonOptions()
    session: str | None = None
    """A reference to the session to open; None: the current one."""
    new: str | None = None
    """The name of a session to make first; an empty one asks for the default name."""
    agent: str | None = None
    context: Mapping[str, Any] = NOTHING
    """Named facts for the model, from ``--context``."""


class QuickOptions(NamedTuple):
    """One question and its answer, of which nothing is saved."""

    text: str
    common: CommonOptions = CommonOptions()
    agent: str | None = None
    context: Mapping[str, Any] = NOTHING
    json: bool = False
    attach: tuple[str, ...] = ()
    """Paths of files that go along, as they were typed."""


class SessionOptions(NamedTuple):
    """One action on the stored sessions."""

    action: SessionAction
    common: CommonOptions = CommonOptions()
    reference: str | None = None
    """Which session ``set``, ``update``, ``delete``, ``restore`` and ``purge`` mean; None
    for ``purge``: all that the trash holds."""
    name: str | None = None
    """The name for ``create`` (may be empty: the default one), the new one for ``update``."""
    description: str | None = None
    """None: leave it as it is; an empty text removes it."""
    json: bool = False


class SearchOptions(NamedTuple):
    """A search through the stored messages."""

    text: str
    common: CommonOptions = CommonOptions()
    reference: str | None = None
    """Which session alone is searched."""
    role: Role | None = None
    since: datetime | None = None
    """UTC; messages made before are left out."""
    limit: int = 20
    json: bool = False


class DoctorOptions(NamedTuple):
    """A look at everything that can be wrong."""

    common: CommonOptions = CommonOptions()
    repair: bool = False
    json: bool = False


class ConfigOptions(NamedTuple):
    """A look at the configuration, or a change of it."""

    action: ConfigAction
    common: CommonOptions = CommonOptions()
    keys: tuple[str, ...] = ()
    """The name of the setting to ``get``, the names to ``unset``, or each ``KEY=VALUE`` to
    ``set``."""
    json: bool = False


class AgentsOptions(NamedTuple):
    """A look at the agents, or a change of them."""

    action: AgentsAction
    common: CommonOptions = CommonOptions()
    name: str = ""
    table: Mapping[str, Any] = NOTHING
    """The keys of the agent to ``create``, as its table in the configuration has them."""
    json: bool = False


class ProviderOptions(NamedTuple):
    """A look at who answers, or the end of what is kept warm."""

    common: CommonOptions = CommonOptions()
    stop: bool = False
    json: bool = False


class TraceOptions(NamedTuple):
    """What happened in the stored turns of a session."""

    action: TraceAction
    common: CommonOptions = CommonOptions()
    session: str | None = None
    """A reference; None: the current session."""
    turn: str = ""
    """The id of a question or the beginning of one. Empty: the last turn, or for ``export``
    all of them."""
    limit: int = 20
    """Turns that ``list`` shows."""
    format: ExportFormat = "json"
    output: str | None = None
    """The file that ``export`` writes; None: standard output."""
    json: bool = False


class MetricsOptions(NamedTuple):
    """What stored replies have used."""

    common: CommonOptions = CommonOptions()
    session: str | None = None
    """A reference to the only session that counts."""
    since: datetime | None = None
    """UTC; replies made before are left out."""
    export: ExportFormat | None = None
    """One row a reply, as ``json`` or ``csv``; None: a summary."""
    output: str | None = None
    """The file that the export is written to; None: standard output."""
    json: bool = False


class MigrateOptions(NamedTuple):
    """Copying all sessions from one storage to another."""

    source: str
    """The name of the storage that is read."""
    target: str
    """The name of the storage that is written."""
    common: CommonOptions = CommonOptions()
    source_path: str | None = None
    """Absolute; None: the configured one."""
    target_path: str | None = None
    """Absolute; None: the configured one."""
    dry_run: bool = False

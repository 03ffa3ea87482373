"""What a migration is to do."""

from __future__ import annotations

from typing import NamedTuple


class MigrationOptions(NamedTuple):
    """Which storage is copied, and to where."""

    source: str
    """The name of the storage that is read."""
    target: str
    """The name of the storage that is written."""
    source_path: str | None = None
    """Absolute; None: the configured one."""
    target_path: str | None = None
    """Absolute; None: the configured one."""
    dry_run: bool = False
    """Only look."""

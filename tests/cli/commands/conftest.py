"""What the tests of commands share."""

from __future__ import annotations

import io
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from agno_shell.base.options import CommonOptions
from agno_shell.contracts import Storage
from agno_shell.testing import FakeSubcommandContext


class CommandResult(NamedTuple):
    """What a command has done."""

    status: int
    out: str
    err: str


class CommandInProcess(FakeSubcommandContext):
    """What a command works with, in this process; ``common`` is for those that are built in."""

    def __init__(self, storage: Storage | None, common: CommonOptions, **streams: Any) -> None:
        super().__init__(storage, **streams)
        self.common = common


@pytest.fixture
def run() -> Callable[..., CommandResult]:
    """Run a command with what it was given; what it raises is raised here."""

    def run(
        command: ModuleType,
        given: dict[str, Any],
        storage: Storage | None = None,
        *,
        common: CommonOptions = CommonOptions(),  # noqa: B008 - it cannot be changed
        out: io.StringIO | None = None,
        err: io.StringIO | None = None,
    ) -> CommandResult:
        out, err = out or io.StringIO(), err or io.StringIO()
        status = command.run(CommandInProcess(storage, common, out=out, err=err), given)
        return CommandResult(status, out.getvalue(), err.getvalue())

    return run

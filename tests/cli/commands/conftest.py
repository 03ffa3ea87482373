"""What the tests of commands share."""

from __future__ import annotations

import io
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple, NoReturn

import pytest

from agno_shell.contracts import Storage
from agno_shell.errors import UsageError
from agno_shell.options import CommonOptions


class Ran(NamedTuple):
    """What a command has done."""

    status: int
    out: str
    err: str


class Here:
    """What a command works with, in this process and with this storage."""

    def __init__(
        self, storage: Storage | None, common: CommonOptions, out: io.StringIO, err: io.StringIO
    ) -> None:
        self._storage = storage
        self.common = common
        self.out, self.err = out, err

    def open_storage(self) -> Storage:
        assert self._storage is not None
        return self._storage

    def wrong_usage(self, sentence: str) -> NoReturn:
        raise UsageError(sentence)


@pytest.fixture
def run() -> Callable[..., Ran]:
    """Run a command with what it was given; what it raises is raised here."""

    def run(
        command: ModuleType,
        given: dict[str, Any],
        storage: Storage | None = None,
        *,
        common: CommonOptions = CommonOptions(),  # noqa: B008 - it cannot be changed
        out: io.StringIO | None = None,
        err: io.StringIO | None = None,
    ) -> Ran:
        out, err = out or io.StringIO(), err or io.StringIO()
        status = command.run(Here(storage, common, out, err), given)
        return Ran(status, out.getvalue(), err.getvalue())

    return run

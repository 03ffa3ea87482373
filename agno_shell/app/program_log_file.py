"""The file that ``--log`` names, while a command runs."""

from __future__ import annotations

import logging
import os
import platform
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from agno_shell import __version__
from agno_shell.base.program_log import ROOT, note
from agno_shell.errors import UsageError
from agno_shell.toolkit.log_file import BoundedFile

_BEGINNING = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ agno_shell")
"""How such a log begins, and hardly another file."""


def kept(path: str, command: str, work: Callable[[], int]) -> int:
    """What ``work`` returns; what the program does meanwhile is added to the log at ``path``.

    Raises :class:`UsageError` where that cannot be opened, or is another file.
    """
    with _listening(_open(path)):
        note(
            __name__,
            "start",
            command=command,
            version=__version__,
            python=platform.python_version(),
            system=sys.platform,
            terminal=bool(sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()),
        )
        started = time.perf_counter()
        try:
            status = work()
        except SystemExit as error:  # the parser's, which has reported what is wrong
            note(__name__, "exit", status=error.code, seconds=time.perf_counter() - started)
            raise
        except BaseException as error:
            note(__name__, "exit", problem=error, seconds=time.perf_counter() - started)
            raise
        note(__name__, "exit", status=status, seconds=time.perf_counter() - started)
        return status


def _open(path: str) -> BoundedFile:
    try:
        return BoundedFile.open(path, is_ours)
    except FileExistsError:
        raise UsageError(
            f"{path} is no log of agno-shell, and stays as it is.",
            hint="--log and AGNO_SHELL_LOG take a file of its own, which need not exist.",
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(
            f"The log {path} cannot be opened: {reason}.",
            hint="--log and AGNO_SHELL_LOG take a file in a folder that exists.",
        ) from None


def is_ours(beginning: bytes) -> bool:
    """Whether a file with this beginning is such a log; a file that only was named by mistake
    must not be added to, or grow too long and be moved aside."""
    return not beginning or _BEGINNING.match(beginning) is not None


@contextmanager
def _listening(file: BoundedFile) -> Iterator[None]:
    logger, handler = logging.getLogger(ROOT), _Handler(file)
    before = logger.level, logger.propagate
    # A plugin may have made the root logger write to the screen.
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.level, logger.propagate = before
        handler.close()


class _Handler(logging.Handler):
    """Writes each record at once, so that it outlives the process."""

    def __init__(self, file: BoundedFile) -> None:
        super().__init__()
        self._file: BoundedFile | None = file

    def emit(self, record: logging.LogRecord) -> None:
        # A full disk, or a record that cannot be formatted, costs that line and nothing else.
        with suppress(Exception):
            if self._file is not None:
                self._file.write(line(record).encode("ascii", "backslashreplace"))

    def close(self) -> None:
        self.acquire()
        try:
            file, self._file = self._file, None
            if file is not None:
                file.close()
        finally:
            self.release()
        super().close()


def line(record: logging.LogRecord) -> str:
    """One line: the time in UTC, the level, the logger, the process, and the message."""
    when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    text = " ".join(record.getMessage().split())
    where = f"{record.levelname} {record.name} pid={os.getpid()}"
    return f"{when.removesuffix('+00:00')}Z {where} {text}\n"

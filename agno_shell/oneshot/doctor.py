"""``agno-shell doctor``: everything that can be wrong, and what was mended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TextIO

from agno_shell import findings as findings_
from agno_shell import settings
from agno_shell.diagnosis import parts
from agno_shell.diagnosis.subject import Subject
from agno_shell.diagnosis.surroundings import finding_of, surroundings
from agno_shell.errors import AgnoShellError, ConfigError
from agno_shell.oneshot.output import terminal_width
from agno_shell.options import DoctorOptions
from agno_shell.types import Finding
from agno_shell.wording import count


def run(options: DoctorOptions, find: Callable[[], Subject], out: TextIO, err: TextIO) -> int:
    """Look, mend with ``--repair``, and tell; 1 when something is wrong still.

    ``find`` gives what is looked at; a ``ConfigError`` that it raises, such as that there
    is no home folder, is a finding and the end of the look.
    """
    found: list[Finding] = []
    looked_at = "the environment"
    try:
        subject = find()
    except ConfigError as error:
        found.append(finding_of(error, "environment"))
    else:
        found += surroundings(subject, repair=options.repair)
        found += asyncio.run(_provider(subject))
        looked_at = _storage(subject, options, found, err)
    _tell(found, looked_at, options, out)
    return int(any(map(findings_.is_wrong, found)))


async def _provider(subject: Subject) -> list[Finding]:
    try:
        models = subject.open_models()
    except AgnoShellError:
        return []  # there is no such provider, which was found already
    try:
        return [*await parts.provider(models), *await parts.background(models)]
    finally:
        await models.close()


def _storage(subject: Subject, options: DoctorOptions, found: list[Finding], err: TextIO) -> str:
    """Look at the storage; what was looked at in all, in words."""
    plugins = sum(row["state"] != "off" for row in subject.plugins.rows())
    name = subject.config[settings.STORAGE_PLUGIN]
    if name not in subject.plugins.storages:
        return findings_.looked_at(plugins, 0, 0)  # that there is none was found already
    try:
        storage = subject.open_storage()
    except AgnoShellError as error:
        found.append(finding_of(error, f"storage {name}"))
        return findings_.looked_at(plugins, 0, 0)
    with closing(storage):
        try:
            sessions = storage.sessions()
        except AgnoShellError:
            sessions = []  # the check says why they cannot be read
        with _waiting(f"Looking at {count(len(sessions), 'session')} …", err):
            found += parts.storage(storage, repair=options.repair)
        messages = sum(session.message_count for session in sessions)
        return findings_.looked_at(plugins, len(sessions), messages)


@contextmanager
def _waiting(text: str, err: TextIO) -> Iterator[None]:
    """A line on a terminal for as long as it takes; nothing elsewhere."""
    if not terminal_width(err):
        yield
        return
    err.write(text)
    err.flush()
    try:
        yield
    finally:
        err.write("\r" + " " * len(text) + "\r")
        err.flush()


def _tell(found: list[Finding], looked_at: str, options: DoctorOptions, out: TextIO) -> None:
    if options.json:
        from json import dumps

        out.write(dumps(findings_.records(found), indent=2) + "\n")
        return
    for line, _style in findings_.report(found):
        out.write(f"{line}\n")
    out.write(f"{findings_.verdict(found, looked_at)}\n")
    if findings_.can_be_repaired(found):
        out.write("agno-shell doctor --repair mends what can be mended without losing anything.\n")

"""``agno-shell doctor``: everything that can be wrong, and what was mended."""

from __future__ import annotations

from contextlib import closing, contextmanager

from agno_shell.cli.output import terminal_width, write_json
from agno_shell.errors import AgnoShellError, ConfigError
from agno_shell.toolkit.wording import count

TYPE_CHECKING = False  # as in ``typing``, without importing it for the help
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, TextIO

    from agno_shell.cli.context import Context
    from agno_shell.cli.parser import Parser
    from agno_shell.diagnosis.subject import Subject
    from agno_shell.types import Finding

SUMMARY = "find what is wrong, and repair it"

_EPILOG = """\
Without --repair nothing is changed. What --repair replaces is kept beside it.

exit status: 0 all is well, or was repaired; 1 something is wrong

examples:
  agno-shell doctor
  agno-shell doctor --repair
  agno-shell doctor --json | jq '.[].problem'
"""


def add(parser: Parser) -> None:
    """The options of the command."""
    parser.description = (
        "Check the configuration, the plugins, the permissions, the list of\n"
        "sessions and every stored message, and report what is wrong."
    )
    parser.epilog = _EPILOG
    parser.add_argument(
        "--repair", action="store_true", help="repair what can be repaired without losing anything"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(context: Context, given: Mapping[str, Any]) -> int:
    """Look, mend with ``--repair``, and report; 1 when something is still wrong.

    Where the configuration cannot be read at all, as without a home folder, that is the only
    finding.
    """
    import asyncio

    from agno_shell.app import parts
    from agno_shell.diagnosis.surroundings import finding_of, surroundings
    from agno_shell.toolkit import findings

    repair = "repair" in given
    found: list[Finding] = []
    looked_at = "the environment"
    try:
        subject = parts.subject_of(context.common)
    except ConfigError as error:
        found.append(finding_of(error, "environment"))
    else:
        found += surroundings(subject, repair=repair)
        found += asyncio.run(_provider(subject))
        looked_at = _storage(subject, found, context.err, repair=repair)
    if "json" in given:
        write_json(findings.records(found), context.out)
    else:
        _tell(found, looked_at, context.out)
    return int(any(map(findings.is_wrong, found)))


async def _provider(subject: Subject) -> list[Finding]:
    from agno_shell.diagnosis import parts

    try:
        models = subject.open_models()
    except AgnoShellError:
        return []  # there is no such provider, which was found already
    try:
        return [*await parts.provider(models), *await parts.background(models)]
    finally:
        await models.close()


def _storage(subject: Subject, found: list[Finding], err: TextIO, *, repair: bool) -> str:
    """Look at the storage; what was looked at in all, in words."""
    from agno_shell.config import settings
    from agno_shell.diagnosis import parts
    from agno_shell.diagnosis.surroundings import finding_of
    from agno_shell.toolkit import findings

    plugins = sum(row["state"] != "off" for row in subject.plugins.rows())
    name = subject.config[settings.STORAGE_PLUGIN]
    if name not in subject.plugins.storages:
        return findings.looked_at(plugins, 0, 0)  # that there is none was found already
    try:
        storage = subject.open_storage()
    except AgnoShellError as error:
        found.append(finding_of(error, f"storage {name}"))
        return findings.looked_at(plugins, 0, 0)
    with closing(storage):
        try:
            sessions = storage.sessions()
        except AgnoShellError:
            sessions = []  # the check says why they cannot be read
        with _waiting(f"Looking at {count(len(sessions), 'session')} …", err):
            found += parts.storage(storage, repair=repair)
        messages = sum(session.message_count for session in sessions)
        return findings.looked_at(plugins, len(sessions), messages)


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


def _tell(found: list[Finding], looked_at: str, out: TextIO) -> None:
    from agno_shell.toolkit import findings

    for line, _style in findings.report(found):
        out.write(f"{line}\n")
    out.write(f"{findings.verdict(found, looked_at)}\n")
    if findings.can_be_repaired(found):
        out.write("agno-shell doctor --repair mends what can be mended without losing anything.\n")

"""The command that looks for what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from agno_shell.builtin.commands.arguments import shown
from agno_shell.contracts import Command, CommandContext, Completion
from agno_shell.errors import StorageError, UsageError
from agno_shell.toolkit import findings
from agno_shell.types import Session


async def doctor(context: CommandContext, text: str) -> None:
    """Say what is wrong, or mend what can be mended."""
    word = text.strip().lower()
    if word not in ("", "repair"):
        raise UsageError(
            f"/doctor takes repair or nothing, not {shown(word)}.", hint="Usage: /doctor [repair]"
        )
    repair = word == "repair"
    found = await context.app.check(repair=repair)
    for line, style in findings.report(found):
        context.ui.print(line, style)
    sessions: Sequence[Session] = ()
    with suppress(StorageError):  # what was found says why they cannot be read
        sessions = await context.storage.read(lambda storage: storage.sessions())
    looked_at = findings.looked_at(
        sum(row.get("state") != "off" for row in context.app.plugin_rows()),
        len(sessions),
        sum(session.message_count for session in sessions),
    )
    context.ui.print(findings.verdict(found, looked_at))
    if any(finding.healed for finding in found):
        await context.engine.refresh()
    elif not repair and findings.can_be_repaired(found):
        context.ui.print("/doctor repair mends what can be mended without losing anything.")


async def _repair(_context: CommandContext, _text: str) -> Iterable[Completion]:
    return [Completion("repair", "mend what can be mended")]


COMMANDS = (
    Command(
        "doctor",
        "Look for what is wrong: configuration, plugins, rights, and every stored message.",
        doctor,
        usage="[repair]",
        details=(
            "With repair, what can be mended is mended without losing anything: what is "
            "replaced is kept beside it. Other shells may go on working meanwhile."
        ),
        complete=_repair,
    ),
)

"""What a check has found, in lines for a user and as JSON: the same on the command line
and in the shell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.wording import count
from agno_shell.types import Finding

LIMIT = 1000
"""Characters of a finding: paths are long, and the advice stands behind them."""
_NAMED = 3
"""Places that one line names."""


def is_wrong(finding: Finding) -> bool:
    """Whether something is to be done still."""
    return not (finding.healed or finding.note)


def can_be_repaired(findings: Iterable[Finding]) -> bool:
    """Whether a repair mends something of what is wrong; the rest only the user can."""
    return any(is_wrong(finding) and finding.repairable for finding in findings)


def report(findings: Sequence[Finding]) -> Iterator[tuple[str, str]]:
    """The findings line by line, what is wrong first: text and style, each a clean line."""
    for heading, style, chosen in (
        ("Wrong:", "class:error", [each for each in findings if is_wrong(each)]),
        ("Mended:", "", [each for each in findings if each.healed]),
        ("Worth knowing:", "", [each for each in findings if each.note and not each.healed]),
    ):
        if chosen:
            yield heading, style or "bold"
        for alike in _alike(chosen):
            yield f"  {sentence(*alike)}", ""


def _alike(findings: Iterable[Finding]) -> Iterable[list[Finding]]:
    """The findings that say the same of several places, together."""
    found: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        advice = finding.advice.replace(finding.where, "")
        found.setdefault((finding.problem, advice), []).append(finding)
    return found.values()


def sentence(finding: Finding, *others: Finding) -> str:
    """One finding as one clean line; and where else the same was found."""
    text = f"{finding.where}: {finding.problem} {finding.advice}"
    if others:
        places = ", ".join(each.where for each in others[:_NAMED])
        more = len(others) - _NAMED
        text += f" The same holds for {places}{f' and {more:,} more' if more > 0 else ''}."
    return clean_line(text, LIMIT)


def verdict(findings: Iterable[Finding], looked_at: str) -> str:
    """``Looked at …: all is well.``, or how much is wrong and how much was mended."""
    found = list(findings)
    wrong = sum(map(is_wrong, found))
    mended = sum(finding.healed for finding in found)
    parts = []
    if wrong:
        parts.append(f"{count(wrong, 'thing', 'are')} wrong")
    if mended:
        parts.append(f"{count(mended, 'thing', 'were')} mended")
    return f"Looked at {looked_at}: {' and '.join(parts) or 'all is well'}."


def records(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """For JSON: an object for each finding, its keys the fields of the record."""
    return [finding._asdict() for finding in findings]


def looked_at(plugins: int, sessions: int, messages: int) -> str:
    """``the configuration, 7 plugins, and 128 sessions with 4,211 messages``."""
    return (
        f"the configuration, {count(plugins, 'plugin')}, and {count(sessions, 'session')} with"
        f" {count(messages, 'message')}"
    )

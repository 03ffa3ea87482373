"""What a terminal sends that nobody typed: reports of focus, mouse, position and colours, and
answers to what another program has asked. Pure functions.

They come when a program that asked for them was killed, or late, over a slow line. Sequences:
https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
"""

from __future__ import annotations

import re
from collections.abc import Container

LONGEST = 4096
"""Characters of an answer; one without an end is not waited for any longer."""

_STRING = rf"(?:\][0-9]+;|P(?:>\||!\||[01][+$]r)|_G)[^\x00-\x1f]{{0,{LONGEST}}}"
"""Answers that are texts, without their end. Alt-], Alt-P and Alt-_ are keys."""

SEQUENCE = re.compile(
    rf"""\x1b(?:
      \[M[ -\xff]{{3}}                # the mouse, as X10 has it
    | \[\[[A-E]                       # function keys of the Linux console
    | \[[0-?]*[ -/]*[@-~]             # control sequences: keys and reports
    | {_STRING}(?:\x07|\x1b\\)
    )""",
    re.VERBOSE,
)

UNFINISHED = re.compile(
    rf"""\x1b(?:
      \[M[ -\xff]{{0,2}}
    | \[\[
    | \[[0-?]*[ -/]*
    | \][0-9]*
    | P(?:[>!]|[01][+$]?)?
    | _
    | {_STRING}\x1b?
    )?\Z""",
    re.VERBOSE,
)


def typed(data: str, keys: Container[str]) -> tuple[str, str]:
    """What of ``data`` was typed, and its end, as far as it may go on as a sequence. Of the
    sequences only those in ``keys`` are typed."""
    if "\x1b" not in data:
        return data, ""
    unfinished = UNFINISHED.search(data)
    end = unfinished.start() if unfinished else len(data)
    whole = SEQUENCE.sub(lambda found: found[0] if found[0] in keys else "", data[:end])
    return whole, data[end:]


def given_up(unfinished: str) -> str:
    """What of such an end was typed when nothing more has come: Esc, or a key with Alt."""
    return unfinished if len(unfinished) <= 2 else ""

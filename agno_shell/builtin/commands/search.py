"""Finding what was said, and going there."""

from __future__ import annotations

import re
from contextlib import aclosing
from datetime import datetime
from typing import NamedTuple

from agno_shell.builtin.commands.arguments import first_word, positive_number
from agno_shell.builtin.commands.sessions import find
from agno_shell.builtin.commands.wording import label, short_id
from agno_shell.contracts import Command, CommandContext, Line, Storage
from agno_shell.errors import SessionNotFoundError, StorageError, UsageError
from agno_shell.toolkit.terminal_text import clean, clean_line
from agno_shell.toolkit.text_table import shorten, text_width
from agno_shell.toolkit.wording import count
from agno_shell.types import Role, SearchHit, local_time

LIMIT = 20
"""More hits than this are not read by a user."""

_USAGE = "Usage: /search [--here] [--session REF] [--role user|assistant] [--since DATE] WORDS"
_OPTION = r"--(here|session|role|since|limit)(?:\s+|$)"
_MARKED = "bold"
_LONGEST_NAME = 24
"""Columns."""
_LIST_MARGIN = 8
"""Columns that the list itself needs."""
_NARROW = 60
"""Columns; in fewer, the snippet has no room beside date and role."""
_LEAST_ROOM = 20

Pieces = tuple[tuple[str, bool], ...]
"""A snippet, as in :class:`~agno_shell.types.SearchHit`."""


class SearchArguments(NamedTuple):
    """What was typed behind ``/search``, taken apart."""

    words: str
    here: bool = False
    """In the open session alone."""
    session: str | None = None
    """A reference to the session that alone is searched."""
    role: Role | None = None
    since: datetime | None = None
    limit: int = LIMIT


async def search(context: CommandContext, text: str) -> None:
    """List the messages that hold all the words, and open the one that is chosen."""
    wanted = parse(text)
    session_id = None
    if wanted.here:
        session_id = context.engine.session.session_id
    elif wanted.session is not None:
        session_id = (await find(context, wanted.session)).session_id

    def look(storage: Storage) -> list[SearchHit]:
        if not storage.can_search:
            raise StorageError(
                "The storage in use cannot search.",
                hint='The storage json can: [storage] plugin = "json".',
            )
        return storage.search(
            wanted.words,
            session_id=session_id,
            role=wanted.role,
            since=wanted.since,
            limit=wanted.limit,
        )

    if session_id is None:
        await _prepare(context)
    hits = await context.storage.read(look)
    if not hits:
        context.ui.print(_nothing(wanted))
        return
    chosen = await context.ui.choose([option(hit, context.ui.width) for hit in hits])
    if chosen is None:
        # The list is gone, or there was nobody to show it to.
        context.ui.print_lines(line for hit in hits for line in lines(hit))
        return
    session, message = hits[chosen].session, hits[chosen].message
    try:
        await context.engine.switch(session.session_id, at=message.id)
    except SessionNotFoundError as error:
        raise SessionNotFoundError(
            f"Session {label(session)} was deleted since it was found.",
            hint=f"/undelete {short_id(session)} brings it back, if it is in the trash.",
        ) from error


async def _prepare(context: CommandContext) -> None:
    """Bring the index up to date, where that may take a while; Ctrl-C keeps what is done."""
    steps = context.storage.steps(lambda storage: storage.prepare_search())
    async with aclosing(steps):
        async for done, total in steps:
            context.ui.progress(f"Indexing {done:,} of {count(total, 'session')} … Ctrl-C stops.")
    context.ui.progress("")


def parse(text: str) -> SearchArguments:
    """``[OPTION ...] WORDS``. Options stand before the words; behind ``--``, and from the
    first word on, everything is looked for.

    Raises :class:`UsageError`.
    """
    wanted = SearchArguments("")
    rest = text.strip()
    while match := re.match(_OPTION, rest):
        rest = rest[match.end() :]
        if match[1] == "here":
            wanted = wanted._replace(here=True)
            continue
        value, rest = first_word(rest)
        if not value:
            raise UsageError(f"/search --{match[1]} needs a value.", hint=_USAGE)
        wanted = _with(wanted, match[1], value)
    if rest == "--" or rest.startswith("-- "):
        rest = rest[3:].strip()
    if not rest:
        raise UsageError(
            "/search needs words to look for.",
            hint='For example: /search tax return, or /search "blue cups" sauc*',
        )
    return wanted._replace(words=rest)


def _with(wanted: SearchArguments, option: str, value: str) -> SearchArguments:
    if option == "session":
        return wanted._replace(session=value)
    if option == "limit":
        return wanted._replace(limit=positive_number(value, "search --limit", LIMIT))
    if option == "since":
        return wanted._replace(since=_moment(value))
    roles: dict[str, Role] = {"user": "user", "assistant": "assistant"}
    if value in roles:
        return wanted._replace(role=roles[value])
    raise UsageError(
        f"/search --role takes user or assistant, not '{clean_line(value, 40)}'.", hint=_USAGE
    )


def _moment(text: str) -> datetime:
    """A date, or a date and a time, in local time."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"/search --since takes a date such as 2026-01-31, not '{clean_line(text, 40)}'.",
            hint=_USAGE,
        ) from None


def option(hit: SearchHit, width: int) -> Line:
    """A hit in one row: session, date, role, and what was found where it can still be seen
    in ``width`` columns; the list cuts off the rest. 0: there is room for all."""
    is_narrow = 0 < width < _NARROW
    name = shorten(clean_line(hit.session.name), width // 4 if is_narrow else _LONGEST_NAME)
    date = local_time(hit.message.created_at)[:10]
    heading = f"{name}  " if is_narrow else f"{name}  {date}  {hit.message.role}  "
    snippet = _clean(hit.snippet)
    if width:
        room = max(width - text_width(heading) - _LIST_MARGIN, _LEAST_ROOM)
        snippet = _from_mark(snippet, room)
    return (("class:notice", heading), *_styled(snippet))


def lines(hit: SearchHit) -> list[Line]:
    """A hit in two lines, for the scrollback."""
    session, message = hit.session, hit.message
    heading = (
        f"{short_id(session)}  {clean_line(session.name)}  "
        f"{local_time(message.created_at)}  {message.role}"
    )
    return [(("class:notice", heading),), (("", "  "), *_styled(_clean(hit.snippet)))]


def _clean(snippet: Pieces) -> Pieces:
    return tuple((clean(text).replace("\n", " "), marked) for text, marked in snippet)


def _from_mark(snippet: Pieces, room: int) -> Pieces:
    """The snippet without most of what stands before the first mark, where not all of it
    can be seen."""
    if sum(text_width(text) for text, _marked in snippet) <= room:
        return snippet
    first = next((at for at, (_text, marked) in enumerate(snippet) if marked), 0)
    before = "".join(text for text, _marked in snippet[:first])
    if text_width(before) > room // 3:
        before = before[-(room // 3) :]
        while text_width(before) > room // 3:
            before = before[1:]
        before = "…" + before
    return ((before, False), *snippet[first:])


def _styled(snippet: Pieces) -> list[tuple[str, str]]:
    return [(_MARKED if marked else "", text) for text, marked in snippet]


def _nothing(wanted: SearchArguments) -> str:
    from agno_shell.toolkit.full_text import parse as parse_query

    if not parse_query(wanted.words):
        return "There is no letter, digit or symbol in that, so nothing was searched."
    limits = wanted.here or wanted.session or wanted.role or wanted.since
    where = " within these limits" if limits else ""
    return f"No message holds '{clean_line(wanted.words, 60)}'{where}."


COMMANDS = (
    Command(
        "search",
        "Find what was said in any session, and go there.",
        search,
        usage="[OPTION ...] WORDS",
        details=(
            "A message is found when it holds all the words, in any letter case and in any "
            'branch. "Words in quotes" must stand together, and a star stands for the rest of a '
            "word. C++, C#, $HOME and an emoji are found as themselves. The best stand first; "
            "Enter opens the session at that message.\n"
            "Options, before the words: --here (the open session alone), --session REF, "
            "--role user or assistant, --since 2026-01-31, --limit N. What stands behind -- is "
            "looked for whatever it is.\n"
            'Example: /search --role user "blue cups" sauc*'
        ),
    ),
)

"""Commands that make, find and name sessions."""

from __future__ import annotations

from agno_shell.builtin.commands import completions
from agno_shell.builtin.commands.arguments import (
    clean_name,
    split_description,
    split_reference,
    unquote,
)
from agno_shell.builtin.commands.wording import label, short_id
from agno_shell.contracts import Command, CommandContext, Storage
from agno_shell.errors import SessionNotFoundError, UsageError
from agno_shell.toolkit.session_names import name_key
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.text_table import Column
from agno_shell.toolkit.wording import count
from agno_shell.types import Session, default_session_name, local_time, now

LIST_COLUMNS = (
    Column(""),
    Column("ID"),
    Column("Name", minimum=12),
    Column("Message Count", right=True),
    Column("Last Updated"),
    Column("Description", minimum=11),
)

LISTED = 50
"""More sessions than this would push everything else off the screen."""

DESCRIPTION_LIMIT = 2000
"""Characters of a session's description."""


async def new(context: CommandContext, text: str) -> None:
    """Create a session and open it."""
    typed, description = split_description(text)
    name = clean_name(typed) if typed else default_session_name(now())
    await create_and_open(context, name, _clean_description(description))


async def create_and_open(context: CommandContext, name: str, description: str = "") -> None:
    """Create a session, say its id, and make it the open one."""
    session = await context.storage(lambda storage: storage.create(name, description))
    context.ui.print(f"Created session '{clean_line(name)}' with ID: {session.session_id}")
    await say_duplicates(context, session)
    await open_session(context, session)


async def open_session(context: CommandContext, session: Session) -> None:
    """Make ``session`` the open one; the shell shows its name and its last exchanges."""
    await context.engine.switch(session.session_id)


async def sessions(context: CommandContext, text: str) -> None:
    """List sessions as a table."""
    wanted = unquote(text).casefold()
    # In the storage's thread: there may be a hundred thousand of them.
    found = await context.storage(lambda storage: _found(storage.sessions(), wanted))
    if not found:
        context.ui.print(
            f"No session has '{clean_line(unquote(text))}' in its name, description or tags."
            if wanted
            else "There are no sessions yet. /new makes one."
        )
        return
    open_id = context.engine.session.session_id
    context.ui.table(
        LIST_COLUMNS,
        [
            (
                "*" if session.session_id == open_id else "",
                short_id(session),
                session.name,
                str(session.message_count),
                local_time(session.updated_at),
                session.description,
            )
            for session in found[:LISTED]
        ],
    )
    if len(found) > LISTED:
        context.ui.print(
            f"{len(found) - LISTED:,} older ones are not listed; "
            "/sessions TEXT shows those with TEXT in their name, description or tags."
        )


async def switch(context: CommandContext, text: str) -> None:
    """Open another session."""
    if not text.strip():
        raise UsageError(
            "/switch needs a session: an ID, the beginning of one, or a name.",
            hint="/sessions lists them.",
        )
    session = await find(context, text)
    if session.session_id == context.engine.session.session_id and not await _went_on(context):
        context.ui.print(f"Session {label(session)} is open already.")
        return
    await open_session(context, session)


async def _went_on(context: CommandContext) -> bool:
    """Whether the open session stands on a message that this shell does not show, because
    another one has gone on with it."""
    session_id = context.engine.session.session_id
    newest = await context.storage(lambda storage: storage.messages(session_id, last=1))
    return bool(newest) and newest[-1].id not in {message.id for message in context.engine.history}


async def find(context: CommandContext, text: str) -> Session:
    """The session that all of ``text`` means, with or without quotes around it."""
    try:
        return await context.engine.resolve(text.strip())
    except SessionNotFoundError:
        if unquote(text) == text.strip():
            raise
    return await context.engine.resolve(unquote(text))


async def rename(context: CommandContext, text: str) -> None:
    """Give a session another name."""
    if not text.strip():
        raise UsageError("/rename needs a name.", hint="Usage: /rename [REF] NAME")
    session, typed = await _target(context, text)
    name = clean_name(typed)
    changed = await context.storage(lambda storage: storage.update(session.session_id, name=name))
    context.ui.print(f"Session {label(session)} updated: name changed to {clean_line(name)}")
    await say_duplicates(context, changed)
    await context.engine.refresh()


async def describe(context: CommandContext, text: str) -> None:
    """Give a session another description."""
    if not text.strip():
        raise UsageError(
            "/describe needs a text.", hint='Usage: /describe [REF] TEXT; "" removes the text.'
        )
    session, typed = await _target(context, text)
    description = _clean_description(typed)
    await context.storage(
        lambda storage: storage.update(session.session_id, description=description)
    )
    what = f"changed to {clean_line(description)}" if description else "removed"
    context.ui.print(f"Session {label(session)} updated: description {what}")
    await context.engine.refresh()


async def _target(context: CommandContext, text: str) -> tuple[Session, str]:
    open_id = context.engine.session.session_id
    session, rest = await context.storage(
        lambda storage: split_reference(text, storage.sessions(), open_id)
    )
    return session or context.engine.session, rest


def _clean_description(text: str) -> str:
    description = unquote(text)
    if len(description) > DESCRIPTION_LIMIT:
        raise UsageError(
            f"A description can have {DESCRIPTION_LIMIT:,} characters; "
            f"this one has {len(description):,}.",
            hint="Shorten it.",
        )
    return description


def _found(everything: list[Session], wanted: str) -> list[Session]:
    """Those that hold a text in their name, description or tags."""
    return [each for each in everything if wanted in _searched(each)] if wanted else everything


def _searched(session: Session) -> str:
    return "\n".join((session.name, session.description, *session.tags)).casefold()


async def say_duplicates(context: CommandContext, session: Session) -> None:
    """A name may be given twice, but then only ids tell the sessions apart."""
    key = name_key(session.name)

    def others(storage: Storage) -> list[str]:
        return [
            short_id(other)
            for other in storage.sessions()
            if name_key(other.name) == key and other.session_id != session.session_id
        ]

    if same := await context.storage(others):
        shown = ", ".join(same[:3]) + (" …" if len(same) > 3 else "")
        context.ui.print(
            f"{count(len(same), 'other session')} of this name: {shown}. "
            f"Its ID, {short_id(session)}, tells it apart."
        )


COMMANDS = (
    Command(
        "new",
        "Start a session and open it.",
        new,
        usage="[NAME] [-- DESCRIPTION]",
        details=(
            "Without a name the session is called after the time, as in "
            "Session 2026-07-20 10:30. The session you leave is kept as it is.\n"
            "Example: /new Tax return -- figures for 2026"
        ),
    ),
    Command(
        "sessions",
        "List the sessions, or those with TEXT in their name, description or tags.",
        sessions,
        usage="[TEXT]",
        details="The newest stand first; the open one is marked with *. Times are local.",
    ),
    Command(
        "switch",
        "Open another session and go on with it.",
        switch,
        usage="REF",
        details=(
            "REF is a session's ID, the beginning of one, or a name. The model is sent the "
            "earlier messages of that session again.\n"
            "Example: /switch Tax return"
        ),
        complete=completions.sessions,
    ),
    Command(
        "rename",
        "Give the open session, or the one named, another name.",
        rename,
        usage="[REF] NAME",
        details=(
            "The first word is taken as REF when more words follow and it is the exact name "
            "of another session, or its ID, or at least 4 characters of it. Put quotes around a "
            "name that holds blanks.\n"
            'Example: /rename "Tax return" Taxes 2026'
        ),
        complete=completions.sessions_to_change,
    ),
    Command(
        "describe",
        "Describe the open session, or the one named.",
        describe,
        usage="[REF] TEXT",
        details=(
            'REF as in /rename. /describe "" removes the description.\n'
            "Example: /describe What we found out about the figures for 2026"
        ),
        complete=completions.sessions_to_change,
    ),
)

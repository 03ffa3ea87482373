"""What Tab offers behind each command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import islice

from agno_shell.builtin.commands.arguments import SHOWN_LENGTH, first_word
from agno_shell.builtin.commands.wording import age, price_words, short_id, window_words
from agno_shell.contracts import CommandContext, Completion, KnownModel
from agno_shell.errors import AgnoShellError
from agno_shell.toolkit.file_names import matching
from agno_shell.toolkit.session_names import name_key
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.wording import count
from agno_shell.types import Session

Completer = Callable[[CommandContext, str], Awaitable[Iterable[Completion]]]

OFFERED = 500
"""Sessions at most: the newest of those whose name, or id, what is typed may become."""

MODELS_PATIENCE = 1.0
"""Seconds that a menu waits for servers to say what models they have."""

ID_TYPED = 2
"""Ids are offered beside names once this many characters of one were typed."""


def words(*choices: tuple[str, str]) -> Completer:
    """A completer of fixed words, each with what it means."""
    completions = [Completion(text, meta) for text, meta in choices]

    async def complete(_context: CommandContext, _text: str) -> Iterable[Completion]:
        return completions

    return complete


async def sessions(context: CommandContext, text: str) -> Iterable[Completion]:
    """Every session but the open one, by name and, once some of it is typed, by id."""
    open_id = context.engine.session.session_id
    # In the storage's thread: there may be a hundred thousand of them.
    return await context.storage(lambda storage: _sessions(storage.sessions(), open_id, text))


def _sessions(everything: Sequence[Session], open_id: str, text: str) -> list[Completion]:
    others = [each for each in everything if each.session_id != open_id]
    typed = text.strip().lower()
    begun = (each for each in others if each.session_id.startswith(typed))
    by_id = [
        # As long as what was typed, or the shell's filter would drop it.
        Completion(
            session.session_id[: max(SHOWN_LENGTH, len(typed))],
            _meta(session, clean_line(session.name)),
        )
        for session in islice(begun, OFFERED if len(typed) >= ID_TYPED else 0)
    ]
    if len(others) > OFFERED:
        letters = typed.lstrip("'\"")
        others = list(islice((each for each in others if _may_be(each, letters)), OFFERED))
    return [*_by_name(others, everything), *by_id]


def _may_be(session: Session, letters: str) -> bool:
    """Whether a name holds these letters in this order, as the shell's filter wants it."""
    rest = iter(session.name.casefold())
    return all(letter in rest for letter in letters.casefold())


async def sessions_to_change(context: CommandContext, text: str) -> Iterable[Completion]:
    """For ``[REF] TEXT``: references, quoted where they hold blanks, while the first
    word is typed. Behind it the text is the user's own."""
    if first_word(text)[1]:
        return ()
    return [each._replace(text=_quoted(each.text) + " ") for each in await sessions(context, text)]


async def trashed(context: CommandContext, _text: str) -> Iterable[Completion]:
    """The sessions in the trash, the latest first."""
    trash = await context.storage(lambda storage: storage.trash())
    names = Counter(each.session.name for each in trash)
    return [
        Completion(
            each.session.name if _can_name(each.session, names) else each.trash_id,
            f"{clean_line(each.session.name)} · deleted {age(each.deleted_at)}"
            f" · {count(each.session.message_count, 'message')}",
        )
        for each in trash
    ]


async def paths(_context: CommandContext, text: str) -> Iterable[Completion]:
    """The files and folders that what is typed may become; a disk may be slow."""
    from asyncio import to_thread

    return await to_thread(_entries, text)


def _entries(text: str) -> list[Completion]:
    quote = text[:1] if text[:1] in ("'", '"') else ""
    # One that ends in a quote would lose it when the command takes the path apart.
    found = (path for path in matching(text[len(quote) :]) if path[-1] not in "'\"")
    return [Completion(quote + path) for path in found]


async def models(context: CommandContext, text: str) -> Iterable[Completion]:
    """The provider's models; behind ``--default`` as well."""
    flag = "--default"
    given = text.lstrip().startswith(flag + " ")
    found = [
        Completion(
            f"{flag} {each.name}" if given else each.name,
            " · ".join(filter(None, (window_words(each), price_words(each)))),
        )
        for each in await _known_models(context)
    ]
    if not given and text.strip() and flag.startswith(text.strip()):
        found.insert(0, Completion(f"{flag} ", "also for new sessions"))
    return found


async def _known_models(context: CommandContext) -> Sequence[KnownModel]:
    """What servers say in a moment; else what is known by now: the next key asks again."""
    from asyncio import timeout

    try:
        async with timeout(MODELS_PATIENCE):
            return (await context.engine.list_models()).models
    except (TimeoutError, AgnoShellError):  # a menu is no place for an error; /model says it
        pass
    try:
        return (await context.engine.list_models(ask=False)).models
    except AgnoShellError:
        return ()


async def agents(context: CommandContext, _text: str) -> Iterable[Completion]:
    """The configured agents, and the word that leaves the one in use."""
    found = [
        Completion(name, clean_line(getattr(agent, "description", "") or ""))
        for name, agent in context.engine.agents.items()
    ]
    return [*found, Completion("none", "no agent")]


async def commands(context: CommandContext, _text: str) -> Iterable[Completion]:
    """The names of all commands."""
    by_name = {command.name: command for command in context.app.commands.values()}  # no aliases
    return [Completion(name, command.summary) for name, command in by_name.items()]


on_off = words(("on", "show it"), ("off", "do not show it"))


def _by_name(offered: Iterable[Session], everything: Iterable[Session]) -> list[Completion]:
    """Each session by its name, or by its id where the name would not find it."""
    names = Counter(name_key(session.name) for session in everything)
    return [
        Completion(session.name, _meta(session, short_id(session)))
        if _can_name(session, names)
        else Completion(short_id(session), _meta(session, clean_line(session.name)))
        for session in offered
    ]


def _can_name(session: Session, names: Counter[str]) -> bool:
    """Its name is its own, and can be typed and shown as it is."""
    is_its_own = names[name_key(session.name)] == 1
    return is_its_own and session.name == clean_line(session.name) != ""


def _meta(session: Session, other: str) -> str:
    return f"{other} · {count(session.message_count, 'message')} · {age(session.updated_at)}"


def _quoted(text: str) -> str:
    if not any(character.isspace() for character in text):
        return text
    return f'"{text}"' if '"' not in text else f"'{text}'"

"""What could stand at the cursor, for the completion of the command line by other shells.

The scripts of :mod:`agno_shell.cli.completion_scripts` run this program at each Tab, so it goes
the way of ``session --list``: no plugin, no event loop. What is offered and cannot be shown or
typed as it is goes by its id.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import argcomplete

from agno_shell.app import parts
from agno_shell.cli.parser import common_options
from agno_shell.config import settings
from agno_shell.errors import AgnoShellError
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.wording import count
from agno_shell.types import Session, local_time

if TYPE_CHECKING:
    from argparse import Action, ArgumentParser, Namespace

    from agno_shell.contracts.storage import Storage

Given = Mapping[str, Any]
"""What stands on the line already, by the names of the options."""

Offers = dict[str, str]
"""What could stand there, each with a few words about it."""

SHOWN_LENGTH = 8
"""Characters of an id, unless more were typed."""

TURNS = 20
"""Turns that are offered, of the end of a session."""


def answer(parser: ArgumentParser) -> None:
    """Write what could stand at the cursor to where the script reads it, and end the process."""
    if os.environ.get("_ARGCOMPLETE_SHELL") == "tcsh":
        _translate_tcsh()
    argcomplete.autocomplete(
        parser,
        always_complete_options="long",
        default_completer=_complete,  # type: ignore[arg-type]  # any callable is one
    )


def _translate_tcsh() -> None:
    line = os.environ.get("COMMAND_LINE", "")
    os.environ.update(COMP_LINE=line, COMP_POINT=str(len(line)), _ARGCOMPLETE_IFS="\n")


def _complete(prefix: str, action: Action, parsed_args: Namespace, **_: object) -> Offers:
    """The values of an option; a menu is no place for an error, so there are none then."""
    source = getattr(action, "completes", None)
    if source is None:
        return {}
    try:
        offers = SOURCES[source](prefix, vars(parsed_args))
    except (AgnoShellError, OSError):
        return {}
    return {text: clean_line(about, 100) for text, about in offers.items() if _can_be_typed(text)}


def _can_be_typed(text: str) -> bool:
    """Whether the shells take it as it is once the library has quoted it. What begins like
    an option, a comment or a home folder would be one; tcsh splits at blanks."""
    if os.environ.get("_ARGCOMPLETE_SHELL") == "tcsh" and any(map(str.isspace, text)):
        return False
    return bool(text) and clean_line(text, len(text)) == text


def _is_plain_name(text: str) -> bool:
    return text[:1] not in ("-", "#", "~", "=", "") and _can_be_typed(text)


# Sessions ---------------------------------------------------------------------------------


def sessions(prefix: str, given: Given) -> Offers:
    """Every session by its name, or its id where the name would not find it; and by id once
    some of one is typed."""
    found = _storage(given, lambda storage: storage.sessions())
    return _by_reference(prefix, ((each.session_id, each, "") for each in found))


def trash(prefix: str, given: Given) -> Offers:
    """The deleted sessions, in the same way."""
    found = _storage(given, lambda storage: storage.trash())
    return _by_reference(
        prefix,
        ((each.trash_id, each.session, f"deleted {local_time(each.deleted_at)}") for each in found),
        whole_ids=True,
    )


def turns(_prefix: str, given: Given) -> Offers:
    """The last turns of the session that is meant, the latest first."""
    from agno_shell.cli.commands.trace.turns import last_turns, meant

    found = _storage(
        given,
        lambda storage: last_turns(storage, meant(storage, given.get("session")).session_id, TURNS),
    )
    return {each.id[:SHOWN_LENGTH]: each.asked for each in reversed(found)}


def _by_reference(
    prefix: str, found: Iterable[tuple[str, Session, str]], *, whole_ids: bool = False
) -> Offers:
    rows = list(found)
    names = Counter(session.name for _id, session, _about in rows)
    typed = prefix.lower()
    offers: Offers = {}
    for id_, session, about in rows:
        about = about or local_time(session.updated_at)
        about = f"{count(session.message_count, 'message')} · {about}"
        short = id_ if whole_ids else id_[: max(SHOWN_LENGTH, len(typed))]
        if names[session.name] == 1 and _is_plain_name(session.name):
            offers[session.name] = about
            if not typed or not id_.startswith(typed):
                continue
        offers[short] = f"{session.name} · {about}"
    return offers


def _storage(given: Given, read: Callable[[Storage], Any]) -> Any:
    options = common_options(given)
    paths, config = parts.configure(options)
    storage = parts.open_storage(config, paths, options)
    try:
        return read(storage)
    finally:
        storage.close()


# What the configuration names -------------------------------------------------------------


def agents(_prefix: str, given: Given) -> Offers:
    """The agents of the configuration."""
    _paths, config = parts.configure(common_options(given))
    return {agent.name: agent.description or agent.instructions for agent in config.agents.values()}


def models(_prefix: str, given: Given) -> Offers:
    """The models that are configured, and those that sessions have used. To ask a provider
    for all that it has takes seconds."""
    _paths, config = parts.configure(common_options(given))
    offers: Offers = {}
    for name in (config[settings.PROVIDER_MODEL], *config[settings.PROVIDER_FALLBACKS]):
        offers.setdefault(name, "configured")
    for agent in config.agents.values():
        for name in (agent.model or "", *agent.fallbacks):
            offers.setdefault(name, f"of the agent {agent.name}")
    for session in _storage(given, lambda storage: storage.sessions()):
        offers.setdefault(session.model or "", f"used in {session.name}")
    return {name: about for name, about in offers.items() if name}


def storages(_prefix: str, given: Given) -> Offers:
    """The storages that are installed."""
    options = common_options(given)
    _paths, config = parts.configure(options)
    plugins = parts.plugins_of(config, options)
    plugins.load_installed()
    return {factory.name: factory.summary for factory in plugins.storages.all().values()}


def setting_names(_prefix: str, _given: Given) -> Offers:
    """The settings, as ``config --get`` takes them."""
    return {setting.name: setting.help for setting in settings.ALL}


def setting_values(prefix: str, given: Given) -> Offers:
    """``KEY=``, and behind it what the setting may be where that is known."""
    name, equals, _value = prefix.partition("=")
    if not equals:
        return {f"{setting.name}=": setting.help for setting in settings.ALL}
    setting = settings.BY_NAME.get(name)
    if setting is None:
        return {}
    values: Iterable[str] = setting.choices
    if setting.kind is bool:
        values = ("true", "false")
    elif setting is settings.PROVIDER_MODEL:
        values = models("", given)
    return {f"{name}={value}": "" for value in values if value}


# What the machine has ---------------------------------------------------------------------


def files(prefix: str, _given: Given) -> Offers:
    """Files and folders that begin with what is typed."""
    from agno_shell.toolkit.file_names import matching

    return dict.fromkeys(matching(prefix), "")


def key_variables(_prefix: str, _given: Given) -> Offers:
    """Environment variables that look as if they held a key."""
    ends = ("_KEY", "_TOKEN")
    return {name: "" for name in os.environ if name.endswith(ends) and name.isupper()}


SOURCES: Mapping[str, Callable[[str, Given], Offers]] = {
    function.__name__: function
    for function in (
        sessions,
        trash,
        turns,
        agents,
        models,
        storages,
        setting_names,
        setting_values,
        files,
        key_variables,
    )
}
"""By the name that :func:`agno_shell.cli.parser.completes` gives to an option."""

"""The provider and the storage check themselves; either may come from any plugin."""

from __future__ import annotations

from collections.abc import Iterator

from agno_shell.contracts import Storage
from agno_shell.conversation.models import OFFLINE, Models
from agno_shell.conversation.store import StoreThread
from agno_shell.errors import AgnoShellError
from agno_shell.toolkit.guarding import let_through, reason_of
from agno_shell.toolkit.reports import background_in_words
from agno_shell.types import Finding


async def provider(models: Models) -> list[Finding]:
    """What the provider of the configured model says of its set-up."""
    choice = models.choose(None)
    if choice.provider == OFFLINE:
        return [
            Finding(
                "provider",
                "No model is set up; the offline provider answers.",
                "Set [provider] model, or the key of a service, such as OPENAI_API_KEY.",
                note=True,
            )
        ]
    where = f"provider {choice.provider}"
    try:
        return [Finding(where, each) for each in await models.provider(choice).check(choice.model)]
    except AgnoShellError as error:
        return [Finding(where, str(error), error.hint)]
    except BaseException as error:
        let_through(error)
        # A bug in it must not hide the other findings.
        return [Finding(where, f"Its check failed: {reason_of(error)}.")]


async def background(models: Models) -> list[Finding]:
    """What providers keep running when no shell does."""
    try:
        return [
            Finding(
                f"provider {name}",
                f"It keeps a process running: {background_in_words(each)}.",
                "agno-shell provider --stop ends it.",
                note=True,
            )
            for name, each in await models.background()
        ]
    except AgnoShellError as error:
        return [Finding("provider", str(error), error.hint)]


def storage(kept: Storage, *, repair: bool = False) -> Iterator[Finding]:
    """What the storage finds, and mends with ``repair``."""
    try:
        yield from kept.check(repair=repair)
    except AgnoShellError as error:
        yield Finding("storage", str(error), error.hint)
    except GeneratorExit:  # the caller has seen enough
        raise
    except BaseException as error:
        let_through(error)
        # A bug in it must not hide the other findings.
        yield Finding("storage", f"Its check failed: {reason_of(error)}.")


async def storage_of(thread: StoreThread, *, repair: bool = False) -> list[Finding]:
    """The same in a storage's own thread; that it cannot be opened is a finding as well."""
    try:
        return await thread(lambda kept: list(storage(kept, repair=repair)))
    except AgnoShellError as error:
        return [Finding("storage", str(error), error.hint)]

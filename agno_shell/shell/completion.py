"""Completion of slash commands and of their arguments, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, FuzzyCompleter
from prompt_toolkit.document import Document

from agno_shell import contracts
from agno_shell.errors import AgnoShellError
from agno_shell.terminal_text import clean_line

LARGE = 500
"""Candidates from which on the fuzzy filter runs in a thread."""


class Candidates(Completer):
    """A fixed list, of which prompt_toolkit's fuzzy completer takes what fits."""

    def __init__(self, candidates: Iterable[contracts.Completion]) -> None:
        self._candidates = list(candidates)

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        for candidate in self._candidates:
            yield Completion(
                candidate.text,
                display=clean_line(candidate.text),
                display_meta=clean_line(candidate.meta),
            )


def fuzzy(candidates: Iterable[contracts.Completion], typed: str) -> list[Completion]:
    """The candidates that hold the typed characters in order, the best first."""
    completer = FuzzyCompleter(Candidates(candidates), pattern=r"^(?s:.*)")
    return list(completer.get_completions(Document(typed), CompleteEvent()))


class CommandCompleter(Completer):
    """Completes ``/name`` and then whatever the command itself offers."""

    def __init__(
        self,
        commands: Callable[[], Mapping[str, contracts.Command]],
        context: Callable[[], contracts.CommandContext],
    ) -> None:
        self._commands = commands
        self._context = context

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """Nothing: arguments are asked for asynchronously only."""
        return ()

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        text = document.text_before_cursor
        if not text.startswith("/") or "\n" in text:
            return
        name, space, argument = text[1:].partition(" ")
        if space:
            candidates = await self._arguments(name, argument.lstrip())
            typed = argument.lstrip()
        else:
            candidates = [
                contracts.Completion(f"/{command.name}", command.summary)
                for command in self._commands().values()
            ]
            typed = text
        if len(candidates) > LARGE:
            found = await asyncio.to_thread(fuzzy, candidates, typed)
        else:
            found = fuzzy(candidates, typed)
        for completion in found:
            yield completion

    async def _arguments(self, name: str, argument: str) -> list[contracts.Completion]:
        command = self._commands().get(name)
        if command is None or command.complete is None:
            return []
        # Completion is an offer: what is wrong is said when the command is run.
        try:
            return list(await command.complete(self._context(), argument))
        except AgnoShellError:
            return []

"""Completion of slash commands, of their arguments and of file names, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples

from agno_shell import contracts
from agno_shell.conversation.files.mentions import beginning, mention
from agno_shell.shell.typed import is_command
from agno_shell.toolkit.file_names import matching
from agno_shell.toolkit.guarding import let_through
from agno_shell.toolkit.terminal_text import clean_line

LARGE = 500
"""Candidates from which on the fuzzy filter runs in a thread."""


def fuzzy(candidates: Iterable[contracts.Completion], typed: str) -> list[Completion]:
    """The candidates that hold the typed characters in order, the best first.

    prompt_toolkit's FuzzyCompleter makes a regular expression of what is typed, which
    takes exponential time on names such as "aaaaaaaa".
    """
    found = []
    for candidate in candidates:
        places = match(candidate.text.casefold(), typed.casefold())
        if places is not None:
            spread = places[-1] - places[0] if places else 0
            found.append((places[0] if places else 0, spread, places, candidate))
    found.sort(key=lambda each: each[:2])
    return [
        Completion(
            candidate.text,
            start_position=-len(typed),
            display=_display(candidate.text, places),
            display_meta=clean_line(candidate.meta),
        )
        for _start, _spread, places, candidate in found
    ]


def match(text: str, typed: str) -> list[int] | None:
    """Where the characters of ``typed`` stand in ``text``, in order and as near to each
    other as possible; None when they do not."""
    best: list[int] | None = None
    if not typed:
        return []
    start = text.find(typed[0])
    while start >= 0:
        places = [start]
        for character in typed[1:]:
            place = text.find(character, places[-1] + 1)
            if place < 0:
                return best  # nor from any later start
            places.append(place)
        if best is None or places[-1] - places[0] < best[-1] - best[0]:
            best = places
        start = text.find(typed[0], start + 1)
    return best


def _display(text: str, places: Sequence[int]) -> StyleAndTextTuples:
    shown = clean_line(text)
    if shown != text:  # the places are those of the text before it was made visible
        return [("", shown)]
    marked = set(places)
    return [
        ("class:fuzzymatch.inside" if index in marked else "class:fuzzymatch.outside", character)
        for index, character in enumerate(shown)
    ]


def completes(document: Document) -> bool:
    """Whether what is being typed is completed unasked: a command, or ``@`` and a path."""
    if is_command(document.text):
        return True
    line = document.current_line_before_cursor
    return "@" in line and beginning(line) is not None


class ShellCompleter(Completer):
    """Completes ``/name``, then whatever the command itself offers; in a message ``@path``.
    ``context`` makes what a command sees."""

    def __init__(
        self,
        commands: Callable[[], Mapping[str, contracts.Command]],
        context: Callable[[contracts.Command], contracts.CommandContext],
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
        if not is_command(document.text):
            for completion in await self._files(document.current_line_before_cursor):
                yield completion
            return
        if "\n" in text:
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

    async def _files(self, line: str) -> list[Completion]:
        """What ``@`` and a part of a path at the end of a line may become."""
        if not (being_typed := beginning(line)):
            return []
        typed, path = being_typed
        found = []
        for name in await asyncio.to_thread(matching, path):
            shown = _display(name, match(name.casefold(), path.casefold()) or [])
            # In a folder there is more to type: its quotes stay open.
            text = mention(name)
            text = text[:-1] if name.endswith("/") and text.endswith('"') else text
            found.append(Completion(text, start_position=-len(typed), display=shown))
        return found

    async def _arguments(self, name: str, argument: str) -> list[contracts.Completion]:
        command = self._commands().get(name)
        if command is None or command.complete is None:
            return []
        # Completion is an offer: what is wrong is said when the command is run.
        try:
            return list(await command.complete(self._context(command), argument))
        except BaseException as error:  # a command may be anybody's plugin
            let_through(error)
            return []

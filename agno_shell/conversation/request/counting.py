"""How many tokens messages have at one model: each message is counted once."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from agno_shell.contracts import Provider, TokenCounts
from agno_shell.toolkit.guarding import let_through
from agno_shell.types import Message

BYTES_PER_TOKEN = 4
PER_MESSAGE = 4
"""Tokens of a message's role and ends, in an estimate."""

AT_MOST_PER_MESSAGE = 8
AT_MOST_PER_CALL = 16

FILE_TOKENS = 1_600
"""Tokens of an image or another file that is no text, in an estimate."""

COUNTED_AT_ONCE = 2_000
"""Messages in one call; a provider may be another process."""

KEPT = 512
"""Counts of this many messages more than are in use are kept."""


class Counter:
    """Counts with a provider, and estimates what it was not asked about yet.

    Messages are known by their ids: a message never changes.
    """

    def __init__(self, provider: Provider, model: str) -> None:
        self._provider = provider
        self._model = model
        self._counted: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        self.exact = True
        """Whether everything that was counted was counted as the model itself counts."""

    def is_counted(self, message: Message) -> bool:
        return message.id in self._counted

    def tokens(self, message: Message) -> int:
        """As counted, or an estimate of four bytes a token."""
        counted = self._counted.get(message.id)
        if counted is not None:
            return counted
        files = FILE_TOKENS * len(message.attachments)
        return self._size(message) // BYTES_PER_TOKEN + PER_MESSAGE + files

    def at_most(self, message: Message) -> int | None:
        """More tokens than the message can have, for no tokenizer makes more of them than
        there are bytes; None where that is not known."""
        if message.attachments:
            return None
        calls = AT_MOST_PER_CALL * len(message.tool_calls)
        return self._size(message) + AT_MOST_PER_MESSAGE + calls

    async def count(self, messages: Iterable[Message]) -> None:
        """Count those that were not counted yet, in one call if they are not very many."""
        new = {each.id: each for each in messages if each.id not in self._counted}
        left = list(new.values())
        while left:
            asked, left = left[:COUNTED_AT_ONCE], left[COUNTED_AT_ONCE:]
            counted = await self._ask(asked)
            self.exact = self.exact and counted.exact
            for message, tokens in zip(asked, counted.tokens, strict=True):
                self._counted[message.id] = tokens
                self._sizes.pop(message.id, None)

    async def _ask(self, messages: list[Message]) -> TokenCounts:
        # A provider may be anybody's plugin; its bug costs an exact figure, and not the turn.
        try:
            counted = await self._provider.count_tokens(self._model, messages)
            is_each_counted = len(counted.tokens) == len(messages)
            if is_each_counted and all(isinstance(each, int) for each in counted.tokens):
                return counted
        except BaseException as error:
            let_through(error)
        return await Provider.count_tokens(self._provider, self._model, messages)

    def keep(self, messages: Collection[Message]) -> None:
        """Forget others than these, once there are many."""
        for known in (self._counted, self._sizes):
            if len(known) > 2 * len(messages) + KEPT:
                used = {message.id for message in messages}
                for gone in known.keys() - used:
                    del known[gone]

    def _size(self, message: Message) -> int:
        size = self._sizes.get(message.id)
        if size is None:
            texts = [message.content]
            for call in message.tool_calls:
                texts += (call.name, call.arguments)
            size = self._sizes[message.id] = sum(map(_bytes, texts))
        return size


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))

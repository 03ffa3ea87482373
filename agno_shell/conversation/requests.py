"""The request for the conversation as it stands, and the receipt for it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from agno_shell import settings
from agno_shell.conversation.context import build_request, reply_reserve, select, system_message
from agno_shell.conversation.models import Choice
from agno_shell.errors import SessionNotFoundError
from agno_shell.events import Receipt, ReceiptRow, RequestPrepared
from agno_shell.types import NOTHING, Message

if TYPE_CHECKING:
    from agno_shell.conversation.conversation import Conversation

BYTES_PER_TOKEN = 8
"""More than any text needs on the average, so that a full window is surely filled."""


class Requests:
    """Makes requests for one conversation."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._windows: dict[Choice, int | None] = {}

    async def prepare(self, choice: Choice) -> RequestPrepared:
        """What is to be sent now to ``choice``, before any plugin has seen it."""
        conversation = self._conversation
        provider = conversation.models.provider(choice)
        if choice not in self._windows:
            self._windows[choice] = await provider.context_window(choice.model)
        window = self._windows[choice] or conversation.config[settings.PROVIDER_CONTEXT_WINDOW]
        agent = conversation.agent
        reserve = reply_reserve(window, agent.parameters if agent else NOTHING)
        with suppress(SessionNotFoundError):
            while sum(len(m.content) for m in conversation.history) < window * BYTES_PER_TOKEN:
                if not await conversation.path.read_further():
                    break

        async def count(messages: Sequence[Message]) -> list[int]:
            counted = await provider.count_tokens(choice.model, messages)
            return counted.tokens

        system = system_message(agent.instructions if agent else "", conversation.facts)
        selection = await select(
            conversation.history,
            system=system,
            budget=window - reserve,
            count=count,
            pinned=conversation.session.pinned,
        )
        request = build_request(selection.messages, choice, agent, conversation.api_base)
        rows = tuple(ReceiptRow(each, 0, "recent") for each in request.messages)
        return RequestPrepared(request, Receipt(rows, (), 0, window, True, reserve, True))

"""What is sent: the system text, what is pinned, and the newest turns that fit.

Pure functions, but for one call that counts tokens, and that only when it matters.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from agno_shell.conversation.models import Choice
from agno_shell.events import Request
from agno_shell.types import NOTHING, Message, new_id, now

if TYPE_CHECKING:
    from agno_shell.config import Agent

Counter = Callable[[Sequence[Message]], Awaitable[list[int]]]
"""Tokens of each message."""

OVERHEAD = 8
"""Tokens that a provider adds to a message for its role and its ends, at most."""

REPLY_SHARE = 4
"""The reply may use one in this many tokens of the window, unless max_tokens says else."""


class Selection(NamedTuple):
    """The messages of a request, and how many earlier ones did not fit."""

    messages: tuple[Message, ...]
    omitted: int


def system_message(instructions: str, facts: Mapping[str, Any]) -> Message | None:
    """The agent's instructions and the named facts, as the first message; or nothing."""
    parts = [instructions.strip()] if instructions.strip() else []
    if facts:
        rows = (f"- {name}: {_plain(value)}" for name, value in facts.items())
        parts.append("Facts:\n" + "\n".join(rows))
    if not parts:
        return None
    return Message(new_id(), "system", "\n\n".join(parts), now())


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def turns(messages: Sequence[Message]) -> list[list[Message]]:
    """Group messages so that a question stays with what answers it."""
    groups: list[list[Message]] = []
    for message in messages:
        if message.role in ("user", "system") or not groups:
            groups.append([])
        groups[-1].append(message)
    return groups


def sendable(message: Message) -> bool:
    """An empty reply makes the next request invalid with some providers."""
    return message.role != "assistant" or bool(message.content.strip())


def reply_reserve(window: int, parameters: Mapping[str, Any]) -> int:
    """Tokens of the window that are kept free for the reply."""
    asked = parameters.get("max_tokens")
    if isinstance(asked, int) and 0 < asked < window:
        return asked
    return window // REPLY_SHARE


async def select(
    history: Sequence[Message],
    *,
    system: Message | None,
    budget: int,
    count: Counter,
    pinned: Collection[str] = (),
) -> Selection:
    """The system message, pinned turns, and the newest turns within ``budget`` tokens.

    ``history`` ends with the message to be answered, whose turn is always sent, even
    if it is too large: that is for the provider to say, in its own words.
    """
    groups = [kept for group in turns(history) if (kept := [m for m in group if sendable(m)])]
    fixed = [system] if system else []
    if _cannot_exceed(budget, [*fixed, *(m for group in groups for m in group)]):
        return Selection((*fixed, *(m for group in groups for m in group)), 0)
    costs = await _costs(groups, count)
    left = budget - sum(await count(fixed)) - OVERHEAD * len(fixed)
    chosen = {
        index
        for index, group in enumerate(groups)
        if index == len(groups) - 1 or any(message.id in pinned for message in group)
    }
    left -= sum(costs[index] for index in chosen)
    for index in range(len(groups) - 2, -1, -1):
        if index in chosen:
            continue
        if costs[index] > left:
            break
        chosen.add(index)
        left -= costs[index]
    messages = [m for index in sorted(chosen) for m in groups[index]]
    omitted = sum(len(group) for index, group in enumerate(groups) if index not in chosen)
    return Selection((*fixed, *messages), omitted)


def _cannot_exceed(budget: int, messages: Sequence[Message]) -> bool:
    """No tokenizer makes more tokens than bytes, so most requests need no counting."""
    size = 0
    for message in messages:
        size += len(message.content.encode("utf-8", "replace")) + OVERHEAD
        if size > budget:
            return False
    return True


async def _costs(groups: Sequence[Sequence[Message]], count: Counter) -> list[int]:
    tokens = iter(await count([message for group in groups for message in group]))
    return [sum(next(tokens) + OVERHEAD for _message in group) for group in groups]


def build_request(
    messages: Sequence[Message], choice: Choice, agent: Agent | None, api_base: str | None
) -> Request:
    """The request for ``messages`` with the agent's parameters."""
    return Request(
        choice.model, tuple(messages), agent.parameters if agent else NOTHING, api_base or None
    )

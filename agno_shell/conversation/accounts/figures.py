"""What replies used, added up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from agno_shell.contracts import Figures
from agno_shell.types import Message, Usage, goes_on

Number = TypeVar("Number", int, float)


def is_reply(message: Message) -> bool:
    """Whether a model was asked for it. What failed before anything came cost nothing that
    is known, and is no reply; of a reply of several messages the last one counts."""
    if message.role != "assistant" and not (message.role == "summary" and message.model):
        return False
    if goes_on(message):
        return False
    return message.status != "failed" or message.usage is not None


def of_usage(usage: Usage | None) -> Figures:
    """The figures of one reply."""
    if usage is None:
        return Figures(1, unpriced=1)
    return Figures(
        1,
        usage.input_tokens,
        usage.output_tokens,
        usage.reasoning_tokens,
        usage.cached_tokens,
        usage.cost,
        unpriced=int(usage.cost is None),
    )


def plus(one: Figures, other: Figures) -> Figures:
    return Figures(
        one.replies + other.replies,
        _sum(one.input_tokens, other.input_tokens),
        _sum(one.output_tokens, other.output_tokens),
        _sum(one.reasoning_tokens, other.reasoning_tokens),
        _sum(one.cached_tokens, other.cached_tokens),
        _sum(one.cost, other.cost),
        one.unpriced + other.unpriced,
    )


def of_messages(messages: Iterable[Message]) -> Figures:
    """The sums over the replies among messages."""
    figures = Figures()
    for message in messages:
        if is_reply(message):
            figures = plus(figures, of_usage(message.usage))
    return figures


def _sum(one: Number | None, other: Number | None) -> Number | None:
    """What is known of the two."""
    if one is None:
        return other
    return one if other is None else one + other


class Ledger:
    """What was used since the shell started: in all, and in each session.

    Beside the replies, which are stored with what they used, it keeps what is stored
    nowhere, such as asking for a title.
    """

    def __init__(self) -> None:
        self.run = Figures()
        """In all."""
        self._sessions: dict[str, Figures] = {}
        self._ids: dict[str, set[str]] = {}
        """The replies of each session that are counted here."""

    def add(self, session_id: str, message: Message) -> None:
        """Count a message, if it is a reply; before it is written, so that nobody who reads
        the session counts it a second time."""
        ids = self._ids.setdefault(session_id, set())
        if is_reply(message) and message.id not in ids:
            ids.add(message.id)
            self.add_usage(session_id, message.usage)

    def count_no_more(self, session_id: str, message_id: str) -> None:
        """What a reply used is counted already, request by request."""
        self._ids.setdefault(session_id, set()).add(message_id)

    def add_usage(self, session_id: str, usage: Usage | None) -> None:
        """Count what a request used whose reply is no message."""
        figures = of_usage(usage)
        self.run = plus(self.run, figures)
        self._sessions[session_id] = plus(self.in_session(session_id), figures)

    def rename(self, session_id: str, ids: Mapping[str, str]) -> None:
        """Messages took new ids; by the old ones. What still has an old one is the same
        reply, as far as it had come."""
        counted = self._ids.get(session_id, set())
        counted |= {new for old, new in ids.items() if old in counted}

    def in_session(self, session_id: str) -> Figures:
        """What was used in a session since the shell started."""
        return self._sessions.get(session_id, Figures())

    def others(self, session_id: str, stored: Iterable[Message]) -> Figures:
        """The sums over those messages of a session that are not counted here."""
        own = self._ids.get(session_id, ())
        return of_messages(message for message in stored if message.id not in own)

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from agno_shell.contracts import TokenCounts
from agno_shell.conversation.request import counting
from agno_shell.conversation.request.counting import Counter
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.types import Attachment, Message, ToolCall, new_id, now


class Counting(ScriptedProvider):
    """Remembers what it was asked to count."""

    def __init__(self, *, exact: bool = True) -> None:
        super().__init__()
        self.asked: list[list[str]] = []
        self.exact = exact

    async def count_tokens(self, model: str, messages: Sequence[Message]) -> TokenCounts:
        self.asked.append([message.content for message in messages])
        return TokenCounts([len(message.content.split()) for message in messages], self.exact)


def message(content: str, **fields: Any) -> Message:
    return Message(new_id(), "user", content, now(), **fields)


async def test_a_message_is_counted_once() -> None:
    provider = Counting()
    counter = Counter(provider, "m")
    one, two = message("a b c"), message("d e")
    await counter.count([one])
    await counter.count([one, two, two])
    await counter.count([two, one])
    assert provider.asked == [["a b c"], ["d e"]]
    assert (counter.tokens(one), counter.tokens(two)) == (3, 2)
    assert counter.exact


async def test_what_was_not_counted_is_estimated() -> None:
    counter = Counter(Counting(), "m")
    assert counter.tokens(message("x" * 400)) == 104
    assert counter.tokens(message("ü" * 200)) == 104
    with_image = message("x", attachments=(Attachment("a", "image/png", "0", 5),))
    assert counter.tokens(with_image) > 1_000
    assert not counter.is_counted(with_image)


def test_no_message_has_more_tokens_than_its_bound() -> None:
    counter = Counter(Counting(), "m")
    assert (counter.at_most(message("abc")) or 0) >= 3
    assert (counter.at_most(message("€" * 10)) or 0) >= 30
    calling = message("", tool_calls=(ToolCall("1", "name", '{"a": 1}'),))
    assert (counter.at_most(calling) or 0) >= len('name{"a": 1}')
    # What providers add to a call is more than its letters.
    many = message("", tool_calls=tuple(ToolCall(str(n), "a", "{}") for n in range(5)))
    assert (counter.at_most(many) or 0) >= 4 + 5 * (8 + 2)
    assert counter.at_most(message("", attachments=(Attachment("a", "b", "c", 1),))) is None


async def test_one_estimate_makes_all_of_it_an_estimate() -> None:
    provider = Counting(exact=False)
    counter = Counter(provider, "m")
    await counter.count([message("a")])
    provider.exact = True
    await counter.count([message("b")])
    assert not counter.exact


@pytest.mark.parametrize(
    "answer", [TokenCounts([1], exact=True), None, [4, 5], ValueError("no idea")]
)
async def test_a_provider_that_cannot_count_costs_an_exact_figure(answer: Any) -> None:
    class Broken(ScriptedProvider):
        async def count_tokens(self, model: str, messages: Sequence[Message]) -> TokenCounts:
            if isinstance(answer, Exception):
                raise answer
            return answer

    counter = Counter(Broken(), "m")
    one, two = message("x" * 40), message("y" * 80)
    await counter.count([one, two])
    assert [counter.tokens(one), counter.tokens(two)] == [14, 24]
    assert not counter.exact


async def test_very_many_messages_are_counted_in_several_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counting, "COUNTED_AT_ONCE", 3)
    provider = Counting()
    counter = Counter(provider, "m")
    messages = [message("w " * number) for number in range(8)]
    await counter.count(messages)
    assert [len(asked) for asked in provider.asked] == [3, 3, 2]
    assert [counter.tokens(each) for each in messages] == list(range(8))


async def test_what_is_not_in_use_any_more_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "KEPT", 4)
    counter = Counter(Counting(), "m")
    messages = [message("a") for _number in range(12)]
    await counter.count(messages)
    counter.keep(messages[:6])
    assert all(counter.is_counted(each) for each in messages)
    counter.keep(messages[:3])
    assert [counter.is_counted(each) for each in messages] == [True] * 3 + [False] * 9

"""What is sent of what was said: whole turns, valid for every provider. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from agno_shell.types import Message, ToolCall, goes_on

GO_ON = "Go on exactly where your last message stopped. Do not repeat any of it."
"""Stands between two replies in a row, which most providers refuse. It never changes, for
what was sent once must begin the same the next time."""

NO_RESULT = "There is no result: the call was stopped, or the program ended before it was over."
"""What a model is told of a call that was never answered."""

MODEL = "The model"
"""Its name where it speaks behind somebody else."""

NO_OUTPUT = "(no output)"

REPLY_SHARE = 4
"""The reply may use one in this many tokens of the window, unless max_tokens says else."""


def begins_turn(message: Message) -> bool:
    """Whether a turn begins with this message: a question, and all that answers it."""
    return message.role in ("user", "system")


def turns(messages: Iterable[Message]) -> list[list[Message]]:
    """Messages grouped so that a question stays with what answers it. Summaries belong to
    no turn. The first group has no question where the messages begin with a reply."""
    groups: list[list[Message]] = []
    for message in messages:
        if message.role == "summary":
            continue
        if begins_turn(message) or not groups:
            groups.append([])
        groups[-1].append(message)
    return groups


def is_empty(message: Message) -> bool:
    """Whether a message holds nothing that could be sent: several providers refuse a
    request with such a one in it, and would refuse every later one."""
    if message.role == "assistant":
        return message.status == "failed" or not (message.content.strip() or message.tool_calls)
    return message.role != "tool" and not (message.content.strip() or message.attachments)


def valid(messages: Iterable[Message]) -> list[Message]:
    """Messages as they are sent: nothing empty; right behind each reply exactly one result
    of every call in it, in their order; no result without its call; never two replies in a
    row, but for the parts of one in which several speak. The same for a turn and for several
    of them."""
    sent: list[Message] = []
    calls: tuple[ToolCall, ...] = ()
    results: dict[int, Message] = {}
    is_one_reply = False
    for message in messages:
        was_one_reply, is_one_reply = is_one_reply, goes_on(message)
        if message.role == "tool":
            numbers = (at for at, call in enumerate(calls) if call.id == message.tool_call_id)
            number = next((at for at in numbers if at not in results), None)
            if number is not None:
                results[number] = message
            continue
        if not is_empty(message) or begins_turn(message):
            sent += _results(calls, results, sent)
            calls, results = (), {}
        if is_empty(message):
            continue
        follows_reply = message.role == "assistant" and sent and sent[-1].role == "assistant"
        if follows_reply and not was_one_reply:
            sent.append(go_on(sent[-1]))
        sent.append(as_told(message))
        calls = message.tool_calls
    sent += _results(calls, results, sent)
    return sent


def each_named(messages: Iterable[Message]) -> Iterator[Message]:
    """What was said, with a name also for the model itself where somebody else has spoken
    before it in the same reply."""
    follows_other = False
    for message in messages:
        is_model = message.role == "assistant" and message.speaker is None
        yield message._replace(speaker=MODEL) if follows_other and is_model else message
        follows_other = goes_on(message)


def as_told(message: Message) -> Message:
    """A reply as a model is told of it: with the name of its speaker in front of the text,
    and without what the provider ran itself.

    A name in a field of its own is refused by many servers. Without one, what several say is
    sent in one message, in which nobody could tell whose words are whose."""
    if not (message.speaker or message.provider_tools):
        return message
    content = message.content
    if message.speaker and content.strip():
        content = f"[{message.speaker}:]\n\n{content}"
    return message._replace(content=content, speaker=None, provider_tools=())


def go_on(behind: Message) -> Message:
    """The message that stands behind a reply when nobody has said anything to it."""
    return Message(f"go-on:{behind.id}", "user", GO_ON, behind.created_at, parent=behind.id)


def _results(
    calls: Iterable[ToolCall], results: Mapping[int, Message], behind: Sequence[Message]
) -> Iterator[Message]:
    asked = behind[-1] if behind else None
    for number, call in enumerate(calls):
        if (result := results.get(number)) is not None:
            yield result if result.content.strip() else result._replace(content=NO_OUTPUT)
        elif asked is not None:
            yield Message(
                f"no-result:{asked.id}:{number}",
                "tool",
                NO_RESULT,
                asked.created_at,
                parent=asked.id,
                status="failed",
                tool_call_id=call.id,
            )


def reply_reserve(window: int, parameters: Mapping[str, Any]) -> int:
    """Tokens of the window that are kept free for the reply."""
    asked = parameters.get("max_tokens")
    if isinstance(asked, int) and 0 < asked < window:
        return asked
    return window // REPLY_SHARE

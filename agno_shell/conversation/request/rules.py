"""What may be sent of a conversation: whole turns, what was not refused, the newest summary, in
the sequence that every server takes. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from agno_shell.events import NOT_SENT_AGAIN, Failed, Request
from agno_shell.types import Message, Session, ToolCall, goes_on

if TYPE_CHECKING:
    from agno_shell.plugins.manager import Plugins

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


BEGINNING = "(The conversation begins with a reply.)"
NO_REPLY = "(There was no reply to this.)"
"""Stands between the results of tools and what the user said next: a question, and a
reply that does nothing but call tools, are no exchange to a template."""

SYSTEM_SAID = "[A system message within the conversation:]"


class SentMessage(NamedTuple):
    """One message of a request."""

    message: Message
    parts: tuple[Message, ...]
    """What was joined into it; of most messages the message itself."""


def in_sequence(messages: Iterable[Message]) -> list[SentMessage]:
    """Any messages as every server takes them. Doing it twice changes nothing."""
    groups: list[list[Message]] = []
    for each in valid(messages):
        message = _in_its_role(each, groups)
        before = groups[-1][-1] if groups else None
        if message.role == "assistant" and (before is None or before.role == "system"):
            groups.append([_invented("begins", "user", BEGINNING, message)])
        elif message.role == "user" and before is not None and before.role == "tool":
            groups.append([_invented("no-reply", "assistant", NO_REPLY, before)])
        if groups and groups[-1][0].role == message.role and _is_joined(message, groups[-1][-1]):
            groups[-1].append(message)
        else:
            groups.append([message])
    return [SentMessage(_joined(group), tuple(group)) for group in groups]


async def filtered(plugins: Plugins, session: Session | None, request: Request) -> Request:
    """A request as plugins want it; what one of them returns is put into the sequence again.
    Raises what :meth:`Plugins.prepare_request` raises."""
    changed = await plugins.prepare_request(session, request)
    if changed is request:
        return request
    messages = tuple(each.message for each in in_sequence(changed.messages))
    return replace(changed, messages=messages)


def _in_its_role(message: Message, groups: Sequence[Sequence[Message]]) -> Message:
    """A message in the role in which it can stand behind ``groups``."""
    if message.role == "summary":
        return summary_as_sent(message)
    if message.role == "system" and groups and groups[-1][0].role != "system":
        return message._replace(role="user", content=f"{SYSTEM_SAID}\n\n{message.content}")
    return message


def _is_joined(message: Message, before: Message) -> bool:
    """Whether a message is sent in one with that before it, which has the same role."""
    return message.role in ("system", "user") or goes_on(before)


def _joined(group: Sequence[Message]) -> Message:
    if len(group) == 1:
        return group[0]
    # Of a reply with several speakers, the calls and what is private are with the last part.
    return group[-1 if group[0].role == "assistant" else 0]._replace(
        id="+".join(message.id for message in group),
        content="\n\n".join(each.content for each in group if each.content.strip()),
        attachments=tuple(dict.fromkeys(each for one in group for each in one.attachments)),
    )


def _invented(why: str, role: str, text: str, beside: Message) -> Message:
    return Message(
        f"{why}:{beside.id}",
        "user" if role == "user" else "assistant",
        text,
        beside.created_at,
        parent=beside.id,
    )


REFUSED_RESULT = "The result of this call is not sent: the model's service has refused it."
"""What a model is told in its place."""

BROUGHT_BACK = "It is not sent again by itself; /retry or /edit brings it back."
TWICE = (
    "Two requests in a row were refused: the cause may stand further back. /undo takes turns "
    "back, /compact sums them up, /model chooses another model."
)


def verdict(message: Message) -> bool | None:
    """Whether a reply says that what came before it was refused (True) or accepted (False).
    None: it does not say, as any message that is no reply, or one that was stopped."""
    if message.role != "assistant":
        return None
    is_filtered = message.extra.get("finish_reason") == "content_filter"
    if message.content.strip() or message.tool_calls:
        # What a filter has broken off is no proof that all before it is harmless.
        return None if is_filtered or message.status == "failed" else False
    error = message.extra.get("error")
    kind = error.get("kind") if isinstance(error, dict) else None
    return True if is_filtered or kind in NOT_SENT_AGAIN else None


def says(message: Message) -> bool:
    """Whether a message tells what became of those before it."""
    return verdict(message) is not None


def is_refused(following: Iterable[Message], later: bool = False) -> bool:
    """Whether what stands before these messages, and has no answer, was refused; ``later``:
    whether what stands before that which comes after them was."""
    found = (verdict(message) for message in following)
    return next((each for each in found if each is not None), later)


def without_refused(turn: Sequence[Message], later: bool) -> tuple[list[Message], int]:
    """A turn as it may be sent again, and how many of its messages are left out; ``later``
    as above."""
    kept: list[Message] = []
    count, refused = 0, later
    for message in reversed(turn):
        said = verdict(message)
        refused = refused if said is None else said
        if not refused or said is not None or is_empty(message):
            kept.append(message)
            continue
        count += 1
        if message.role == "tool":
            kept.append(message._replace(id=f"refused:{message.id}", content=REFUSED_RESULT))
    kept.reverse()
    return kept, count


def advised(failed: Failed, path: Sequence[Message]) -> Failed:
    """A failure with what becomes of what was refused; ``path`` ends with that."""
    if failed.kind not in NOT_SENT_AGAIN:
        return failed
    said = (verdict(message) for message in reversed(path))
    is_second = next((each for each in said if each is not None), False)
    # A plugin that always fails is named; nothing that was said is to blame.
    is_further_back = is_second and failed.kind != "plugin_failed"
    hints = (failed.hint, BROUGHT_BACK, TWICE if is_further_back else "")
    return Failed(failed.kind, failed.message, " ".join(filter(None, hints)))


INTRODUCTION = (
    "This is a summary of the earlier part of our conversation, which is not repeated here. "
    "Take it as said, and go on from there."
)


def summary_as_sent(summary: Message) -> Message:
    """A summary as a message that every provider takes."""
    return Message(
        summary.id,
        "user",
        f"{INTRODUCTION}\n\n{summary.content}",
        summary.created_at,
        parent=summary.parent,
    )


def effective(path: Iterable[Message]) -> list[Message]:
    """The summaries that a path has led to, each made when the one before it was in force;
    the last one counts.

    One that covers nothing ends all of them. One that reaches as far as an earlier one
    brings that one back: each new summary reaches further than the one before it.
    """
    stack: list[Message] = []
    for message in path:
        if message.role != "summary":
            continue
        if message.covers is None:
            stack.clear()
            continue
        reached = [each.covers for each in stack]
        if message.covers in reached:
            del stack[reached.index(message.covers) :]
        stack.append(message)
    return stack

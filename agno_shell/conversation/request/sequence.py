"""The messages of a request in the sequence that the strictest servers take.

Many servers refuse, with chat templates such as those of Mistral, Gemma and the older
Llamas, whatever is not this: at most one system message, and it is the first; then user and
assistant in turn, beginning with the user; behind a reply that calls tools exactly one
result of each call, in their order; nothing empty.

A message that is added at the end never changes what stands before it, but for the last
one, which it may be joined to: what was sent once begins the same the next time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from agno_shell.conversation.request.rules import valid
from agno_shell.conversation.request.summaries import as_sent as summary_as_sent
from agno_shell.events import Request
from agno_shell.types import Message, Session, goes_on

if TYPE_CHECKING:
    from agno_shell.plugins.manager import Plugins

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

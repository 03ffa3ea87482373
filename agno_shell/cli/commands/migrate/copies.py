"""A session and its copy: what a copy is to hold, and what is not the same. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from agno_shell.toolkit.wording import count
from agno_shell.types import ROOT, Memory, Message, Session

Record = Session | Message | Memory


class SessionCopy(NamedTuple):
    """One session with everything that belongs to it."""

    session: Session
    messages: list[Message]
    deleted_at: datetime | None = None
    """When it went to the trash; None: it is not there."""
    replies: int = 0
    """How many of the messages are replies that were cut off, or are still in work."""
    memories: tuple[Memory, ...] = ()
    contents: frozenset[str] = frozenset()
    """The SHA-256 of the attached files that can be read."""

    @property
    def characters(self) -> int:
        """Of all messages."""
        return sum(len(message.content) for message in self.messages)

    @property
    def changed_at(self) -> datetime:
        """When the session was changed, and no earlier than its newest message was made: a
        clock that went back, or a reply in work, can put the one before the other, and some
        storages give this as ``updated_at``."""
        newest = self.messages[-1].created_at if self.messages else self.session.updated_at
        return max(newest, self.session.updated_at)


def named(messages: Iterable[Message]) -> set[str]:
    """The contents of attached files that messages name."""
    return {each.sha256 for message in messages for each in message.attachments}


def with_replies(
    session: Session, tree: Sequence[Message], replies: Sequence[Message]
) -> SessionCopy:
    """A session whose unfinished ``replies`` have become messages, marked ``interrupted``, as
    they would be when the session is opened: the conversation stands on such a reply only
    if it stood on what the reply answers."""
    messages, known, head = list(tree), {message.id for message in tree}, session.head
    for reply in replies:
        if not reply.content or reply.id in known:
            continue
        newest = messages[-1].id if messages else None
        parent = reply.parent if reply.parent is None or reply.parent in known else newest
        stands_on = newest if head is None else head or None
        head = None if parent == stands_on else stands_on or ROOT
        messages.append(reply._replace(status="interrupted", parent=parent))
        known.add(reply.id)
    return SessionCopy(
        session._replace(head=head, message_count=len(messages)),
        messages,
        replies=len(messages) - len(tree),
    )


# Comparing -------------------------------------------------------------------------------


def difference(wanted: SessionCopy, found: SessionCopy) -> str:
    """How the copy that was found differs, in a few words; empty if it does not."""
    messages = _messages_difference(wanted.messages, found.messages)
    fields = _unequal(wanted.session, found.session)
    if "updated_at" in fields and found.changed_at == wanted.changed_at:
        fields.remove("updated_at")
    if "message_count" in fields and len(wanted.messages) != len(found.messages):
        fields.remove("message_count")  # the messages themselves are compared for that
    parts = [f"another {_listed(fields)}"] if fields else []
    parts += [messages] if messages else []
    return "; ".join([*parts, *_session_data_differences(wanted, found)])


def _session_data_differences(wanted: SessionCopy, found: SessionCopy) -> list[str]:
    parts = []
    missing = {each.id for each in wanted.memories} - {each.id for each in found.memories}
    more = {each.id for each in found.memories} - {each.id for each in wanted.memories}
    if missing:
        parts.append(f"{count(len(missing), 'thing')} to remember missing")
    if more:
        parts.append(f"{count(len(more), 'thing')} to remember more")
    if not parts and (
        len(wanted.memories) != len(found.memories)
        or any(map(_differ, wanted.memories, found.memories))
    ):
        parts.append("other things to remember, or in another order")
    if lost := wanted.contents - found.contents:
        parts.append(f"{count(len(lost), 'attached file')} missing")
    return parts


def is_outdated(found: SessionCopy, wanted: SessionCopy) -> bool:
    """Whether ``found`` is an earlier state of ``wanted``: all of its messages are in
    ``wanted`` as well, and it was not changed after that. Of a reply that was copied while
    it was in work, the beginning is enough."""
    later_messages = {message.id: message for message in wanted.messages}
    grown = len(wanted.messages) > len(found.messages) or _has_more(wanted, found)
    for message in found.messages:
        later = later_messages.get(message.id)
        if later is None:
            return False
        if _unequal(message, later):
            if not _begins(message, later):
                return False
            grown = True
    if wanted.changed_at == found.changed_at:
        return grown
    return wanted.changed_at > found.changed_at


def _has_more(wanted: SessionCopy, found: SessionCopy) -> bool:
    """Whether more belongs to ``wanted``, and nothing that is in ``found`` would be gone:
    a session's time does not change with what it remembers."""
    if not set(_texts(found.memories)) <= set(_texts(wanted.memories)):
        return False
    return len(wanted.memories) > len(found.memories) or wanted.contents > found.contents


def _texts(memories: Iterable[Memory]) -> Iterator[tuple[str, str]]:
    return ((each.id, each.text) for each in memories)


def _begins(message: Message, later: Message) -> bool:
    return (
        message.status == "interrupted"
        and message.role == later.role
        and later.content.startswith(message.content)
    )


def _messages_difference(wanted: Sequence[Message], found: Sequence[Message]) -> str:
    if len(wanted) == len(found) and not any(map(_differ, wanted, found)):
        return ""
    wanted_ids = [message.id for message in wanted]
    found_ids = [message.id for message in found]
    missing = len(set(wanted_ids) - set(found_ids))
    strange = len(set(found_ids) - set(wanted_ids))
    parts = [f"{count(missing, 'message')} missing"] if missing else []
    if strange:
        parts.append(f"{count(strange, 'message')} more")
    if not parts and wanted_ids != found_ids:
        parts.append("the messages in another order, or twice")
    for place, (one, other) in enumerate(zip(wanted, found, strict=False), start=1):
        fields = _unequal(one, other)
        if fields and one.id == other.id:
            return "; ".join([*parts, f"message {place} with another {_listed(fields)}"])
    return "; ".join(parts)


def _differ(one: Message | Memory, other: Message | Memory) -> bool:
    return bool(_unequal(one, other))


def _unequal(one: Record, other: Record) -> list[str]:
    """The fields that are not the same; the fast way first, as nearly all are."""
    if one == other and not one.extra and not getattr(one, "provider_data", None):
        return []
    return [
        field
        for field, mine, others in zip(one._fields, one, other, strict=True)
        if not _same(mine, others)
    ]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        # For Python True, 1 and 1.0 are equal; for a provider they are not.
        return one == other and _text(one) == _text(other)
    return bool(one == other)


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), sort_keys=True, default=dict)


def _listed(fields: Sequence[str]) -> str:
    words = [field.replace("_", " ") for field in fields]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))

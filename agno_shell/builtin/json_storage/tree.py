"""Messages as a tree: which message follows which, and the path to one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from agno_shell.toolkit import json_records
from agno_shell.types import ROOT, Message


def placed_id(position: int) -> str:
    """The id of a message that has none: its position in the file, from 0, in the form
    of a UUID, so that every reader gives it the same."""
    return f"00000000-0000-4000-8000-{position:012x}"


def all_settled(objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every object is settled and none has the id of another."""
    ids = {raw["id"] for raw in objects if json_records.is_settled(raw)}
    return len(ids) == len(objects)


def adopt(
    objects: Sequence[Mapping[str, Any]], written_at: datetime = json_records.EPOCH
) -> tuple[list[Message], bool]:
    """The messages in the objects of a file, and whether all were settled already.
    ``written_at`` is the time of the first where none says its own.

    An object that stands in the file twice, byte for byte, is one message. Of two
    different ones with the same id the later keeps it. A message without a parent, or
    whose parent is not before it in the file (its line may be damaged), follows the
    one before it, so that nothing becomes unreachable.
    """
    positions: dict[str, int] = {}
    doubles: set[int] = set()
    for position, raw in enumerate(objects):
        ident = raw.get("id")
        if isinstance(ident, str):
            earlier = positions.get(ident)
            if earlier is not None and objects[earlier] == raw:
                doubles.add(position)
            else:
                positions[ident] = position
    settled = not doubles
    messages: list[Message] = []
    seen: dict[str, str] = {}  # what a file calls a message -> the id it has here
    last: Message | None = None
    for position, raw in enumerate(objects):
        if position in doubles:
            continue
        name = raw.get("id")
        ident = placed_id(position)
        if isinstance(name, str) and positions[name] == position:
            ident = name
        settled = settled and ident == name and json_records.is_settled(raw)
        before = last.created_at if last else _first_time(objects, written_at)
        last = json_records.message_of(raw, ident, _parent(raw, seen, last), before)
        seen[name if isinstance(name, str) else ident] = ident
        messages.append(last)
    return messages, settled


def tally(
    objects: Sequence[Mapping[str, Any]], written_at: datetime = json_records.EPOCH
) -> tuple[int, datetime | None]:
    """How many messages :func:`adopt` would find, and the time of the last of them. There may
    be ten thousand files to count, so no message is made where none stands twice."""
    if not objects:
        return 0, None
    idents = [ident for raw in objects if isinstance(ident := raw.get("id"), str)]
    if len(set(idents)) < len(idents):
        messages, _settled = adopt(objects, written_at)
        return len(messages), messages[-1].created_at
    times = (json_records.time_of(raw) for raw in reversed(objects))
    return len(objects), next(filter(None, times), None) or _first_time(objects, written_at)


def _first_time(objects: Sequence[Mapping[str, Any]], written_at: datetime) -> datetime:
    for raw in objects:
        found = json_records.moment(raw.get("created_at") or raw.get("timestamp"))
        if found is not None:
            return found
    # What is no time is written back, and must mean the same each time it is read.
    says_one = "created_at" in objects[0] or "timestamp" in objects[0]
    return json_records.EPOCH if says_one else written_at


def _parent(raw: Mapping[str, Any], seen: Mapping[str, str], before: Message | None) -> str | None:
    parent = raw.get("parent", 0)
    if parent is None:
        return None
    known = seen.get(parent) if isinstance(parent, str) else None
    return known or (before.id if before else None)


def with_replies(messages: list[Message], replies: Iterable[Message]) -> list[Message]:
    """Messages and what was kept of ``replies`` that no shell can finish any more, as
    interrupted messages."""
    known = {message.id for message in messages}
    for reply in replies:
        if reply.content and reply.id not in known:
            last = messages[-1].id if messages else None
            parent = reply.parent if reply.parent is None or reply.parent in known else last
            messages.append(reply._replace(status="interrupted", parent=parent))
            known.add(reply.id)
    return messages


def path(messages: Sequence[Message], head: str | None) -> list[Message]:
    """The messages from the first to ``head``; to the newest one when ``head`` is None
    or not among them; none where it is ``ROOT``."""
    if not messages or head == ROOT:
        return []
    by_id = {message.id: message for message in messages}
    step: Message | None = by_id.get(head, messages[-1]) if head else messages[-1]
    found = []
    while step is not None:
        found.append(step)
        step = by_id.get(step.parent) if step.parent is not None else None
    found.reverse()
    return found

"""What can be wrong in one ``messages.json``."""

# Annotations are not left as text here (PEP 563): a named tuple would compile them.

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from agno_shell.builtin.json_storage import (
    attachments,
    disk,
    layout,
    message_reader,
    repair,
    tree,
)
from agno_shell.builtin.json_storage.check.issue import Issue
from agno_shell.toolkit import json_records
from agno_shell.toolkit.wording import count


class FileFindings(NamedTuple):
    """What was seen in a file; ids are those that a reader gives the messages."""

    issues: Sequence[Issue]
    ids: AbstractSet[str]
    contents: AbstractSet[str]
    """The digests of the contents that the messages name."""


def look(path: str, counted: int | None = 0) -> FileFindings:
    """Look at the whole of a file. ``counted``: how many messages the list has counted in
    it; None if other programs made the session, which may keep none. Raises ``OSError``
    where it cannot be read."""
    raw = message_reader.read(path)
    if raw.size < 0 and counted is None:
        return FileFindings([], frozenset(), frozenset())
    wrong, peculiar = _findings(raw, counted)
    if raw.form == "ours" and not peculiar and not wrong:
        ids = {each["id"] for each in raw.objects}
    else:
        # The ids that messages lack are given by adopting them, which takes its time.
        ids = {message.id for message in tree.adopt(raw.objects)[0]}
    issues = []
    if wrong:
        kept = " and keeps this one beside it" if raw.data else ""
        advice = f"A repair rewrites it{kept}."
        issues.append(Issue(path, wrong, advice, lambda: _write_anew(path)))
    elif peculiar:
        advice = "It is read as it stands; the next message in this session rewrites it."
        issues.append(Issue(path, peculiar, advice, note=True))
    elif strange := sum(map(_is_strange, raw.objects)):
        problem = (
            f"It holds {count(strange, 'message')} whose role, content or time is not known here."
        )
        issues.append(Issue(path, problem, "That stays as it stands.", note=True))
    return FileFindings(issues, ids, set(_contents(raw.objects)))


def _findings(raw: message_reader.RawMessages, counted: int | None) -> tuple[str, str]:
    """What rewriting the file would repair, as a sentence; and what is only unlike the
    store's own, as an editor or another program leaves it."""
    if raw.form == "empty":
        what = "missing" if raw.size < 0 else "empty"
        held = f"the list counted {count(counted, 'message')} in it" if counted else ""
        return f"It is {what}; {held or 'the session has no messages'}.", ""
    if raw.form == "damaged":
        return f"It is damaged; {count(len(raw.objects), 'message')} can be read.", ""
    if raw.form == "foreign":
        return "", "It is in another layout than the store's own."
    numbers = _peculiarities(raw)
    wrong = {
        "{} with the id of another": numbers["double"],
        "{} following one that is not there before": numbers["lost"],
    }
    peculiar = {
        "{} without an id and a parent": numbers["unnamed"],
        "{} without role, content or time": numbers["incomplete"],
    }
    return _sentence(wrong | peculiar if any(wrong.values()) else {}), _sentence(peculiar)


def _peculiarities(raw: message_reader.RawMessages) -> Counter[str]:
    found: Counter[str] = Counter()
    seen: set[str] = set()
    for each in raw.objects:
        if not json_records.is_settled(each):
            found["unnamed"] += 1
            continue
        if each["id"] in seen:
            found["double"] += 1
            continue
        if each["parent"] is not None and each["parent"] not in seen:
            found["lost"] += 1
        if not _is_complete(each):
            found["incomplete"] += 1
        seen.add(each["id"])
    return found


def _sentence(parts: Mapping[str, int]) -> str:
    told = [what.format(count(number, "message")) for what, number in parts.items() if number]
    return f"It holds {', '.join(told)}." if told else ""


def _contents(objects: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for raw in objects:
        named = raw.get("attachments")
        for each in named if isinstance(named, list) else ():
            digest = each.get("sha256") if isinstance(each, dict) else None
            if isinstance(digest, str) and attachments.is_digest(digest):
                yield digest


def _is_complete(raw: Mapping[str, Any]) -> bool:
    return "role" in raw and "content" in raw and ("created_at" in raw or "timestamp" in raw)


def _is_strange(raw: Mapping[str, Any]) -> bool:
    """Whether reading has to put something in the place of what stands there."""
    role, times = raw["role"], (raw.get("created_at"), raw.get("timestamp"))
    is_known = isinstance(role, str) and role in json_records.ROLES
    return not (
        is_known and isinstance(raw["content"], str) and any(map(json_records.moment, times))
    )


def _write_anew(path: str) -> str:
    """Rewrite what can be read; the session's lock is held."""
    loaded = message_reader.load(path)
    whole = layout.whole([json_records.message_line(each) for each in loaded.messages])
    if not loaded.data:
        disk.replace(path, whole)
        return "An empty one was written."
    copy = repair.replace_keeping(path, loaded.data, whole)
    return (
        f"{count(len(loaded.messages), 'message')} could be read and stand in a new one; it is"
        f" kept as {os.path.basename(copy)}."
    )

"""What a model is to remember, as JSON objects."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agno_shell.toolkit.json_records.messages import text_of
from agno_shell.toolkit.json_records.values import dumps, moment, stamp
from agno_shell.types import NOTHING, Memory


def memory_fields(memory: Memory) -> dict[str, Any]:
    """The JSON object of a memory."""
    fields: dict[str, Any] = {
        "id": memory.id,
        "text": memory.text,
        "created_at": stamp(memory.created_at),
    }
    fields.update(memory.extra)
    return fields


def memory_line(memory: Memory) -> bytes:
    """A memory as one line of JSON, without its newline. Raises ``UnwritableError``."""
    return dumps(memory_fields(memory))


def memory_of(raw: Mapping[str, Any], ident: str, otherwise: datetime) -> Memory:
    """The memory in a JSON object, with the id that the caller has settled; ``otherwise``
    is its time where it has none."""
    text, created_at = raw.get("text"), moment(raw.get("created_at"))
    settled = {"id"}
    if isinstance(text, str):
        settled.add("text")
    if created_at is not None:
        settled.add("created_at")
    extra = {key: value for key, value in raw.items() if key not in settled}
    return Memory(
        ident,
        text if isinstance(text, str) else text_of(text),
        created_at or otherwise,
        extra or NOTHING,
    )

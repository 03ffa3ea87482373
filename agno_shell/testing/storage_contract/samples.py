"""What the tests of the contract are made of: ids, texts, messages, sessions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from agno_shell.contracts import Storage
from agno_shell.types import (
    Memory,
    Message,
    ProviderTool,
    Session,
    ToolCall,
    new_id,
    now,
)

OpenStore = Callable[[], Storage]

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"

HOSTILE_IDS = (
    "",
    ".",
    "..",
    "../../etc/passwd",
    "/etc/passwd",
    "C:\\Windows",
    "trash",
    "sessions.json",
    "a\0b",
    "urn:uuid:" + UNKNOWN_ID,
    "{" + UNKNOWN_ID + "}",
    UNKNOWN_ID + "\n",
    UNKNOWN_ID.replace("0", "\u0660"),
    UNKNOWN_ID + "/../" + UNKNOWN_ID,
    "x" * 5000,
    "\ud800",
)
"""Texts that must never reach a path, a query or a pattern."""

TEXTS = (
    "",
    "plain",
    "two\nlines\r\nand\ta tab",
    "\0 a NUL, \x1b[31m an escape, \x7f\x85",
    "Grüße, 你好, שלום, 🇺🇳👩\u200d🚀",
    "\u2028\u2029\ufeff\u202e",
    "a lone \ud83d surrogate \udc00",
    '"quotes" \\ back\\slashes {"json": [1]}\n]\n,{',
)

CALLS = (
    ToolCall("call 1", "look_up", '{"word": "é\\n"}'),
    ToolCall("call 2", "look_up", "no { JSON \ud800"),
)
"""What a model may ask for; its arguments are kept as they came."""

PROVIDER_TOOLS = (
    ProviderTool("1", "search", '{"word": "é\\n"}', "found\n\0 \ud800", "complete", 1.25, 3),
    ProviderTool("", "run", "no { JSON", "", "interrupted"),
)
"""What a provider ran itself."""

UNWRITABLE = (float("nan"), float("-inf"), object(), {1, 2}, b"bytes")
"""Values that JSON cannot say."""


def message(content: str, parent: Message | None = None, **fields: Any) -> Message:
    """A message that answers ``parent``."""
    return Message(
        new_id(),
        fields.pop("role", "user"),
        content,
        fields.pop("created_at", None) or now(),
        parent.id if parent else None,
        **fields,
    )


def say(store: Storage, session_id: str, *contents: str) -> list[Message]:
    """Append a message for each text, each one answering the one before."""
    messages = store.messages(session_id, last=1)
    for content in contents:
        messages.append(message(content, messages[-1] if messages else None))
        store.append(session_id, messages[-1])
    return messages[-len(contents) :]


def old_session(**fields: Any) -> tuple[Session, list[Message]]:
    """A session of years ago as another storage would hand it over: every field is used
    but attachments, there are three branches, and the head is on the oldest."""
    began = datetime(2021, 2, 3, 4, 5, 6, 7, tzinfo=UTC)
    messages: list[Message] = []
    for number, (content, parent) in enumerate(
        (
            ("a", None),
            ("b", 0),
            ("c", 1),
            ("b é\0\ud800", 0),
            ("c again", 3),
            ("b, a third time", 0),
        )
    ):
        at = began + timedelta(minutes=number, microseconds=number)
        before = None if parent is None else messages[parent]
        role = "assistant" if content.startswith("b") else "user"
        messages.append(message(content, before, role=role, created_at=at))
    messages[1] = messages[1]._replace(
        tool_calls=CALLS, speaker="Ada", provider_tools=PROVIDER_TOOLS
    )
    messages[2] = messages[2]._replace(role="tool", tool_call_id=CALLS[0].id)
    messages[4] = messages[4]._replace(role="summary", covers=messages[3].id)
    session = Session(
        new_id(),
        "from elsewhere é",
        began,
        began + timedelta(days=1, microseconds=1),
        "a description",
        message_count=len(messages),
        head=messages[2].id,
        model="a/model",
        api_base="http://localhost:1/v1",
        agent="an agent",
        tags=("x", "y"),
        pinned=(messages[0].id, messages[3].id),
        reasoning="high",
        extra={"from_a_later_version": {"deep": [1, None, "é"]}},
    )
    return session._replace(**fields), messages


def old_memories() -> list[Memory]:
    """What another storage would hand over with :func:`old_session`."""
    began = datetime(2021, 2, 3, 4, 5, 6, 7, tzinfo=UTC)
    return [
        Memory(new_id(), text, began - timedelta(days=number), {"later": [number, None]})
        for number, text in enumerate(TEXTS)
    ]

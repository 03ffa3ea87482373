"""The records that are stored: sessions, messages and what belongs to them.

They are named tuples and not dataclasses because ``session --list`` lives here:
importing ``dataclasses`` costs as much as all the rest of that command.
Change one with ``record._replace(name=...)``.
"""

# Annotations are not left as text here (PEP 563): a named tuple would compile each of them
# at every start.

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

Role = Literal["user", "assistant", "system", "tool", "summary"]
"""``tool``: what a tool answered to the model; ``summary``: see :attr:`Message.covers`."""

Status = Literal["complete", "interrupted", "incomplete", "failed"]
"""complete; stopped by the user; cut off by the other side; nothing usable came."""

Reasoning = Literal["off", "low", "medium", "high"]
"""How much a model is to think before it answers, where it can."""

ROOT = ""
"""The head of a session of which every turn was taken back: the place before the first
message."""

NEXT_SPEAKER = "next_speaker"
"""The ``finish_reason`` in the ``extra`` of a message that another one of the same reply
follows, in which somebody else speaks. The calls, figures and ending of the reply are with
its last message."""

NOTHING: Mapping[str, Any] = MappingProxyType({})
"""The empty, read-only mapping that optional mappings default to."""


class Usage(NamedTuple):
    """What one reply used. ``None`` means that the provider did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cost: float | None = None
    """US dollars."""


class Timing(NamedTuple):
    """Seconds from sending the request."""

    first_token: float | None = None
    total: float | None = None


class Attachment(NamedTuple):
    """A file that belongs to a message, known by its content."""

    name: str
    media_type: str
    sha256: str
    size: int
    """Bytes."""


class ToolCall(NamedTuple):
    """The model asks for a tool; ``arguments`` is JSON text as it came."""

    id: str
    name: str
    arguments: str


class ProviderTool(NamedTuple):
    """A tool that the provider has run itself while it answered, such as its service's own
    search. It is kept to be shown, and never sent back: nobody was asked for it here."""

    id: str
    """That of the call; several of a reply may have none, or the same."""
    name: str
    arguments: str = ""
    """As they came, most often JSON text."""
    result: str = ""
    status: Status = "complete"
    """interrupted and incomplete: the reply ended before the tool did."""
    seconds: float | None = None
    """How long it ran; None where that is not known."""
    at: int = 0
    """Characters of the message's content that stood before it."""


class ToolSchema(NamedTuple):
    """A tool as a model is told of it."""

    name: str
    """``[A-Za-z0-9_-]{1,64}``, which every provider takes."""
    description: str
    parameters: Mapping[str, Any]
    """A JSON Schema of the type ``object``."""


class Memory(NamedTuple):
    """Something that the model is to remember in a session."""

    id: str
    text: str
    created_at: datetime
    """UTC, timezone-aware."""
    extra: Mapping[str, Any] = NOTHING
    """Keys that this version does not know; they are written back as they were."""


class Message(NamedTuple):
    """One thing that was said."""

    id: str
    role: Role
    content: str
    created_at: datetime
    """UTC, timezone-aware."""
    parent: str | None = None
    """The id of the message that this one answers or follows; None for the first."""
    status: Status = "complete"
    model: str | None = None
    usage: Usage | None = None
    timing: Timing | None = None
    attachments: tuple[Attachment, ...] = ()
    provider_data: Mapping[str, Any] = NOTHING
    """Keyed by provider name; one provider's fields are never sent to another. A provider
    keeps the model's reasoning here under ``reasoning``."""
    tool_calls: tuple[ToolCall, ...] = ()
    """Of a reply: the tools that the model asks for. Each is answered by a message with the
    role ``tool`` that follows on the path."""
    tool_call_id: str | None = None
    """Of a message with the role ``tool``: the call that it answers."""
    speaker: str | None = None
    """Of a reply: who of a team said it, by name; None: the model itself. The part of each
    speaker is a message of its own: see :data:`NEXT_SPEAKER`."""
    provider_tools: tuple[ProviderTool, ...] = ()
    """Of a reply: what the provider ran itself, in the order in which it ended."""
    covers: str | None = None
    """Of a message with the role ``summary``: its text stands for the path up to and with
    the message of this id. Of several summaries on a path the newest counts; one that
    covers nothing brings everything before it back."""
    extra: Mapping[str, Any] = NOTHING
    """Keys that this version does not know; they are written back as they were."""


def goes_on(message: Message) -> bool:
    """Whether the reply goes on in the message behind this one, with another speaker."""
    return message.role == "assistant" and message.extra.get("finish_reason") == NEXT_SPEAKER


def pieces_of(message: Message) -> Iterator[str | ProviderTool]:
    """The texts of a message, and what its provider ran itself, in the order in which they
    came."""
    start = 0
    for tool in sorted(message.provider_tools, key=lambda tool: tool.at):
        at = max(start, tool.at)
        if text := message.content[start:at]:
            yield text
        yield tool
        start = at
    if text := message.content[start:]:
        yield text


class Growth(NamedTuple):
    """What has come of a reply in work since it was kept last."""

    message_id: str
    """The reply's."""
    text: str = ""
    """Follows its content."""
    reasoning: str = ""
    """Follows what its ``provider_data`` has for ``provider`` under ``reasoning``."""
    provider: str = ""


def grown(reply: Message, growths: Iterable[Growth]) -> Message:
    """The reply with all that has come of it since. Piece by piece would copy it for each."""
    texts = [reply.content]
    thoughts: dict[str, list[str]] = {}
    for growth in growths:
        texts.append(growth.text)
        if growth.reasoning:
            thoughts.setdefault(growth.provider, []).append(growth.reasoning)
    data = dict(reply.provider_data)
    for provider, pieces in thoughts.items():
        # What was read from a damaged file may be anything.
        private = data.get(provider)
        fields = private if isinstance(private, Mapping) else NOTHING
        before = fields.get("reasoning")
        pieces.insert(0, before if isinstance(before, str) else "")
        data[provider] = {**fields, "reasoning": "".join(pieces)}
    if thoughts:
        reply = reply._replace(provider_data=data)
    return reply._replace(content="".join(texts))


class Session(NamedTuple):
    """A conversation and what is known of it without reading its messages."""

    session_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    description: str = ""
    message_count: int = 0
    head: str | None = None
    """The message the conversation stands on; None: the newest one; :data:`ROOT`: none,
    because every turn was taken back."""
    model: str | None = None
    api_base: str | None = None
    """The server that was named for this session alone, so that it is asked again."""
    agent: str | None = None
    tags: tuple[str, ...] = ()
    pinned: tuple[str, ...] = ()
    """Ids of messages that are always sent."""
    reasoning: Reasoning | None = None
    """None: as configured."""
    extra: Mapping[str, Any] = NOTHING


class TrashedSession(NamedTuple):
    """A deleted session, kept until the user purges it."""

    trash_id: str
    session: Session
    deleted_at: datetime
    size: int
    """Bytes."""


class SearchHit(NamedTuple):
    """A message that a search has found."""

    session: Session
    message: Message
    snippet: tuple[tuple[str, bool], ...]
    """A few words around what was looked for, in pieces: the text of each, and whether it
    is what was looked for."""


class Finding(NamedTuple):
    """Something that a check found to be wrong, or has just mended."""

    where: str
    """The session, file, setting or plugin."""
    problem: str
    """One sentence."""
    advice: str = ""
    """What to do, or what was done: one sentence."""
    healed: bool = False
    note: bool = False
    """Nothing is wrong; it is only worth knowing, such as the copies that are kept."""
    repairable: bool = False
    """Whether a check with ``repair`` mends it."""


class Stretch(NamedTuple):
    """Messages of a session that were saved one behind the other, of which each follows the
    one before. Places count the messages in the order of saving, from 0."""

    start: int
    stop: int
    """Behind the last one."""
    parent: int | None
    """The place of the message that the first one follows; None: it follows nothing."""


def now() -> datetime:
    """This moment in UTC, timezone-aware."""
    return datetime.now(UTC)


def new_id() -> str:
    """A random id in the form of a UUID (RFC 9562, version 4)."""
    raw = bytearray(os.urandom(16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    digits = raw.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def local_time(moment: datetime) -> str:
    """``2026-07-20 10:30`` in the user's time zone."""
    try:
        return moment.astimezone().isoformat(" ", "minutes")[:16]
    except (OverflowError, ValueError, OSError):  # the year 1 or 9999, by a hand edit
        return moment.isoformat(" ", "minutes")


def default_session_name(moment: datetime) -> str:
    """The name of a session that was given none: ``Session 2026-07-20 10:30``."""
    return f"Session {local_time(moment)}"


def new_session(
    name: str,
    description: str = "",
    *,
    model: str | None = None,
    agent: str | None = None,
    created_at: datetime | None = None,
) -> Session:
    """An empty session with an id of its own, made now; without a name, called after the
    time."""
    created_at = created_at or now()
    return Session(
        session_id=new_id(),
        name=name if name.strip() else default_session_name(created_at),
        created_at=created_at,
        updated_at=created_at,
        description=description,
        model=model,
        agent=agent,
    )


CHANGEABLE = frozenset(
    ("name", "description", "head", "model", "api_base", "agent", "tags", "pinned", "reasoning")
)
"""The fields of a session that a user, or the shell for them, may change."""


def session_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    """New values for fields of a session, as the record has them. ``TypeError`` for a field
    that is not one of :data:`CHANGEABLE`."""
    if unknown := sorted(changes.keys() - CHANGEABLE):
        raise TypeError(f"a session has no changeable {', '.join(unknown)}")
    return {
        key: tuple(value) if key in ("tags", "pinned") else value for key, value in changes.items()
    }

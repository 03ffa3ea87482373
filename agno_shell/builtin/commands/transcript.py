"""A conversation as a file: JSON as it is stored, or Markdown to read. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from agno_shell.toolkit import json_records, wording
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.types import NOTHING, Message, ProviderTool, Session, local_time, pieces_of

_SPEAKERS = {
    "user": "You",
    "assistant": "Assistant",
    "system": "System",
    "tool": "Tool",
    "summary": "Summary of what was said before",
}


class Document(NamedTuple):
    """A file that is to be written."""

    data: bytes
    reduced: int = 0
    """Messages of which only the words are in it."""


def document(path: str, session: Session, messages: Sequence[Message]) -> Document:
    """The file called ``path``: JSON behind ``.json``, else Markdown."""
    if path.lower().endswith(".json"):
        return as_json(messages)
    return Document(as_markdown(session, messages))


def as_json(messages: Sequence[Message]) -> Document:
    """A JSON array, a message a line, as in ``messages.json``."""
    lines, reduced = [], 0
    for message in messages:
        try:
            lines.append(json_records.message_line(message))
        except json_records.UnwritableError:
            # What a provider has added may be why the store could not take it; the words
            # can be written in any case.
            words = message._replace(provider_data=NOTHING, extra=NOTHING)
            lines.append(json_records.message_line(words))
            reduced += 1
    body = b"\n,".join(lines)
    return Document(b"[\n" + body + (b"\n" if body else b"") + b"]\n", reduced)


def as_markdown(session: Session, messages: Sequence[Message]) -> bytes:
    """A heading with the session's name; each message, verbatim, under who said it and
    when. A lone surrogate, which has no UTF-8 form, is written as its escape."""
    said = wording.count(len(messages), "message")
    parts = [
        f"# {clean_line(session.name)}",
        f"Session {session.session_id}, begun {local_time(session.created_at)}, {said}",
        *(part for message in messages for part in (_heading(message), *_body(message))),
    ]
    text = "\n\n".join(part[:-1] if part.endswith("\n") else part for part in parts)
    return (text + "\n").encode("utf-8", "backslashreplace")


def _body(message: Message) -> Iterator[str]:
    """The content, verbatim, and where they ran the tools of the provider as quotations."""
    if not message.provider_tools:
        yield message.content
        return
    for piece in pieces_of(message):
        yield piece if isinstance(piece, str) else _tool(piece)


def _tool(tool: ProviderTool) -> str:
    state = f" ({tool.status})" if tool.status != "complete" else ""
    said = f"Run by the provider: {clean_line(tool.name)} {clean_line(tool.arguments, 4000)}"
    lines = [f"{said.rstrip()}{state}"]
    if result := tool.result.strip("\n"):
        lines += ["", *result.split("\n")]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _heading(message: Message) -> str:
    """``## You, 2026-07-20 10:30``; a reply that is not whole says so."""
    speaker = _SPEAKERS.get(message.role, message.role)
    if message.role == "assistant" and message.model:
        speaker = clean_line(message.model)
    if message.speaker:
        speaker = f"{clean_line(message.speaker)} ({speaker})"
    state = f" ({message.status})" if message.status != "complete" else ""
    files = ", ".join(clean_line(each.name) for each in message.attachments)
    return (
        f"## {speaker}, {local_time(message.created_at)}{state}"
        f"{f' · with {files}' if files else ''}"
    )

"""Messages as they stand in the scrollback: what was said, and replies of earlier turns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from agno_shell.contracts import Line, Renderer
from agno_shell.shell.lines import one_line, text_lines, wrapped
from agno_shell.shell.live import thought_line
from agno_shell.shell.tool_lines import stored_call_line, stored_result_line, stored_tool_lines
from agno_shell.toolkit import wording
from agno_shell.toolkit.terminal_text import Cleaner, clean_line
from agno_shell.types import Attachment, Message, goes_on, pieces_of

QUESTION_CHARACTERS = 4_000
QUESTION_LINES = 40

LENGTH = "The reply reached its length limit and is not whole"
FILTERED = "The provider's content filter ended the reply"

NOT_WHOLE = {
    "interrupted": "stopped; what was shown is kept",
    "incomplete": "cut off; what came is kept",
    "failed": "no answer came",
}

NOTHING_CAME = "stopped before any of the reply had come"

SUMMARY = "Summary of what was said before"
UNCOVERED = "(The summary was taken back: what was said before is sent itself again.)"


def question_lines(
    text: str, attachments: Sequence[Attachment] = (), *, saved: bool = False
) -> list[Line]:
    """What the user said; of a very long text the beginning, and how long it is. That it
    is all ``saved`` is said only of what is."""
    shown = "\n".join(text[:QUESTION_CHARACTERS].split("\n")[:QUESTION_LINES])
    lines = text_lines(shown, "class:question")
    if len(shown) < len(text):
        left = f"… {len(text) - len(shown):,} more characters"
        lines.append((("class:notice", left + ", all of them saved" * saved),))
    lines += [(("class:notice", attachment_text(each)),) for each in attachments]
    first: Line = (("class:prompt", "› "), *lines[0])
    return [first, *((("", "  "), *line) for line in lines[1:]), ()]


def attachment_text(attachment: Attachment) -> str:
    """``[attached: notes.txt · text/plain · 1.2 kB]``."""
    kind = clean_line(attachment.media_type, 60)
    size = wording.size(attachment.size)
    return f"[attached: {clean_line(attachment.name)} · {kind} · {size}]"


def speaker_line(name: str) -> Line:
    """Who speaks below it."""
    return (("class:notice", f"{clean_line(name, 100)}:"),)


def last_exchanges(messages: Sequence[Message], number: int) -> Sequence[Message]:
    """The messages from the ``number``-th question from the end on: a reply may be several of
    them, with tools, or none. All of them where there are not so many questions."""
    if number <= 0:
        return ()
    questions = [at for at, message in enumerate(messages) if message.role == "user"]
    return messages[questions[-number] :] if len(questions) >= number else messages


def message_lines(
    messages: Sequence[Message], renderer: Renderer, width: int
) -> Iterator[list[Line]]:
    """The lines of each message, as it looked when it was said."""
    before: Message | None = None
    for message, following in zip(messages, [*messages[1:], None], strict=False):
        speaker = message.speaker or ""
        if before is not None and goes_on(before):
            # One speaker after the other: now it is the model itself, or nobody knows who.
            speaker = speaker or message.model or ""
        before = message
        if message.role == "user":
            yield question_lines(message.content, message.attachments)
        elif message.role == "summary":
            yield _summary(message, width)
        elif message.role == "tool":
            # The results of one reply stand close together.
            blank = [] if following and following.role == "tool" else [()]
            yield [stored_result_line(message), *blank]
        else:
            above = [speaker_line(speaker)] if speaker else []
            yield [*above, *_reply(message, following, renderer, width)]


def _summary(message: Message, width: int) -> list[Line]:
    if not message.content.strip() and message.covers is None:
        return [(("class:notice", UNCOVERED),), ()]
    text = wrapped(message.content, max(0, width - 2))
    body = (((("class:notice", "│ "), *line)) for line in text_lines(text, "class:notice"))
    return [(("class:notice", SUMMARY),), *body, ()]


def _reply(
    message: Message, following: Message | None, renderer: Renderer, width: int
) -> list[Line]:
    lines = [thought_line(each) for each in _reasoning(message)]
    lines += _said(message, renderer, width)
    lines += [stored_call_line(call) for call in message.tool_calls]
    if note := _note(message):
        goes_on = following is not None and following.role == "assistant"
        note = f"({note}; it goes on below)" if goes_on else f"({note})"
        lines += text_lines(wrapped(note, width), "class:notice")
    if not lines or (message.tool_calls and following and following.role == "tool"):
        return lines
    return [*lines, ()]


def _said(message: Message, renderer: Renderer, width: int) -> list[Line]:
    """The text, and what the provider ran itself where it did."""
    lines: list[Line] = []
    was_text: bool | None = None
    for piece in pieces_of(message):
        is_text = isinstance(piece, str)
        if was_text not in (None, is_text):
            lines.append(())
        was_text = is_text
        if isinstance(piece, str):
            lines += _rendered(piece, renderer, width)
        else:
            lines += stored_tool_lines(piece)
    return lines


def _rendered(text: str, renderer: Renderer, width: int) -> list[Line]:
    stream, cleaner = renderer.begin(width), Cleaner()
    return [*stream.feed(cleaner.feed(text) + cleaner.finish()), *stream.finish()]


def _reasoning(message: Message) -> Iterable[str]:
    for private in message.provider_data.values():
        # A file that was edited by hand, or a plugin, may have anything here.
        reasoning = private.get("reasoning") if isinstance(private, dict) else None
        if isinstance(reasoning, str) and reasoning.strip():
            yield reasoning


def _note(message: Message) -> str:
    """Why a reply is not whole; empty: it is."""
    if message.status == "complete":
        return ""
    if message.extra.get("finish_reason") == "length":
        return LENGTH
    if message.extra.get("finish_reason") == "content_filter":
        return FILTERED
    error = message.extra.get("error")
    said = error.get("message") if isinstance(error, dict) else None
    if isinstance(said, str) and said.strip():
        reason = one_line(said).rstrip(".")
        return reason if message.status == "failed" else f"{NOT_WHOLE[message.status]}: {reason}"
    if message.status == "interrupted" and not message.content:
        return NOTHING_CAME
    return NOT_WHOLE[message.status]

"""Where a turn begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agno_shell.types import Attachment, Message, new_id, now


class Start(NamedTuple):
    follows: str | None
    """The message that the question, or without one the reply, follows; None: the root."""
    question: Message | None = None
    """What the user asks; None: what is there already is answered, or gone on with."""
    model: str | None = None
    """Answers this time, in place of the session's."""


def asking(follows: str | None, text: str, attachments: Sequence[Attachment] = ()) -> Start:
    """A question that follows any message of the session, or none."""
    return Start(
        follows,
        Message(
            new_id(), "user", text, now(), parent=follows, attachments=tuple(attachments), extra={}
        ),
    )

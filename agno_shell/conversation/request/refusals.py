"""What the other side has refused to read, and what is therefore not sent again by itself.
Pure functions.

A request is what was accepted before and what was added to it since. When it is refused for
what it holds, that is in the addition: all that nothing has answered since the last reply.
The question is then left out of later requests, and a sentence stands for the result of a
tool. That is read from the path alone: the reply that says so stands behind what it refused.
Where the question is asked again (``/retry``) or in other words (``/edit``), that reply is
on another branch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agno_shell.conversation.request.rules import is_empty
from agno_shell.events import NOT_SENT_AGAIN, Failed
from agno_shell.types import Message

REFUSED_RESULT = "The result of this call is not sent: the model's service has refused it."
"""What a model is told in its place."""

BROUGHT_BACK = "It is not sent again by itself; /retry or /edit brings it back."
TWICE = (
    "Two requests in a row were refused: the cause may stand further back. /undo takes turns "
    "back, /compact sums them up, /model chooses another model."
)


def verdict(message: Message) -> bool | None:
    """Whether a reply says that what came before it was refused (True) or accepted (False).
    None: it does not say, as any message that is no reply, or one that was stopped."""
    if message.role != "assistant":
        return None
    is_filtered = message.extra.get("finish_reason") == "content_filter"
    if message.content.strip() or message.tool_calls:
        # What a filter has broken off is no proof that all before it is harmless.
        return None if is_filtered or message.status == "failed" else False
    error = message.extra.get("error")
    kind = error.get("kind") if isinstance(error, dict) else None
    return True if is_filtered or kind in NOT_SENT_AGAIN else None


def says(message: Message) -> bool:
    """Whether a message tells what became of those before it."""
    return verdict(message) is not None


def is_refused(following: Iterable[Message], later: bool = False) -> bool:
    """Whether what stands before these messages, and has no answer, was refused; ``later``:
    whether what stands before that which comes after them was."""
    found = (verdict(message) for message in following)
    return next((each for each in found if each is not None), later)


def without_refused(turn: Sequence[Message], later: bool) -> tuple[list[Message], int]:
    """A turn as it may be sent again, and how many of its messages are left out; ``later``
    as above."""
    kept: list[Message] = []
    count, refused = 0, later
    for message in reversed(turn):
        said = verdict(message)
        refused = refused if said is None else said
        if not refused or said is not None or is_empty(message):
            kept.append(message)
            continue
        count += 1
        if message.role == "tool":
            kept.append(message._replace(id=f"refused:{message.id}", content=REFUSED_RESULT))
    kept.reverse()
    return kept, count


def advised(failed: Failed, path: Sequence[Message]) -> Failed:
    """A failure with what becomes of what was refused; ``path`` ends with that."""
    if failed.kind not in NOT_SENT_AGAIN:
        return failed
    said = (verdict(message) for message in reversed(path))
    is_second = next((each for each in said if each is not None), False)
    # A plugin that always fails is named; nothing that was said is to blame.
    is_further_back = is_second and failed.kind != "plugin_failed"
    hints = (failed.hint, BROUGHT_BACK, TWICE if is_further_back else "")
    return Failed(failed.kind, failed.message, " ".join(filter(None, hints)))

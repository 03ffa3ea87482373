"""Summaries on a path: which one is in force, and how it is told to a model. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable

from agno_shell.types import Message

INTRODUCTION = (
    "This is a summary of the earlier part of our conversation, which is not repeated here. "
    "Take it as said, and go on from there."
)


def as_sent(summary: Message) -> Message:
    """A summary as a message that every provider takes."""
    return Message(
        summary.id,
        "user",
        f"{INTRODUCTION}\n\n{summary.content}",
        summary.created_at,
        parent=summary.parent,
    )


def effective(path: Iterable[Message]) -> list[Message]:
    """The summaries that a path has led to, each made when the one before it was in force;
    the last one counts.

    One that covers nothing ends all of them. One that reaches as far as an earlier one
    brings that one back: each new summary reaches further than the one before it.
    """
    stack: list[Message] = []
    for message in path:
        if message.role != "summary":
            continue
        if message.covers is None:
            stack.clear()
            continue
        reached = [each.covers for each in stack]
        if message.covers in reached:
            del stack[reached.index(message.covers) :]
        stack.append(message)
    return stack

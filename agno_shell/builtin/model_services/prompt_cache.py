"""Marks up to where Anthropic may keep what it has read, to read it cheaper the next time.

A marked request is found again by its beginning, so the marks stand where the next request
still begins the same: behind the tools, the system text, and the last two questions or
results of tools. Four is the most that is allowed.
https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agno_shell.builtin.model_services.target import Target

Record = dict[str, Any]

_MARK = {"type": "ephemeral"}
_TURNS = 2
_SETTINGS = ("cache_control", "cache_control_injection_points")
"""Parameters with which a user sets the marks."""


def helps(target: Target, parameters: Mapping[str, Any]) -> bool:
    """Whether marks are of use, and are not set by the user."""
    supported = target.claude and bool(target.entry.get("supports_prompt_caching"))
    return supported and not any(name in parameters for name in _SETTINGS)


def mark(messages: list[Record], tools: list[Record]) -> None:
    """Set the marks, in place."""
    if tools:
        tools[-1]["cache_control"] = _MARK
    system = [message for message in messages if message["role"] == "system"]
    for message in system[:1] + _turn_ends(messages)[-_TURNS:]:
        _mark(message)


def _turn_ends(messages: list[Record]) -> list[Record]:
    """The last message of each run of messages that are not the model's."""
    followers = [*(message["role"] for message in messages[1:]), "assistant"]
    return [
        message
        for message, follower in zip(messages, followers, strict=False)
        if message["role"] in ("user", "tool") and follower == "assistant"
    ]


def _mark(message: Record) -> None:
    content = message["content"]
    if not content:
        return  # Anthropic refuses a mark on nothing
    if message["role"] == "tool":
        message["cache_control"] = _MARK
    elif isinstance(content, str):
        message["content"] = [{"type": "text", "text": content, "cache_control": _MARK}]
    else:
        content[-1]["cache_control"] = _MARK

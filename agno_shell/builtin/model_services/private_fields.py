"""What a model gives to be handed back to it, and to nobody else.

Kept in ``provider_data`` of a reply:

``origin``
    the service, model and server that gave it (:attr:`Target.origin`)
``thinking``
    whether the model had been asked to think: true, false, or null for as it does by itself
``reasoning``
    what it thought aloud; for the user
``thinking_blocks``
    signed thoughts, in Anthropic's form
``signatures``
    of Google's models: the signature of each call of a tool, by its id
``reasoning_items``
    of OpenAI's Responses API: thoughts, encrypted
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agno_shell.builtin.model_services.target import Target

Record = dict[str, Any]

LONGEST_REASONING = 200_000
"""Characters of thoughts that are kept for the user."""

_WANT_THEIR_THOUGHTS = frozenset(("deepseek", "moonshot", "ollama_chat"))
"""Services whose models go on from the plain text of what they thought."""

_CUT = "\n[…]\n"


def kept(
    target: Target,
    thinking: bool | None,
    *,
    reasoning: str,
    blocks: Sequence[Mapping[str, Any]],
    signatures: Mapping[str, str],
    items: Sequence[Mapping[str, Any]],
    calls: bool,
) -> Record:
    """What to keep with a reply; nothing with one that only says something."""
    signed = [dict(block) for block in blocks if is_signed(block)]
    found = {
        "reasoning": _shortened(reasoning),
        "thinking_blocks": signed,
        "signatures": dict(signatures),
        "reasoning_items": [dict(item) for item in items],
    }
    fields = {name: value for name, value in found.items() if value}
    if not fields and not calls:
        return {}
    return {"origin": target.origin, "thinking": thinking, **fields}


def _shortened(reasoning: str) -> str:
    """The beginning and the end of what is too long to be kept."""
    if len(reasoning) <= LONGEST_REASONING:
        return reasoning
    half = LONGEST_REASONING // 2
    return reasoning[:half] + _CUT + reasoning[-half:]


def is_signed(block: Mapping[str, Any]) -> bool:
    """Whether Anthropic takes a block back."""
    return bool(block.get("signature")) or block.get("type") == "redacted_thinking"


def given_by(message: Mapping[str, Any], target: Target, thinking: bool | None) -> Record:
    """The private fields of a reply, if this model gave them and takes them back now.

    ``thinking``: whether it is asked to think in this request. One that is not gets none;
    Claude refuses its thoughts when it is not asked for new ones either.
    """
    private = message.get("private")
    if not isinstance(private, Mapping) or private.get("origin") != target.origin:
        return {}
    unasked = thinking is None and target.claude and private.get("thinking")
    return {} if thinking is False or unasked else dict(private)


def message_fields(private: Mapping[str, Any], target: Target, *, responses: bool) -> Record:
    """Private fields as litellm takes them in a message of the role assistant.

    ``responses``: the request goes to OpenAI's Responses API.
    """
    fields: Record = {}
    if target.claude and private.get("thinking_blocks"):
        fields["thinking_blocks"] = private["thinking_blocks"]
    if responses and private.get("reasoning_items"):
        fields["reasoning_items"] = private["reasoning_items"]
    if target.provider in _WANT_THEIR_THOUGHTS and private.get("reasoning"):
        fields["reasoning_content"] = private["reasoning"]
    return fields


def call_fields(private: Mapping[str, Any], original_id: str) -> Record:
    """Private fields of one call of a tool."""
    signature = (private.get("signatures") or {}).get(original_id)
    return {"provider_specific_fields": {"thought_signature": signature}} if signature else {}


def can_think(messages: Sequence[Mapping[str, Any]], target: Target) -> bool:
    """Whether Claude may be asked to think.

    Between the calls of tools that answer one question it cannot begin to: its turn must
    have begun with thoughts that it has signed.
    https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking
    """
    if not target.claude:
        return True
    asked = -1
    for at, message in enumerate(messages):
        if message["role"] not in ("assistant", "tool"):
            asked = at
    turn = [message for message in messages[asked + 1 :] if message["role"] == "assistant"]
    private = given_by(turn[0], target, True) if turn else {}
    return not turn or bool(private.get("thinking") or private.get("thinking_blocks"))

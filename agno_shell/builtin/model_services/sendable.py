"""The parts of a request that may be sent to a model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agno_shell.errors import ProviderError
from agno_shell.types import Message

Record = dict[str, Any]

KEPT_BY = ("litellm", "direct")
"""The providers that keep private fields with a message, all in one form: what one of them kept
goes back to the same model whichever asks it."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

_OURS = frozenset(
    {
        *("api_base", "api_key", "base_url", "custom_llm_provider", "organization"),
        *("extra_headers", "headers", "model", "messages", "stream", "stream_options"),
        *("fallbacks", "max_retries", "num_retries", "stream_timeout", "timeout"),
        *("tools", "functions"),
    }
)
"""Parameters that say where a request goes, with which key, what it holds, or how it is
retried."""


def message_record(message: Message) -> Record:
    """The parts of a message that may be sent to a model; ``private`` is what one of
    :data:`KEPT_BY` kept with it, and nothing that another provider kept."""
    record: Record = {"role": message.role, "content": message.content}
    if message.tool_calls:
        record["tool_calls"] = [call._asdict() for call in message.tool_calls]
    if message.tool_call_id is not None:
        record["tool_call_id"] = message.tool_call_id
    if message.attachments:
        record["attachments"] = [attachment._asdict() for attachment in message.attachments]
    for provider in KEPT_BY:
        private = message.provider_data.get(provider)
        if message.role == "assistant" and isinstance(private, Mapping) and private:
            record["private"] = dict(private)
    return record


def sendable(value: Any) -> Any:
    """``value`` with every lone surrogate, which UTF-8 cannot hold, as U+FFFD.

    One may come from a model, and would else stop every later request of its session.
    """
    if isinstance(value, str):
        return value if value.isascii() else _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [sendable(item) for item in value]
    if isinstance(value, dict):
        return {name: sendable(item) for name, item in value.items()}
    return value


def refuse_others(parameters: Mapping[str, Any]) -> None:
    """Raises :class:`ProviderError` for what is no model parameter."""
    for name in parameters:
        if name in _OURS:
            raise ProviderError(
                f"{name} is no model parameter and was not sent.",
                hint="Remove it from the agent's parameters in the config file.",
                kind="not_sent",
            )

"""A record of a request as the arguments of litellm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from agno_shell.builtin.model_services import (
    messages,
    private_fields,
    prompt_cache,
    reasoning,
    tool_calls,
)
from agno_shell.builtin.model_services.sendable import refuse_others, sendable
from agno_shell.builtin.model_services.target import Target
from agno_shell.types import NOTHING

_ENCRYPTED_THOUGHTS = "reasoning.encrypted_content"


class CompletionRequest(NamedTuple):
    """What is asked of a model."""

    arguments: dict[str, Any]
    """For ``litellm.acompletion``, without the place, the key and the limits."""
    thinking: bool | None
    """Whether the model is asked to think; None: it does as it does by itself."""


def prepare(
    record: Mapping[str, Any], target: Target, files: Mapping[str, bytes] = NOTHING
) -> CompletionRequest:
    """The record of :func:`protocol.request_record` for a model. Raises
    :class:`ProviderError` for what cannot be sent."""
    parameters: dict[str, Any] = sendable(record["parameters"])
    refuse_others(parameters)
    said: list[dict[str, Any]] = sendable(record["messages"])
    parameters = reasoning.with_level(parameters, record["reasoning"], target)
    thinking = reasoning.is_on(record["reasoning"], parameters)
    if thinking and not private_fields.can_think(said, target):
        parameters, thinking = reasoning.without(parameters), False
    tools = tool_calls.tools(sendable(record["tools"]))
    responses = by_responses_api(target, tools, parameters)
    manner = messages.Manner(target, thinking, responses, files)
    written = messages.in_openai_form(said, manner)
    if prompt_cache.helps(target, parameters):
        prompt_cache.mark(written, tools)
    if responses and target.abilities.reasoning:
        # The thoughts come along, encrypted; nothing has to stay with the service.
        parameters = {"store": False, "include": [_ENCRYPTED_THOUGHTS], **parameters}
    arguments = {"messages": written, **parameters}
    if tools:
        arguments["tools"] = tools
    return CompletionRequest(arguments, thinking)


def without_reasoning(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record that lets the model think as it does by itself."""
    parameters = reasoning.without(record["parameters"])
    return {**record, "parameters": parameters, "reasoning": None}


def by_responses_api(
    target: Target, tools: list[dict[str, Any]], parameters: Mapping[str, Any]
) -> bool:
    """Whether litellm asks OpenAI's Responses API: newer models call no tools without it
    while they think."""
    if target.provider not in ("openai", "azure"):
        return False
    try:
        from litellm.main import responses_api_bridge_check

        info, _model = responses_api_bridge_check(
            model=target.name,
            custom_llm_provider=target.provider,
            tools=tools or None,
            reasoning_effort=parameters.get("reasoning_effort"),
            api_base=target.goal.api_base,
        )
    except Exception:
        # A function that litellm does not promise: without it, thoughts are not handed back.
        return False
    return bool(info.get("mode") == "responses")

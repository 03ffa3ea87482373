"""A request of the engine as a protocol is to write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from agno_shell.builtin.direct_provider import azure
from agno_shell.builtin.direct_provider.endpoint import Endpoint
from agno_shell.builtin.model_services import (
    messages,
    private_fields,
    prompt_cache,
    reasoning,
    tool_calls,
)
from agno_shell.builtin.model_services.sendable import message_record, refuse_others, sendable
from agno_shell.builtin.model_services.target import Target
from agno_shell.builtin.model_services.wires import (
    anthropic,
    gemini,
    ollama,
    openai_chat,
    openai_responses,
)
from agno_shell.builtin.model_services.wires.wire import ChatRequest, Post, Wire
from agno_shell.events import Request
from agno_shell.types import Reasoning

WIRES = {
    "openai": openai_chat.WIRE,
    "anthropic": anthropic.WIRE,
    "gemini": gemini.WIRE,
    "ollama": ollama.WIRE,
}

_LEVELS: Mapping[str, Reasoning] = {
    "none": "off",
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
}
"""What agents say under ``reasoning_effort``."""


class WireRequest(NamedTuple):
    """A request in the form of its protocol."""

    wire: Wire
    post: Post
    target: Target
    thinking: bool | None
    """Whether the model is asked to think; None: it does as it does by itself."""


def written(request: Request, at: Endpoint, entry: Mapping[str, Any]) -> WireRequest:
    """``entry`` is the model's row in the table of models. Raises
    :class:`~agno_shell.errors.ProviderError` for what cannot be sent."""
    parameters: dict[str, Any] = sendable(dict(request.parameters))
    refuse_others(parameters)
    target = target_of(at, entry)
    level = request.reasoning or _LEVELS.get(str(parameters.get("reasoning_effort")))
    thinking = reasoning.is_on(request.reasoning, parameters)
    parameters.pop("reasoning_effort", None)
    if request.reasoning is not None:
        parameters.pop("thinking", None)
    said = [sendable(message_record(message)) for message in request.messages]
    if thinking and not private_fields.can_think(said, target):
        level, thinking = None, False
        parameters.pop("thinking", None)
    tools = tool_calls.tools([sendable(dict(tool._asdict())) for tool in request.tools])
    wire = _wire(at, target, bool(tools), level)
    manner = messages.Manner(target, thinking, wire is openai_responses.WIRE, request.files)
    turns = messages.in_openai_form(said, manner)
    if prompt_cache.helps(target, parameters):
        prompt_cache.mark(turns, tools)
    asked = ChatRequest(target, turns, tools, parameters, level)
    return WireRequest(wire, wire.write(asked), target, thinking)


def target_of(at: Endpoint, entry: Mapping[str, Any]) -> Target:
    """What decides how a request is written, and whom private fields belong to."""
    provider = "ollama_chat" if at.service.wire == "ollama" else at.service.prefix
    return Target(at.goal, provider, at.name, entry)


def _wire(at: Endpoint, target: Target, has_tools: bool, level: Reasoning | None) -> Wire:
    """OpenAI's newer models call no tools by the older protocol while they think."""
    if at.is_own and (
        at.service.prefix == "openai" or azure.has_responses(at.service.prefix, at.url)
    ):
        mode = target.entry.get("mode")
        endpoints = cast("list[str]", target.entry.get("supported_endpoints") or [])
        thinks = bool(target.abilities.reasoning) and level != "off"
        if mode == "responses" or (has_tools and thinks and "/v1/responses" in endpoints):
            return openai_responses.WIRE
    return WIRES[at.service.wire]

"""How much a model is to think, in the words that litellm and the services take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agno_shell.builtin.model_services.target import Target

PARAMETERS = ("reasoning_effort", "thinking")
"""What says in the parameters of an agent how much a model is to think."""

_KNOW_NONE = frozenset(
    ("deepseek", "gemini", "mistral", "ollama", "ollama_chat", "openrouter", "vertex_ai")
)
"""Where ``none`` switches thinking off, or comes as near to it as the model can."""

_NOT_WITH_THINKING = ("temperature", "top_k")
"""Claude refuses these while it thinks."""


def is_on(level: str | None, parameters: Mapping[str, Any]) -> bool | None:
    """Whether a model is asked to think; None: it does as it does by itself."""
    if level is not None:
        return level != "off"
    effort, thinking = (parameters.get(name) for name in PARAMETERS)
    if isinstance(thinking, Mapping):
        return thinking.get("type") != "disabled"
    if isinstance(effort, Mapping):
        effort = effort.get("effort")
    return None if effort is None else effort != "none"


def with_level(parameters: Mapping[str, Any], level: str | None, target: Target) -> dict[str, Any]:
    """Model parameters with ``level`` (off, low, medium, high) for this model. A level says
    more than what an agent's parameters say of thinking; a model that cannot think gets
    nothing."""
    asked = dict(parameters)
    if level is not None:
        for name in PARAMETERS:
            asked.pop(name, None)
        if target.abilities.reasoning is not False:
            asked |= _off(target) if level == "off" else {"reasoning_effort": level}
    if target.claude and is_on(None, asked):
        for name in _NOT_WITH_THINKING:
            asked.pop(name, None)
    return asked


def without(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Model parameters that say nothing of thinking."""
    return {name: value for name, value in parameters.items() if name not in PARAMETERS}


def _off(target: Target) -> dict[str, Any]:
    """The parameter that lets a model think as little as it can."""
    if target.claude:
        return {"thinking": {"type": "disabled"}}
    if "magistral" in target.name:
        return {}  # litellm asks it to think whatever the value is
    known = target.entry
    if not known or target.provider in _KNOW_NONE or known.get("supports_none_reasoning_effort"):
        return {"reasoning_effort": "none"}
    least = "minimal" if known.get("supports_minimal_reasoning_effort") else "low"
    return {"reasoning_effort": least}

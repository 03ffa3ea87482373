"""What looks like a key, left out of what is shown of the configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping

TYPE_CHECKING = False  # as in ``typing``, without importing it at every start
if TYPE_CHECKING:
    from typing import Any

    from agno_shell.config import Agent

HIDDEN = "(hidden)"
_SECRET_NAME = re.compile(
    r"api_?key|(^|[_-])keys?($|[_-])|token|secret|passw|credential|authori[sz]ation", re.IGNORECASE
)
_NOT_SECRET_NAME = re.compile(r"_env$|^(max|min|num|n|top|logit)_|_tokens$", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"\b(?:sk|pk|rk)-[\w-]{8,}|\b(?:gsk|ghp|hf|r8|xai|glpat|xox[abp])[-_][\w-]{8,}"
    r"|\bAIza[\w-]{20,}|\bBearer\s+\S+|(?<=://)[^/@\s]+(?=@)"
)
"""The usual forms of keys, and what stands before the @ of an address."""


def without_secrets(value: Any, name: str = "") -> Any:
    """``value`` with whatever looks like a key, by its name or by its form, hidden."""
    if isinstance(value, Mapping):
        return {key: without_secrets(below, key) for key, below in value.items()}
    if _SECRET_NAME.search(name) and not _NOT_SECRET_NAME.search(name):
        return HIDDEN
    if isinstance(value, list | tuple):
        return [without_secrets(item) for item in value]
    return _SECRET_VALUE.sub(HIDDEN, value) if isinstance(value, str) else value


def agent_table(agent: Agent) -> dict[str, Any]:
    """What an agent has, by the keys of its table."""
    table = {
        "description": agent.description,
        "model": agent.model,
        "instructions": agent.instructions,
        "fallbacks": agent.fallbacks,
        "pins": agent.pins,
        "reasoning": agent.reasoning,
        "parameters": agent.parameters,
    }
    return {key: without_secrets(value, key) for key, value in table.items() if value}

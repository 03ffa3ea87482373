"""Which model a request goes to, as far as it decides what the request looks like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from agno_shell.builtin.model_services.destination import Destination
from agno_shell.contracts import Abilities
from agno_shell.types import NOTHING

_CLAUDE_SERVICES = ("anthropic", "azure_ai", "bedrock", "bedrock_converse", "vertex_ai")
"""litellm's providers behind which Claude is spoken to in Anthropic's own form."""

_DATE = re.compile(r"(?:[-@]\d{8}|-\d{4}-\d{2}-\d{2})(?:-v\d+(?::\d+)?)?$|-v\d+:\d+$")
"""The date that ends the full name of a model, and the version that Bedrock adds."""


_MISTRAL = re.compile(r"[sx]tral\b")
"""Mistral, Ministral, Mixtral, Devstral, Codestral, Magistral, Pixtral."""


class Target(NamedTuple):
    """A model at a place."""

    goal: Destination
    provider: str
    """litellm's name of the service, or of the form that the server speaks."""
    name: str
    """The model without the provider's prefix."""
    entry: Mapping[str, Any] = NOTHING
    """Its row in litellm's tables; empty where there is none."""

    @property
    def origin(self) -> str:
        """Where private fields come from, and the only place they go back to: the service,
        the model without its date, and the server if it is one of the user's own."""
        family = f"{self.provider}/{_DATE.sub('', self.name)}"
        return f"{family} at {self.goal.where}" if self.goal.elsewhere else family

    @property
    def claude(self) -> bool:
        """Whether it is spoken to in Anthropic's form."""
        return self.provider in _CLAUDE_SERVICES and "claude" in self.name.lower()

    @property
    def mistral(self) -> bool:
        """Whether Mistral's stricter rules hold: nine letters and digits for the id of a call,
        and a reply behind the results of tools. Its models keep to them wherever they run."""
        return self.provider == "mistral" or bool(_MISTRAL.search(self.name.lower()))

    @property
    def abilities(self) -> Abilities:
        return abilities(self.entry)


def abilities(entry: Mapping[str, Any]) -> Abilities:
    """What a row of litellm's tables says; a row names only what a model can do."""
    if not entry:
        return Abilities()
    return Abilities(
        images=bool(entry.get("supports_vision")),
        pdf=bool(entry.get("supports_pdf_input")),
        tools=bool(entry.get("supports_function_calling")),
        reasoning=bool(entry.get("supports_reasoning")),
    )

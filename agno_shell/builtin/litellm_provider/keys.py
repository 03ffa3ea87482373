"""Which environment variable holds the key of which service, and a model to begin with."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

from agno_shell.errors import ProviderError


class Service(NamedTuple):
    """A model service."""

    variable: str
    """The environment variable that holds its key."""
    provider: str
    """What litellm calls it."""
    model: str
    """A current model that is good at a low price, as litellm names it."""


SERVICES = (
    Service("OPENAI_API_KEY", "openai", "gpt-5.4-mini"),
    Service("ANTHROPIC_API_KEY", "anthropic", "claude-haiku-4-5"),
    Service("GEMINI_API_KEY", "gemini", "gemini/gemini-flash-latest"),
    Service("GROQ_API_KEY", "groq", "groq/openai/gpt-oss-120b"),
    Service("MISTRAL_API_KEY", "mistral", "mistral/mistral-small-latest"),
    Service("DEEPSEEK_API_KEY", "deepseek", "deepseek/deepseek-v4-flash"),
    Service("OPENROUTER_API_KEY", "openrouter", "openrouter/openai/gpt-5.4-mini"),
)
"""In the order in which a key decides the default model."""


def default_model(environ: Mapping[str, str]) -> str | None:
    """The model that the first key in the environment suggests."""
    for service in SERVICES:
        if environ.get(service.variable, "").strip():
            return service.model
    return None


def foreign_keys(provider: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Keys that do not belong to a litellm provider, with the variables they come from.

    litellm sends the key of OpenAI to some sixty other services when theirs is not set.
    """
    own = {environ.get(s.variable, "").strip() for s in SERVICES if s.provider in provider}
    others = {environ.get(s.variable, "").strip(): s.variable for s in SERVICES}
    return {key: variable for key, variable in others.items() if key and key not in own}


def key_variable(provider: str, environ: Mapping[str, str]) -> str | None:
    """The variable that holds the key of a litellm provider, if it is known."""
    for service in SERVICES:
        if service.provider == provider:
            return service.variable
    guess = f"{provider.upper()}_API_KEY"
    return guess if guess in environ else None


def unusable(variable: str, key: str) -> ProviderError | None:
    """Why the key in a variable cannot be sent; None: it can.

    The blanks around it are no part of it; a server of one's own may have some within. What was
    copied from a document may have curly quotation marks, invisible letters or a line break in
    it, none of which a header takes.
    """
    key = key.strip()
    foreign = next((sign for sign in key if not " " <= sign <= "~"), "")
    if foreign:
        wrong = f"it holds {_named(foreign)}, which is in no key"
    elif len(key) > 1 and key[0] == key[-1] and key[0] in "\"'":
        wrong = "it stands in quotation marks"
    else:
        return None
    return ProviderError(
        f"The key in {variable} cannot be sent: {wrong}.",
        hint=f"Copy the key alone into {variable} and start agno-shell again.",
        kind="authentication",
    )


def _named(sign: str) -> str:
    if sign in "\r\n":
        return "a line break"
    name = unicodedata.name(sign, "a control character").lower()
    shown = f"{sign} " if sign.isprintable() else ""
    return f"{shown}({name}, U+{ord(sign):04X})"

"""Which environment variable holds the key of which service, and a model to begin with."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from agno_shell.builtin.model_services.services import SERVICES
from agno_shell.errors import ProviderError

WITH_MODELS = tuple(service for service in SERVICES if service.model)
"""Those whose key decides the default model, in this order."""


def default_model(environ: Mapping[str, str]) -> str | None:
    """The model that the first key in the environment suggests."""
    return next((each.model for each in WITH_MODELS if is_set(each.key_variable, environ)), None)


def is_set(variable: str, environ: Mapping[str, str]) -> bool:
    """Whether a key stands in a variable."""
    return bool(environ.get(variable, "").strip())


def no_key() -> str:
    """What to say where no key is set at all."""
    names = ", ".join(service.key_variable for service in WITH_MODELS)
    return f"No key is set; only local models can be used. One of these is read: {names}."


def foreign_keys(provider: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Keys that do not belong to a litellm provider, with the variables they come from.

    litellm sends the key of OpenAI to some sixty other services when theirs is not set.
    """
    own = {environ.get(s.key_variable, "").strip() for s in WITH_MODELS if s.prefix in provider}
    others = {environ.get(s.key_variable, "").strip(): s.key_variable for s in WITH_MODELS}
    return {key: variable for key, variable in others.items() if key and key not in own}


def key_variable(provider: str, environ: Mapping[str, str]) -> str | None:
    """The variable that holds the key of a litellm provider, if it is known."""
    for service in WITH_MODELS:
        if service.prefix == provider:
            return service.key_variable
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

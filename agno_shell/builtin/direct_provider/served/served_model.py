"""A model as its server describes it, and the values that are taken of what a server says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from agno_shell.contracts import Abilities
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.types import NOTHING

MOST = 2_000
"""Models of one server that are looked at."""

_LONGEST_NAME = 200
_MOST_TOKENS = 1_000_000_000

_NO_CHAT = re.compile(
    r"(?:^|[-_/.:])(?:embed|embedding|embeddings|whisper|tts|dall-e|moderation|transcribe"
    r"|rerank|reranker|realtime|sora|veo|imagen|gpt-image|babbage|davinci)(?:$|[-_/.:\d])",
    re.IGNORECASE,
)
"""Names of models that answer no messages, where their server does not say so."""


class MalformedAnswerError(Exception):
    """A server's answer is not of the form that it should have; the text says what it is."""


class ServedModel(NamedTuple):
    """What a server says of one model."""

    id: str
    window: int | None = None
    """Tokens that a request may hold, as the server is set up."""
    largest: int | None = None
    """Tokens that it could hold, set up otherwise."""
    prices: Mapping[str, float] = NOTHING
    """US dollars for a token, by the columns of litellm's table."""
    abilities: Abilities = Abilities()

    def completed(self, other: ServedModel) -> ServedModel:
        """This, and where it says nothing, what ``other`` says of the same model."""
        known = (
            mine if mine is not None else more
            for mine, more in zip(self.abilities, other.abilities, strict=True)
        )
        return ServedModel(
            self.id,
            self.window or other.window,
            self.largest or other.largest,
            self.prices or other.prices,
            Abilities(*known),
        )


def rows(body: Any, *names: str) -> list[Mapping[str, Any]]:
    """The objects of a list that stands in an answer under one of these names, or is it."""
    found = body
    if isinstance(body, Mapping):
        found = next((body[name] for name in names if name in body), None)
    if not isinstance(found, list):
        raise MalformedAnswerError("something that is no list of models")
    return [row for row in found[:MOST] if isinstance(row, Mapping)]


def name(value: Any) -> str:
    """The name of a model; empty where it is none that can be typed and shown."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME:
        return ""
    is_plain = clean_line(value) == value and not any(map(str.isspace, value))
    return value if is_plain and value[0] != "-" else ""


def is_chat(model: str) -> bool:
    """Whether a name is not that of a model for something else."""
    return not _NO_CHAT.search(model)


def tokens(*values: Any) -> int | None:
    """The first of some values that is a number of tokens."""
    for value in values:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _MOST_TOKENS:
            return value
    return None


def price(value: Any, per: float = 1.0) -> float | None:
    """A price in US dollars for ``per`` tokens as that of one; servers give it as a text too."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = float(value) / per
    except ValueError:
        return None
    return amount if 0 <= amount < 1 else None


def flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def inner(row: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """An object within a row; empty where there is none."""
    value = row.get(key)
    return value if isinstance(value, Mapping) else NOTHING

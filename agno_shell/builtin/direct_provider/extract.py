"""The part of litellm's table of models that is needed where litellm is not installed.

``models.json`` has a line for each model of a service that is asked here: the columns that are
read, and no others. :mod:`agno_shell.builtin.direct_provider.make_extract` makes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agno_shell.types import NOTHING

FILE = Path(__file__).with_name("models.json")

NUMBERS = (
    "max_input_tokens",
    "max_output_tokens",
    "input_cost_per_token",
    "output_cost_per_token",
    "cache_read_input_token_cost",
    "cache_creation_input_token_cost",
)
"""Columns that stand at the beginning of each row, in this order; null where unknown."""

FLAGS = {
    "v": "supports_vision",
    "p": "supports_pdf_input",
    "t": "supports_function_calling",
    "r": "supports_reasoning",
    "c": "supports_prompt_caching",
    "n": "supports_none_reasoning_effort",
    "m": "supports_minimal_reasoning_effort",
    "a": "supports_adaptive_thinking",
    "l": "supports_legacy_thinking",
    "R": "mode",
    "E": "supported_endpoints",
}
"""Columns that are true or not, a letter each, behind the numbers."""

RESPONSES = "/v1/responses"
_SPECIAL: Mapping[str, Any] = {"R": "responses", "E": [RESPONSES]}
"""What two of the letters stand for, which is not ``True``."""

Row = Sequence[Any]
"""The numbers, the letters, and where there are any, prices beyond so many tokens by the names
of their columns."""


class Extract:
    """Rows by service and name, in litellm's own form."""

    def __init__(self, source: str, models: Mapping[str, Mapping[str, Row]]) -> None:
        self.source = source
        """The release that it was taken from."""
        self._models = models

    @classmethod
    def read(cls) -> Extract:
        """What comes with this package; some 2 ms."""
        read = json.loads(FILE.read_bytes())
        return cls(read["source"], read["models"])

    def entry(self, prefix: str, key: str) -> Mapping[str, Any]:
        """The row that a service has by a name of litellm's table; empty where there is none."""
        row = self._models.get(prefix, NOTHING).get(key)
        return NOTHING if row is None else whole(prefix, row)

    def owner(self, key: str) -> str | None:
        """The service that has a model of this name."""
        return next((prefix for prefix, rows in self._models.items() if key in rows), None)

    def names(self, prefix: str) -> Iterator[str]:
        yield from self._models.get(prefix, ())

    @property
    def all_names(self) -> Iterator[str]:
        for rows in self._models.values():
            yield from rows


def whole(prefix: str, row: Row) -> Mapping[str, Any]:
    """A row as litellm's table has it, with the columns that are read."""
    *numbers, letters, dear = row
    entry: dict[str, Any] = {"litellm_provider": prefix, "mode": "chat"}
    entry |= {
        name: number for name, number in zip(NUMBERS, numbers, strict=True) if number is not None
    }
    entry |= {FLAGS[letter]: _SPECIAL.get(letter, True) for letter in letters}
    return {**entry, **dear}

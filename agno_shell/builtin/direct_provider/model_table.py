"""What is known of models before any server is asked: the extract that comes with this package,
and behind it litellm's whole table, read without importing litellm."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from agno_shell.builtin.direct_provider.extract import Extract
from agno_shell.builtin.model_services.services import service_of
from agno_shell.types import NOTHING

_FILE = "model_prices_and_context_window_backup.json"
CHAT = ("chat", "responses")
"""The modes of models that answer messages."""


class ModelTable:
    """Rows by the names of models. The extract is read first; what is not in it is looked for
    in litellm's table, which takes some 30 ms more the first time, and has nothing where
    litellm is not installed."""

    @cached_property
    def extract(self) -> Extract:
        return Extract.read()

    @cached_property
    def _rest(self) -> Mapping[str, Mapping[str, Any]]:
        return read_litellms()

    def entry(self, prefix: str, name: str) -> Mapping[str, Any]:
        """The row of a model of a service; empty where there is none."""
        keys = (f"{prefix}/{name}", name)
        for key in keys:
            if row := self.extract.entry(prefix, key):
                return row
        for key in keys:
            row = self._rest.get(key, NOTHING)
            if row.get("litellm_provider") == prefix:
                return row
        return NOTHING

    def is_at_hand(self, prefix: str, name: str) -> bool:
        """Whether :meth:`entry` has nothing to read from the disk."""
        keys = (f"{prefix}/{name}", name)
        return "_rest" in self.__dict__ or any(self.extract.entry(prefix, key) for key in keys)

    def service_of(self, model: str) -> str | None:
        """The service that has a model of this name."""
        if service := service_of(model):
            return service.prefix
        if owner := self.extract.owner(model):
            return owner
        owner = self._rest.get(model, NOTHING).get("litellm_provider")
        return None if owner is None else str(owner)

    @cached_property
    def all_chat_models(self) -> list[str]:
        """Every name, sorted; with the prefix of its service where it needs one."""
        return sorted({*self.extract.all_names, *self._chat_rows})

    def chat_models(self, prefix: str) -> list[str]:
        """The names of a service's models, with the prefix where they need one."""
        rest = (
            name for name, row in self._chat_rows.items() if row.get("litellm_provider") == prefix
        )
        return sorted({*self.extract.names(prefix), *rest})

    @cached_property
    def _chat_rows(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            name: row
            for name, row in self._rest.items()
            if row.get("mode") in CHAT and not name.startswith("ft:")
        }


def read_litellms() -> Mapping[str, Mapping[str, Any]]:
    """litellm's table; empty where it is not installed."""
    found = importlib.util.find_spec("litellm")
    for folder in (found.submodule_search_locations or ()) if found else ():
        try:
            with open(os.path.join(folder, _FILE), encoding="utf-8") as file:
                table = json.load(file)
        except (OSError, ValueError):
            continue
        return {name: row for name, row in table.items() if isinstance(row, dict)}
    return {}


def price(entry: Mapping[str, Any], counts: Mapping[str, Any]) -> float | None:
    """US dollars for token counts in OpenAI's form, with ``cached_tokens`` and
    ``cache_creation_tokens`` beside; None without a known price."""
    asked, said = counts.get("prompt_tokens"), counts.get("completion_tokens")
    per_input, per_output = (
        _rate(entry, name, asked or 0) for name in ("input_cost_per_token", "output_cost_per_token")
    )
    if per_input is None or per_output is None or asked is None or said is None:
        return None
    cached = min(asked, counts.get("cached_tokens") or 0)
    kept = min(asked - cached, counts.get("cache_creation_tokens") or 0)
    per_cached = _rate(entry, "cache_read_input_token_cost", asked)
    per_kept = _rate(entry, "cache_creation_input_token_cost", asked)
    return float(
        (asked - cached - kept) * per_input
        + cached * (per_input if per_cached is None else per_cached)
        + kept * (per_input if per_kept is None else per_kept)
        + said * per_output
    )


def _rate(entry: Mapping[str, Any], name: str, asked: int) -> float | None:
    """The price of a token; some models cost more behind so many thousand tokens."""
    rate = entry.get(name)
    for key, value in entry.items():
        start, _, rest = key.partition("_above_")
        size, _, unit = rest.partition("_")
        if start == name and unit == "tokens" and asked > int(size.removesuffix("k")) * 1_000:
            rate = value
    return float(rate) if isinstance(rate, int | float) else None

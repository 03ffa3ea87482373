"""What litellm's table of models says, read without importing litellm."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping
from typing import Any

from agno_shell.builtin.model_services.services import service_of
from agno_shell.types import NOTHING

_FILE = "model_prices_and_context_window_backup.json"
_CHAT = ("chat", "responses")


class ModelTable:
    """Rows by the names of models; empty where litellm is not installed. Reading it takes
    some 30 ms, the first time that something is asked."""

    def __init__(self) -> None:
        self._rows: Mapping[str, Mapping[str, Any]] | None = None

    @property
    def rows(self) -> Mapping[str, Mapping[str, Any]]:
        if self._rows is None:
            self._rows = _read()
        return self._rows

    def entry(self, prefix: str, name: str) -> Mapping[str, Any]:
        """The row of a model of a service; empty where there is none."""
        for key in (f"{prefix}/{name}", name):
            row = self.rows.get(key)
            if row is not None and row.get("litellm_provider") == prefix:
                return row
        return NOTHING

    def service_of(self, model: str) -> str | None:
        """The service that has a model of this name."""
        if service := service_of(model):
            return service.prefix
        row = self.rows.get(model)
        return str(row.get("litellm_provider")) if row is not None else None

    @property
    def all_chat_models(self) -> list[str]:
        return [
            name
            for name, row in self.rows.items()
            if row.get("mode") in _CHAT and not name.startswith("ft:")
        ]

    def chat_models(self, prefix: str) -> list[str]:
        """The names of a service's models, with the prefix where they need one."""
        rows = self.rows
        return [
            name for name in self.all_chat_models if rows[name].get("litellm_provider") == prefix
        ]


def _read() -> Mapping[str, Mapping[str, Any]]:
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

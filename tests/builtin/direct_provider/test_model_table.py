"""Windows and prices from litellm's table, which is not imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

from agno_shell.builtin.direct_provider.model_table import ModelTable, price

ENTRY = {
    "input_cost_per_token": 2e-6,
    "output_cost_per_token": 10e-6,
    "cache_read_input_token_cost": 1e-6,
    "cache_creation_input_token_cost": 4e-6,
    "input_cost_per_token_above_200k_tokens": 6e-6,
}


def test_known_models_are_found_and_litellm_is_not_imported() -> None:
    code = (
        "import sys; from agno_shell.builtin.direct_provider.model_table import ModelTable;"
        "table = ModelTable(); row = table.entry('openai', 'gpt-4o');"
        "assert row['max_input_tokens'] == 128000, row;"
        "assert table.service_of('gpt-4o') == 'openai', table.service_of('gpt-4o');"
        "assert 'litellm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True, timeout=60)


def test_a_model_that_is_not_in_the_table_has_an_empty_row() -> None:
    assert not ModelTable().entry("openai", "no-such-model")
    assert ModelTable().service_of("claude-of-the-future") == "anthropic"
    assert ModelTable().service_of("no-such-model") is None


@pytest.mark.parametrize(
    ("counts", "dollars"),
    [
        ({"prompt_tokens": 100, "completion_tokens": 10}, 300e-6),
        ({"prompt_tokens": 100, "completion_tokens": 10, "cached_tokens": 90}, 210e-6),
        ({"prompt_tokens": 100, "completion_tokens": 0, "cache_creation_tokens": 50}, 300e-6),
        ({"prompt_tokens": 300_000, "completion_tokens": 0}, 1.8),
    ],
)
def test_a_reply_costs_what_its_tokens_cost(counts: dict[str, int], dollars: float) -> None:
    assert price(ENTRY, counts) == pytest.approx(dollars)


@pytest.mark.parametrize("counts", [{}, {"prompt_tokens": 5}, {"prompt_tokens": None}])
def test_without_counts_or_a_price_there_is_no_cost(counts: dict[str, int | None]) -> None:
    assert price(ENTRY, counts) is None
    assert price({}, {"prompt_tokens": 5, "completion_tokens": 5}) is None

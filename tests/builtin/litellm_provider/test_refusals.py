"""What a server refuses (422) is said in its own words: litellm does not ask again by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from agno_shell.builtin.litellm_provider import library
from agno_shell.events import Event, Failed
from agno_shell.testing.model_server import ModelServer

Ask = Callable[..., Awaitable[list[Event]]]


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    "model",
    ["test-model", "openai/gpt-5.4-mini", "azure/x", "azure_ai/x", "groq/x", "mistral/x"],
)
async def test_a_refusal_reaches_the_user(ask: Ask, server: ModelServer, model: str) -> None:
    server.status(422, "No such field: top_k.")
    (failed,) = await ask(model=model, parameters={"temperature": 0.5})
    assert isinstance(failed, Failed)
    assert failed.kind == "refused"
    assert "No such field: top_k." in failed.message
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["error", {}], {}),
        (["error", {}], {"model": "m", "drop_params_gated": True}),
        ([], {"e": "error", "data": {}, "model": None, "whatever": object()}),
    ],
)
def test_the_hook_takes_whatever_litellm_gives_it(
    arguments: list[Any], named: dict[str, Any]
) -> None:
    error = ValueError("refused")

    def given(value: Any) -> Any:
        return error if value == "error" else value

    with pytest.raises(ValueError, match="refused"):
        library.refuse(*map(given, arguments), **{key: given(each) for key, each in named.items()})

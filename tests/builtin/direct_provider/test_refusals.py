"""A field that a server refuses is left out, once, and remembered for that server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from agno_shell.builtin.direct_provider.provider import DirectProvider
from agno_shell.builtin.direct_provider.refusals import refused, without
from agno_shell.contracts import ProviderOptions
from agno_shell.events import Failed, Finished
from agno_shell.testing.model_server import ModelServer
from agno_shell.testing.provider_contract import ask, collect


@pytest.mark.parametrize(
    ("body", "words", "after"),
    [
        (
            {"max_tokens": 5, "messages": []},
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            {"max_completion_tokens": 5, "messages": []},
        ),
        ({"stream_options": {}}, "stream_options: extra fields not permitted", {}),
        (
            {"temperature": 0.2, "top_p": 1},
            "'temperature' does not support 0.2 with this model",
            {"top_p": 1},
        ),
        ({"think": True}, '"llama3.2" does not support thinking', {}),
        (
            {"generationConfig": {"thinkingConfig": {}, "topK": 1}},
            "Thinking is not enabled for this model",
            {"generationConfig": {"topK": 1}},
        ),
    ],
)
def test_what_is_left_out(body: dict[str, Any], words: str, after: dict[str, Any]) -> None:
    field = refused(body, words)
    assert field is not None
    assert without(body, field) == after


def test_a_field_that_is_not_sent_is_not_what_was_refused() -> None:
    assert refused({"model": "m"}, "temperature is not supported") is None


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


async def test_it_is_asked_once_more_and_remembered(server: ModelServer) -> None:
    provider = DirectProvider(ProviderOptions(api_base=server.base_url))
    server.status(400, "Unrecognized request argument: stream_options")
    for _turn in range(2):
        events = await collect(provider, ask("Hello", "test-model", server.base_url))
        assert isinstance(events[-1], Finished)
    sent = ["stream_options" in request.body for request in server.requests]
    assert sent == [True, False, False]
    await provider.close()


async def test_a_server_that_refuses_everything_is_not_asked_for_ever(server: ModelServer) -> None:
    provider = DirectProvider(ProviderOptions(api_base=server.base_url))
    for _time in range(20):
        server.status(400, "stream_options, temperature, top_p, seed: no")
    events = await collect(provider, ask("Hello", "test-model", server.base_url))
    assert isinstance(events[-1], Failed)
    assert len(server.requests) <= 7
    await provider.close()

"""What only the direct provider does: prices, keys, and parameters in the words of each
protocol."""

from __future__ import annotations

from typing import Any

import pytest

from agno_shell.contracts import Provider
from agno_shell.events import UsageReported
from agno_shell.testing.model_server import ModelServer

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def provider(direct: Provider) -> Provider:
    """What :func:`talk` asks."""
    return direct


async def test_the_price_takes_into_account_what_was_cached(
    talk: Any, samples: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agno_shell.builtin.direct_provider import model_facts

    # The server that plays Anthropic is on this machine, where nothing costs anything.
    monkeypatch.setattr(model_facts, "is_loopback", lambda _host: False)
    events = await talk(samples["anthropic"])
    (report,) = [event.usage for event in events if isinstance(event, UsageReported)]
    # Per million: 3 $ what is read, 0.3 $ what is read from the cache, 15 $ what is said.
    assert report.cost == pytest.approx((10 * 3 + 90 * 0.3 + 20 * 15) / 1e6)


async def test_a_server_on_this_machine_has_no_price(talk: Any, samples: Any) -> None:
    events = await talk(samples["anthropic"])
    (report,) = [event.usage for event in events if isinstance(event, UsageReported)]
    assert report.cost is None


# Keys -------------------------------------------------------------------------------------

KEY_HEADERS = {
    "anthropic": ("x-api-key", "sk-fake-anthropic-0000"),
    "gemini": ("x-goog-api-key", "sk-fake-gemini-0000"),
    "ollama": ("authorization", "Bearer sk-fake-ollama-0000"),
    "responses": ("authorization", "Bearer sk-fake-openai-0000"),
}


@pytest.mark.parametrize("name", KEY_HEADERS)
async def test_only_the_services_own_key_is_sent(
    talk: Any, samples: Any, server: ModelServer, name: str
) -> None:
    await talk(samples[name])
    (request,) = server.requests
    header, value = KEY_HEADERS[name]
    assert request.headers[header] == value
    sent = [text for text in request.headers.values() if "sk-fake" in text]
    assert sent == [value]
    assert b"sk-fake" not in request.raw
    assert "sk-fake" not in request.path


# Parameters -------------------------------------------------------------------------------

PARAMETERS = {"temperature": 0.5, "max_tokens": 77, "stop": "END"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openai", {"temperature": 0.5, "max_completion_tokens": 77, "stop": "END"}),
        ("anthropic", {"temperature": 0.5, "max_tokens": 77, "stop_sequences": ["END"]}),
        ("ollama", {"options": {"temperature": 0.5, "num_predict": 77, "stop": "END"}}),
    ],
)
async def test_parameters_have_the_names_of_each_protocol(
    talk: Any, samples: Any, server: ModelServer, name: str, expected: dict[str, Any]
) -> None:
    await talk(samples[name], parameters=PARAMETERS, reasoning=None, tools=())
    body = server.requests[-1].body
    assert {key: body.get(key) for key in expected} == expected


async def test_googles_parameters_have_names_of_their_own(
    talk: Any, samples: Any, server: ModelServer
) -> None:
    await talk(samples["gemini"], parameters=PARAMETERS, reasoning="off", tools=())
    configuration = server.requests[-1].body["generationConfig"]
    assert (configuration["maxOutputTokens"], configuration["stopSequences"]) == (77, ["END"])
    assert configuration["thinkingConfig"] == {"includeThoughts": False, "thinkingBudget": 0}

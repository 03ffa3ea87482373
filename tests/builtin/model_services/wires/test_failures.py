"""A server's own words, wherever it puts them, and what they mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agno_shell.builtin.model_services.destination import Destination
from agno_shell.builtin.model_services.failures import FailureContext
from agno_shell.builtin.model_services.wires.failures import explained, said

GOAL = Destination("openai/m", "api.example", "KEY")
CASE = FailureContext(GOAL, "m", False, lambda text: text.replace("sk-fake-0000", "[hidden key]"))


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "Own words.", "type": "invalid_request_error"}},
        {"error": "Own words."},
        {"detail": "Own words."},
        {"detail": [{"loc": ["body"], "msg": "Own words."}]},
        {"message": "Own words."},
        [{"error": {"code": 400, "message": "Own words.", "status": "INVALID_ARGUMENT"}}],
        {"error": {"message": "Provider returned error", "metadata": {"raw": "Own words."}}},
        {
            "error": {
                "message": "Provider returned error",
                "metadata": {"raw": json.dumps({"error": {"message": "Own words."}})},
            }
        },
        "Own words.",
    ],
)
def test_a_servers_own_words_are_found(body: Any) -> None:
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    failed = explained(CASE, said(400, raw))
    assert failed.message == "api.example refused the request (400): Own words."
    assert failed.kind == "refused"


OVERFLOWS = {
    "OpenAI": (400, "This model's maximum context length is 8192 tokens. However, your messages"),
    "Anthropic": (400, "prompt is too long: 205000 tokens > 200000 maximum"),
    "Gemini": (400, "The input token count (1200000) exceeds the maximum number of tokens"),
    "Ollama": (400, "the input length exceeds the context length"),
    "LM Studio": (
        400,
        "Trying to keep the first 9000 tokens when context the overflows. However, the model is "
        "loaded with context length of only 4096 tokens",
    ),
    "vLLM": (400, "This model's maximum context length is 4096 tokens. You requested 5000"),
    "llama.cpp": (
        400,
        "the request exceeds the available context size. try increasing the context size",
    ),
    "llama.cpp, older": (500, "context size exceeded: n_ctx = 4096"),
    "OpenRouter": (400, "This endpoint's maximum context length is 131072 tokens"),
    "a proxy": (413, "Payload Too Large"),
}


@pytest.mark.parametrize("server", OVERFLOWS)
def test_an_overflow_is_recognised(server: str) -> None:
    status, words = OVERFLOWS[server]
    failed = explained(CASE, said(status, {"error": {"message": words}}))
    assert failed.kind == "overflow"
    assert "/compact" in failed.hint


@pytest.mark.parametrize(
    ("body", "kind", "temporary"),
    [
        ({"type": "overloaded_error", "message": "Overloaded"}, "server", True),
        ({"code": "rate_limit_exceeded", "message": "Slow."}, "rate_limited", True),
        ({"code": 503, "message": "Down.", "status": "UNAVAILABLE"}, "server", True),
        ({"type": "authentication_error", "message": "No."}, "authentication", False),
        ({"type": "invalid_request_error", "message": "No."}, "refused", False),
        ("something", "server", True),
    ],
)
def test_an_error_in_the_middle_of_a_stream_has_its_status_in_words(
    body: Any, kind: str, temporary: bool
) -> None:
    failed = explained(CASE, said(None, body))
    assert (failed.kind, failed.temporary) == (kind, temporary)


def test_a_key_in_an_error_is_hidden_before_the_sentence_is_cut() -> None:
    long = "x" * 120 + "sk-fake-0000" + "y" * 200
    failed = explained(CASE, said(400, {"error": long}))
    assert "sk-fake" not in failed.message
    assert len(failed.sentence()) <= 300

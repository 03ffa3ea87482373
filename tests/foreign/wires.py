"""The protocols as the servers offer them: what the model is called, and at which address."""

from __future__ import annotations

from typing import NamedTuple

KEY = "sk-fake-foreign-0000000000000000000000000000"
"""Of the proxy, which wants a long one."""


class Wire(NamedTuple):
    model: str
    path: str
    """Behind the address of the server."""


AIMOCK = {
    "chat": Wire("openai/gpt-4o", "/v1"),
    "openrouter": Wire("openrouter/openai/gpt-4o", "/api/v1"),
    "responses": Wire("openai/responses/gpt-4o", "/v1"),
    "anthropic": Wire("anthropic/claude-test", ""),
    "gemini": Wire("gemini/gemini-2.5-test", ""),
    "ollama": Wire("ollama_chat/llama3", ""),
}

LLMOCK = {
    "chat": Wire("openai/gpt-4o", "/v1"),
    "responses": Wire("openai/responses/gpt-4o", "/v1"),
    "anthropic": Wire("anthropic/claude-test", "/anthropic"),
    "gemini": Wire("gemini/gemini-2.5-test", "/gemini/v1beta"),
    "mistral": Wire("mistral/mistral-small-latest", "/mistral/v1"),
    "groq": Wire("groq/test", "/groq/openai/v1"),
    "together": Wire("together_ai/test/test", "/together/v1"),
    "xai": Wire("xai/grok-test", "/xai/v1"),
}

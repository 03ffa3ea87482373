"""Registers the direct provider; nothing heavy is imported before it is opened."""

from __future__ import annotations

from collections.abc import Sequence

from agno_shell.builtin.direct_provider.services import answers
from agno_shell.builtin.model_services.keys import default_model
from agno_shell.contracts import Provider, ProviderFactory, ProviderOptions
from agno_shell.hookspecs import hookimpl


def _open(options: ProviderOptions) -> Provider:
    from agno_shell.builtin.direct_provider.provider import DirectProvider

    return DirectProvider(options)


@hookimpl
def register_providers() -> Sequence[ProviderFactory]:
    summary = "OpenAI, Anthropic, Gemini, Ollama and compatible servers, without litellm"
    return [ProviderFactory("direct", summary, _open, default_model, answers)]

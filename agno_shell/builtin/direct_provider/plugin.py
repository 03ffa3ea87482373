"""Registers the direct provider; nothing heavy is imported before it is opened."""

from __future__ import annotations

import os
from collections.abc import Sequence

from agno_shell.builtin.direct_provider.services import answers
from agno_shell.builtin.model_services.keys import default_model
from agno_shell.contracts import Provider, ProviderFactory, ProviderOptions
from agno_shell.hookspecs import hookimpl


def _open(options: ProviderOptions) -> Provider:
    from agno_shell.builtin.direct_provider.provider import DirectProvider

    return DirectProvider(options)


def _answers(model: str, api_base: str | None) -> bool:
    return answers(model, api_base, os.environ)


@hookimpl
def register_providers() -> Sequence[ProviderFactory]:
    summary = "OpenAI, Azure, Anthropic, Gemini, Ollama and compatible servers, without litellm"
    return [ProviderFactory("direct", summary, _open, default_model, _answers)]

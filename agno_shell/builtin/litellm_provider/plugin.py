"""Registers the litellm provider; nothing heavy is imported before it is opened."""

from __future__ import annotations

from collections.abc import Sequence

from agno_shell.builtin.model_services.keys import default_model
from agno_shell.contracts import Provider, ProviderFactory, ProviderOptions
from agno_shell.hookspecs import hookimpl


def _open(options: ProviderOptions) -> Provider:
    from agno_shell.builtin.litellm_provider.provider import LitellmProvider

    return LitellmProvider(options)


@hookimpl
def register_providers() -> Sequence[ProviderFactory]:
    summary = "any model that litellm knows, and OpenAI-compatible servers"
    return [ProviderFactory("litellm", summary, _open, default_model)]

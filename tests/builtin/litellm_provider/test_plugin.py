"""What the plugin registers."""

from __future__ import annotations

from agno_shell.builtin.litellm_provider.plugin import register_providers
from agno_shell.contracts import ProviderOptions


async def test_it_registers_one_provider_that_opens_without_starting_anything() -> None:
    (factory,) = register_providers()
    provider = factory.open(ProviderOptions())
    assert factory.name == provider.name == "litellm"
    assert factory.default_model({"GEMINI_API_KEY": "fake"}) == "gemini/gemini-flash-latest"
    assert getattr(provider, "pid", 0) is None
    await provider.close()

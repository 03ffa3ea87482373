"""What a plugin author tests with: contracts to subclass, fakes, a model server.

Names are loaded when they are first asked for; the contracts want pytest.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in ``typing``, without importing it
if TYPE_CHECKING:
    from agno_shell.testing.fake_context import FakeContext
    from agno_shell.testing.memory_storage import MemoryStorage
    from agno_shell.testing.model_server import ModelServer
    from agno_shell.testing.provider_contract import ProviderContract
    from agno_shell.testing.renderer_contract import RendererContract
    from agno_shell.testing.scripted_provider import ScriptedProvider
    from agno_shell.testing.storage_contract import StorageContract

_HOMES = {
    "FakeContext": "fake_context",
    "MemoryStorage": "memory_storage",
    "ModelServer": "model_server",
    "ProviderContract": "provider_contract",
    "RendererContract": "renderer_contract",
    "ScriptedProvider": "scripted_provider",
    "StorageContract": "storage_contract",
}

__all__ = [
    "FakeContext",
    "MemoryStorage",
    "ModelServer",
    "ProviderContract",
    "RendererContract",
    "ScriptedProvider",
    "StorageContract",
]


def __getattr__(name: str) -> object:
    from importlib import import_module

    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'agno_shell.testing' has no attribute {name!r}")
    value: object = getattr(import_module(f"agno_shell.testing.{home}"), name)
    globals()[name] = value
    return value

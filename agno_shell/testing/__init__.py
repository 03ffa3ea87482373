"""What a plugin author tests with: contracts to subclass, fakes, a model server.

Names are loaded when they are first asked for; the contracts want pytest.
"""

from __future__ import annotations

from agno_shell.base.lazy_names import lazy_names

TYPE_CHECKING = False  # as in ``typing``, without importing it
if TYPE_CHECKING:
    from agno_shell.testing.fake_context import FakeContext
    from agno_shell.testing.fake_subcommand_context import FakeSubcommandContext
    from agno_shell.testing.memory_storage import MemoryStorage
    from agno_shell.testing.model_server import ModelServer
    from agno_shell.testing.provider_contract import ProviderContract
    from agno_shell.testing.renderer_contract import RendererContract
    from agno_shell.testing.scripted_provider import ScriptedProvider
    from agno_shell.testing.storage_contract import StorageContract

_HOMES = {
    "fake_context": "FakeContext",
    "fake_subcommand_context": "FakeSubcommandContext",
    "memory_storage": "MemoryStorage",
    "model_server": "ModelServer",
    "provider_contract": "ProviderContract",
    "renderer_contract": "RendererContract",
    "scripted_provider": "ScriptedProvider",
    "storage_contract": "StorageContract",
}

__all__ = [
    "FakeContext",
    "FakeSubcommandContext",
    "MemoryStorage",
    "ModelServer",
    "ProviderContract",
    "RendererContract",
    "ScriptedProvider",
    "StorageContract",
]


__getattr__ = lazy_names(__name__, _HOMES)

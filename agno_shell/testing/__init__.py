"""What a plugin author tests with: contracts to subclass, fakes, a model server.

Names are loaded when they are first asked for; the contracts want pytest.
"""

from agno_shell.base.lazy_names import lazy_names

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

__getattr__, __dir__ = lazy_names(__name__, _HOMES)

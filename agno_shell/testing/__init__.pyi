# Made from _HOMES in __init__.py by python -m agno_shell.base.stubs.

from .fake_context import FakeContext as FakeContext
from .fake_subcommand_context import FakeSubcommandContext as FakeSubcommandContext
from .memory_storage import MemoryStorage as MemoryStorage
from .model_server import ModelServer as ModelServer
from .provider_contract import ProviderContract as ProviderContract
from .renderer_contract import RendererContract as RendererContract
from .scripted_provider import ScriptedProvider as ScriptedProvider
from .storage_contract import StorageContract as StorageContract

"""What many tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType, ModuleType
from typing import Any

import hypothesis
import pytest

from agno_shell import hookimpl
from agno_shell.config import Agent, Config
from agno_shell.contracts import ProviderFactory, Storage, ToolFactory, ToolOptions
from agno_shell.conversation.conversation import Conversation
from agno_shell.conversation.models import Models
from agno_shell.conversation.store import StoreThread
from agno_shell.conversation.tools.toolbelt import Toolbelt
from agno_shell.plugins import Plugins
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider

# How long an example takes is a matter of the machine, and of what else it does.
hypothesis.settings.register_profile("agno-shell", deadline=None)
hypothesis.settings.load_profile("agno-shell")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Only the whole run is worth several processes: starting them takes seconds."""
    return None if config.args_source is pytest.Config.ArgsSource.TESTPATHS else 0


async def _no_time(_seconds: float) -> None:
    """Waits between tries take no time in tests."""


AGENTS = {
    "poet": Agent("poet", instructions="Answer in verse.", parameters={"temperature": 0.9}),
    "analyst": Agent("analyst", instructions="Be exact.", model="model-a"),
}


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    """What the engine sends in any test, the strictest server takes."""
    made = ScriptedProvider()
    yield made
    assert made.refused == []


@pytest.fixture
def plugins() -> Plugins:
    return Plugins(installed=False)


@pytest.fixture
async def make_conversation(provider: ScriptedProvider, plugins: Plugins) -> Any:
    """Builds a conversation on an in-memory storage and the scripted provider."""
    stores: list[StoreThread] = []

    def make(
        storage: Storage | None = None,
        *,
        agents: Any = AGENTS,
        facts: Any = (),
        default: str | None = "model-x",
        window: int = 10_000,
        values: Mapping[str, Any] = MappingProxyType({}),
        boxes: Sequence[ToolFactory] = (),
    ) -> Conversation:
        """``values`` are settings by dotted name; ``boxes`` are tool boxes, all of them on."""
        scripted = ProviderFactory("scripted", "", lambda _options: provider)
        offline = ProviderFactory("offline", "", lambda _options: provider)
        models = Models(scripted, offline, lambda _factory: provider, default=default, environ={})
        kept = storage or MemoryStorage()
        store = StoreThread(lambda: kept)
        stores.append(store)
        settings = {"provider.context_window": window, **values}
        toolbelt = Toolbelt(
            lambda: {box.name: box for box in boxes},
            lambda box: box.open(ToolOptions()),
            on=[box.name for box in boxes],
            seconds=10.0,
            output_bytes=10_000,
            report=plugins.report,
        )
        return Conversation(
            store,
            models,
            plugins,
            Config(
                {name: (value, lambda: "a test") for name, value in settings.items()}, agents=agents
            ),
            toolbelt=toolbelt,
            facts=dict(facts),
            wait=_no_time,
        )

    yield make
    for store in stores:
        await store.close()


@pytest.fixture
async def conversation(make_conversation: Callable[..., Conversation]) -> Conversation:
    """An open, empty session."""
    made = make_conversation()
    await made.create("Test")
    return made


@pytest.fixture
def register(plugins: Plugins) -> Callable[..., None]:
    """Loads a plugin made of functions: ``register("name", on_shell_started=function)``."""

    def load(name: str, **hooks: Callable[..., Any]) -> None:
        module = ModuleType(name)
        for hook, function in hooks.items():
            function.__name__ = hook
            setattr(module, hook, hookimpl(function))
        plugins._load(name, f"dist-{name}", "1", name, lambda: module)

    return load

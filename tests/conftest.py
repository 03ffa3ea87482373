"""What many tests share."""

from __future__ import annotations

import gc
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import hypothesis
import pytest

from agno_shell import hookimpl
from agno_shell.config import Agent, Config
from agno_shell.contracts import ProviderFactory, Storage, ToolFactory, ToolOptions
from agno_shell.conversation.engine import Engine
from agno_shell.conversation.models import Models
from agno_shell.conversation.store import StoreThread
from agno_shell.conversation.tools.tool_registry import ToolRegistry
from agno_shell.plugins.manager import Plugins
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider

# How long an example takes is a matter of the machine, and of what else it does.
hypothesis.settings.register_profile("ordinary", deadline=None, max_examples=40)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=1000)

ONE_PROCESS = ("tests/builtin/litellm_provider",)
"""Folders whose files share what only one process of the run is to start."""


def pytest_configure(config: pytest.Config) -> None:
    """Before any test is read, which takes its settings from the profile."""
    hypothesis.settings.load_profile("thorough" if _asks_for_slow(config) else "ordinary")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A property is the long variant of itself: ``-m slow`` tries more examples of it."""
    if _asks_for_slow(config):
        for item in items:
            if hypothesis.is_hypothesis_test(getattr(item, "obj", None)):
                item.add_marker("slow")


def _asks_for_slow(config: pytest.Config) -> bool:
    return bool(config.option.markexpr == "slow")


def pytest_collection_finish() -> None:
    """What is there before the first test stays: no collection of garbage looks at it again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Only the whole run is worth several processes: starting them takes seconds. One more
    than there are cores, since a third of the time children and servers are waited for."""
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return _cores() + 1 if whole else 0


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file's tests stay together, and those of a folder whose files share a model process,
    which takes seconds to start."""
    from xdist.scheduler import LoadFileScheduling

    class Rooms(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = str(super()._split_scope(nodeid))
            return next((each for each in ONE_PROCESS if file.startswith(f"{each}/")), file)

    return Rooms(config, log)


def _cores() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a distribution with an entry point, found as an installed one is."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(name: str, source: str) -> None:
        module = f"plugin_{name}"
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(source))
        info = tmp_path / f"dist_{name}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: dist-{name}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[agno_shell]\n{name} = {module}\n")
        monkeypatch.delitem(sys.modules, module, raising=False)

    return make


@pytest.fixture
def plugins() -> Plugins:
    return Plugins(installed=False)


@pytest.fixture
async def make_engine(provider: ScriptedProvider, plugins: Plugins) -> Any:
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
    ) -> Engine:
        """``values`` are settings by dotted name; ``boxes`` are tool boxes, all of them on."""
        scripted = ProviderFactory("scripted", "", lambda _options: provider)
        offline = ProviderFactory("offline", "", lambda _options: provider)
        models = Models(scripted, offline, lambda _factory: provider, default=default, environ={})
        kept = storage or MemoryStorage()
        store = StoreThread(lambda: kept)
        stores.append(store)
        settings = {"provider.context_window": window, **values}
        tool_registry = ToolRegistry(
            lambda: {box.name: box for box in boxes},
            lambda box: box.open(ToolOptions()),
            on=[box.name for box in boxes],
            seconds=10.0,
            output_bytes=10_000,
            report=plugins.report,
        )
        return Engine(
            store,
            models,
            plugins,
            Config(
                {name: (value, lambda: "a test") for name, value in settings.items()}, agents=agents
            ),
            tool_registry=tool_registry,
            facts=dict(facts),
            wait=_no_time,
        )

    yield make
    for store in stores:
        await store.close()


@pytest.fixture
async def engine(make_engine: Callable[..., Engine]) -> Engine:
    """An open, empty session."""
    made = make_engine()
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

"""A whole engine in memory: no disk, no network, no thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from agno_shell.config import Config
from agno_shell.contracts import Provider, ProviderFactory, Storage
from agno_shell.conversation.engine import Engine
from agno_shell.conversation.models import Models
from agno_shell.conversation.path import Path, read_end
from agno_shell.conversation.store import StoreThread
from agno_shell.conversation.tools.tool_registry import ToolRegistry
from agno_shell.plugins.manager import Plugins
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider, Step
from agno_shell.types import NOTHING

T = TypeVar("T")


class FakeProvider(ScriptedProvider):
    """Answers from a script, and lists the models that it was given."""

    name = "fake"

    def __init__(self, *scripts: Sequence[Step | str], models: Sequence[str] = ()) -> None:
        super().__init__(*scripts)
        self.model_names = tuple(models)

    async def models(self) -> Sequence[str]:
        return self.model_names


class DirectStore(StoreThread):
    """Calls the storage where it is asked, so that a test sees the same at every run."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(lambda: storage)

    def _put(self, work: Callable[[], None]) -> None:
        work()


async def _at_once(_seconds: float) -> None:
    """Waits between tries take no time."""


def memory_engine(
    storage: Storage | None = None,
    provider: Provider | None = None,
    *,
    model: str | None = "fake-model",
    agents: Mapping[str, Any] = NOTHING,
    settings: Mapping[str, Any] = NOTHING,
) -> Engine:
    """An engine in the storage's current session, or in a new one called "First". ``settings``
    are values by dotted name, as in ``{"tools.rounds": 3}``."""
    kept, answers = storage or MemoryStorage(), provider or FakeProvider()
    named = ProviderFactory(answers.name, "", lambda _options: answers)
    offline = ProviderFactory("offline", "", lambda _options: answers)
    plugins = Plugins(installed=False)
    engine = Engine(
        DirectStore(kept),
        Models(named, offline, lambda _factory: answers, default=model, environ={}),
        plugins,
        Config(
            {name: (value, lambda: "a test") for name, value in settings.items()}, agents=agents
        ),
        tool_registry=ToolRegistry(
            plugins.tools.all,
            lambda factory: factory.open(_no_options()),
            on=(),
            seconds=10.0,
            output_bytes=10_000,
            report=plugins.report,
        ),
        wait=_at_once,
    )
    _open(engine, kept, kept.current() or kept.create("First").session_id)
    return engine


def _open(engine: Engine, storage: Storage, session_id: str) -> None:
    """As :meth:`Engine.open` does it, for tests that are not in a loop yet."""
    storage.set_current(session_id)
    record, history = read_end(storage, session_id)
    path = Path(engine.path_reader.end, engine.path_reader.end_at)
    path.set(history)
    engine.open_session.begin(record, path, storage.memories(session_id))


def _no_options() -> Any:
    from agno_shell.contracts import ToolOptions

    return ToolOptions()

from __future__ import annotations

from collections.abc import Iterator

from agno_shell.contracts import Background, ProviderFactory
from agno_shell.conversation.models import Models
from agno_shell.conversation.store import StoreThread
from agno_shell.diagnosis import parts
from agno_shell.errors import ProviderError, StorageError
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.types import Finding


class CheckedProvider(ScriptedProvider):
    def __init__(self, answer: list[str] | Exception) -> None:
        super().__init__()
        self.answer = answer
        self.asked: list[str | None] = []

    async def check(self, model: str | None = None) -> list[str]:
        self.asked.append(model)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def models(provider: CheckedProvider, default: str | None = "model-x") -> Models:
    scripted = ProviderFactory("scripted", "", lambda _options: provider)
    offline = ProviderFactory("offline", "", lambda _options: provider)
    return Models(scripted, offline, lambda _factory: provider, default=default, environ={})


async def test_the_provider_is_asked_about_the_configured_model() -> None:
    provider = CheckedProvider(["No key.", "No address."])
    assert await parts.provider(models(provider)) == [
        Finding("provider scripted", "No key."),
        Finding("provider scripted", "No address."),
    ]
    assert provider.asked == ["model-x"]


async def test_without_a_model_no_provider_is_asked() -> None:
    provider = CheckedProvider(["No key."])
    (note,) = await parts.provider(models(provider, None))
    assert note.note
    assert "No model is set up" in note.problem
    assert provider.asked == []


async def test_a_provider_that_fails_is_a_finding() -> None:
    (finding,) = await parts.provider(models(CheckedProvider(ProviderError("Dead.", hint="Live."))))
    assert (finding.problem, finding.advice) == ("Dead.", "Live.")
    (finding,) = await parts.provider(models(CheckedProvider(ZeroDivisionError("boom"))))
    assert "boom" in finding.problem


class BackgroundProvider(CheckedProvider):
    async def background(self) -> list[Background]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return [Background(42, "tables", 61.0, 2, 900.0)]


async def test_what_a_provider_keeps_running_is_worth_knowing() -> None:
    (finding,) = await parts.background(models(BackgroundProvider([])))
    assert finding.note
    assert finding.where == "provider scripted"
    assert finding.problem == (
        "It keeps a process running: tables, pid 42, 1 min old, serving 2 shells;"
        " it ends 15 min after the last."
    )
    assert finding.advice == "agno-shell provider --stop ends it."


async def test_why_a_provider_cannot_tell_is_a_finding() -> None:
    error = ProviderError("The folder is open to others.", hint="Close it.")
    (finding,) = await parts.background(models(BackgroundProvider(error)))
    assert (finding.problem, finding.advice, finding.note) == (str(error), "Close it.", False)


class CheckedStorage(MemoryStorage):
    error: Exception

    def check(self, *, repair: bool = False) -> Iterator[Finding]:
        yield Finding("first", f"repair is {repair}")
        raise self.error


def test_a_storage_that_fails_costs_nothing_that_was_found() -> None:
    kept = CheckedStorage()
    kept.error = StorageError("Broken.", hint="Mend it.")
    assert list(parts.storage(kept, repair=True)) == [
        Finding("first", "repair is True"),
        Finding("storage", "Broken.", "Mend it."),
    ]
    kept.error = ZeroDivisionError("boom")
    (_first, second) = parts.storage(kept)
    assert "boom" in second.problem


async def test_a_storage_that_cannot_be_opened_is_a_finding() -> None:
    def fail() -> MemoryStorage:
        raise StorageError("Shut.", hint="Open it.")

    for open_storage, expected in (
        (fail, [Finding("storage", "Shut.", "Open it.")]),
        (MemoryStorage, []),
    ):
        thread = StoreThread(open_storage)
        assert await parts.storage_of(thread, repair=True) == expected
        await thread.close()

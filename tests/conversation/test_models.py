from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from agno_shell.contracts import Background, Provider, ProviderFactory
from agno_shell.conversation.models import Models
from agno_shell.errors import ProviderError
from agno_shell.testing.scripted_provider import ScriptedProvider


def make(
    *,
    default: str | None = None,
    environ: Mapping[str, str] = {},
) -> tuple[Models, list[str]]:
    opened: list[str] = []

    def open_provider(factory: ProviderFactory) -> Provider:
        opened.append(factory.name)
        return ScriptedProvider()

    real = ProviderFactory("real", "", None, lambda env: env.get("KEY"))  # type: ignore[arg-type]
    offline = ProviderFactory("offline", "", None)  # type: ignore[arg-type]
    return Models(real, offline, open_provider, default=default, environ=environ), opened


def test_without_anything_the_offline_provider_is_chosen() -> None:
    models, _opened = make()
    assert models.choose(None) == ("offline", "offline")
    assert models.choose("gpt-x") == ("real", "gpt-x")


def test_the_configured_model_wins_over_what_the_environment_suggests() -> None:
    assert make(environ={"KEY": "suggested"})[0].choose(None) == ("real", "suggested")
    models, _opened = make(default="configured", environ={"KEY": "suggested"})
    assert models.choose(None) == ("real", "configured")
    assert models.choose("offline") == ("offline", "offline")


async def test_a_provider_is_opened_once_and_only_when_needed() -> None:
    models, opened = make()
    assert opened == []
    first = models.provider(models.choose("a"))
    assert models.provider(models.choose("b")) is first
    assert opened == ["real"]
    await models.close()
    assert models.provider(models.choose("a")) is not first


def test_the_first_provider_that_has_a_model_is_asked() -> None:
    def factory(name: str, *models: str) -> ProviderFactory:
        def answers(model: str, api_base: str | None) -> bool:
            return model in models or api_base == name

        return ProviderFactory(name, "", None, answers=answers)  # type: ignore[arg-type]

    models = Models(
        factory("quick", "a"),
        factory("offline"),
        lambda _factory: ScriptedProvider(),
        default=None,
        environ={},
        others=[factory("wide", "a", "b")],
        api_base=None,
    )
    assert models.choose("a") == ("quick", "a")
    assert models.choose("b") == ("wide", "b")
    assert models.choose("c") == ("wide", "c"), "the last one says what is wrong"
    assert models.choose("c", "quick") == ("quick", "c")
    assert models.in_turn(models.choose("a"), ["b", "a"]) == (("quick", "a"), ("wide", "b"))


class Keeping(ScriptedProvider):
    """Keeps a process running, or fails when it is asked."""

    def __init__(self, failure: BaseException | None = None) -> None:
        super().__init__()
        self.kept = [Background(42, "tables", 1.0, 0, 60.0)]
        self.failure = failure

    async def background(self) -> Sequence[Background]:
        if self.failure is not None:
            raise self.failure
        return tuple(self.kept)

    async def end_background(self) -> Sequence[Background]:
        ended, self.kept = self.kept, []
        return ended


def keeping(*failures: BaseException | None) -> Models:
    providers = {f"p{number}": Keeping(failure) for number, failure in enumerate(failures)}
    first, *others = (
        ProviderFactory(name, "", None)  # type: ignore[arg-type]
        for name in providers
    )
    offline = ProviderFactory("offline", "", None)  # type: ignore[arg-type]
    return Models(
        first, offline, lambda each: providers[each.name], default=None, environ={}, others=others
    )


async def test_what_every_provider_keeps_running_is_told_and_ended() -> None:
    models = keeping(None, None)
    assert [(name, each.pid) for name, each in await models.background()] == [
        ("p0", 42),
        ("p1", 42),
    ]
    assert len(await models.background(end=True)) == 2
    assert await models.background() == []


async def test_a_provider_with_a_bug_hides_nothing_of_the_others() -> None:
    models = keeping(ZeroDivisionError("boom"), SystemExit(3), None)
    assert [name for name, _each in await models.background()] == ["p2"]


async def test_a_reason_that_a_provider_gives_is_passed_on() -> None:
    with pytest.raises(ProviderError, match="cannot be looked at"):
        await keeping(ProviderError("It cannot be looked at.")).background()

from __future__ import annotations

from collections.abc import Mapping

from agno_shell.contracts import Provider, ProviderFactory
from agno_shell.conversation.models import Models
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

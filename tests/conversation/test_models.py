from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from agno_shell.contracts import Background, KnownModel, ModelList, Provider, ProviderFactory
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


class Listing(ScriptedProvider):
    def __init__(self, *names: str, error: str = "") -> None:
        super().__init__()
        self.names, self.error = names, error
        self.asked: list[tuple[str, str | None]] = []

    async def models(self) -> tuple[str, ...]:
        return self.names

    async def list_models(self, model: str = "", api_base: str | None = None) -> ModelList:
        self.asked.append((model, api_base))
        if self.error:
            raise ProviderError(self.error)
        return ModelList([KnownModel(f"served-{name}", 10) for name in self.names])


def listing(**providers: Provider) -> Models:
    factories = {name: ProviderFactory(name, "", None) for name in providers}  # type: ignore[arg-type]
    offline = factories.pop("offline")
    preferred, *others = factories.values()
    return Models(
        preferred,
        offline,
        lambda factory: providers[factory.name],
        default=None,
        environ={},
        others=others,
    )


def names(listed: ModelList) -> list[str]:
    return [each.name for each in listed.models]


async def test_the_provider_in_use_lists_its_models_and_only_then_are_servers_asked() -> None:
    real = Listing("a")
    models = listing(offline=Listing("offline"), real=real)
    choice = models.choose("x")
    assert names(await models.listed(choice, "http://base", ask=False)) == ["a"]
    assert real.asked == []
    assert names(await models.listed(choice, "http://base", ask=True)) == ["served-a"]
    assert real.asked == [("x", "http://base")]


async def test_without_a_model_those_are_listed_that_could_be_set_up() -> None:
    real, other = Listing("a"), Listing("b")
    models = listing(offline=Listing("offline"), real=real, other=other)
    listed = await models.listed(models.choose(None), None, ask=True)
    assert names(listed) == ["served-offline", "served-a"]
    assert (real.asked, other.asked) == ([("", None)], [])


async def test_a_provider_that_nobody_has_chosen_may_fail() -> None:
    real = Listing("a", error="not ready")
    models = listing(offline=Listing("offline"), real=real)
    assert names(await models.listed(models.choose(None), None, ask=True)) == ["served-offline"]
    with pytest.raises(ProviderError):
        await models.listed(models.choose("x"), None, ask=True)


async def test_where_a_model_is_asked_is_what_its_provider_says() -> None:
    class Placed(ScriptedProvider):
        def asked_at(self, model: str, api_base: str | None = None) -> str:
            if model == "broken":
                raise RuntimeError("a bug")
            return f"https://{model}.example\x07"

    models = listing(offline=ScriptedProvider(), real=Placed())
    assert models.asked_at(models.choose("m"), None) == "https://m.example␇"
    assert models.asked_at(models.choose("broken"), None) == ""
    assert models.asked_at(models.choose(None), None) == ""


class ReplyWriter(ScriptedProvider):
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
    providers = {f"p{number}": ReplyWriter(failure) for number, failure in enumerate(failures)}
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

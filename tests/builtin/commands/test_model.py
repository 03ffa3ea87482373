from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from agno_shell.builtin.commands import model as room
from agno_shell.contracts import Abilities, Address, KnownModel, ModelList
from agno_shell.errors import ProviderError, UsageError
from agno_shell.testing.fake_context import FakeProvider

AGENTS = {
    "analyst": SimpleNamespace(model="big-model", instructions="Think in steps.\nBe exact."),
    "poet": SimpleNamespace(model=None, instructions="Rhyme."),
}


@pytest.fixture
def context(make_context: Callable[..., Any]) -> Any:
    return make_context(
        provider=FakeProvider(models=("big-model", "fake-model", "small-model")), agents=AGENTS
    )


async def test_model_lists_the_names_and_marks_the_one_in_use(
    context: Any, type_line: Callable[..., Any]
) -> None:
    assert (await type_line(context, "/model")).splitlines() == [
        "Model in use: fake-model, asked by the provider fake",
        "3 models can be used:",
        "  big-model",
        "* fake-model",
        "  small-model",
    ]


async def test_the_server_in_use_is_named_with_the_model(
    context: Any, type_line: Callable[..., Any]
) -> None:
    address = Address("https://models.example.org/v1", "OPENAI_BASE_URL")
    context.provider.address = lambda *_: address
    context.provider.model_names = ("other",)
    where = "at https://models.example.org/v1 (OPENAI_BASE_URL)"
    assert (await type_line(context, "/model")).splitlines()[0] == (
        f"Model in use: fake-model {where}, asked by the provider fake"
    )
    assert await type_line(context, "/model other") == f"Model: other {where}"


async def test_many_models_are_cut_short_with_a_word(
    context: Any, type_line: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LISTED", 1)
    printed = (await type_line(context, "/model")).splitlines()
    assert printed[2:] == [
        "  big-model",
        "2 more are not listed; type a part of a name behind /model and press Tab.",
    ]


async def test_a_provider_that_lists_none(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    printed = await type_line(make_context(), "/model")
    assert printed.endswith("The provider lists no models. /model NAME uses the one you name.")


async def test_model_uses_a_name(context: Any, type_line: Callable[..., Any]) -> None:
    assert await type_line(context, "/model small-model") == "Model: small-model"
    assert context.engine.model == "small-model"
    assert context.app.remembered == []


async def test_a_default_is_remembered(context: Any, type_line: Callable[..., Any]) -> None:
    printed = await type_line(context, "/model --default small-model")
    assert printed.splitlines() == ["Model: small-model", "New sessions use it as well."]
    assert context.app.remembered == ["small-model"]


async def test_a_name_that_is_not_listed_is_taken_with_a_remark(
    context: Any, type_line: Callable[..., Any]
) -> None:
    printed = await type_line(context, "/model smal-model")
    assert context.engine.model == "smal-model"
    assert "does not list this name" in printed
    assert "Nearest: small-model" in printed


@pytest.mark.parametrize("line", ["/model --default", "/model --defualt x", "/model two words"])
async def test_what_cannot_be_a_model_is_refused(
    context: Any, type_line: Callable[..., Any], line: str
) -> None:
    with pytest.raises(UsageError):
        await type_line(context, line)
    assert context.engine.model == "fake-model"


class SlowProvider(FakeProvider):
    async def models(self) -> Any:
        await asyncio.Event().wait()


class FailingProvider(FakeProvider):
    async def models(self) -> Any:
        raise ProviderError("The model process did not start.")


async def test_a_provider_that_is_not_ready_holds_nobody_up(
    make_context: Callable[..., Any], type_line: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "PATIENCE", 0)
    monkeypatch.setattr(room, "BRIEF_PATIENCE", 0)
    context = make_context(provider=SlowProvider())
    assert await type_line(context, "/model other-model") == "Model: other-model"
    assert "lists no models" in await type_line(context, "/model")


async def test_a_provider_that_fails_is_an_error_only_for_the_list(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    context = make_context(provider=FailingProvider())
    assert await type_line(context, "/model other-model") == "Model: other-model"
    with pytest.raises(ProviderError, match="did not start"):
        await type_line(context, "/model")


@pytest.mark.parametrize("level", ["off", "low", "medium", "high"])
async def test_reasoning_is_chosen_for_the_session(
    context: Any, type_line: Callable[..., Any], level: Any
) -> None:
    printed = await type_line(context, f"/reasoning {level.upper()}")
    assert printed == f"Reasoning: {level}, in this session."
    assert context.engine.session.reasoning == level
    assert await type_line(context, "/reasoning") == printed


async def test_reasoning_by_default_is_the_agents_or_the_configured_one(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    agents = {"deep": SimpleNamespace(model=None, instructions="Think.", reasoning="high")}
    context = make_context(agents=agents)
    await type_line(context, "/reasoning low")
    assert await type_line(context, "/reasoning default") == "Reasoning: as configured."
    assert context.engine.session.reasoning is None
    await context.engine.set_agent("deep")
    assert await type_line(context, "/reasoning") == "Reasoning: high, as the agent deep has it."


async def test_another_level_changes_nothing(context: Any, type_line: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match="takes off, low, medium, high or default, not 'much'"):
        await type_line(context, "/reasoning much")
    assert context.calls == []


class KnownProvider(FakeProvider):
    def __init__(self, reasoning: Any) -> None:
        super().__init__()
        self.abilities_known = Abilities(reasoning=reasoning)

    async def abilities(self, model: Any) -> Any:
        return self.abilities_known


@pytest.mark.parametrize(("knows", "said"), [(False, True), (True, False), (None, False)])
async def test_a_model_that_is_known_not_to_reason_is_said(
    make_context: Callable[..., Any], type_line: Callable[..., Any], knows: Any, said: Any
) -> None:
    context = make_context(provider=KnownProvider(knows))
    printed = await type_line(context, "/reasoning high")
    assert ("fake-model is known not to reason" in printed) is said
    assert context.engine.session.reasoning == "high"
    assert "known not" not in await type_line(context, "/reasoning off")


async def test_a_provider_that_cannot_say_what_its_models_can(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    class Failing(FakeProvider):
        async def abilities(self, model: Any) -> Any:
            raise ProviderError("The model process did not start.")

    context = make_context(provider=Failing())
    assert await type_line(context, "/reasoning high") == "Reasoning: high, in this session."


async def test_the_levels_are_completed(context: Any, complete: Callable[..., Any]) -> None:
    words = [each.text for each in await complete(context, "/reasoning ")]
    assert words == ["off", "low", "medium", "high", "default"]


# What is known of models ------------------------------------------------------------------

LISTED = (
    KnownModel("near/loaded", 4096, 131_072),
    KnownModel("near/asleep", None, 32_768),
    KnownModel("far/priced", 1_000_000, None, 2.5e-7, 2e-6),
    KnownModel("far/unknown"),
)


class ServersProvider(FakeProvider):
    """Knows two names, and four once its servers are asked."""

    def __init__(self, note: str = "") -> None:
        super().__init__(models=("far/priced", "far/unknown"))
        self.note = note
        self.asked = 0

    def asked_at(self, model: Any, api_base: Any = None) -> Any:
        return "https://far.example/v1"

    async def list_models(self, model: Any = "", api_base: Any = None) -> Any:
        self.asked += 1
        return ModelList(LISTED, self.note)


async def test_windows_and_prices_stand_behind_the_names(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    context = make_context(provider=ServersProvider(), model="far/priced")
    assert (await type_line(context, "/model")).splitlines() == [
        "Model in use: far/priced, asked by the provider fake at https://far.example/v1",
        "4 models can be used (a million tokens cost, sent / received):",
        "  near/loaded  4,096 of 131,072 tokens",
        "  near/asleep      up to 32,768 tokens",
        "* far/priced          1,000,000 tokens  $0.25 / $2.00",
        "  far/unknown",
    ]


async def test_servers_that_could_not_be_asked_are_one_line(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    note = "Not every server could be asked: Far was not reached.\x1b[31m"
    context = make_context(provider=ServersProvider(note))
    printed = (await type_line(context, "/model")).splitlines()
    assert printed[1] == "Not every server could be asked: Far was not reached.␛[31m"
    assert printed[2].startswith("4 models")


async def test_to_name_a_model_asks_no_server(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    provider = ServersProvider()
    context = make_context(provider=provider)
    assert "does not list this name" in await type_line(context, "/model near/loaded")
    assert await type_line(context, "/model far/priced") == "Model: far/priced"
    assert provider.asked == 0


async def test_info_says_where_the_model_is_asked(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    context = make_context(provider=ServersProvider())
    assert "Address:     https://far.example/v1" in await type_line(context, "/info")

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from agno_shell.builtin.commands import model as room
from agno_shell.errors import ProviderError, UsageError
from agno_shell.testing.fake_context import FakeProvider

AGENTS = {
    "analyst": SimpleNamespace(model="big-model", instructions="Think in steps.\nBe exact."),
    "poet": SimpleNamespace(model=None, instructions="Rhyme."),
}


@pytest.fixture
def context(make_context):
    return make_context(
        provider=FakeProvider(models=("big-model", "fake-model", "small-model")), agents=AGENTS
    )


async def test_model_lists_the_names_and_marks_the_one_in_use(context, type_line):
    assert (await type_line(context, "/model")).splitlines() == [
        "Model in use: fake-model",
        "3 models can be used:",
        "  big-model",
        "* fake-model",
        "  small-model",
    ]


async def test_many_models_are_cut_short_with_a_word(context, type_line, monkeypatch):
    monkeypatch.setattr(room, "LISTED", 1)
    printed = (await type_line(context, "/model")).splitlines()
    assert printed[2:] == [
        "  big-model",
        "2 more are not listed; type a part of a name behind /model and press Tab.",
    ]


async def test_a_provider_that_lists_none(make_context, type_line):
    printed = await type_line(make_context(), "/model")
    assert printed.endswith("The provider lists no models. /model NAME uses the one you name.")


async def test_model_uses_a_name(context, type_line):
    assert await type_line(context, "/model small-model") == "Model: small-model"
    assert context.model == "small-model"
    assert context.remembered == []


async def test_a_default_is_remembered(context, type_line):
    printed = await type_line(context, "/model --default small-model")
    assert printed.splitlines() == ["Model: small-model", "New sessions use it as well."]
    assert context.remembered == ["small-model"]


async def test_a_name_that_is_not_listed_is_taken_with_a_remark(context, type_line):
    printed = await type_line(context, "/model smal-model")
    assert context.model == "smal-model"
    assert "does not list this name" in printed
    assert "Nearest: small-model" in printed


@pytest.mark.parametrize("line", ["/model --default", "/model --defualt x", "/model two words"])
async def test_what_cannot_be_a_model_is_refused(context, type_line, line):
    with pytest.raises(UsageError):
        await type_line(context, line)
    assert context.model == "fake-model"


class SlowProvider(FakeProvider):
    async def models(self):
        await asyncio.Event().wait()


class FailingProvider(FakeProvider):
    async def models(self):
        raise ProviderError("The model process did not start.")


async def test_a_provider_that_is_not_ready_holds_nobody_up(make_context, type_line, monkeypatch):
    monkeypatch.setattr(room, "PATIENCE", 0)
    monkeypatch.setattr(room, "BRIEF_PATIENCE", 0)
    context = make_context(provider=SlowProvider())
    assert await type_line(context, "/model other-model") == "Model: other-model"
    assert "lists no models" in await type_line(context, "/model")


async def test_a_provider_that_fails_is_an_error_only_for_the_list(make_context, type_line):
    context = make_context(provider=FailingProvider())
    assert await type_line(context, "/model other-model") == "Model: other-model"
    with pytest.raises(ProviderError, match="did not start"):
        await type_line(context, "/model")


async def test_agents_are_listed_and_the_one_in_use_is_marked(context, type_line):
    printed = await type_line(context, "/agent")
    assert printed.splitlines()[-1] == "None is in use. /agent NAME uses one."
    await type_line(context, "/agent poet")
    header, analyst, poet = (await type_line(context, "/agent")).splitlines()
    assert header.split() == ["Agent", "Model", "What", "it", "does"]
    assert analyst.split() == ["analyst", "big-model", "Think", "in", "steps.", "Be", "exact."]
    assert poet.split() == ["*", "poet", "Rhyme."]


async def test_an_agent_is_used_and_left(context, type_line):
    assert await type_line(context, "/agent poet") == "Agent: poet. Model: fake-model"
    assert context.agent == "poet"
    assert await type_line(context, "/agent none") == "Agent: none. Model: fake-model"
    assert context.agent is None


async def test_an_unknown_agent_names_the_nearest(context, type_line):
    with pytest.raises(UsageError, match="There is no agent 'pete'") as raised:
        await type_line(context, "/agent pete")
    assert raised.value.hint == "Nearest: poet."
    assert context.agent is None


async def test_without_agents_it_says_how_to_make_one(make_context, type_line):
    assert "[agents.NAME]" in await type_line(make_context(), "/agent")

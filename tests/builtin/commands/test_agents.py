from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from agno_shell.errors import ConfigError, UsageError
from agno_shell.testing.fake_context import FakeProvider

AGENTS = {
    "analyst": SimpleNamespace(
        model="big-model",
        instructions="Think in steps.\nBe exact.\n",
        description="careful",
        fallbacks=("small-model", "tiny"),
        pins=("Be kind.", "@~/rules.md"),
        reasoning="low",
        parameters={"temperature": 0.2, "top_p": 1},
    ),
    "poet": SimpleNamespace(model=None, instructions="Rhyme."),
}


@pytest.fixture
def context(make_context: Callable[..., Any]) -> Any:
    return make_context(provider=FakeProvider(), agents=AGENTS)


async def test_agents_are_listed(context: Any, type_line: Callable[..., Any]) -> None:
    header, analyst, poet, last = (await type_line(context, "/agent")).splitlines()
    assert header.split() == ["Agent", "Model", "What", "it", "does"]
    assert analyst.split() == ["analyst", "big-model", "careful"]
    assert poet.split() == ["poet", "Rhyme."]
    assert last.startswith("None is in use. /agent NAME uses one; /agent new NAME")


async def test_the_one_in_use_is_shown_with_all_it_has(
    context: Any, type_line: Callable[..., Any]
) -> None:
    await type_line(context, "/agent analyst")
    lines = (await type_line(context, "/agent")).splitlines()
    assert lines[1].startswith("*")
    assert lines[lines.index("In use: analyst") + 1 :] == [
        "Model:        big-model",
        "Fallbacks:    small-model, tiny",
        "Reasoning:    low",
        "Parameters:   temperature=0.2, top_p=1",
        "Instructions: Think in steps.",
        "              Be exact.",
        "Pinned:       Be kind.",
        "Pinned:       @~/rules.md",
    ]


async def test_an_agent_is_used_and_left(context: Any, type_line: Callable[..., Any]) -> None:
    assert await type_line(context, "/agent poet") == "Agent: poet. Model: fake-model"
    assert context.engine.session.agent == "poet"
    assert await type_line(context, "/agent None") == "Agent: none. Model: fake-model"
    assert context.engine.session.agent is None


async def test_an_unknown_agent_names_the_nearest(
    context: Any, type_line: Callable[..., Any]
) -> None:
    with pytest.raises(UsageError, match="There is no agent 'pete'") as raised:
        await type_line(context, "/agent pete")
    assert raised.value.hint == "Nearest: poet."
    assert context.engine.session.agent is None


async def test_without_agents_it_says_how_to_make_one(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    printed = await type_line(make_context(), "/agent")
    assert printed.startswith("No agents are set up.\n")
    assert "/agent new NAME" in printed


async def test_an_agent_that_was_removed_is_said(
    context: Any, type_line: Callable[..., Any]
) -> None:
    context.know(context.memory.update(context.engine.session.session_id, agent="gone\x1b"))
    printed = await type_line(context, "/agent")
    assert "This session's agent gone␛ is not configured any more" in printed


@pytest.mark.parametrize(
    ("line", "name", "table"),
    [
        ("/agent new bard -- Sing.", "bard", {"instructions": "Sing."}),
        (
            "/agent new bard ollama_chat/x -- Sing -- loud.",
            "bard",
            {"instructions": "Sing -- loud.", "model": "ollama_chat/x"},
        ),
        ('/agent new "two words" -- "Sing."', "two words", {"instructions": "Sing."}),
    ],
)
async def test_an_agent_is_made(
    context: Any, type_line: Callable[..., Any], line: str, name: str, table: Any
) -> None:
    printed = await type_line(context, line)
    assert context.app.remembered_agents == {name: table}
    typed = f'"{name}"' if " " in name else name
    assert printed == f"Agent {name} is made and kept. /agent {typed} uses it."
    assert context.engine.session.agent is None


async def test_without_instructions_the_editor_asks_for_them(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    context = make_context(edits=["Sing.\nLoud.\n"])
    await type_line(context, "/agent new bard small-model")
    assert context.ui.edited == [""]
    assert context.app.remembered_agents == {
        "bard": {"instructions": "Sing.\nLoud.", "model": "small-model"}
    }


@pytest.mark.parametrize("edits", [[], [None], [" \n"]])
async def test_without_an_editor_or_a_text_it_says_how(
    make_context: Callable[..., Any], type_line: Callable[..., Any], edits: Any
) -> None:
    context = make_context(edits=edits)
    with pytest.raises(UsageError, match="needs instructions; none was made") as raised:
        await type_line(context, "/agent new bard")
    assert "/agent new NAME [MODEL] -- INSTRUCTIONS" in raised.value.hint
    assert context.app.remembered_agents == {}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/agent new", "needs a name"),
        ("/agent new -- Sing.", "needs a name"),
        ("/agent new bard one two -- Sing.", "needs a name"),
        ("/agent new none -- Sing.", "cannot be called 'none'"),
        ("/agent new NEW -- Sing.", "cannot be called 'NEW'"),
        ("/agent new poet -- Sing.", "There is an agent 'poet' already"),
    ],
)
async def test_what_cannot_be_an_agent_is_refused(
    context: Any, type_line: Callable[..., Any], line: str, message: Any
) -> None:
    with pytest.raises(UsageError, match=message):
        await type_line(context, line)
    assert context.app.remembered_agents == {}


async def test_what_the_configuration_refuses_is_said(
    context: Any, type_line: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str, table: Any) -> None:
        raise ConfigError("agents.x must have a name of 1 to 60 printable characters.")

    monkeypatch.setattr(context.app, "remember_agent", refuse)
    with pytest.raises(ConfigError, match="1 to 60"):
        await type_line(context, f"/agent new {'x' * 61} -- Sing.")


async def test_agents_and_what_makes_one_are_completed(
    context: Any, complete: Callable[..., Any]
) -> None:
    offered = await complete(context, "/agent ")
    assert [each.text for each in offered] == ["analyst", "poet", "none", "new "]

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agno_shell.contracts import Address
from agno_shell.errors import UsageError
from agno_shell.types import Message, now


def contents(context: Any) -> Any:
    return [message.content for message in context.ui.shown]


async def test_history_shows_the_last_exchanges(
    context: Any, type_line: Callable[..., Any], say: Any
) -> None:
    say(context, "user: 1", "assistant: a", "user: 2", "assistant: b", "user: 3", "assistant: c")
    await type_line(context, "/history 2")
    assert contents(context) == ["2", "b", "3", "c"]


async def test_history_names_who_spoke(context: Any, type_line: Callable[..., Any]) -> None:
    said = Message("1", "assistant", "Noon.", now(), model="a/model", speaker="Ada\x1b")
    context.say(said)
    assert (await type_line(context, "/history")).startswith("1 · Ada␛ · a/model · ")


async def test_history_shows_ten_exchanges_when_not_told(
    context: Any, type_line: Callable[..., Any], say: Any
) -> None:
    say(context, *(line for n in range(12) for line in (f"user: {n}", f"assistant: re {n}")))
    await type_line(context, "/history")
    assert len(context.ui.shown) == 20
    assert contents(context)[0] == "2"


async def test_an_exchange_may_have_many_replies_or_none(
    context: Any, type_line: Callable[..., Any], say: Any
) -> None:
    say(context, "user: 1", "assistant: a", "user: 2", "user: 3")
    say(context, "user: 4", *(f"tool: result {n}" for n in range(9)), "assistant: d")
    say(context, "user: 5", "assistant: e")
    everything = [message.content for message in context.engine.history]
    starts = [at for at, text in enumerate(everything) if text.isdigit()]
    for exchanges in range(1, 7):
        context.ui.shown.clear()
        await type_line(context, f"/history {exchanges}")
        expected = everything[starts[-exchanges] :] if exchanges <= len(starts) else everything
        assert contents(context) == expected, exchanges


async def test_each_message_stands_behind_its_number(
    context: Any, type_line: Callable[..., Any], say: Any
) -> None:
    say(context, "user: 1", "assistant: a", "user: 2", "assistant: b")
    printed = await type_line(context, "/history 1")
    assert [line.rpartition(" · ")[0] for line in printed.splitlines()] == ["3 · you", "4 · reply"]
    assert context.ui.styles == ["class:notice"] * 2
    await context.engine.retry("openai/model-b")
    context.ui.shown.clear()
    printed = await type_line(context, "/history 1")
    assert printed.splitlines()[1].startswith("4 · openai/model-b · 20")
    assert contents(context) == ["2", "echo: 2"]


async def test_where_all_was_taken_back_the_way_forward_is_named(
    context: Any, type_line: Callable[..., Any], say: Any
) -> None:
    say(context, "user: 1", "assistant: a")
    await context.engine.undo()
    assert "/redo brings it back" in await type_line(context, "/history")
    assert context.ui.shown == []


async def test_an_empty_session_is_said(context: Any, type_line: Callable[..., Any]) -> None:
    assert "Nothing has been said" in await type_line(context, "/history")
    assert context.ui.shown == []


async def test_history_of_nonsense_is_refused(context: Any, type_line: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match="/history takes a number from 1 up, not 'all'"):
        await type_line(context, "/history all")


async def test_info_says_what_is_known(
    make_context: Callable[..., Any], type_line: Callable[..., Any], say: Any
) -> None:
    context = make_context(model="some-model", storage_path="/data/sessions")
    say(context, "user: hello")
    context.memory.update(
        context.engine.session.session_id, name="Garden", description="a\nb", tags=("x", "y")
    )
    facts = dict(line.split(":", 1) for line in (await type_line(context, "/info")).splitlines())
    facts = {key: value.strip() for key, value in facts.items()}
    assert facts.pop("Created")
    assert facts.pop("Updated")
    assert facts == {
        "Session": context.engine.session.session_id,
        "Name": "Garden",  # changed behind the shell's back, and read again
        "Description": "a b",
        "Messages": "1",
        "Model": "some-model",
        "Provider": "fake",
        "Agent": "none",
        "Tags": "x, y",
        "Kept in": "/data/sessions",
    }


async def test_info_names_the_server_that_is_not_the_services_own(
    context: Any, type_line: Callable[..., Any]
) -> None:
    context.provider.address = lambda *_: Address("http://box:11434", "OLLAMA_HOST")
    address = "http://box:11434 (OLLAMA_HOST)"
    assert f"Address:     {address}" in await type_line(context, "/info")


async def test_info_leaves_out_what_is_not_known(
    context: Any, type_line: Callable[..., Any]
) -> None:
    printed = await type_line(context, "/info")
    assert "Kept in" not in printed
    assert "Tags" not in printed
    assert "Address" not in printed

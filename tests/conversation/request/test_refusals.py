from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agno_shell.contracts import ToolFactory
from agno_shell.conversation.engine import Engine
from agno_shell.conversation.request.rules import (
    BROUGHT_BACK,
    REFUSED_RESULT,
    TWICE,
    without_refused,
)
from agno_shell.events import Failed, Finished
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.testing.turn_events import events_of
from agno_shell.toolkit.function_tools import python_tools
from agno_shell.types import Message, ToolCall, new_id, now

REFUSED = Failed("refused", "The server refused the request (400): a cut-off image.")
DOWN = Failed("unreachable", "No connection.")


@pytest.fixture(autouse=True)
def _nothing_else_is_refused(provider: ScriptedProvider) -> None:
    """What a test lets the provider refuse is not what a strict server refuses: that is
    checked by the fixture of the provider."""


async def run(turn: Any) -> list[Any]:
    return await events_of(turn)


async def say(talk: Engine, provider: ScriptedProvider, text: str, *script: Any) -> Any:
    """What the turn ends with."""
    if script:
        provider.scripts.append(script)
    events = await run(talk.turn(text))
    return next(each for each in events if isinstance(each, Finished | Failed))


def sent(provider: ScriptedProvider) -> list[str]:
    return [each.content for each in provider.requests[-1].messages]


async def test_what_was_refused_does_not_go_with_what_is_said_later(
    make_engine: Callable[..., Engine], provider: ScriptedProvider
) -> None:
    storage = MemoryStorage()
    talk = make_engine(storage)
    session = await talk.create("Test")
    await say(talk, provider, "one")
    ending = await say(talk, provider, "poison", REFUSED)
    assert ending.hint.endswith(BROUGHT_BACK)
    await say(talk, provider, "harmless")
    assert sent(provider) == ["one", "echo: one", "harmless"]
    receipt = await talk.requests.receipt()
    assert [tuple(each) for each in receipt.left_out] == [
        (1, "empty", False),
        (1, "refused", False),
    ]
    # So it is in the next shell.
    again = make_engine(storage)
    await again.open(session.session_id)
    await say(again, provider, "later")
    assert "poison" not in " ".join(sent(provider))
    assert [each.content for each in again.history if each.role == "user"][1] == "poison"


@pytest.mark.parametrize(
    ("script", "stays"),
    [
        ([REFUSED], False),
        ([Failed("overflow", "Too long.")], False),
        ([Finished("content_filter")], False),
        ([DOWN], True),
        ([Failed("authentication", "No key.")], True),
        ([Failed("rate_limited", "Slowly.")], True),
        ([Failed("not_sent", "The budget.")], True),
        ([Failed("wrong_address", "No such page.")], True),
        (["half", REFUSED], True),
        (["half", Finished("content_filter")], True),
    ],
)
async def test_only_a_refusal_for_the_content_counts(
    engine: Engine, provider: ScriptedProvider, script: list[Any], stays: bool
) -> None:
    ending = await say(engine, provider, "asked", *script)
    told = isinstance(ending, Failed) and BROUGHT_BACK in ending.hint
    await say(engine, provider, "then")
    assert ("asked" in " ".join(sent(provider))) is stays
    if script[0] in (REFUSED, DOWN):
        assert told is not stays


async def test_the_question_that_nobody_had_answered_before_goes_with_it(
    engine: Engine, provider: ScriptedProvider
) -> None:
    await say(engine, provider, "poison", DOWN)
    await say(engine, provider, "harmless", REFUSED)
    assert sent(provider) == ["poison\n\nharmless"]
    await say(engine, provider, "later")
    assert sent(provider) == ["later"]
    receipt = await engine.requests.receipt()
    assert [tuple(each) for each in receipt.left_out] == [
        (2, "empty", False),
        (2, "refused", False),
    ]


async def test_a_second_refusal_in_a_row_says_where_else_to_look(
    engine: Engine, provider: ScriptedProvider
) -> None:
    await say(engine, provider, "one")
    assert TWICE not in (await say(engine, provider, "two", REFUSED)).hint
    assert TWICE in (await say(engine, provider, "three", REFUSED)).hint
    await say(engine, provider, "four")
    assert TWICE not in (await say(engine, provider, "five", REFUSED)).hint


async def test_a_pin_does_not_bring_it_back(engine: Engine, provider: ScriptedProvider) -> None:
    provider.window = 60
    await say(engine, provider, "poison", DOWN)
    question = engine.history[0].id
    await say(engine, provider, "harmless", REFUSED)
    await engine.editor.update(pinned=(question,))
    for number in range(6):  # until it stands before the window
        await say(engine, provider, f"{number} w w w w w w w w w")
        assert "poison" not in " ".join(sent(provider))
    assert not sent(provider)[0].startswith("0"), "the window has moved"


async def test_asking_again_sends_it_again(engine: Engine, provider: ScriptedProvider) -> None:
    await say(engine, provider, "poison", REFUSED)
    moves = engine.moves
    await run(engine.turn_from((await moves.retry(None)).start))
    assert sent(provider) == ["poison"]
    await say(engine, provider, "then")
    assert sent(provider) == ["poison", "echo: poison", "then"], "it was accepted by now"


async def test_asking_again_in_vain_changes_nothing(
    engine: Engine, provider: ScriptedProvider
) -> None:
    await say(engine, provider, "poison", REFUSED)
    provider.scripts.append([REFUSED])
    await run(engine.turn_from((await engine.moves.retry(None)).start))
    assert sent(provider) == ["poison"]
    await say(engine, provider, "then")
    assert sent(provider) == ["then"]


async def test_a_refusal_is_known_of_where_the_question_had_no_answer_before(
    engine: Engine, provider: ScriptedProvider
) -> None:
    await say(engine, provider, "poison", DOWN)
    provider.scripts.append([REFUSED])
    await run(engine.turn_from((await engine.moves.retry(None)).start))
    await say(engine, provider, "then")
    assert sent(provider) == ["then"]


async def test_a_refusal_does_not_take_the_place_of_an_answer(
    engine: Engine, provider: ScriptedProvider
) -> None:
    await say(engine, provider, "one")
    provider.scripts.append([REFUSED])
    await run(engine.turn_from((await engine.moves.retry("another")).start))
    await say(engine, provider, "then")
    assert sent(provider) == ["one", "echo: one", "then"]


async def test_other_words_are_asked_on_a_branch_of_their_own(
    engine: Engine, provider: ScriptedProvider
) -> None:
    await say(engine, provider, "poison", REFUSED)
    question = engine.history[0].id
    await run(engine.turn_from(await engine.moves.edit(question, "milk")))
    assert sent(provider) == ["milk"]


async def test_of_a_refused_result_only_the_text_is_left_out(
    make_engine: Callable[..., Engine], provider: ScriptedProvider
) -> None:
    def read() -> str:
        """Reads."""
        return "poison"

    box: ToolFactory = python_tools("box", "Reads", read)
    talk = make_engine(boxes=[box])
    talk.tools.approve = allow
    await talk.create("Test")
    provider.scripts.append([ToolCall("1", "read", "{}"), Finished("tool_calls")])
    provider.scripts.append([REFUSED])
    await run(talk.turn("Read it"))
    assert sent(provider) == ["Read it", "", "poison"]
    await say(talk, provider, "then")
    assert sent(provider)[:3] == ["Read it", "", REFUSED_RESULT]
    assert sent(provider)[-1] == "then"
    receipt = await talk.requests.receipt()
    assert (1, "refused", False) in [tuple(each) for each in receipt.left_out]


async def allow(*_asked: Any) -> Any:
    return "once"


async def test_a_question_that_a_plugin_forbids_is_not_asked_about_again(
    engine: Engine, provider: ScriptedProvider, register: Callable[..., None]
) -> None:
    from agno_shell.errors import UsageError

    def guard(request: Any) -> None:
        if any("secret" in each.content for each in request.messages):
            raise UsageError("That holds a secret.")

    register("guard", prepare_request=guard)
    ending = await say(engine, provider, "a secret")
    assert (ending.kind, ending.message) == ("refused", "That holds a secret.")
    assert provider.requests == []
    await say(engine, provider, "nothing of the kind")
    assert sent(provider) == ["nothing of the kind"]


async def test_a_broken_filter_stops_every_request_and_is_named(
    engine: Engine, provider: ScriptedProvider, register: Callable[..., None]
) -> None:
    register("hide", prepare_request=lambda request: 1 // 0)
    for text in ("one", "two"):
        ending = await say(engine, provider, text)
        assert "plugin hide (dist-hide 1) failed in prepare_request" in ending.message
        assert '[plugins] off = ["hide"]' in ending.hint
        assert TWICE not in ending.hint
    assert provider.requests == []


async def test_what_a_filter_fails_at_does_not_stop_what_is_said_later(
    engine: Engine, provider: ScriptedProvider, register: Callable[..., None]
) -> None:
    def hide(request: Any) -> None:
        if any("odd" in each.content for each in request.messages):
            raise RecursionError("too deep")

    register("hide", prepare_request=hide)
    ending = await say(engine, provider, "an odd text")
    assert ending.kind == "plugin_failed"
    assert BROUGHT_BACK in ending.hint
    assert provider.requests == []
    await say(engine, provider, "an even one")
    assert sent(provider) == ["an even one"]


def message(role: str, content: str = "", **fields: Any) -> Message:
    return Message(new_id(), role, content, now(), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("error", [None, "text", {}, {"kind": None}, {"kind": ["refused"]}, 3])
def test_what_another_program_wrote_is_no_refusal(error: object) -> None:
    turn = [message("user", "x"), message("assistant", status="failed", extra={"error": error})]
    assert without_refused(turn, later=False) == (turn, 0)

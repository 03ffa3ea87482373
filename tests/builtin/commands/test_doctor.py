from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from agno_shell.errors import StorageError, UsageError
from agno_shell.testing.fake_context import FakeContext
from agno_shell.types import Finding

Type = Callable[[FakeContext, str], Awaitable[str]]

WRONG = Finding("here", "It is broken.", "Mend it.", repairable=True)
HEALED = Finding("here", "It was broken.", "It was mended.", healed=True)


async def test_all_is_well(
    make_context: Callable[..., FakeContext], type_line: Type, say: Callable[..., None]
) -> None:
    context = make_context(plugin_rows=[{"state": "on"}, {"state": "off"}, {"state": "failed"}])
    say(context, "user: Hello", "assistant: Hi")
    expected = "the configuration, 2 plugins, and 1 session with 2 messages: all is well."
    assert await type_line(context, "/doctor") == f"Looked at {expected}"
    assert not context.app.repaired


async def test_what_is_wrong_is_told_with_the_next_step(
    make_context: Callable[..., FakeContext], type_line: Type
) -> None:
    context = make_context(findings=[WRONG])
    lines = (await type_line(context, "/doctor")).splitlines()
    assert lines[:2] == ["Wrong:", "  here: It is broken. Mend it."]
    assert "1 thing is wrong" in lines[2]
    assert "/doctor repair" in lines[3]
    only_a_person = make_context(findings=[WRONG._replace(repairable=False)])
    assert "/doctor repair" not in await type_line(only_a_person, "/doctor")


async def test_repair(make_context: Callable[..., FakeContext], type_line: Type) -> None:
    context = make_context(findings=[HEALED])
    context.memory.update(context.engine.session.session_id, name="Put right")
    text = await type_line(context, "/doctor Repair")
    assert context.app.repaired
    assert "1 thing was mended" in text
    assert "/doctor repair" not in text
    assert context.engine.session.name == "Put right", "the open session is shown as it is now"


async def test_another_word_is_refused(context: FakeContext, type_line: Type) -> None:
    with pytest.raises(UsageError, match="takes repair or nothing, not 'everything'"):
        await type_line(context, "/doctor everything")
    assert context.ui.lines == []


async def test_completion(
    context: FakeContext, complete: Callable[[FakeContext, str], Awaitable[list[Any]]]
) -> None:
    assert [each.text for each in await complete(context, "/doctor ")] == ["repair"]


async def test_sessions_that_cannot_be_read_cost_nothing_that_was_found(
    make_context: Callable[..., FakeContext], type_line: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise StorageError("Shut.")

    context = make_context(findings=[WRONG])
    monkeypatch.setattr(context.memory, "sessions", fail)
    assert "It is broken." in await type_line(context, "/doctor")

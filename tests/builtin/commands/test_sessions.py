from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from agno_shell.builtin.commands import sessions as room
from agno_shell.errors import SessionNotFoundError, UsageError


async def test_new_creates_and_opens(context: Any, type_line: Callable[..., Any]) -> None:
    printed = await type_line(context, "/new Tax return -- figures for 2026")
    session = context.engine.session
    assert (session.name, session.description) == ("Tax return", "figures for 2026")
    assert printed.splitlines() == [
        f"Created session 'Tax return' with ID: {session.session_id}",
    ]
    assert context.memory.current() == session.session_id


async def test_new_without_a_name_is_called_after_the_time(
    context: Any, type_line: Callable[..., Any]
) -> None:
    await type_line(context, "/new -- only a description")
    assert re.fullmatch(r"Session \d{4}-\d\d-\d\d \d\d:\d\d", context.engine.session.name)
    assert context.engine.session.description == "only a description"


async def test_a_name_that_is_given_twice_is_said(
    context: Any, type_line: Callable[..., Any]
) -> None:
    first = context.engine.session
    printed = await type_line(context, "/new First")
    assert f"1 other session of this name: {first.session_id[:8]}." in printed
    assert context.engine.session.session_id != first.session_id


async def test_sessions_is_a_table_with_the_open_one_marked(
    context: Any, type_line: Callable[..., Any], say: Any
) -> None:
    say(context, "user: hello", "assistant: hi")
    other = context.memory.create("Garden", "what grows where")
    printed = await type_line(context, "/sessions")
    header, *rows = printed.splitlines()
    assert header.split() == ["ID", "Name", "Message", "Count", "Last", "Updated", "Description"]
    assert context.ui.styles[0] == "bold"
    assert len(rows) == 2
    marked = [row for row in rows if row.startswith("*")]
    assert len(marked) == 1
    assert "First" in marked[0]
    assert context.engine.session.session_id[:8] in marked[0]
    assert " 2  " in marked[0]
    assert any(other.session_id[:8] in row and "what grows where" in row for row in rows)


@pytest.mark.parametrize("text", ["gard", "GROWS", "outdoor", '"what grows"'])
async def test_sessions_are_found_by_name_description_and_tags(
    context: Any, type_line: Callable[..., Any], text: str
) -> None:
    garden = context.memory.create("Garden", "what grows where")
    context.memory.update(garden.session_id, tags=("outdoors",))
    printed = await type_line(context, f"/sessions {text}")
    assert "Garden" in printed
    assert "First" not in printed


async def test_sessions_that_do_not_exist_are_said(
    context: Any, type_line: Callable[..., Any]
) -> None:
    assert "No session has 'zebra' in its name" in await type_line(context, "/sessions zebra")


async def test_many_sessions_are_cut_short_with_a_word(
    context: Any, type_line: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LISTED", 3)
    for number in range(4):
        context.memory.create(f"Number {number}")
    printed = await type_line(context, "/sessions")
    assert len(printed.splitlines()) == 1 + 3 + 1
    assert printed.splitlines()[-1].startswith("2 older ones are not listed; /sessions TEXT")


async def test_a_hostile_name_stays_in_its_row(context: Any, type_line: Callable[..., Any]) -> None:
    context.memory.create("bad\x1b[2J\nname")
    printed = await type_line(context, "/sessions")
    assert len(printed.splitlines()) == 3
    assert "\x1b" not in printed


@pytest.mark.parametrize("quotes", ["", '"', "'"])
async def test_switch_by_name(context: Any, type_line: Callable[..., Any], quotes: Any) -> None:
    garden = context.memory.create("My garden")
    await type_line(context, f"/switch {quotes}My garden{quotes}")
    assert context.engine.session.session_id == garden.session_id
    assert context.driver.switched == [garden.session_id]


async def test_switch_takes_a_name_that_has_quotes_itself(
    context: Any, type_line: Callable[..., Any]
) -> None:
    quoted = context.memory.create('"My garden"')
    await type_line(context, '/switch "My garden"')
    assert context.engine.session.session_id == quoted.session_id


async def test_switch_by_the_beginning_of_an_id(
    context: Any, type_line: Callable[..., Any]
) -> None:
    garden = context.memory.create("My garden")
    await type_line(context, f"/switch {garden.session_id[:13]}")
    assert context.engine.session.session_id == garden.session_id


async def test_switch_to_the_open_session_changes_nothing(
    context: Any, type_line: Callable[..., Any]
) -> None:
    printed = await type_line(context, "/switch First")
    assert printed.endswith("is open already.")
    assert context.driver.switched == []


async def test_switch_needs_a_session_that_exists(
    context: Any, type_line: Callable[..., Any]
) -> None:
    with pytest.raises(UsageError, match="/switch needs a session"):
        await type_line(context, "/switch")
    with pytest.raises(SessionNotFoundError, match="Nowhere"):
        await type_line(context, '/switch "Nowhere"')


async def test_rename_the_open_session(context: Any, type_line: Callable[..., Any]) -> None:
    short = context.engine.session.session_id[:8]
    printed = await type_line(context, "/rename Holiday plans")
    assert printed == f"Session 'First' ({short}) updated: name changed to Holiday plans"
    assert context.engine.session.name == "Holiday plans"


async def test_rename_another_session_leaves_the_open_one(
    context: Any, type_line: Callable[..., Any]
) -> None:
    other = context.memory.create("My garden")
    printed = await type_line(context, '/rename "My garden" Back yard')
    assert (
        printed
        == f"Session 'My garden' ({other.session_id[:8]}) updated: name changed to Back yard"
    )
    assert context.memory.open(other.session_id).name == "Back yard"
    assert context.engine.session.name == "First"


async def test_rename_to_a_name_that_is_taken_says_so(
    context: Any, type_line: Callable[..., Any]
) -> None:
    context.memory.create("Garden")
    printed = await type_line(context, "/rename Garden")
    assert "1 other session of this name" in printed
    assert context.engine.session.name == "Garden"


@pytest.mark.parametrize("line", ["/rename", '/rename ""', "/rename " + "x" * 201])
async def test_a_name_that_cannot_be_is_refused_and_nothing_changes(
    context: Any, type_line: Callable[..., Any], line: str
) -> None:
    with pytest.raises(UsageError):
        await type_line(context, line)
    assert context.memory.open(context.engine.session.session_id).name == "First"


async def test_describe_the_open_session_and_remove_it_again(
    context: Any, type_line: Callable[..., Any]
) -> None:
    printed = await type_line(context, "/describe What we\nfound out")
    assert "description changed to What we found out" in printed
    assert context.engine.session.description == "What we\nfound out"
    assert (await type_line(context, '/describe ""')).endswith("description removed")
    assert context.engine.session.description == ""


async def test_describe_another_session(context: Any, type_line: Callable[..., Any]) -> None:
    other = context.memory.create("Garden")
    await type_line(context, "/describe Garden what grows where")
    assert context.memory.open(other.session_id).description == "what grows where"
    assert context.engine.session.description == ""


@pytest.mark.parametrize("line", ["/describe", "/describe " + "x" * 2001])
async def test_a_description_that_cannot_be_is_refused(
    context: Any, type_line: Callable[..., Any], line: str
) -> None:
    with pytest.raises(UsageError):
        await type_line(context, line)
    assert context.engine.session.description == ""

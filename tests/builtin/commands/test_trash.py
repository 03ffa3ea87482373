from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from agno_shell.errors import SessionNotFoundError, UsageError
from agno_shell.types import Message, local_time, new_id, now


async def test_delete_asks_once_and_opens_the_session_used_before(
    make_context: Callable[..., Any], type_line: Callable[..., Any], say: Any
) -> None:
    context = make_context(answers=[True])
    before = context.engine.session
    await type_line(context, "/new Garden")
    garden = context.engine.session
    say(context, "user: hello")
    printed = await type_line(context, "/delete")
    assert context.ui.questions == [
        f"Delete session 'Garden' ({garden.session_id[:8]}) with 1 message? It goes to the trash."
    ]
    assert printed.splitlines() == [
        f"Session 'Garden' ({garden.session_id[:8]}) deleted",
        "/undelete brings it back.",
    ]
    assert context.engine.session.session_id == before.session_id
    assert [each.session.session_id for each in context.memory.trash()] == [garden.session_id]


async def test_a_no_deletes_nothing(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    context = make_context(answers=[False])
    assert await type_line(context, "/delete") == "Nothing was deleted."
    assert context.memory.trash() == []
    assert len(context.memory.sessions()) == 1


@pytest.mark.parametrize("line", ["/delete Garden --yes", "/delete --yes Garden"])
async def test_where_nobody_can_answer_an_option_does(
    make_context: Callable[..., Any], type_line: Callable[..., Any], line: str
) -> None:
    context = make_context(has_user=False)
    garden = context.memory.create("Garden")
    with pytest.raises(
        UsageError, match=r"Nobody is here to answer: Delete session 'Garden'"
    ) as no:
        await type_line(context, "/delete Garden")
    assert no.value.hint == "--yes answers yes beforehand."
    assert context.memory.trash() == []
    await type_line(context, line)
    assert [each.session.session_id for each in context.memory.trash()] == [garden.session_id]


async def test_after_the_last_session_a_new_one_is_opened(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    context = make_context(answers=[True])
    first = context.engine.session
    printed = await type_line(context, "/delete")
    assert context.engine.session.session_id != first.session_id
    assert re.search(r"Created session 'Session \d{4}-.*' with ID: ", printed)
    assert len(context.memory.sessions()) == 1


async def test_the_session_used_last_is_opened_and_not_the_newest(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    context = make_context(answers=[True])
    first = context.engine.session
    await type_line(context, "/new Garden")
    context.memory.create("Newest")
    context.memory.set_current(first.session_id)  # by another shell
    await type_line(context, "/delete")
    assert context.engine.session.session_id == first.session_id


async def test_deleting_another_session_leaves_the_open_one(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    context = make_context(answers=[True])
    other = context.memory.create("My garden")
    printed = await type_line(context, "/delete My garden")
    assert printed.startswith(f"Session 'My garden' ({other.session_id[:8]}) deleted")
    assert context.engine.session.name == "First"
    assert context.driver.switched == []


async def test_an_unknown_session_is_not_asked_about(
    context: Any, type_line: Callable[..., Any]
) -> None:
    with pytest.raises(SessionNotFoundError):
        await type_line(context, "/delete Nowhere")
    assert context.ui.questions == []


@pytest.fixture
def trashed(context: Any) -> Any:
    """Three deleted sessions: two of the same name, the last called Kitchen."""
    for name in ("Garden", "Garden", "Kitchen"):
        context.memory.delete(context.memory.create(name).session_id)
    return context.memory.trash()


async def test_undelete_brings_back_the_latest(
    context: Any, type_line: Callable[..., Any], trashed: Any
) -> None:
    printed = await type_line(context, "/undelete")
    latest = trashed[0].session
    assert latest.name == "Kitchen"
    assert printed.splitlines()[0] == f"Session 'Kitchen' ({latest.session_id[:8]}) restored"
    assert context.memory.open(latest.session_id).name == "Kitchen"
    assert len(context.memory.trash()) == 2


async def test_a_deletion_says_what_could_not_be_saved(
    make_context: Callable[..., Any], type_line: Callable[..., Any], say: Any
) -> None:
    context = make_context(answers=[True, False])
    other = context.memory.create("Other")
    context.keep_unsaved(Message(new_id(), "user", "lost", now()))
    await type_line(context, "/delete Other")
    assert "saved" not in context.ui.questions[0]
    await type_line(context, "/delete")
    assert context.ui.questions[1].endswith(
        " 1 message could not be saved yet and will not be in it: /save keeps them."
    )
    assert [each.session.session_id for each in context.memory.trash()] == [other.session_id]


async def test_the_trash_shows_when_and_how_large(
    context: Any, type_line: Callable[..., Any], say: Any
) -> None:
    assert await type_line(context, "/trash") == "The trash is empty."
    say(context, "user: " + "x" * 1500)
    first = context.engine.session
    context.memory.delete(first.session_id)
    context.memory.delete(context.memory.create("Later").session_id)
    heading, later, earlier, hint = (await type_line(context, "/trash")).splitlines()
    assert heading.split() == ["ID", "Name", "Message", "Count", "Deleted", "Size"]
    assert later.split()[1:3] == ["Later", "0"]
    when = local_time(context.memory.trash()[1].deleted_at)
    assert earlier.split() == [first.session_id[:8], "First", "1", *when.split(), "1.5", "kB"]
    assert hint == (
        "2 deleted sessions, 1.5 kB. /undelete REF brings one back; "
        "agno-shell session --purge REF deletes it for good."
    )


async def test_a_full_trash_is_not_listed_to_the_end(
    context: Any, type_line: Callable[..., Any]
) -> None:
    for number in range(60):
        context.memory.delete(context.memory.create(f"Number {number}").session_id)
    lines = (await type_line(context, "/trash")).splitlines()
    assert len(lines) == 1 + 50 + 2
    assert lines[-2].startswith("10 deleted earlier are not listed; agno-shell session --trash")
    assert lines[-1].startswith("60 deleted sessions, ")


async def test_what_another_shell_has_deleted_comes_back_into_this_one(
    context: Any, type_line: Callable[..., Any]
) -> None:
    open_here = context.engine.session
    context.memory.delete(open_here.session_id)  # elsewhere
    context.memory.create("Other")
    trash = context.memory.trash()
    context.memory.restore(trash[0].trash_id)
    context.memory.update(open_here.session_id, name="Renamed")
    context.memory.delete(open_here.session_id)
    printed = await type_line(context, "/undelete")
    assert printed.splitlines() == [
        f"Session 'Renamed' ({open_here.session_id[:8]}) restored",
        "It is the session that is open here; what you say is saved in it again.",
    ]
    assert context.engine.session.name == "Renamed"
    assert context.driver.switched == []


@pytest.mark.parametrize("wanted", ["Kitchen", "kitchen", '"Kitchen"'])
async def test_undelete_by_name(
    context: Any, type_line: Callable[..., Any], trashed: Any, wanted: Any
) -> None:
    context.memory.delete(context.memory.create("Later").session_id)
    assert "'Kitchen'" in await type_line(context, f"/undelete {wanted}")


@pytest.mark.parametrize("of", [lambda t: t.trash_id, lambda t: t.session.session_id[:13]])
async def test_undelete_by_id(
    context: Any, type_line: Callable[..., Any], trashed: Any, of: Any
) -> None:
    oldest = trashed[-1]
    await type_line(context, f"/undelete {of(oldest)}")
    assert oldest.trash_id not in [each.trash_id for each in context.memory.trash()]


async def test_a_name_that_was_deleted_twice_lists_both(
    context: Any, type_line: Callable[..., Any], trashed: Any
) -> None:
    with pytest.raises(SessionNotFoundError, match="2 deleted sessions") as raised:
        await type_line(context, "/undelete Garden")
    gardens = [each.trash_id for each in trashed if each.session.name == "Garden"]
    assert len(raised.value.candidates) == 2
    for trash_id, line in zip(gardens, raised.value.candidates, strict=True):
        assert line.startswith(trash_id)
    assert len(context.memory.trash()) == 3


async def test_an_unknown_name_offers_the_nearest(
    context: Any, type_line: Callable[..., Any], trashed: Any
) -> None:
    with pytest.raises(SessionNotFoundError, match="'Kitchn'") as raised:
        await type_line(context, "/undelete Kitchn")
    assert [line.split()[1] for line in raised.value.candidates] == ["Kitchen"]


async def test_an_empty_trash_is_said(context: Any, type_line: Callable[..., Any]) -> None:
    assert await type_line(context, "/undelete") == "The trash is empty."

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
    before = context.session
    await type_line(context, "/new Garden")
    garden = context.session
    say(context, "user: hello")
    printed = await type_line(context, "/delete")
    assert context.questions == [
        f"Delete session 'Garden' ({garden.session_id[:8]}) with 1 message? It goes to the trash."
    ]
    assert printed.splitlines() == [
        f"Session 'Garden' ({garden.session_id[:8]}) deleted",
        "/undelete brings it back.",
    ]
    assert context.session.session_id == before.session_id
    assert [each.session.session_id for each in context.storage.trash()] == [garden.session_id]


async def test_a_no_deletes_nothing(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    context = make_context(answers=[False])
    assert await type_line(context, "/delete") == "Nothing was deleted."
    assert context.storage.trash() == []
    assert len(context.storage.sessions()) == 1


@pytest.mark.parametrize("line", ["/delete Garden --yes", "/delete --yes Garden"])
async def test_where_nobody_can_answer_an_option_does(
    make_context: Callable[..., Any], type_line: Callable[..., Any], line: str
) -> None:
    context = make_context(has_person=False)
    garden = context.storage.create("Garden")
    with pytest.raises(
        UsageError, match=r"Nobody is here to answer: Delete session 'Garden'"
    ) as no:
        await type_line(context, "/delete Garden")
    assert no.value.hint == "--yes answers yes beforehand."
    assert context.storage.trash() == []
    await type_line(context, line)
    assert [each.session.session_id for each in context.storage.trash()] == [garden.session_id]


async def test_after_the_last_session_a_new_one_is_opened(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    context = make_context(answers=[True])
    first = context.session
    printed = await type_line(context, "/delete")
    assert context.session.session_id != first.session_id
    assert re.search(r"Created session 'Session \d{4}-.*' with ID: ", printed)
    assert len(context.storage.sessions()) == 1


async def test_the_session_used_last_is_opened_and_not_the_newest(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    context = make_context(answers=[True])
    first = context.session
    await type_line(context, "/new Garden")
    context.storage.create("Newest")
    context.storage.set_current(first.session_id)  # by another shell
    await type_line(context, "/delete")
    assert context.session.session_id == first.session_id


async def test_deleting_another_session_leaves_the_open_one(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    context = make_context(answers=[True])
    other = context.storage.create("My garden")
    printed = await type_line(context, "/delete My garden")
    assert printed.startswith(f"Session 'My garden' ({other.session_id[:8]}) deleted")
    assert context.session.name == "First"
    assert context.switched == []


async def test_an_unknown_session_is_not_asked_about(
    context: Any, type_line: Callable[..., Any]
) -> None:
    with pytest.raises(SessionNotFoundError):
        await type_line(context, "/delete Nowhere")
    assert context.questions == []


@pytest.fixture
def trashed(context: Any) -> Any:
    """Three deleted sessions: two of the same name, the last called Kitchen."""
    for name in ("Garden", "Garden", "Kitchen"):
        context.storage.delete(context.storage.create(name).session_id)
    return context.storage.trash()


async def test_undelete_brings_back_the_latest(
    context: Any, type_line: Callable[..., Any], trashed: Any
) -> None:
    printed = await type_line(context, "/undelete")
    latest = trashed[0].session
    assert latest.name == "Kitchen"
    assert printed.splitlines()[0] == f"Session 'Kitchen' ({latest.session_id[:8]}) restored"
    assert context.storage.open(latest.session_id).name == "Kitchen"
    assert len(context.storage.trash()) == 2


async def test_a_deletion_says_what_could_not_be_saved(
    make_context: Callable[..., Any], type_line: Callable[..., Any], say: Any
) -> None:
    context = make_context(answers=[True, False])
    other = context.storage.create("Other")
    context.unsaved.append(Message(new_id(), "user", "lost", now()))
    await type_line(context, "/delete Other")
    assert "saved" not in context.questions[0]
    await type_line(context, "/delete")
    assert context.questions[1].endswith(
        " 1 message could not be saved yet and will not be in it: /save keeps them."
    )
    assert [each.session.session_id for each in context.storage.trash()] == [other.session_id]


async def test_the_trash_shows_when_and_how_large(
    context: Any, type_line: Callable[..., Any], say: Any
) -> None:
    assert await type_line(context, "/trash") == "The trash is empty."
    say(context, "user: " + "x" * 1500)
    first = context.session
    context.storage.delete(first.session_id)
    context.storage.delete(context.storage.create("Later").session_id)
    heading, later, earlier, hint = (await type_line(context, "/trash")).splitlines()
    assert heading.split() == ["ID", "Name", "Message", "Count", "Deleted", "Size"]
    assert later.split()[1:3] == ["Later", "0"]
    when = local_time(context.storage.trash()[1].deleted_at)
    assert earlier.split() == [first.session_id[:8], "First", "1", *when.split(), "1.5", "kB"]
    assert hint == (
        "2 deleted sessions, 1.5 kB. /undelete REF brings one back; "
        "agno-shell session --purge REF deletes it for good."
    )


async def test_a_full_trash_is_not_listed_to_the_end(
    context: Any, type_line: Callable[..., Any]
) -> None:
    for number in range(60):
        context.storage.delete(context.storage.create(f"Number {number}").session_id)
    lines = (await type_line(context, "/trash")).splitlines()
    assert len(lines) == 1 + 50 + 2
    assert lines[-2].startswith("10 deleted earlier are not listed; agno-shell session --trash")
    assert lines[-1].startswith("60 deleted sessions, ")


async def test_what_another_shell_has_deleted_comes_back_into_this_one(
    context: Any, type_line: Callable[..., Any]
) -> None:
    open_here = context.session
    context.storage.delete(open_here.session_id)  # elsewhere
    context.storage.create("Other")
    trash = context.storage.trash()
    context.storage.restore(trash[0].trash_id)
    context.storage.update(open_here.session_id, name="Renamed")
    context.storage.delete(open_here.session_id)
    printed = await type_line(context, "/undelete")
    assert printed.splitlines() == [
        f"Session 'Renamed' ({open_here.session_id[:8]}) restored",
        "It is the session that is open here; what you say is saved in it again.",
    ]
    assert context.session.name == "Renamed"
    assert context.switched == []


@pytest.mark.parametrize("wanted", ["Kitchen", "kitchen", '"Kitchen"'])
async def test_undelete_by_name(
    context: Any, type_line: Callable[..., Any], trashed: Any, wanted: Any
) -> None:
    context.storage.delete(context.storage.create("Later").session_id)
    assert "'Kitchen'" in await type_line(context, f"/undelete {wanted}")


@pytest.mark.parametrize("of", [lambda t: t.trash_id, lambda t: t.session.session_id[:13]])
async def test_undelete_by_id(
    context: Any, type_line: Callable[..., Any], trashed: Any, of: Any
) -> None:
    oldest = trashed[-1]
    await type_line(context, f"/undelete {of(oldest)}")
    assert oldest.trash_id not in [each.trash_id for each in context.storage.trash()]


async def test_a_name_that_was_deleted_twice_lists_both(
    context: Any, type_line: Callable[..., Any], trashed: Any
) -> None:
    with pytest.raises(SessionNotFoundError, match="2 deleted sessions") as raised:
        await type_line(context, "/undelete Garden")
    gardens = [each.trash_id for each in trashed if each.session.name == "Garden"]
    assert len(raised.value.candidates) == 2
    for trash_id, line in zip(gardens, raised.value.candidates, strict=True):
        assert line.startswith(trash_id)
    assert len(context.storage.trash()) == 3


async def test_an_unknown_name_offers_the_nearest(
    context: Any, type_line: Callable[..., Any], trashed: Any
) -> None:
    with pytest.raises(SessionNotFoundError, match="'Kitchn'") as raised:
        await type_line(context, "/undelete Kitchn")
    assert [line.split()[1] for line in raised.value.candidates] == ["Kitchen"]


async def test_an_empty_trash_is_said(context: Any, type_line: Callable[..., Any]) -> None:
    assert await type_line(context, "/undelete") == "The trash is empty."

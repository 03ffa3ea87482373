from __future__ import annotations

import re

import pytest

from agno_shell.errors import SessionNotFoundError


async def test_delete_asks_once_and_opens_the_session_used_before(make_context, type_line, say):
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


async def test_a_no_deletes_nothing(make_context, type_line):
    context = make_context(answers=[False])
    assert await type_line(context, "/delete") == "Nothing was deleted."
    assert context.storage.trash() == []
    assert len(context.storage.sessions()) == 1


async def test_after_the_last_session_a_new_one_is_opened(make_context, type_line):
    context = make_context(answers=[True])
    first = context.session
    printed = await type_line(context, "/delete")
    assert context.session.session_id != first.session_id
    assert re.search(r"Created session 'Session \d{4}-.*' with ID: ", printed)
    assert len(context.storage.sessions()) == 1


async def test_the_session_used_last_is_opened_and_not_the_newest(make_context, type_line):
    context = make_context(answers=[True])
    first = context.session
    await type_line(context, "/new Garden")
    context.storage.create("Newest")
    context.storage.set_current(first.session_id)  # by another shell
    await type_line(context, "/delete")
    assert context.session.session_id == first.session_id


async def test_deleting_another_session_leaves_the_open_one(make_context, type_line):
    context = make_context(answers=[True])
    other = context.storage.create("My garden")
    printed = await type_line(context, "/delete My garden")
    assert printed.startswith(f"Session 'My garden' ({other.session_id[:8]}) deleted")
    assert context.session.name == "First"
    assert context.switched == []


async def test_an_unknown_session_is_not_asked_about(context, type_line):
    with pytest.raises(SessionNotFoundError):
        await type_line(context, "/delete Nowhere")
    assert context.questions == []


@pytest.fixture
def trashed(context):
    """Three deleted sessions: two of the same name, the last called Kitchen."""
    for name in ("Garden", "Garden", "Kitchen"):
        context.storage.delete(context.storage.create(name).session_id)
    return context.storage.trash()


async def test_undelete_brings_back_the_latest(context, type_line, trashed):
    printed = await type_line(context, "/undelete")
    latest = trashed[0].session
    assert latest.name == "Kitchen"
    assert printed.splitlines()[0] == f"Session 'Kitchen' ({latest.session_id[:8]}) restored"
    assert context.storage.open(latest.session_id).name == "Kitchen"
    assert len(context.storage.trash()) == 2


@pytest.mark.parametrize("wanted", ["Kitchen", "kitchen", '"Kitchen"'])
async def test_undelete_by_name(context, type_line, trashed, wanted):
    context.storage.delete(context.storage.create("Later").session_id)
    assert "'Kitchen'" in await type_line(context, f"/undelete {wanted}")


@pytest.mark.parametrize("of", [lambda t: t.trash_id, lambda t: t.session.session_id[:13]])
async def test_undelete_by_id(context, type_line, trashed, of):
    oldest = trashed[-1]
    await type_line(context, f"/undelete {of(oldest)}")
    assert oldest.trash_id not in [each.trash_id for each in context.storage.trash()]


async def test_a_name_that_was_deleted_twice_lists_both(context, type_line, trashed):
    with pytest.raises(SessionNotFoundError, match="2 deleted sessions") as raised:
        await type_line(context, "/undelete Garden")
    gardens = [each.trash_id for each in trashed if each.session.name == "Garden"]
    assert len(raised.value.candidates) == 2
    for trash_id, line in zip(gardens, raised.value.candidates, strict=True):
        assert line.startswith(trash_id)
    assert len(context.storage.trash()) == 3


async def test_an_unknown_name_offers_the_nearest(context, type_line, trashed):
    with pytest.raises(SessionNotFoundError, match="'Kitchn'") as raised:
        await type_line(context, "/undelete Kitchn")
    assert [line.split()[1] for line in raised.value.candidates] == ["Kitchen"]


async def test_an_empty_trash_is_said(context, type_line):
    assert await type_line(context, "/undelete") == "The trash is empty."

from __future__ import annotations

import inspect

import pytest

from agno_shell.contracts import ConversationControl
from agno_shell.errors import UsageError
from agno_shell.testing.fake_context import FakeContext
from agno_shell.testing.fake_conversation import FakeConversation


@pytest.fixture
def context() -> FakeContext:
    return FakeContext()


@pytest.fixture
def conversation(context: FakeContext) -> FakeConversation:
    return context.conversation


async def texts(conversation: FakeConversation) -> list[str]:
    return [message.content for message in await conversation.path()]


def test_it_has_everything_that_commands_are_promised(conversation: FakeConversation) -> None:
    promised = [name for name in vars(ConversationControl) if not name.startswith("_")]
    assert len(promised) > 15
    for name in promised:
        member, mine = getattr(ConversationControl, name), getattr(conversation, name)
        if inspect.isfunction(member):
            asynchronous = inspect.iscoroutinefunction(member)
            assert inspect.iscoroutinefunction(mine) is asynchronous, name
            parameters = list(inspect.signature(member).parameters)[1:]
            assert list(inspect.signature(mine).parameters) == parameters, name


async def test_a_question_is_answered_and_the_call_is_recorded(
    conversation: FakeConversation,
) -> None:
    conversation.replies.append("forty-two")
    await conversation.ask("six by seven?")
    await conversation.ask("and then?")
    assert await texts(conversation) == [
        "six by seven?",
        "forty-two",
        "and then?",
        "echo: and then?",
    ]
    assert conversation.calls == [("ask", "six by seven?"), ("ask", "and then?")]


async def test_branches_work(conversation: FakeConversation) -> None:
    await conversation.ask("one")
    first = (await conversation.path())[0]
    await conversation.retry("model-b")
    assert (await conversation.path())[-1].model == "model-b"
    await conversation.edit(first.id, "uno")
    assert await texts(conversation) == ["uno", "echo: uno"]
    assert len(await conversation.tree()) == 5
    assert [each.content for each in await conversation.undo()] == ["uno"]
    assert await texts(conversation) == []
    with pytest.raises(UsageError):
        await conversation.undo()
    assert [each.content for each in await conversation.redo(2)] == ["uno"]
    await conversation.go_to(first.id)
    assert await texts(conversation) == ["one"]


async def test_a_fork_is_a_session_of_its_own(
    context: FakeContext, conversation: FakeConversation
) -> None:
    await conversation.ask("one")
    before = context.session
    path = list(await conversation.path())
    made = await conversation.fork("Copy", path[0].id)
    assert (context.session, made.name) == (made, "Copy")
    assert await texts(conversation) == ["one"]
    assert not {path[0].id} & {each.id for each in await conversation.path()}
    assert context.storage.messages(before.session_id) == path


async def test_an_error_can_be_asked_for(conversation: FakeConversation) -> None:
    conversation.errors["retry"] = UsageError("Nothing to ask again.")
    with pytest.raises(UsageError, match="Nothing to ask again"):
        await conversation.retry()
    assert conversation.calls == [("retry", None)]


async def test_what_waits_goes_with_the_next_question(
    context: FakeContext, conversation: FakeConversation
) -> None:
    made = await conversation.attach_data(b"a,b\n", "table.csv")
    assert conversation.attached == [made]
    await conversation.ask("what is in it?")
    assert (await conversation.path())[0].attachments == (made,)
    assert conversation.attached == []
    assert context.storage.attachment(context.session.session_id, made.sha256) == b"a,b\n"

from __future__ import annotations

import inspect

import pytest

from agno_shell.contracts import App, Command, CommandContext, Engine, StorageAccess, Ui
from agno_shell.errors import SessionNotFoundError, UsageError
from agno_shell.events import Finished, Request, TextDelta
from agno_shell.testing.fake_context import FakeContext, FakeProvider, run
from agno_shell.types import Message, new_id, now


@pytest.mark.parametrize(
    ("part", "contract"),
    [("ui", Ui), ("app", App), ("storage", StorageAccess), ("engine", Engine)],
)
def test_it_has_everything_that_commands_are_promised(part: str, contract: type) -> None:
    fake = getattr(FakeContext(), part)
    promised = [name for name in vars(contract) if not name.startswith("_")]
    assert promised
    for name in promised:
        member, mine = getattr(contract, name), getattr(fake, name)
        if inspect.isfunction(member):
            asynchronous = inspect.iscoroutinefunction(member)
            assert inspect.iscoroutinefunction(mine) is asynchronous, name
            parameters = list(inspect.signature(member).parameters)[1:]
            assert list(inspect.signature(mine).parameters) == parameters, name


async def test_what_a_command_does_around_the_shell_is_recorded() -> None:
    context = FakeContext(edits=["changed"])
    context.ui.fill("to change")
    context.app.remember_agent("poet", {"instructions": "Rhyme."})
    assert await context.ui.edit("first") == "changed"
    assert await context.ui.edit("second") is None
    assert await context.ui.copy("words") == "with xclip"
    assert (context.ui.filled, context.ui.edited) == (["to change"], ["first", "second"])
    assert context.ui.copied == ["words"]
    assert context.app.remembered_agents == {"poet": {"instructions": "Rhyme."}}
    with pytest.raises(UsageError, match="no clipboard"):
        await FakeContext(clipboard=None).ui.copy("words")


def test_it_starts_in_the_current_session_of_a_storage() -> None:
    first = FakeContext()
    other = first.memory.create("Other")
    first.memory.set_current(other.session_id)
    assert FakeContext(first.memory).engine.session.session_id == other.session_id


async def test_a_question_without_an_answer_is_a_fault_of_the_test() -> None:
    context = FakeContext(answers=[True])
    assert await context.ui.confirm("Sure?")
    with pytest.raises(AssertionError, match="Really"):
        await context.ui.confirm("Really?")
    assert context.ui.questions == ["Sure?", "Really?"]


async def test_without_a_user_a_question_is_an_error_and_nothing_can_be_chosen() -> None:
    context = FakeContext(has_user=False)
    with pytest.raises(UsageError) as raised:
        await context.ui.confirm("Sure?")
    assert raised.value.sentence() == "Nobody is here to answer: Sure? That takes a terminal."
    assert await context.ui.choose([(("", "one"),)]) is None
    assert context.ui.questions == []
    assert context.ui.offered == []


async def test_a_reference_is_resolved_as_in_the_shell() -> None:
    context = FakeContext()
    garden = context.memory.create("My garden")
    for reference in ("My garden", "my GARDEN", garden.session_id, garden.session_id[:13]):
        assert await context.engine.resolve(reference) == garden
    context.memory.create("My garden")
    for reference in ("My garden", "nowhere", ""):
        with pytest.raises(SessionNotFoundError):
            await context.engine.resolve(reference)


async def test_run_takes_functions_and_coroutine_functions() -> None:
    async def later(context: CommandContext, text: str) -> None:
        context.ui.print(f"later {text}")

    def at_once(context: CommandContext, text: str) -> None:
        context.ui.print(f"at once {text}", "bold")

    context = FakeContext()
    await run(context, Command("later", "", later), " x ")
    await run(context, Command("at-once", "", at_once), "y")
    assert context.ui.lines == ["later x", "at once y"]
    assert context.ui.styles == ["", "bold"]


async def test_the_provider_answers_from_its_script_and_lists_its_models() -> None:
    provider = FakeProvider(["hello", Finished()], models=["m"])
    request = Request("m", (Message(new_id(), "user", "hi", now()),))
    events = [event async for event in provider.stream(request)]
    assert events == [TextDelta("hello"), Finished()]
    assert await provider.models() == ("m",)

"""Every hook has words, types, an example in the plugin guide that works, and a test."""

from __future__ import annotations

import inspect
import logging
import re
import typing
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pluggy
import pytest

from agno_shell import contracts, events, hookspecs, types
from agno_shell.contracts import (
    Command,
    Figures,
    ProviderOptions,
    RendererOptions,
    StorageFactory,
    Subcommand,
    ToolbarView,
    ToolOptions,
)
from agno_shell.conversation.models import Choice
from agno_shell.conversation.reply import Reply
from agno_shell.conversation.stream import checked
from agno_shell.errors import UsageError
from agno_shell.events import Failed, Finished, Request, TextDelta
from agno_shell.testing.fake_context import FakeContext, run
from agno_shell.testing.fake_subcommand_context import FakeSubcommandContext
from agno_shell.types import Message, Session, Timing, new_id, now

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")

HOOKS: dict[str, FunctionType] = {
    name: function
    for name, function in vars(hookspecs).items()
    if inspect.isfunction(function) and hasattr(function, f"{hookspecs.GROUP}_spec")
}


def sections(text: str) -> dict[str, str]:
    """The parts of the guide by their ``###`` headings."""
    parts = re.split(r"^### (.+)$", text, flags=re.MULTILINE)
    return {
        heading: re.split(r"^## ", body, maxsplit=1, flags=re.MULTILINE)[0]
        for heading, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def examples(text: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def module_of(source: str, name: str = "example") -> ModuleType:
    module = ModuleType(name)
    exec(compile(source, f"docs/plugins.md: {name}", "exec"), module.__dict__)
    return module


SECTIONS = sections(GUIDE)


@pytest.fixture(params=HOOKS)
def hook(request: Any) -> str:
    return request.param


@pytest.fixture
def example() -> Any:
    """Makes the hooks of one example callable, as pluggy sees them."""

    def load(hook: str) -> pluggy.HookRelay:
        manager = pluggy.PluginManager(hookspecs.GROUP)
        manager.add_hookspecs(hookspecs)
        module = module_of(examples(SECTIONS[hook])[0], hook)
        manager.register(module, hook)
        manager.check_pending()
        assert [caller.name for caller in manager.get_hookcallers(module) or ()] == [hook]
        return manager.hook

    return load


def user_message(text: str) -> Message:
    return Message(new_id(), "user", text, now())


@pytest.fixture
def session() -> Session:
    return Session(new_id(), "Garden", now(), now())


# What is demanded of every hook -------------------------------------------------------------


def test_there_are_hooks() -> None:
    assert len(HOOKS) >= 12


def test_it_says_what_it_is(hook: str) -> None:
    text = inspect.getdoc(HOOKS[hook])
    assert text
    assert text.endswith(".")


def test_every_argument_and_the_return_have_types_that_exist(hook: str) -> None:
    names = {**vars(types), **vars(events), **vars(contracts)}
    hints = typing.get_type_hints(HOOKS[hook], {**vars(hookspecs), **names})
    assert set(hints) == {*inspect.signature(HOOKS[hook]).parameters, "return"}


def test_the_guide_shows_its_signature(hook: str) -> None:
    signature = str(inspect.signature(HOOKS[hook])).replace("'", "")
    assert f"`{hook}{signature}`" in SECTIONS[hook]


def test_the_guide_has_one_example_that_implements_it(
    hook: str, example: Callable[..., Any]
) -> None:
    assert len(examples(SECTIONS[hook])) == 1
    example(hook)


def test_some_test_mentions_it(hook: str) -> None:
    tests = [*ROOT.glob("tests/**/*.py"), *ROOT.glob("plugins/*/tests/**/*.py")]
    word = re.compile(rf"\b{hook}\b")
    assert any(word.search(path.read_text(encoding="utf-8")) for path in tests)


def test_the_guide_describes_no_hook_that_does_not_exist() -> None:
    described = {name for name in SECTIONS if "_" in name}
    assert described == set(HOOKS)


# What each example of the guide does --------------------------------------------------------


def test_register_storages(example: Callable[..., Any]) -> None:
    [[factory]] = example("register_storages").register_storages()
    assert isinstance(factory, StorageFactory)
    assert factory.name == "sqlite"


async def test_register_providers(example: Callable[..., Any]) -> None:
    [[factory]] = example("register_providers").register_providers()
    assert factory.default_model({}) == "loud"
    provider = factory.open(ProviderOptions())
    request = Request("loud", (user_message("not so loud"),))
    *deltas, last = [event async for event in provider.stream(request)]
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == (
        "NOT SO LOUD "
    )
    assert last == Finished()
    [failed] = [event async for event in provider.stream(Request("loud", ()))]
    assert isinstance(failed, Failed)
    assert failed.kind in events.FAILURES
    assert await provider.models() == ["loud"]


async def test_tools_of_a_provider_and_speakers() -> None:
    provider = module_of(examples(SECTIONS["Tools of the provider, and speakers"])[0]).Team()
    told = [event async for event in provider.stream(Request("any", ()))]
    reply = Reply(None, Choice("team", "any"))
    for event in told:
        assert checked(event) is event
        reply.take(event)
    said = [*reply.ended(), reply.finish(told[-1])]
    assert [(each.speaker, each.content) for each in said] == [
        (None, "I ask Ada."),
        ("Ada", "It is high at noon."),
    ]
    assert [tool.result for tool in said[1].provider_tools] == ["high at noon"]


def test_register_renderers(example: Callable[..., Any]) -> None:
    [[factory]] = example("register_renderers").register_renderers()
    stream = factory.open(RendererOptions()).begin(80)
    lines = [*stream.feed("one\ntw"), *stream.feed("o\nthree")]
    assert stream.tail() == [(("", "three"),)]
    lines += stream.finish()
    assert ["".join(text for _style, text in line) for line in lines] == [
        "   1 one",
        "   2 two",
        "   3 three",
    ]


async def test_register_commands(example: Callable[..., Any]) -> None:
    [[command]] = example("register_commands").register_commands()
    assert isinstance(command, Command)
    context = FakeContext()
    await run(context, command, "green")
    assert context.engine.session.tags == ("green",)
    assert command.complete is not None
    assert [each.text for each in await command.complete(context, "g")] == ["green"]


def test_register_subcommands(example: Callable[..., Any]) -> None:
    [[subcommand]] = example("register_subcommands").register_subcommands()
    assert isinstance(subcommand, Subcommand)
    context = FakeSubcommandContext(settings={"most": 1})
    long = context.storage.create("Long\x1b")
    context.storage.append(long.session_id, user_message("hello"))
    context.storage.create("Short")
    assert context.run(subcommand) == 0
    assert context.out.getvalue() == "      1  Long␛\n"
    assert context.run(subcommand, "--most 2") == 0
    assert context.out.getvalue().endswith("      0  Short\n")
    with pytest.raises(UsageError, match="from 1 up"):
        context.run(subcommand, "--most 0")


async def test_register_tools(example: Callable[..., Any]) -> None:
    [[factory]] = example("register_tools").register_tools()
    box = factory.open(ToolOptions({"milk": "Two bottles.", "bread": "None."}))
    [tool] = await box.tools()
    assert tool.schema.parameters["properties"]["title"]["enum"] == ["bread", "milk"]
    assert await tool.run({"title": "milk"}) == "Two bottles."


def test_on_shell_started(example: Callable[..., Any]) -> None:
    context = FakeContext(config={"text": "Slowly."})
    example("on_shell_started").on_shell_started(context=context)
    assert context.ui.lines == ["Slowly."]


def test_on_shell_stopped(example: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    context = FakeContext()
    context.engine.ledger.run = Figures(2)
    example("on_shell_stopped").on_shell_stopped(context=context)
    assert caplog.messages == ["left First: 2 replies"]


def test_on_session_opened(
    example: Callable[..., Any], session: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    example("on_session_opened").on_session_opened(session=session)
    assert caplog.messages == ["opened Garden"]


def test_on_turn_started(
    example: Callable[..., Any], session: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    request = Request("loud", (user_message("hello"),))
    example("on_turn_started").on_turn_started(session=session, request=request)
    assert caplog.messages == ["loud gets 1 messages"]


def test_on_message_saved(
    example: Callable[..., Any], session: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    example("on_message_saved").on_message_saved(session=session, message=user_message("hello"))
    assert caplog.messages[0].endswith(f"{session.session_id} user: 5 characters")


def test_on_turn_finished(
    example: Callable[..., Any], session: Any, caplog: pytest.LogCaptureFixture
) -> None:
    hooks = example("on_turn_finished")
    for seconds in (1.0, 31.0):
        reply = user_message("x")._replace(model="slow-model", timing=Timing(total=seconds))
        hooks.on_turn_finished(session=session, reply=reply)
    assert caplog.messages == ["slow-model took 31 s"]


def test_prepare_request(example: Callable[..., Any]) -> None:
    hooks = example("prepare_request")
    [changed] = hooks.prepare_request(session=None, request=Request("loud", ()))
    assert changed == Request("loud", (), {"temperature": 0.2})
    assert hooks.prepare_request(session=None, request=changed) == []


def test_toolbar_items(example: Callable[..., Any], session: Any) -> None:
    hooks = example("toolbar_items")
    view = ToolbarView(session, "loud", None, busy=True, queued=2)
    [[item]] = hooks.toolbar_items(view=view)
    assert item.text == "2 waiting"
    assert hooks.toolbar_items(view=view._replace(queued=0)) == [[]]


# The rest of the guide ----------------------------------------------------------------------


def test_the_plugin_in_five_minutes_works() -> None:
    module = module_of(examples(GUIDE)[0], "agno_shell_dice")
    [command] = module.register_commands()
    context = FakeContext()
    command.run(context, "1")
    command.run(context, "")
    assert context.ui.lines[0] == "1"
    assert context.ui.lines[1] in "123456"


@pytest.mark.parametrize("name", ["StorageContract", "ProviderContract", "RendererContract"])
def test_a_contract_is_used_as_the_guide_says(name: str) -> None:
    """The fixtures of the example are ones that the kit knows."""
    import agno_shell.testing

    kit = getattr(agno_shell.testing, name)
    module = module_of(examples(SECTIONS[name])[0], name)
    [example] = [
        each for each in vars(module).values() if inspect.isclass(each) and each is not kit
    ]
    assert issubclass(example, kit)
    fixtures = {each for each in vars(example) if not each.startswith("_")}
    wanted = {
        parameter
        for each, function in inspect.getmembers(kit, inspect.isfunction)
        if each.startswith("test_")
        for parameter in inspect.signature(function).parameters
    }
    assert fixtures
    assert all(fixture in wanted or hasattr(kit, fixture) for fixture in fixtures)


@pytest.mark.parametrize("name", ["FakeContext", "FakeSubcommandContext", "ModelServer"])
async def test_an_example_that_is_a_test_passes(name: str) -> None:
    module = module_of(examples(SECTIONS[name])[0], name)
    tests = [function for each, function in vars(module).items() if each.startswith("test_")]
    assert tests
    for test in tests:
        result = test()
        if inspect.isawaitable(result):
            await result


def test_every_kit_has_a_section() -> None:
    import agno_shell.testing

    kits = {name for name in agno_shell.testing.__all__ if name != "MemoryStorage"}
    assert kits <= set(SECTIONS)

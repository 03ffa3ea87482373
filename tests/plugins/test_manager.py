from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from agno_shell import hookimpl
from agno_shell.contracts import Command, ProviderFactory, ToolbarItem, ToolbarView
from agno_shell.errors import PluginError, ProviderError, StorageError, UsageError
from agno_shell.events import Request
from agno_shell.plugins.manager import BUILTINS, Plugins
from agno_shell.plugins.registries import Registry
from agno_shell.types import Message, Session, new_id, now

REQUEST = Request("m", (Message(new_id(), "user", "hi", now()),))
SESSION = Session(new_id(), "S", now(), now())


def load(*, off: tuple[str, ...] = ()) -> tuple[Plugins, list[str]]:
    reports: list[str] = []
    plugins = Plugins(off=off, report=reports.append)
    plugins.load_installed()
    return plugins, reports


def row(plugins: Plugins, name: str) -> dict[str, Any]:
    return next(row for row in plugins.rows() if row["name"] == name)


def test_the_builtins_are_ordinary_plugins() -> None:
    plugins = Plugins(installed=False)
    assert [row["name"] for row in plugins.rows()] == list(BUILTINS)
    assert {row["state"] for row in plugins.rows()} == {"on"}
    assert "json" in plugins.storages
    assert {"litellm", "offline"} <= set(plugins.providers.all())
    assert {"pygments", "plain"} <= set(plugins.renderers.all())
    assert "help" in plugins.commands


def test_an_installed_plugin_is_found_and_described(install: Any) -> None:
    install(
        "good",
        """
        from agno_shell import Command, ToolbarItem, hookimpl

        @hookimpl
        def register_commands():
            return [Command("hello", "Say hello.", lambda context, args: None)]

        @hookimpl
        def toolbar_items(view):
            return [ToolbarItem("hi")]
        """,
    )
    plugins, reports = load()
    assert reports == []
    found = row(plugins, "good")
    assert (found["distribution"], found["version"], found["state"]) == ("dist-good", "1.2", "on")
    assert sorted(found["provides"]) == ["command hello", "hook toolbar_items"]
    assert found["load_seconds"] > 0


def test_installed_plugins_are_left_alone_when_not_wanted(install: Any) -> None:
    install("good", "raise SystemExit")
    plugins = Plugins(installed=False)
    plugins.load_installed()
    assert "good" not in [row["name"] for row in plugins.rows()]


def test_a_plugin_that_is_off_is_not_imported(install: Any) -> None:
    install("bad", "raise RuntimeError('imported')")
    plugins, reports = load(off=("bad",))
    assert reports == []
    assert row(plugins, "bad")["state"] == "off"
    assert "plugin_bad" not in sys.modules


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise RuntimeError('boom')", "RuntimeError: boom"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("def (", "SyntaxError"),
        (
            "from agno_shell import hookimpl\n@hookimpl\ndef on_full_moon(): ...",
            "there is no hook called on_full_moon",
        ),
        (
            "from agno_shell import hookimpl\n@hookimpl\nasync def on_shell_started(): ...",
            "hook on_shell_started is a coroutine",
        ),
        (
            "from agno_shell import hookimpl\n@hookimpl(wrapper=True)\n"
            "def on_shell_started():\n    yield",
            "hook on_shell_started is a wrapper",
        ),
        (
            "from agno_shell import hookimpl\n@hookimpl\ndef on_shell_started(moon): ...",
            "moon",
        ),
    ],
)
def test_a_broken_plugin_is_named_and_the_rest_goes_on(
    install: Any, source: str, reason: str
) -> None:
    install("broken", source)
    install("good", "")
    plugins, reports = load()
    found = row(plugins, "broken")
    assert found["state"] == "failed"
    assert reason in found["error"]
    assert len(reports) == 1
    assert "broken (dist-broken 1.2)" in reports[0]
    assert 'off = ["broken"]' in reports[0]
    assert row(plugins, "good")["state"] == "on"
    plugins.shell_started(lambda _plugin: None)  # type: ignore[arg-type, return-value]


def test_what_a_registration_hook_returns_is_checked(install: Any) -> None:
    install(
        "odd",
        """
        from agno_shell import hookimpl

        @hookimpl
        def register_commands():
            return ["not a command"]

        @hookimpl
        def register_providers():
            raise ValueError("no")
        """,
    )
    _plugins, reports = load()
    assert any("it returned str, not Command" in line for line in reports)
    assert any("ValueError: no" in line for line in reports)


def test_a_name_registered_twice_names_both_owners(install: Any) -> None:
    source = """
        from agno_shell import Command, hookimpl

        @hookimpl
        def register_commands():
            return [Command("help", "Mine.", lambda context, args: None)]
    """
    install("rival", source)
    plugins, reports = load()
    assert len(reports) == 1
    assert "commands (agno-shell" in reports[0]
    assert "rival (dist-rival 1.2)" in reports[0]
    assert plugins.commands.get("help").summary != "Mine."


def register(plugins: Plugins, name: str, **hooks: Any) -> None:
    module = ModuleType(name)
    for hook, function in hooks.items():
        function.__name__ = hook
        setattr(module, hook, hookimpl(function))
    plugins._load(name, f"dist-{name}", "1", name, lambda: module)


async def test_a_hook_that_raises_is_named_once_and_the_others_are_called() -> None:
    reports: list[str] = []
    plugins = Plugins(installed=False, report=reports.append)
    called: list[str] = []

    def bad(view: ToolbarView) -> Any:
        raise ValueError("boom")

    def generator(view: ToolbarView) -> Any:
        yield ToolbarItem("late", order=9)
        raise ValueError("halfway")

    def good(view: ToolbarView) -> Any:
        called.append(view.model)
        return [ToolbarItem("b", order=2), ToolbarItem("a", order=1)]

    register(plugins, "bad", toolbar_items=bad)
    register(plugins, "half", toolbar_items=generator)
    register(plugins, "good", toolbar_items=good)
    view = ToolbarView(SESSION, "m", None, False, 0)
    for model in ("m", "n"):
        plugins.toolbar_items(view._replace(model=model))
        await plugins.hooks.settled(5)
        texts = [item.text for item in plugins.toolbar_items(view._replace(model=model))]
        assert texts == ["a", "b"]
    assert called == ["m", "n"]
    assert len(reports) == 2
    assert "ValueError: boom" in row(plugins, "bad")["error"]


async def test_filters_see_what_the_one_before_returned() -> None:
    reports: list[str] = []
    plugins = Plugins(installed=False, report=reports.append)

    def rename(request: Request, session: Session) -> Request:
        return Request(request.model + "+" + session.name, request.messages)

    def look(request: Request) -> None:
        seen.append(request.model)

    seen: list[str] = []
    register(plugins, "one", prepare_request=rename)
    register(plugins, "three", prepare_request=look)
    register(plugins, "four", prepare_request=lambda request, session: rename(request, session))
    result = await plugins.prepare_request(SESSION, REQUEST)
    assert result.model == "m+S+S"
    assert len(seen) == 1
    assert reports == []


ASKING = Request("m", (Message("1", "user", "Hi", now()),))
EMPTY = Message("2", "user", " ", now())


@pytest.mark.parametrize(
    ("returned", "why"),
    [
        (lambda _request: 1 // 0, "ZeroDivisionError: "),
        (lambda _request: sys.exit(3), "SystemExit: 3"),
        (lambda _request: raising(KeyboardInterrupt()), "KeyboardInterrupt"),
        (lambda _request: raising(asyncio.CancelledError()), "CancelledError"),
        (lambda _request: raising(StorageError("No list of names.")), "No list of names"),
        (lambda _request: "text", "it returned str, not Request"),
        (lambda request: replace(request, messages=("x",)), "with str as a message"),
        (lambda request: replace(request, messages=(EMPTY._replace(content=None),)), "NoneType"),  # type: ignore[arg-type]
        (lambda request: replace(request, messages=(EMPTY._replace(role="me"),)), "'me' as its"),  # type: ignore[arg-type]
        (lambda request: replace(request, messages=()), "asks nothing"),
        (lambda request: replace(request, messages=(EMPTY,)), "asks nothing"),
    ],
)
async def test_a_filter_that_fails_lets_nothing_through(returned: Any, why: str) -> None:
    plugins = Plugins(installed=False)
    seen: list[Request] = []
    register(plugins, "broken", prepare_request=lambda request: returned(request))
    register(plugins, "last", prepare_request=lambda request: seen.append(request))
    for _time in range(2):  # not only the first time
        with pytest.raises(ProviderError) as caught:
            await plugins.prepare_request(SESSION, ASKING)
        assert caught.value.kind == "plugin_failed"
        assert "Nothing was sent: plugin broken (" in str(caught.value)
        assert why in str(caught.value)
        assert '[plugins] off = ["broken"]' in caught.value.hint
    assert why in row(plugins, "broken")["error"]
    assert seen == []


def raising(error: BaseException) -> None:
    raise error


async def test_a_filter_can_forbid_a_request() -> None:
    plugins = Plugins(installed=False)
    veto = UsageError("That holds a key.", hint="Take it out.")
    register(plugins, "guard", prepare_request=lambda request: raising(veto))
    with pytest.raises(ProviderError) as caught:
        await plugins.prepare_request(SESSION, ASKING)
    assert (str(caught.value), caught.value.hint) == ("That holds a key.", "Take it out.")
    assert caught.value.kind == "refused"


def test_an_unknown_name_lists_the_nearest_and_the_known() -> None:
    plugins = Plugins(installed=False)
    with pytest.raises(PluginError) as caught:
        plugins.need(plugins.storages, "jsonn")
    assert "storage called 'jsonn'" in str(caught.value)
    assert "Did you mean 'json'?" in caught.value.hint


def test_a_factory_of_an_installed_plugin_is_found_when_it_is_needed(install: Any) -> None:
    install(
        "mine",
        """
        from agno_shell import ProviderFactory, hookimpl

        @hookimpl
        def register_providers():
            return [ProviderFactory("mine", "", print)]
        """,
    )
    plugins = Plugins()
    assert "mine" not in plugins.providers
    assert plugins.need(plugins.providers, "mine").name == "mine"
    assert plugins.providers.owner("mine") == "mine"


def test_no_other_plugin_is_loaded_for_one_that_is_called_so(install: Any) -> None:
    source = """
        from agno_shell import ProviderFactory, hookimpl

        @hookimpl
        def register_providers():
            return [ProviderFactory("{}", "", print)]
        """
    install("mine", source.format("mine"))
    install("other", source.format("theirs"))
    plugins = Plugins()
    plugins.need(plugins.providers, "mine")
    assert {"plugin_mine", "plugin_other"} & set(sys.modules) == {"plugin_mine"}
    assert plugins.need(plugins.providers, "theirs").name == "theirs"
    plugins.load_installed()
    assert row(plugins, "mine")["state"] == row(plugins, "other")["state"] == "on"


def test_aliases_find_their_command() -> None:
    registry: Registry[Command] = Registry("command")
    plugins = Plugins(installed=False)
    command = Command("bye", "", lambda context, args: None, aliases=("ciao",))
    owner = plugins._records["json"]
    registry.add(command, owner)
    assert registry.by_every_name() == {"bye": command, "ciao": command}
    with pytest.raises(PluginError):
        registry.add(command._replace(name="ciao", aliases=()), owner)


def test_a_builtin_can_be_switched_off_and_says_so_when_it_is_needed() -> None:
    plugins = Plugins(off=("offline",), installed=False)
    assert row(plugins, "offline")["state"] == "off"
    with pytest.raises(PluginError, match="'offline'"):
        plugins.need(plugins.providers, "offline")


async def test_the_hooks_tell_what_has_happened() -> None:
    plugins = Plugins(installed=False)
    calls: list[tuple[str, Any]] = []
    register(
        plugins,
        "ear",
        on_shell_started=lambda context: calls.append(("on_shell_started", context)),
        on_shell_stopped=lambda context: calls.append(("on_shell_stopped", context)),
        on_session_opened=lambda session: calls.append(("on_session_opened", session.name)),
        on_turn_started=lambda request: calls.append(("on_turn_started", request.model)),
        on_message_saved=lambda message: calls.append(("on_message_saved", message.content)),
        on_turn_finished=lambda reply: calls.append(("on_turn_finished", reply.status)),
    )
    message = REQUEST.messages[0]
    plugins.shell_started(lambda plugin: f"context of {plugin}")  # type: ignore[arg-type, return-value]
    plugins.session_opened(SESSION)
    plugins.turn_started(SESSION, REQUEST)
    plugins.message_saved(SESSION, message)
    plugins.turn_finished(SESSION, message)
    plugins.shell_stopped(lambda plugin: f"context of {plugin}")  # type: ignore[arg-type, return-value]
    await plugins.hooks.settled(5)
    assert calls == [
        ("on_shell_started", "context of ear"),
        ("on_session_opened", "S"),
        ("on_turn_started", "m"),
        ("on_message_saved", "hi"),
        ("on_turn_finished", "complete"),
        ("on_shell_stopped", "context of ear"),
    ]


def test_a_provider_factory_suggests_no_model_by_default() -> None:
    assert ProviderFactory("p", "", None).default_model({"OPENAI_API_KEY": "x"}) is None  # type: ignore[arg-type]


def test_a_record_that_cannot_be_used_costs_itself_and_names_its_plugin(install: Any) -> None:
    install(
        "mixed",
        """
        from agno_shell import Command, hookimpl

        @hookimpl
        def register_commands():
            return [Command("dice", None, print), Command("coin", "Toss a coin.", print)]
        """,
    )
    plugins, reports = load()
    assert "coin" in plugins.commands
    assert "dice" not in plugins.commands
    (line,) = reports
    assert "mixed (dist-mixed 1.2)" in line
    assert "the summary of the Command 'dice' is None" in line


async def test_plugins_are_asked_in_an_order_of_their_names_and_wishes(install: Any) -> None:
    """Builtin ones, then by distribution, whatever the order in which they were found."""
    source = """
        from agno_shell import hookimpl

        @hookimpl({})
        def toolbar_items(view):
            return []
        """
    for name, wish in [("c", ""), ("z", "tryfirst=True"), ("b", ""), ("a", "trylast=True")]:
        install(name, source.format(wish))
    plugins, _reports = load()
    order = [each.plugin for each in plugins._implementations("toolbar_items")]
    assert [name for name in order if name in "abcz"] == ["z", "b", "c", "a"]


def test_a_name_belongs_to_the_first_distribution(install: Any) -> None:
    source = """
        from agno_shell import Command, hookimpl

        @hookimpl
        def register_commands():
            return [Command("dice", "{}", print)]
        """
    install("zeta", source.format("zeta"))
    install("alpha", source.format("alpha"))
    plugins, reports = load()
    assert plugins.commands.get("dice").summary == "alpha"
    (line,) = reports
    assert "alpha (dist-alpha 1.2)" in line
    assert "zeta (dist-zeta 1.2)" in line

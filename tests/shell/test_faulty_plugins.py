"""Whatever a plugin does wrong, it costs what the plugin was for, and no words."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from agno_shell import hookspecs
from agno_shell.contracts import (
    Command,
    Line,
    Renderer,
    RenderStream,
    Tool,
    ToolbarItem,
    ToolBox,
    ToolFactory,
)
from agno_shell.events import Finished, TextDelta
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.types import ToolCall, ToolSchema

SitDown = Callable[..., Any]
Register = Callable[..., None]


async def talks(seat: Any) -> None:
    """The shell still answers."""
    seat.type("still here?\r")
    await seat.sees("echo: still here?")


class MuteError(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Odder(BaseException):
    """No Exception."""


RAISED: tuple[BaseException, ...] = (
    ValueError("boom"),
    SystemExit(3),
    KeyboardInterrupt(),
    GeneratorExit(),
    asyncio.CancelledError(),
    StopIteration(),
    StopAsyncIteration(),
    MuteError(),
    Odder("odd"),
    BaseExceptionGroup("several", [KeyboardInterrupt(), ValueError()]),
)
"""What other people's code may raise, each of which has ended a shell somewhere."""

EVENT_HOOKS = (
    "on_session_opened",
    "on_shell_started",
    "on_turn_started",
    "on_message_saved",
    "on_turn_finished",
    "toolbar_items",
    "on_shell_stopped",
)

OFTEN = (KeyboardInterrupt, GeneratorExit, asyncio.CancelledError, MuteError)
"""Those that are tried in every run, because no ``except Exception`` catches them, or nobody
can print them."""

every_error = pytest.mark.parametrize(
    "error",
    [
        pytest.param(
            each,
            marks=() if isinstance(each, OFTEN) else pytest.mark.slow,
            id=type(each).__name__,
        )
        for each in RAISED
    ],
)


def raising(error: BaseException) -> Callable[..., Any]:
    def fail(**_given: Any) -> Any:
        raise error

    return fail


def hook_of(name: str, function: Callable[[], Any]) -> Callable[..., Any]:
    """A hook that takes all of its arguments."""
    given = ", ".join(inspect.signature(getattr(hookspecs, name)).parameters)
    made: Callable[..., Any] = eval(f"lambda {given}: function()", {"function": function})
    return made


class Odd(Renderer, RenderStream):
    """Renders into whatever it is given."""

    def __init__(self, lines: Any) -> None:
        self.lines = lines

    def begin(self, width: int) -> RenderStream:
        if self.lines is None:
            raise ValueError("begin")
        return self

    def feed(self, delta: str) -> list[Line]:
        result: list[Line] = self.lines
        return result

    def tail(self) -> list[Line]:
        return []

    def finish(self) -> list[Line]:
        return []


@pytest.mark.parametrize("lines", [None, ["text"], [((1, "x"),)], 7])
async def test_a_renderer_of_the_wrong_shape(sit_down: SitDown, lines: Any) -> None:
    storage = MemoryStorage()
    seat = await sit_down(storage, renderer=Odd(lines))
    await talks(seat)
    await seat.sees("The renderer Odd failed")
    await seat.until(lambda: len(storage.messages(storage.current() or "")) == 2)


async def test_a_renderer_with_a_style_that_does_not_exist(sit_down: SitDown) -> None:
    seat = await sit_down(renderer=Odd([(("no-such-style", "shown all the same"),)]))
    seat.type("hello\r")
    await seat.sees("shown all the same")


@pytest.mark.parametrize(
    "item",
    [
        ToolbarItem("a", style="nonsense"),
        ToolbarItem("a", order="left"),  # type: ignore[arg-type]
        ToolbarItem(None),  # type: ignore[arg-type]
        "text",
    ],
)
async def test_a_toolbar_item_of_the_wrong_shape(
    sit_down: SitDown, register: Register, item: Any
) -> None:
    register("bad", toolbar_items=lambda view: [item])
    await talks(await sit_down())


async def test_a_completion_that_raises(sit_down: SitDown, register: Register) -> None:
    async def complete(context: Any, argument: str) -> Any:
        raise ValueError("boom")

    command = Command(
        "zap", "x", lambda context, text: context.ui.print("zapped"), complete=complete
    )
    register("bad", register_commands=lambda: [command])
    seat = await sit_down()
    seat.type("/zap a\r")
    await seat.sees("zapped")
    assert "boom" not in seat.terminal.text()


@pytest.mark.parametrize("kind", ["function", "coroutine", "hook"])
async def test_a_plugin_that_calls_sys_exit(
    sit_down: SitDown, register: Register, kind: str
) -> None:
    def leave(*_given: Any) -> None:
        raise SystemExit(3)

    async def leave_later(*_given: Any) -> None:
        raise SystemExit(3)

    def hook(session: Any, request: Any) -> None:
        raise SystemExit(4)

    if kind == "hook":
        register("bad", on_turn_started=hook)
        seat = await sit_down()
    else:
        run = leave if kind == "function" else leave_later
        register("bad", register_commands=lambda: [Command("zap", "x", run)])
        seat = await sit_down()
        seat.type("/zap\r")
        await seat.sees("/zap failed")
    await talks(seat)


@pytest.mark.parametrize("method", ["context_window", "count_tokens"])
async def test_a_provider_whose_figures_fail(
    sit_down: SitDown, provider: ScriptedProvider, method: str
) -> None:
    async def broken(*_given: Any) -> Any:
        raise ValueError("no idea")

    storage = MemoryStorage()
    setattr(provider, method, broken)
    seat = await sit_down(storage)
    seat.shell.status.flags["trace"] = True
    seat.type("hello there\r")
    await seat.sees("could not be prepared" if method == "context_window" else "─ request")
    assert "hello failed" not in seat.terminal.text()
    await seat.until(lambda: len(storage.messages(storage.current() or "")) == 2)


async def test_a_count_that_hangs_is_stopped(
    sit_down: SitDown, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat = await sit_down()
    seat.shell.status.flags["trace"] = True

    async def hang(*_given: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(provider, "count_tokens", hang)
    seat.type("hello\r")
    await seat.sees("echo: hello")
    seat.type("\x03")
    seat.shell.status.flags["trace"] = False
    await talks(seat)


async def test_a_provider_that_closes_slowly(
    sit_down: SitDown, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = asyncio.Event()

    async def stream(request: Any) -> Any:
        yield TextDelta("some text\n")
        while not released.is_set():  # whoever cancels it, and however often
            with suppress(asyncio.CancelledError):
                await released.wait()

    monkeypatch.setattr(provider, "stream", stream)
    seat = await sit_down()
    seat.type("hello\r")
    await seat.sees("some text")
    seat.type("\x03")
    await seat.sees("stopped; what was shown is kept")
    released.set()


async def test_a_provider_that_never_waits_lets_the_keyboard_in(
    sit_down: SitDown, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stream(request: Any) -> Any:
        while True:
            yield TextDelta("x ")

    monkeypatch.setattr(provider, "stream", stream)
    seat = await sit_down()
    seat.type("hello\r")
    await seat.sees("x x x")
    seat.type("\x03")
    await seat.sees("stopped; what was shown is kept")


async def test_a_stop_before_the_request_has_begun(
    sit_down: SitDown, plugins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seats: list[Any] = []
    monkeypatch.setattr(
        plugins,
        "turn_started",
        lambda *_given: asyncio.get_running_loop().call_soon(seats[0].shell.interrupt),
    )
    seats.append(await sit_down())
    seats[0].type("hi\r")
    await seats[0].sees("stopped before any of the reply had come")


async def test_data_that_cannot_be_stored_does_not_hold_up_what_follows(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    storage = MemoryStorage()
    provider.scripts.append(["one", Finished(provider_data={"x": b"bytes"})])
    seat = await sit_down(storage)
    seat.type("first\r")
    await seat.sees("one")
    await talks(seat)
    reply = storage.messages(storage.current() or "")[1]
    assert (reply.content, dict(reply.provider_data)) == ("one", {})


async def test_a_plugin_that_loads_slowly_sees_the_first_request(
    sit_down: SitDown,
    plugins: Any,
    provider: ScriptedProvider,
    register: Register,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded = threading.Event()
    seen: list[str] = []

    def load() -> frozenset[str]:
        loaded.wait(5)
        register(
            "slow",
            prepare_request=lambda request: seen.append("request"),
            on_session_opened=lambda session: seen.append("session"),
        )
        return frozenset({"slow"})

    monkeypatch.setattr(plugins, "load_installed", load)
    seat = await sit_down()
    seat.type("hi\r")
    waits = lambda: getattr(seat.shell.work._stop, "__name__", "") == "cancel"  # noqa: E731
    await seat.until(lambda: waits() or bool(provider.requests))  # type: ignore[no-untyped-call]
    assert provider.requests == []
    loaded.set()
    await seat.sees("echo: hi")
    assert seen == ["session", "request"]


async def test_a_plugin_that_hangs_at_its_import_can_be_waited_for_no_longer(
    sit_down: SitDown, plugins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = threading.Event()
    monkeypatch.setattr(plugins, "load_installed", lambda: bool(loaded.wait(5)) and frozenset())
    seat = await sit_down()
    try:
        seat.type("/unknown\r")
        await seat.until(lambda: seat.shell.work._stop is not None)
        seat.type("\x03")
        await seat.sees("There is no command /unknown")
    finally:
        loaded.set()


# Whatever is raised, wherever ----------------------------------------------------------------


@every_error
async def test_hooks_that_raise(
    sit_down: SitDown, register: Register, plugins: Any, error: BaseException
) -> None:
    storage = MemoryStorage()
    for hook in EVENT_HOOKS:
        register(f"bad {hook}", **{hook: hook_of(hook, raising(error))})
    seat = await sit_down(storage)
    await talks(seat)
    await seat.until(lambda: len(storage.messages(storage.current() or "")) == 2)
    await seat.leaves()
    rows = {row["name"]: row["error"] for row in plugins.rows()}
    # There is no import here behind which the session would be told again.
    for hook in EVENT_HOOKS:
        assert type(error).__name__ in rows[f"bad {hook}"], hook


@every_error
async def test_a_command_that_raises(
    sit_down: SitDown, register: Register, error: BaseException
) -> None:
    async def later(*_given: Any) -> None:
        raise error

    def now(*_given: Any) -> None:
        raise error

    async def complete(*_given: Any) -> Any:
        raise error

    commands = [Command("now", "x", now, complete=complete), Command("later", "x", later)]
    register("bad", register_commands=lambda: commands)
    seat = await sit_down()
    seat.type("/now x\r")
    await seat.sees("/now failed")
    seat.type("/later\r")
    await seat.until(
        lambda: "/later failed" in seat.terminal.text() or "(stopped)" in seat.terminal.text()
    )
    await talks(seat)
    await seat.leaves()


@every_error
async def test_a_provider_that_raises(
    sit_down: SitDown,
    provider: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    async def stream(_request: Any) -> Any:
        yield TextDelta("some text\n")
        raise error

    async def fails(*_given: Any) -> Any:
        raise error

    for method in ("count_tokens", "input_price", "abilities", "start", "close"):
        monkeypatch.setattr(provider, method, fails)
    seat = await sit_down()
    with monkeypatch.context() as patch:
        patch.setattr(provider, "stream", stream)
        seat.type("hello\r")
        await seat.sees("some text")
        await seat.sees("/continue goes on")
    await talks(seat)
    await seat.leaves()


@every_error
async def test_a_storage_that_raises(
    sit_down: SitDown, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    storage = MemoryStorage()
    seat = await sit_down(storage)
    with monkeypatch.context() as patch:
        patch.setattr(storage, "append", lambda *_given: raising(error)())
        await talks(seat)
        await seat.sees("was not saved")
        await seat.until(lambda: len(seat.shell.engine.journal.unsaved) == 2)
    seat.type("again\r")
    await seat.sees("Everything that was said is saved now.")
    assert len(storage.messages(storage.current() or "")) == 4
    await seat.leaves()


@every_error
async def test_a_tool_that_raises(
    sit_down: SitDown, provider: ScriptedProvider, error: BaseException
) -> None:
    class Box(ToolBox):
        async def tools(self) -> Any:
            schema = ToolSchema("write", "Writes.", {"type": "object", "properties": {}})
            return [Tool(schema, self.run, "a test")]

        async def run(self, _arguments: Any) -> str:
            raise error

        async def close(self) -> None:
            raise error

    provider.scripts.append([ToolCall("c", "write", "{}"), Finished("tool_calls")])
    provider.scripts.append(["The end.", Finished()])
    seat = await sit_down(boxes=[ToolFactory("box", "for tests", lambda _options: Box())])
    seat.type("go\r")
    await seat.sees("The model asks to run write (a test).")
    seat.type("y\r")
    await seat.sees("The end.")
    await seat.sees("failed ·")
    await talks(seat)
    await seat.leaves()


@every_error
async def test_a_box_that_raises(sit_down: SitDown, error: BaseException) -> None:
    class Box(ToolBox):
        async def tools(self) -> Any:
            raise error

    seat = await sit_down(boxes=[ToolFactory("box", "for tests", lambda _options: Box())])
    await talks(seat)
    await seat.leaves()


@every_error
@pytest.mark.parametrize("method", ["begin", "feed", "finish"])
async def test_a_renderer_that_raises(
    sit_down: SitDown, monkeypatch: pytest.MonkeyPatch, method: str, error: BaseException
) -> None:
    renderer = Odd([])
    monkeypatch.setattr(renderer, method, lambda *_given: raising(error)())
    seat = await sit_down(renderer=renderer)
    seat.type("hello\r")
    await seat.sees("echo: hello")
    await seat.sees("The renderer Odd failed")
    await seat.leaves()


# What does not come back ---------------------------------------------------------------------


@pytest.mark.parametrize("hook", EVENT_HOOKS)
async def test_a_hook_that_hangs_is_named_and_not_called_again(
    sit_down: SitDown, register: Register, plugins: Any, hook: str
) -> None:
    released, begun = threading.Event(), []
    register("bad", **{hook: hook_of(hook, lambda: begun.append(1) or released.wait(30))})
    plugins.hooks.seconds = 0.05
    seat = await sit_down()
    try:
        await talks(seat)
        if hook != "on_shell_stopped":
            await seat.until(lambda: bool(begun))
            await asyncio.sleep(0.06)
            plugins.hooks.give_up_late()
            [row] = [each for each in plugins.rows() if each["name"] == "bad"]
            assert f"{hook}: it has not come back after" in row["error"]
        seat.type("once more\r")
        await seat.sees("echo: once more")
        await seat.leaves()
        assert len(begun) == 1
    finally:
        released.set()


async def test_a_filter_that_hangs_stops_each_request_and_can_be_stopped(
    sit_down: SitDown, register: Register, plugins: Any, provider: ScriptedProvider
) -> None:
    released = threading.Event()
    register("bad", prepare_request=lambda request: released.wait(30))
    seat = await sit_down()
    try:
        plugins.hooks.seconds = 0.05
        for number in (1, 2):
            seat.type("hello\r")
            await seat.until(
                lambda n=number: seat.terminal.text().count("Nothing was sent: plugin bad") == n
            )
        plugins.hooks.seconds = 30
        seat.type("hello\r")
        await seat.until(lambda: seat.shell.work._stop is not None)
        await asyncio.sleep(0.05)
        seat.type("\x03")
        await seat.sees("stopped before any of the reply had come")
        assert provider.requests == []
    finally:
        released.set()


async def test_a_context_is_safe_to_use_in_a_hook(sit_down: SitDown, register: Register) -> None:
    seen: dict[str, Any] = {}

    def started(context: Any) -> None:
        context.ui.print("printed by a hook")
        seen["thread"] = threading.current_thread()
        seen["name"] = context.engine.session.name
        seen["count"] = context.storage(lambda storage: len(storage.sessions())).result(5)
        with suppress(AttributeError):
            context.no_such_thing()

    register("good", on_shell_started=started)
    seat = await sit_down()
    await seat.sees("printed by a hook")
    await seat.until(lambda: "count" in seen)
    assert seen["thread"] is not threading.main_thread()
    assert seen["count"] == 1


async def test_a_renderer_that_is_slow_is_given_up(
    sit_down: SitDown, monkeypatch: pytest.MonkeyPatch, provider: ScriptedProvider
) -> None:
    monkeypatch.setattr("agno_shell.shell.rendering.SLOW_SECONDS", 0.0)
    provider.scripts.append(["one\n", "two\n", "three\n", "four\n", Finished()])
    seat = await sit_down(renderer=Odd([]))
    seat.type("hello\r")
    await seat.sees("The renderer Odd failed (PluginStuckError: it takes")
    await seat.sees("four")

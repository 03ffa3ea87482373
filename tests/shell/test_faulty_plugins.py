"""Whatever a plugin does wrong, it costs what the plugin was for, and no words."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from agno_shell.contracts import Command, Line, Renderer, RenderStream, ToolbarItem
from agno_shell.events import Finished, TextDelta
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider

SitDown = Callable[..., Any]
Register = Callable[..., None]


async def talks(seat: Any) -> None:
    """The shell still answers."""
    seat.type("still here?\r")
    await seat.sees("echo: still here?")


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

    command = Command("zap", "x", lambda context, text: context.print("zapped"), complete=complete)
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
    waits = lambda: getattr(seat.shell._stop, "__name__", "") == "cancel"  # noqa: E731
    await seat.until(lambda: waits() or bool(provider.requests))
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
        await seat.until(lambda: seat.shell._stop is not None)
        seat.type("\x03")
        await seat.sees("There is no command /unknown")
    finally:
        loaded.set()

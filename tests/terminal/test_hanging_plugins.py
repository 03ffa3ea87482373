"""Plugins that hang, each in its own way: the shell can be left all the same, by every way
out, and what was said is stored."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from agno_shell.testing.terminal import CTRL_C, CTRL_D, ENTER, Terminal

HEAD = """
import threading, time

from agno_shell import Command, Finished, Provider, ProviderFactory, TextDelta, hookimpl
from agno_shell import Renderer, RendererFactory, RenderStream, StorageFactory
from agno_shell.testing.memory_storage import MemoryStorage


class Echo(Provider):
    name = "hostile"

    async def stream(self, request):
        yield TextDelta("echo: " + request.messages[-1].content + "\\n")
        yield Finished()


@hookimpl
def register_providers():
    return [ProviderFactory("hostile", "for tests", lambda _options: Echo())]


def hang(*_given):
    while True:
        time.sleep(3600)


def spin(*_given):
    while True:
        pass


def stubborn(*_given):
    while True:
        try:
            time.sleep(3600)
        except BaseException:
            pass
"""

HOOK = "\n@hookimpl\ndef {hook}({arguments}):\n    {how}()\n"

ARGUMENTS = {
    "on_shell_started": "context",
    "on_session_opened": "session",
    "on_turn_started": "session, request",
    "on_message_saved": "session, message",
    "on_turn_finished": "session, reply",
    "toolbar_items": "view",
}

COMMAND = """
@hookimpl
def register_commands():
    return [Command("zap", "Hangs.", {how})]
"""

THREAD = """
import atexit
threading.Thread(target=hang, name="pool").start()
atexit.register(hang)
"""

CONFIG = '[provider]\nplugin = "hostile"\nmodel = "m"\n[plugins]\nseconds = {seconds}\n'

WAYS_OUT = ("ctrl-d", "SIGTERM", "SIGHUP")

HOWS = ("hang", "spin", "stubborn")


@pytest.fixture
def sit_down(
    install: Callable[[str, str], None],
    configure: Callable[[str], Path],
    start: Callable[..., Terminal],
) -> Callable[..., Terminal]:
    """A shell with a plugin of this code."""

    def begin(code: str, *, seconds: float = 60.0, more: str = "") -> Terminal:
        install("hostile", HEAD + code)
        configure(CONFIG.format(seconds=seconds) + more)
        return start()

    return begin


def leaves(terminal: Terminal, way: str) -> int:
    """Leave; the exit status. The program is gone long before the plugin comes back."""
    assert terminal.process
    before = terminal.settings()
    if way == "ctrl-d":
        terminal.type(CTRL_D)
    else:
        os.kill(terminal.process.pid, getattr(signal, way))
    status = terminal.wait()
    assert terminal.settings() != before  # the terminal is not raw any more
    return status


def said(home: Path) -> list[str]:
    """The contents of what is stored."""
    [stored] = home.rglob("messages.json")
    return [each["content"] for each in json.loads(stored.read_text())]


@pytest.mark.parametrize(("way", "how"), list(zip(WAYS_OUT, HOWS, strict=True)))
def test_hooks_that_hang(sit_down: Callable[..., Terminal], home: Path, way: str, how: str) -> None:
    """Each event hook of a plugin; in-process tests have every hook by itself."""
    terminal = sit_down(
        "".join(HOOK.format(hook=hook, arguments=ARGUMENTS[hook], how=how) for hook in ARGUMENTS)
    )
    terminal.type("hello" + ENTER)
    terminal.expect("echo: hello")
    terminal.type("still here?" + ENTER)
    terminal.expect("echo: still here?")
    leaves(terminal, way)
    assert said(home) == ["hello", "echo: hello\n", "still here?", "echo: still here?\n"]


def test_a_hook_that_hangs_is_named(sit_down: Callable[..., Terminal]) -> None:
    terminal = sit_down(
        HOOK.format(hook="on_turn_finished", arguments="reply", how="hang"), seconds=0.3
    )
    terminal.type("hello" + ENTER)
    terminal.expect("Plugin hostile (hostile 1.0) failed in on_turn_finished")
    terminal.expect("it has not come back after")


def test_a_filter_that_hangs_stops_the_request(
    sit_down: Callable[..., Terminal], home: Path
) -> None:
    code = HOOK.format(hook="prepare_request", arguments="request", how="hang")
    terminal = sit_down(code, seconds=0.3)
    terminal.type("hello" + ENTER)
    terminal.expect("Nothing was sent: plugin hostile (hostile 1.0) failed in prepare_request")
    assert not terminal.sees("echo: hello"), terminal.text()
    leaves(terminal, "ctrl-d")
    assert said(home)[0] == "hello"


@pytest.mark.parametrize("way", ["ctrl-d", "SIGTERM"])
def test_a_filter_that_hangs_can_be_left(
    sit_down: Callable[..., Terminal], home: Path, way: str
) -> None:
    code = HOOK.format(hook="prepare_request", arguments="request", how="hang")
    terminal = sit_down(code)
    terminal.type("hello" + ENTER)
    terminal.expect("m …")
    leaves(terminal, way)
    assert said(home)[0] == "hello"


def wait_for_signals(terminal: Terminal) -> None:
    """Until Ctrl-C is a signal of the terminal: the shell has noticed that it is held up."""
    import termios

    terminal.until(lambda: bool(terminal.settings()[3] & termios.ISIG))


@pytest.mark.parametrize("how", ["hang", "spin"])
def test_a_command_that_holds_up_the_keys_ends_with_ctrl_c(
    sit_down: Callable[..., Terminal], home: Path, how: str
) -> None:
    terminal = sit_down(COMMAND.format(how=how))
    terminal.type("hello" + ENTER)
    terminal.expect("echo: hello")
    terminal.type("/zap" + ENTER)
    wait_for_signals(terminal)
    terminal.type(CTRL_C)
    terminal.expect("/zap failed: PluginStuckError: it held up the keys")
    terminal.type("still here?" + ENTER)
    terminal.expect("echo: still here?")
    assert leaves(terminal, "ctrl-d") == 0
    assert said(home)[-1] == "echo: still here?\n"


def test_a_command_that_holds_up_the_keys_is_broken_off(
    sit_down: Callable[..., Terminal],
) -> None:
    terminal = sit_down(COMMAND.format(how="spin"), seconds=0.5)
    terminal.type("/zap" + ENTER)
    terminal.expect("/zap failed: PluginStuckError: it held up the keys")
    terminal.type("hello" + ENTER)
    terminal.expect("echo: hello")


@pytest.mark.parametrize("how", ["spin", "stubborn"])
def test_a_signal_ends_what_holds_up_the_keys(
    sit_down: Callable[..., Terminal], home: Path, how: str
) -> None:
    terminal = sit_down(COMMAND.format(how=how))
    terminal.type("hello" + ENTER)
    terminal.expect("echo: hello")
    terminal.type("/zap" + ENTER)
    wait_for_signals(terminal)
    assert leaves(terminal, "SIGTERM") == 128 + signal.SIGTERM
    assert said(home) == ["hello", "echo: hello\n"]


RENDERER = """
class Slow(Renderer, RenderStream):
    def begin(self, width):
        return self

    def feed(self, delta):
        {how}()

    def tail(self):
        return []

    def finish(self):
        return []


@hookimpl
def register_renderers():
    return [RendererFactory("hostile", "for tests", lambda _options: Slow())]
"""


@pytest.mark.parametrize("how", ["spin"])
def test_a_renderer_that_hangs_costs_its_colours(
    sit_down: Callable[..., Terminal], home: Path, how: str
) -> None:
    terminal = sit_down(
        RENDERER.format(how=how), seconds=0.3, more='[renderer]\nplugin = "hostile"\n'
    )
    terminal.type("hello" + ENTER)
    terminal.expect("echo: hello")
    terminal.expect("The renderer Slow failed (PluginStuckError")
    terminal.type("still here?" + ENTER)
    terminal.expect("echo: still here?")
    assert leaves(terminal, "ctrl-d") == 0
    assert said(home)[-1] == "echo: still here?\n"


STORAGE = """
class Stuck(MemoryStorage):
    def {method}(self, *given, **named):
        hang()


@hookimpl
def register_storages():
    return [StorageFactory("hostile", "for tests", lambda _options: Stuck())]
"""


@pytest.mark.parametrize("way", ["ctrl-c", "ctrl-d", "SIGTERM"])
def test_a_storage_that_hangs_in_append(sit_down: Callable[..., Terminal], way: str) -> None:
    terminal = sit_down(STORAGE.format(method="append"), more='[storage]\nplugin = "hostile"\n')
    terminal.type("hello")
    terminal.expect_screen("› hello")
    terminal.type(ENTER)
    terminal.until(lambda: "› hello" not in "\n".join(terminal.screen()))
    if way in ("ctrl-c", "ctrl-d"):
        terminal.type(CTRL_C if way == "ctrl-c" else CTRL_D)
        if way == "ctrl-c":
            terminal.expect("the storage does not answer")
            terminal.type(CTRL_D)
        terminal.expect("not in the store. Leave anyway?")
        way = "ctrl-d"
    leaves(terminal, way)
    assert terminal.sees("copy what you need from the screen")


@pytest.mark.parametrize("way", ["ctrl-d", "SIGTERM"])
def test_a_storage_that_hangs_at_the_start(
    install: Callable[[str, str], None],
    configure: Callable[[str], Path],
    start: Callable[..., Terminal],
    way: str,
) -> None:
    install("hostile", HEAD + STORAGE.format(method="current"))
    configure('[provider]\nplugin = "hostile"\nmodel = "m"\n[storage]\nplugin = "hostile"\n')
    terminal = start(prompt="")
    terminal.expect_screen("›")
    leaves(terminal, way)


def test_threads_and_exit_functions_do_not_keep_the_shell(
    sit_down: Callable[..., Terminal], home: Path
) -> None:
    terminal = sit_down(THREAD)
    terminal.type("hello" + ENTER)
    terminal.expect("echo: hello")
    assert leaves(terminal, "ctrl-d") == 0
    terminal.expect("thread 'pool'")
    terminal.expect("did not end; it was left behind")
    assert said(home) == ["hello", "echo: hello\n"]


def test_a_plugin_that_is_still_being_imported_is_named_and_can_be_left(
    install: Callable[[str, str], None],
    configure: Callable[[str], Path],
    start: Callable[..., Terminal],
) -> None:
    install("endless", "import threading\nthreading.Event().wait()\n")
    configure("[plugins]\nseconds = 0.2\n")
    terminal = start()
    terminal.expect("Plugin endless (endless 1.0) is still being imported.")
    leaves(terminal, "ctrl-d")

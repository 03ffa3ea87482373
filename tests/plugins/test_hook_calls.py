from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agno_shell.plugins.hook_calls import HookCalls, HookTimeoutError, Implementation


@pytest.fixture
def blamed() -> list[tuple[str, str, str]]:
    return []


@pytest.fixture
def calls(blamed: list[tuple[str, str, str]]) -> HookCalls:
    return HookCalls(0.05, lambda *what: blamed.append((what[0], what[1], str(what[2]))))


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Blocks its caller; opened at the end, so that no thread stays."""
    gate = threading.Event()
    yield gate
    gate.set()


def hook(name: str, function: Callable[..., Any], plugin: str = "p") -> Implementation:
    return Implementation(plugin, name, function, ())


async def test_they_run_in_order_in_one_thread_for_each_plugin(calls: HookCalls) -> None:
    seen: list[tuple[str, str]] = []

    def note(what: str) -> Callable[[], None]:
        return lambda: seen.append((what, threading.current_thread().name))

    for number in range(5):
        calls.notify(hook("notified", note(str(number))), {})
    assert await calls.ask(hook("asked", lambda: "answer"), {}) == "answer"
    calls.notify(hook("notified", note("other"), plugin="q"), {})
    await calls.settled(5)
    assert sorted(seen) == [*((str(n), "plugin p") for n in range(5)), ("other", "plugin q")]


async def test_what_is_asked_for_goes_on_without_what_hangs_before_it(
    calls: HookCalls, blamed: list[tuple[str, str, str]], gate: threading.Event
) -> None:
    calls.notify(hook("notified", lambda: gate.wait(30)), {})
    calls.notify(hook("notified", lambda: gate.wait(30)), {})
    assert await calls.ask(hook("asked", lambda: 7), {}) == 7
    assert [each[:2] for each in blamed] == [("p", "notified")]
    calls.notify(hook("notified", lambda: blamed.append(("called", "again", ""))), {})
    await calls.settled(5)
    assert len(blamed) == 1


async def test_what_is_asked_for_and_hangs_is_late_each_time(
    calls: HookCalls, blamed: list[tuple[str, str, str]], gate: threading.Event
) -> None:
    for _time in range(2):
        with pytest.raises(HookTimeoutError, match=r"did not come back within 0\.05 seconds"):
            await calls.ask(hook("asked", lambda: gate.wait(30)), {})
    assert await calls.ask(hook("asked", lambda: "back"), {}) == "back"
    assert blamed == []


async def test_the_end_waits_for_what_comes_back_and_for_nothing_else(
    calls: HookCalls, blamed: list[tuple[str, str, str]], gate: threading.Event
) -> None:
    done: list[int] = []
    calls.notify(hook("quick", lambda: done.append(1), plugin="q"), {})
    calls.notify(hook("notified", lambda: gate.wait(30)), {})
    await calls.settled(0.2)
    assert done == [1]
    assert [each[:2] for each in blamed] == [("p", "notified")]


async def test_one_that_comes_back_late_does_nothing_more(
    calls: HookCalls, blamed: list[tuple[str, str, str]], gate: threading.Event
) -> None:
    names: list[str] = []
    calls.notify(hook("notified", lambda: gate.wait(30)), {})
    await calls.settled(0.06)
    gate.set()
    calls.notify(hook("next", lambda: names.append(threading.current_thread().name)), {})
    await calls.settled(5)
    assert names == ["plugin p"]
    assert len(blamed) == 1

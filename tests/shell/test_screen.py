from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from prompt_toolkit.output import DummyOutput

from agno_shell.shell.screen import FRAME_SECONDS, Screen


class Clock:
    """Stands in for the event loop: its time passes when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0
        self.due: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, wait: float, work: Callable[[], None]) -> Any:
        entry = (self.now + wait, work)
        self.due.append(entry)
        return SimpleNamespace(cancel=lambda: entry in self.due and self.due.remove(entry))

    def work(self) -> None:
        for entry in [entry for entry in self.due if entry[0] <= self.now]:
            self.due.remove(entry)
            entry[1]()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("agno_shell.shell.screen.asyncio.get_running_loop", lambda: made)
    return made


def frames_of(screen: Screen, clock: Clock, seconds: float) -> int:
    """How many frames are drawn while something changes every millisecond."""
    application: Any = screen._application
    before = application.frames
    for _ in range(round(seconds * 1000)):
        screen.touch()
        clock.work()
        clock.now += 0.001
    return int(application.frames - before)


@pytest.fixture
def screen(clock: Clock) -> Screen:
    application: Any = SimpleNamespace(
        output=DummyOutput(), is_running=True, _running_in_terminal=False, frames=0
    )

    def invalidate() -> None:
        application.frames += 1

    application.invalidate = invalidate
    return Screen(application)


def test_the_first_frames_after_a_rest_are_drawn_at_once(screen: Screen, clock: Clock) -> None:
    assert frames_of(screen, clock, 0.003) == 3
    assert frames_of(screen, clock, 0.020) == 0


def test_what_streams_on_is_drawn_in_a_steady_rhythm(screen: Screen, clock: Clock) -> None:
    frames_of(screen, clock, 1.0)
    assert frames_of(screen, clock, 10.0) == pytest.approx(10.0 / FRAME_SECONDS, rel=0.05)


def test_after_a_rest_there_is_no_more_than_one_burst(screen: Screen, clock: Clock) -> None:
    frames_of(screen, clock, 1.0)
    clock.now += 60.0
    assert frames_of(screen, clock, 0.010) == 3


def test_what_can_wait_is_drawn_no_earlier(screen: Screen, clock: Clock) -> None:
    application: Any = screen._application
    screen.touch(0.008)
    clock.now += 0.007
    clock.work()
    assert application.frames == 0
    clock.now += 0.002
    clock.work()
    assert application.frames == 1

"""A forked process is killed, and what goes wrong in it is reported."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from agno_shell.testing.storage_contract import processes
from agno_shell.testing.storage_contract.processes import Report, forked

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")


def count(report: Report) -> None:
    for number in range(1_000_000):
        report(str(number))


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_everything_reported_before_the_kill_arrives() -> None:
    with forked(count) as child:
        first = [child.report() for _ in range(1000)]
        rest = child.kill()
    assert first + rest == [str(number) for number in range(len(first + rest))]
    assert is_gone(child._pid)


def test_it_is_killed_at_the_end_of_the_block() -> None:
    with forked(lambda _report: time.sleep(60)) as child:
        pass
    assert is_gone(child._pid)


def test_other_threads_of_the_parent_do_not_matter() -> None:
    """From Python 3.12 on such a fork is warned of, and warnings are errors here."""
    done = threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()
    try:
        with forked(count) as child:
            assert child.report() == "0"
    finally:
        done.set()
        other.join()


def test_an_error_in_it_is_reported() -> None:
    def fail(_report: Report) -> None:
        raise KeyError("the reason\nin two lines")

    with forked(fail) as child, pytest.raises(AssertionError, match=r"KeyError.*the reason"):
        child.report()
    assert is_gone(child._pid)


def test_an_assertion_of_pytest_in_it_is_reported_and_does_not_run_the_other_tests() -> None:
    with (
        forked(lambda _report: pytest.fail("inside")) as child,
        pytest.raises(AssertionError, match="inside"),
    ):
        child.report()


def test_one_that_ends_too_early_is_reported() -> None:
    with forked(lambda _report: None) as child, pytest.raises(AssertionError, match="has ended"):
        child.report()


def test_one_that_hangs_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PATIENCE", 0.01)
    with (
        forked(lambda _report: signal.pause()) as child,
        pytest.raises(AssertionError, match="hangs"),
    ):
        child.report()
    assert is_gone(child._pid)

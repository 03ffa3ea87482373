"""What was typed while a reply streams is there again, however the program ended."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from agno_shell.testing.terminal import Terminal, paste

Start = Callable[..., Terminal]

LARGE = "".join(f"pasted line {number}\n" for number in range(400)) + "end"
assert len(LARGE) > 6_000


def waiting_on_disk(home: Path) -> str:
    return "".join(path.read_text() for path in (home / "entered").glob("*.jsonl"))


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGKILL,
        signal.SIGTERM,
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),  # as SIGTERM
        pytest.param(signal.SIGQUIT, marks=pytest.mark.slow),  # as SIGKILL: nobody handles it
    ],
)
def test_what_waits_survives_any_end(
    start: Start, talker: None, home: Path, number: signal.Signals
) -> None:
    if number == signal.SIGQUIT and signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("this signal is ignored by what is started from here")
    terminal = start("--model", "half")
    terminal.type("Go\r")
    terminal.expect("The second")
    terminal.type("a second question\r")
    terminal.type(paste(LARGE) + "\r")
    terminal.expect_screen("2 waiting")
    terminal.until(lambda: "pasted line 399" in waiting_on_disk(home))

    # Another shell on the same session leaves alone what waits in this one.
    other = start("--model", "half")
    assert not other.sees("not sent")
    other.type("\x04")
    assert other.wait() == 0

    assert terminal.process
    terminal.process.send_signal(number)
    terminal.wait()
    again = start("--model", "half")
    again.expect("2 messages that were entered here but not sent are back")
    again.expect_screen("› a second question")
    again.type("\x03")
    again.expect_screen(f"› [paste 1: {len(LARGE):,} characters")
    again.until(lambda: '"done"' in waiting_on_disk(home))
    again.kill()

    once_more = start("--model", "lines")
    once_more.expect("1 message that was entered here but not sent")
    once_more.type("\r")
    once_more.expect("line 200")
    once_more.until(lambda: waiting_on_disk(home) == "")
    once_more.type("\x04")
    assert once_more.wait() == 0
    assert "pasted line 399" in next((home / "sessions").glob("*/messages.json")).read_text()
    assert list((home / "entered").iterdir()) == []

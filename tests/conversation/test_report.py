from __future__ import annotations

from agno_shell.conversation.report import Totals, metrics_line, trace_lines
from agno_shell.events import Failed, Finished, Interrupted, Request
from agno_shell.types import Message, Timing, Usage, now


def reply(usage: Usage | None = None, timing: Timing | None = None) -> Message:
    return Message("r", "assistant", "text", now(), usage=usage, timing=timing)


def test_metrics_of_a_reply() -> None:
    line = metrics_line(
        reply(Usage(1200, 100, 40, 1000, 0.00123), Timing(first_token=0.25, total=2.25))
    )
    assert line == (
        "1200 tokens in (1000 cached) · 100 out (40 reasoning) · first token 250 ms"
        " · 50 tokens/s · $0.0012"
    )


def test_what_is_not_known_is_not_made_up() -> None:
    assert metrics_line(reply()) == "The provider reported no figures."
    assert metrics_line(reply(Usage(input_tokens=5))) == "5 tokens in"
    assert metrics_line(reply(None, Timing(1.5, 1.5))) == "first token 1.5 s"


def test_totals_of_a_run() -> None:
    totals = Totals()
    assert totals.line() == ""
    totals.add(reply(Usage(10, 5)))
    assert totals.line() == "1 reply · 10 tokens in · 5 out"
    totals.add(reply())
    totals.add(reply(Usage(1, 1, cost=1.5)))
    assert totals.line() == "3 replies · 11 tokens in · 6 out · $1.50"


def test_the_trace_shows_each_message_that_was_sent() -> None:
    messages = (
        Message("s", "system", "Be brief.", now()),
        Message("u", "user", "word " * 100, now()),
    )
    request = Request("m", messages, {"temperature": 0.5}, "http://localhost:1/v1")
    lines = trace_lines(request, 3, [2, 100], reply(None, Timing(0.1, 2.0)), Finished("stop"))
    assert lines[0] == (
        "sent to m at http://localhost:1/v1: 2 messages, 102 tokens, 3 earlier left out"
    )
    assert lines[1].split() == ["1", "system", "2", "Be", "brief."]
    assert lines[2].endswith("…")
    assert lines[3:] == [
        "parameters: temperature=0.5",
        "first token after 100 ms",
        "finish reason stop after 2.0 s, stored as complete",
    ]


def test_the_trace_says_how_a_reply_ended() -> None:
    request = Request("m", ())
    last = trace_lines(request, 0, [], reply(), Failed("timeout", "Too slow."))[-1]
    assert last == "failed (timeout), stored as complete"
    assert trace_lines(request, 0, [], reply(), Interrupted())[-1].startswith("stopped by you")

"""Whatever a server does: one readable line, the right state on disk, and the next turn works."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple

import pytest

from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.contracts import Provider
from agno_shell.conversation.request.rules import BROUGHT_BACK
from agno_shell.events import NOT_SENT_AGAIN, Failed, Finished, Retrying, TextDelta, TurnEvent
from agno_shell.testing.model_faults import TERMINAL_CODES
from agno_shell.testing.model_server import ModelServer, Script
from agno_shell.testing.strict import body_problem
from agno_shell.testing.turn_events import events_of
from agno_shell.toolkit.terminal_text import clean_line

pytestmark = pytest.mark.asyncio(loop_scope="session")

Plan = Callable[[ModelServer], object]
MakeLab = Callable[..., Awaitable[Any]]

HALF = "Half a "
NOWHERE = "http://127.0.0.1:1/v1/chat/completions"
ONLY_COMMENTS = Script([{"content": HALF}], None, keep_alives=100, delay=0.02)


class Fault(NamedTuple):
    """One thing that a server does, and how a turn ends that meets it."""

    name: str
    plan: Plan
    kind: str
    """Of the failure; ``""``: the reply is finished."""
    status: str
    """Of the reply on disk."""
    words: str
    """In the line that is shown, or of a finished reply the reason that it gave."""
    text: str = ""
    """What is kept of the reply, at least its beginning."""
    temporary: bool = False

    def is_waited_for(self, provider: str) -> bool:
        """Whether it is over when a limit is."""
        seen = SEEN_EARLIER.get((provider, self.name), self)
        return seen.kind == "timeout" and not seen.temporary


def broken(name: str, plan: Plan, words: str = "broke", *, temporary: bool = True) -> Fault:
    """Half a reply comes, and no more."""
    return Fault(name, plan, "server", "incomplete", words, HALF, temporary)


def nothing(name: str, plan: Plan, kind: str, words: str, *, temporary: bool = False) -> Fault:
    """Nothing of the reply comes."""
    return Fault(name, plan, kind, "failed", words, "", temporary)


def whole(name: str, plan: Plan, text: str) -> Fault:
    """It looks like a fault, and all of the reply is there."""
    return Fault(name, plan, "", "complete", "stop", text)


def finished(name: str, plan: Plan, reason: str) -> Fault:
    return Fault(name, plan, "", "incomplete", reason, HALF)


FAULTS = [
    # The connection
    broken("drop", lambda s: s.drop([HALF])),
    broken("reset", lambda s: s.reset([HALF])),
    nothing("reset at once", lambda s: s.reset(()), "server", "broke before", temporary=True),
    nothing(
        "closed at once", lambda s: s.close_at_once(), "server", "broke before", temporary=True
    ),
    nothing("stalled headers", lambda s: s.silence(), "timeout", "did not begin to answer"),
    nothing("stall before a token", lambda s: s.stall(), "timeout", "did not begin to answer"),
    nothing("only comments", lambda s: s.keep_alives(200, 0.02), "timeout", "did not begin"),
    Fault(
        "stall in the middle",
        lambda s: s.stall([HALF]),
        *("timeout", "incomplete", "sent nothing for 1 second", HALF),
    ),
    Fault(
        "comments in the middle",
        lambda s: s.script(ONLY_COMMENTS),
        *("timeout", "incomplete", "sent nothing for 1 second", HALF),
    ),
    Fault(
        "a drip without an end",
        lambda s: s.endless("drip ", delay=0.05),
        *("timeout", "incomplete", "took longer than 3 seconds", "drip drip "),
    ),
    nothing(
        "redirect", lambda s: s.redirect(NOWHERE), "wrong_address", "redirects elsewhere (307)"
    ),
    # HTTP
    Fault(
        "chunks broken",
        lambda s: s.broken_chunks([HALF]),
        *("timeout", "incomplete", "The reply was cut off", HALF),
    ),
    broken("body too short", lambda s: s.wrong_length([HALF])),
    nothing("no gzip", lambda s: s.no_gzip(), "server", "no model reply"),
    nothing("web page with 200", lambda s: s.html(200), "wrong_address", "it sent text/html"),
    nothing("web page with 503", lambda s: s.html(503), "server", "a web page", temporary=True),
    nothing("400", lambda s: s.status(400, "No such field."), "refused", "No such field."),
    nothing("401", lambda s: s.status(401), "authentication", "the key in LAB_SERVER_KEY"),
    nothing("402", lambda s: s.status(402, "Pay."), "rate_limited", "no credit left"),
    nothing(
        "403", lambda s: s.status(403, "Not yours."), "authentication", "not allow this (403): Not"
    ),
    nothing("404", lambda s: s.status(404, "No such model."), "unknown_model", "test-model"),
    nothing("a filter's 403", lambda s: s.status(403, "Input flagged."), "refused", "flagged"),
    nothing("404 of a page", lambda s: s.html(404), "wrong_address", "no such page"),
    nothing("408", lambda s: s.status(408), "timeout", "too long (408)", temporary=True),
    nothing("413", lambda s: s.status(413, "Too large."), "overflow", "/compact"),
    nothing("overflow", lambda s: s.overflow(), "overflow", "/compact"),
    nothing(
        "429 with Retry-After",
        lambda s: s.status(429, "Slow down.", {"Retry-After": "7"}),
        *("rate_limited", "wait 7 seconds"),
        temporary=True,
    ),
    nothing("429", lambda s: s.status(429, "Slow."), "rate_limited", "(429): Slow", temporary=True),
    nothing(
        "429 without credit",
        lambda s: s.status(429, "Exceeded.", code="insufficient_quota"),
        *("rate_limited", "no credit left"),
    ),
    nothing("500", lambda s: s.status(500, "Oops."), "server", "(500): Oops.", temporary=True),
    nothing("501", lambda s: s.status(501, "Never."), "server", "(501): Never."),
    nothing("502", lambda s: s.html(502), "server", "(502)", temporary=True),
    nothing("504", lambda s: s.html(504), "timeout", "(504)", temporary=True),
    nothing("529", lambda s: s.status(529, "Busy."), "server", "(529): Busy.", temporary=True),
    # What stands in errors
    nothing("escape codes", lambda s: s.status(400, TERMINAL_CODES), "refused", "␛]0;title␇"),
    nothing("the key in an error", lambda s: s.echo_key(), "refused", "[hidden key]"),
    nothing("the key in a 401", lambda s: s.echo_key(401), "authentication", "LAB_SERVER_KEY"),
    nothing("a long error", lambda s: s.status(400, "word " * 9000), "refused", "word word"),
    nothing("an endless error", lambda s: s.endless_error(), "server", "(500)", temporary=True),
    # The stream
    broken(
        "clean end",
        lambda s: s.end_without_finish([HALF]),
        "without saying that it is complete",
        temporary=False,
    ),
    nothing(
        "clean end at once",
        lambda s: s.end_without_finish(()),
        *("server", "sent an empty reply"),
        temporary=True,
    ),
    nothing("empty reply", lambda s: s.empty(), "server", "sent an empty reply"),
    nothing("garbage", lambda s: s.garbage(), "server", "no model reply"),
    broken("garbage later", lambda s: s.garbage([HALF]), "no model reply", temporary=False),
    nothing("bytes", lambda s: s.stream(b"\xff\xfe\0\x81\n\n"), "server", "no model reply"),
    nothing(
        "error event", lambda s: s.error_event(), "server", "model is overloaded", temporary=True
    ),
    broken("error event later", lambda s: s.error_event("Gone.", [HALF]), "Gone."),
    nothing(
        "429 as an event",
        lambda s: s.error_event("Slow.", code="rate_limit_exceeded"),
        *("rate_limited", "Slow."),
        temporary=True,
    ),
    whole("finished twice", lambda s: s.finish_twice(HALF), HALF),
    nothing("half a tool call", lambda s: s.cut_tool_call(), "server", "cut off"),
    finished(
        "content filter", lambda s: s.reply([HALF], finish="content_filter"), "content_filter"
    ),
    finished("length", lambda s: s.reply([HALF], finish="length"), "length"),
    nothing("withheld", lambda s: s.reply([], finish="content_filter"), "refused", "filter"),
    nothing("no room to speak", lambda s: s.reply([], finish="length"), "other", "token limit"),
    # Text
    whole("UTF-8 in single bytes", lambda s: s.split_utf8("Grüße, 世界! 🎉"), "Grüße, 世界! 🎉"),
    nothing("invalid UTF-8", lambda s: s.invalid_utf8(), "server", "no model reply"),
    whole("lone surrogate", lambda s: s.lone_surrogate("A \ud83d B"), "A \ud83d B"),
    # Too much
    Fault(
        "endless",
        lambda s: s.endless("and so on " * 500),
        *("other", "incomplete", "longer than 100,000 bytes", "and so on and "),
    ),
    Fault(
        "100 MB",
        lambda s: s.huge(100_000_000),
        *("other", "incomplete", "longer than 100,000 bytes", "xxx"),
    ),
    nothing("100 MB in one line", lambda s: s.huge_line(100_000_000), "other", "a line of more"),
]

SEEN_EARLIER = {
    # litellm's client waits for the rest of a chunk that has no size.
    ("direct", "chunks broken"): broken("chunks broken", lambda s: s.broken_chunks([HALF])),
}
"""Faults that a provider sees for what they are, where the other one waits for its limit."""


def ending(events: list[TurnEvent]) -> Failed | Finished:
    (found,) = (event for event in events if isinstance(event, Failed | Finished))
    return found


def check_line(line: str, key: str) -> None:
    """Nothing in a line acts on a terminal, betrays a key, or is for programmers only."""
    assert line == clean_line(line, 400), "nothing is left to be made visible"
    assert line.isprintable()
    assert len(line.removesuffix(BROUGHT_BACK)) <= 300
    assert key not in line
    assert key[-12:] not in line
    assert "Traceback" not in line
    assert "litellm." not in line


def check_request(body: dict[str, Any]) -> None:
    """What the strictest server asks of what it is sent."""
    assert body_problem(body) == ""
    for message in body["messages"]:
        assert "tool_calls" not in message, "no call is without its result"
        message["content"].encode("utf-8")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_a_fault_is_one_line_and_the_next_turn_works(
    make_lab: MakeLab, key: str, fault: Fault, provider: Provider
) -> None:
    lab = await make_lab()
    fault = SEEN_EARLIER.get((provider.name, fault.name), fault)
    fault.plan(lab.server)
    events = await lab.say("Hello")
    end = ending(events)
    assert len(lab.server.requests) == 1, "nothing is tried again behind the turn's back"

    if isinstance(end, Failed):
        check_line(end.sentence(), key)
        assert (end.kind, end.temporary) == (fault.kind, fault.temporary)
        assert end.hint, "there is a next step"
        assert fault.words in end.sentence()
        if fault.is_waited_for(provider.name):
            assert re.search("first_token|between_tokens|whole_reply", end.hint)
    else:
        assert (end.reason, "") == (fault.words, fault.kind)

    question, reply = lab.stored()
    assert (question["content"], question["status"]) == ("Hello", "complete")
    assert reply["status"] == fault.status
    assert reply["content"].startswith(fault.text)
    assert bool(reply["content"]) == bool(fault.text)
    shown = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert reply["content"] == shown, "what was shown is kept, and nothing else"

    lab.server.forget()
    assert isinstance(ending(await lab.say("Once more")), Finished)
    (request,) = lab.server.requests
    check_request(request.body)
    # A question that nobody has answered goes along, but for one that was refused.
    is_unanswered = not reply["content"] and fault.kind not in NOT_SENT_AGAIN
    asked = "Hello\n\nOnce more" if is_unanswered else "Once more"
    assert request.body["messages"][-1]["content"] == asked
    assert lab.stored()[-1]["status"] == "complete"
    assert lab.stored()[-1]["content"].startswith(f"You said: {asked}")


async def test_there_are_enough_faults_and_each_has_its_name() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 25


@pytest.fixture
def elsewhere() -> Iterator[ModelServer]:
    with ModelServer() as other:
        yield other


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_brings_nothing_to_the_other_host(
    make_lab: MakeLab, elsewhere: ModelServer, status: int
) -> None:
    lab = await make_lab()
    lab.server.redirect(f"{elsewhere.base_url}/chat/completions", status)
    assert isinstance(ending(await lab.say("Hello")), Failed)
    assert elsewhere.requests == []


TEMPORARY = [fault for fault in FAULTS if fault.temporary]


@pytest.mark.parametrize("fault", TEMPORARY, ids=lambda fault: fault.name)
async def test_what_is_temporary_is_tried_again_unless_something_had_come(
    make_lab: MakeLab, fault: Fault
) -> None:
    lab = await make_lab({"provider.limits.tries": 3})
    fault.plan(lab.server)
    events = await lab.say("Hello")
    tried_again = [event for event in events if isinstance(event, Retrying)]
    if fault.text:
        assert tried_again == []
        assert isinstance(ending(events), Failed)
    else:
        assert [event.attempt for event in tried_again] == [2]
        assert isinstance(ending(events), Finished)
        assert len(lab.server.requests) == 2
        assert [message["status"] for message in lab.stored()] == ["complete", "complete"]


async def test_three_tries_are_all(make_lab: MakeLab) -> None:
    lab = await make_lab({"provider.limits.tries": 3})
    for _ in range(9):
        lab.server.status(503, "Down.")
    events = await lab.say("Hello")
    assert isinstance(ending(events), Failed)
    assert len(lab.server.requests) == 3


async def test_what_a_busy_server_asks_for_is_waited_for(make_lab: MakeLab) -> None:
    lab = await make_lab({"provider.limits.tries": 3})
    lab.server.status(429, "Slow.", {"Retry-After": "7"})
    (retrying,) = (e for e in await lab.say("Hello") if isinstance(e, Retrying))
    assert retrying.seconds == 7.0
    lab.server.status(429, "Slow.", {"Retry-After": "3600"})
    end = ending(await lab.say("Again"))
    assert isinstance(end, Failed)
    assert "wait 3600 seconds" in end.message


async def test_what_the_model_says_is_kept_as_it_is_even_a_key(make_lab: MakeLab, key: str) -> None:
    lab = await make_lab()
    lab.server.reply(f"Your key is {key}.")
    await lab.say("What is my key?")
    assert lab.stored()[-1]["content"] == f"Your key is {key}."


@pytest.mark.parametrize("provider", ["litellm"], indirect=True)
async def test_a_model_process_that_is_killed_costs_the_rest_of_the_reply(
    make_lab: MakeLab, litellm: LitellmProvider
) -> None:
    lab = await make_lab()
    lab.server.stall([HALF])

    def watch(event: TurnEvent) -> None:
        if isinstance(event, TextDelta):
            assert litellm.pid is not None
            os.kill(litellm.pid, signal.SIGKILL)

    events = await events_of(lab.engine.turn("Hello"), watch)
    end = ending(events)
    assert isinstance(end, Failed)
    assert end.kind == "provider_died"
    reply = lab.stored()[-1]
    assert (reply["content"], reply["status"]) == (HALF, "incomplete")

    assert isinstance(ending(await lab.say("Once more")), Finished)
    check_request(lab.server.requests[-1].body)

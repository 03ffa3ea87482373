"""Whatever goes wrong is one readable line of the right kind, without a key in it. What is over
when a limit is, and a whole turn after each, are in ``tests/faults``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.events import FAILURES, Event, Failed, TextDelta
from agno_shell.testing.model_server import ModelServer

Ask = Callable[..., Awaitable[list[Event]]]
Plan = Callable[[ModelServer], object]

pytestmark = pytest.mark.asyncio(loop_scope="session")

FAULTS: dict[str, tuple[Plan, str, str]] = {
    "wrong key": (lambda s: s.status(401, "Bad key: sk-fake-0000-abc"), "authentication", "a key"),
    "not allowed": (lambda s: s.status(403, "Not for you."), "authentication", "Not for you."),
    "unknown model": (
        lambda s: s.status(404, "The model does not exist."),
        "unknown_model",
        "test-model",
    ),
    "wrong address": (lambda s: s.html(404), "wrong_address", "no such page"),
    "too much": (lambda s: s.status(413, "Request too large."), "overflow", "longer than"),
    "overflow": (lambda s: s.overflow(), "overflow", "longer than"),
    "rate limit": (
        lambda s: s.status(429, "Slow down.", {"Retry-After": "7"}),
        "rate_limited",
        "wait 7 seconds",
    ),
    "bad request": (lambda s: s.status(400, "No such field."), "refused", "No such field."),
    "server error": (lambda s: s.status(500, "Oops."), "server", "(500): Oops."),
    "overloaded": (lambda s: s.status(529, "Busy."), "server", "(529)"),
    "page with 503": (lambda s: s.html(503), "server", "a web page"),
    "page with 200": (lambda s: s.html(200), "wrong_address", "text/html"),
    "garbage": (lambda s: s.garbage(), "server", "no model reply"),
    "empty reply": (lambda s: s.empty(), "server", "an empty reply"),
    "empty stream": (lambda s: s.end_without_finish(()), "server", "an empty reply"),
    "withheld": (lambda s: s.reply([], finish="content_filter"), "refused", "content filter"),
    "out of tokens": (lambda s: s.reply([], finish="length"), "other", "token limit"),
    "redirect 302": (lambda s: s.redirect("http://127.0.0.1:1/", 302), "wrong_address", "redirect"),
}


def only_failure(events: list[Event]) -> Failed:
    (failed,) = events
    assert isinstance(failed, Failed)
    return failed


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_one_line_of_its_kind(ask: Ask, server: ModelServer, name: str) -> None:
    plan, kind, words = FAULTS[name]
    plan(server)
    failed = only_failure(await ask())
    assert failed.kind == kind
    assert words in failed.message
    assert failed.hint, "there is a next step"
    assert kind in FAILURES
    assert "\n" not in failed.sentence()
    assert len(failed.message) <= 300
    assert "sk-fake" not in failed.sentence()
    assert "Traceback" not in failed.sentence()
    assert len(server.requests) == 1, "nothing is retried behind the back of the shell"


@pytest.mark.parametrize(
    ("plan", "kind", "words"),
    [
        (lambda s: s.drop(["Half "]), "server", "broke"),
        (lambda s: s.end_without_finish(["Half "]), "server", "without saying"),
    ],
    ids=["drop", "end without finish"],
)
async def test_a_reply_that_breaks_off_keeps_its_text_and_is_not_complete(
    ask: Ask, server: ModelServer, keyed: LitellmProvider, plan: Plan, kind: str, words: str
) -> None:
    plan(server)
    text, failed = await ask(provider=keyed)
    assert text == TextDelta("Half ")
    assert isinstance(failed, Failed)
    assert failed.kind == kind
    assert "cut off" in failed.message
    assert words in failed.message


async def test_a_server_that_is_down_is_named_with_its_port(ask: Ask) -> None:
    failed = only_failure(await ask(api_base="http://127.0.0.1:9/v1"))
    assert failed.kind == "unreachable"
    assert "127.0.0.1:9" in failed.message
    assert "refused" in failed.message


async def test_a_reply_that_is_too_long_is_cut_off(ask: Ask, server: ModelServer) -> None:
    server.reply(["x" * 30_000] * 20)
    events = await ask()
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert 100_000 < len(text) <= 160_000
    failed = events[-1]
    assert isinstance(failed, Failed)
    assert "longer than 100,000 bytes" in failed.message
    assert "reply_bytes" in failed.hint


async def test_a_missing_key_is_known_before_anything_is_sent(ask: Ask) -> None:
    failed = only_failure(await ask(model="groq/openai/gpt-oss-120b", api_base=None))
    assert failed.kind == "authentication"
    assert "GROQ_API_KEY is not set" in failed.message


async def test_a_blank_key_is_a_missing_key(ask: Ask) -> None:
    failed = only_failure(await ask(model="mistral/mistral-small-latest", api_base=None))
    assert "MISTRAL_API_KEY is not set" in failed.message


@pytest.mark.parametrize("api_base", ["ftp://127.0.0.1/", "not an address", "http://", "http://[/"])
async def test_an_address_that_is_none_is_refused(ask: Ask, api_base: str) -> None:
    failed = only_failure(await ask(api_base=api_base))
    assert failed.kind == "not_sent"
    assert "cannot be used" in failed.message


@pytest.mark.parametrize("name", ["api_base", "api_key", "num_retries", "extra_headers"])
async def test_parameters_cannot_say_where_a_request_goes(
    ask: Ask, server: ModelServer, name: str
) -> None:
    failed = only_failure(await ask(parameters={name: "http://127.0.0.1:9/"}))
    assert failed.kind == "not_sent"
    assert name in failed.message
    assert server.requests == []


async def test_a_parameter_that_the_model_does_not_know_is_dropped(
    ask: Ask, server: ModelServer
) -> None:
    events = await ask(model="openai/o3-mini", parameters={"temperature": 0.5})
    assert not isinstance(events[-1], Failed)
    assert "temperature" not in server.requests[0].body

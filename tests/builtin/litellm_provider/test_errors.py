"""Errors that a test server does not easily make: certificates, names, other libraries."""

from __future__ import annotations

import email.utils
import socket
import ssl
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import httpx
import pytest

from agno_shell.builtin.litellm_provider.destination import Destination
from agno_shell.builtin.litellm_provider.errors import LONGEST, causes, explain, one_line
from agno_shell.builtin.litellm_provider.http_guard import NotSentError
from agno_shell.builtin.litellm_provider.redact import Redactor
from agno_shell.events import Failed

SERVICE = Destination("anthropic/claude", "anthropic", "ANTHROPIC_API_KEY")
OWN = Destination("openai/x", "10.0.0.1:8000", None, "http://10.0.0.1:8000/v1", "no-key")


def explained(error: BaseException, goal: Destination = SERVICE) -> Failed:
    return explain(error, goal, "claude", lambda name: f"Did you mean {name}-2?", str)


def chained(*errors: BaseException) -> BaseException:
    """The first error, each one caused by the next."""
    for outer, inner in pairwise(errors):
        outer.__cause__ = inner
    return errors[0]


class ServiceError(Exception):
    """As litellm's own clients raise it: a status, and the body in the text."""

    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(message)
        self.status_code = status_code


def test_the_servers_own_words_are_found_in_an_errors_text() -> None:
    body = '{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}'
    failed = explained(
        ServiceError(529, f"litellm.InternalServerError: AnthropicException - {body}")
    )
    assert failed.kind == "server"
    assert failed.message == "anthropic had an error of its own (529): Overloaded"


def test_a_refused_key_names_its_variable() -> None:
    failed = explained(ServiceError(401, "invalid x-api-key"))
    assert failed.kind == "authentication"
    assert failed.message == "anthropic did not accept the key in ANTHROPIC_API_KEY (401)."


def test_a_model_that_the_service_does_not_know_brings_near_names() -> None:
    failed = explained(ServiceError(404, "model: claude"))
    assert (failed.kind, failed.hint) == ("unknown_model", "Did you mean claude-2?")


def test_a_prompt_that_is_too_long_is_recognised_by_its_words() -> None:
    failed = explained(ServiceError(400, "prompt is too long: 210000 tokens > 200000 maximum"))
    assert failed.kind == "overflow"


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        (ssl.SSLCertVerificationError("self-signed"), "certificate"),
        (socket.gaierror(-2, "Name or service not known"), "no such host"),
        (httpx.ConnectTimeout("slow"), "did not respond in time"),
        (ConnectionRefusedError(111, "refused"), "refused"),
    ],
)
def test_no_connection_is_explained_by_its_innermost_cause(
    inner: BaseException, words: str
) -> None:
    request = httpx.Request("POST", "http://10.0.0.1:8000/v1")
    connect = httpx.ConnectError("All attempts failed", request=request)
    failed = explained(chained(RuntimeError("InternalServerError"), connect, inner), OWN)
    assert failed.kind == "unreachable"
    assert "10.0.0.1:8000" in failed.message
    assert words in failed.message


def test_what_the_gate_stopped_is_said_in_its_words() -> None:
    failed = explained(chained(RuntimeError("x"), NotSentError("A key was not sent to x.")), OWN)
    assert (failed.kind, failed.message) == ("refused", "A key was not sent to x.")


def test_anything_else_is_still_one_short_line() -> None:
    failed = explained(RuntimeError("litellm.APIError: APIError: x\n" + "Traceback\n" * 100))
    assert failed.kind == "other"
    assert failed.message == "claude could not answer: x"
    long = explained(ServiceError(400, "word " * 500))
    assert len(long.message) <= LONGEST
    assert "\n" not in long.message


def test_every_cause_is_seen_once_even_in_a_circle() -> None:
    one, two = ValueError("1"), ValueError("2")
    one.__cause__, two.__context__ = two, one
    assert list(causes(one)) == [one, two]


def test_one_line_marks_what_it_cut() -> None:
    assert one_line("a\n  b\tc", 10) == "a b c"
    assert one_line("abcdef", 4) == "abc…"


def test_a_key_is_hidden_before_the_text_is_cut() -> None:
    text = "x" * 145 + " fake-key-0000-0000"
    error = ServiceError(400, text)
    hide = Redactor(["fake-key-0000-0000"]).redact
    failed = explain(error, SERVICE, "claude", str, hide)
    assert "fake" not in failed.sentence()


def test_a_status_that_litellm_made_up_does_not_hide_a_refused_connection() -> None:
    request = httpx.Request("POST", "http://localhost:11434/api/chat")
    connect = httpx.ConnectError("Cannot connect ssl:<object at 0x7f>", request=request)
    failed = explained(chained(ServiceError(500, "x"), connect, ConnectionRefusedError()))
    assert failed.kind == "unreachable"
    assert failed.message == "No connection to localhost:11434: it was refused."
    assert failed.hint.startswith("Start the model server there")


def test_a_library_that_finds_no_key_is_a_missing_key() -> None:
    failed = explained(ServiceError(500, "AzureException - Missing credentials. Please pass one"))
    assert (failed.kind, failed.message) == ("authentication", "No key for anthropic is set.")


def test_a_date_to_wait_for_is_said_in_seconds() -> None:
    request = httpx.Request("POST", "https://example.org/")
    until = email.utils.format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    for after, words in ((until, "seconds"), ("soon", "(429): "), ("7", "wait 7 seconds")):
        response = httpx.Response(429, headers={"Retry-After": after}, request=request)
        failed = explained(httpx.HTTPStatusError("slow", request=request, response=response))
        assert words in failed.message
        assert ("asks to wait" in failed.message) == (after != "soon")

"""Errors that a test server does not easily make: certificates, names, other libraries."""

from __future__ import annotations

import email.utils
import socket
import ssl
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import MappingProxyType

import httpx
import pytest

from agno_shell.builtin.litellm_provider.errors import cut_off, explain
from agno_shell.builtin.litellm_provider.http_guard import NotSentError
from agno_shell.builtin.model_services.causes import causes
from agno_shell.builtin.model_services.destination import Destination
from agno_shell.builtin.model_services.failures import (
    LONGEST,
    FailureContext,
    as_failed,
    one_line,
    retry_after,
)
from agno_shell.builtin.model_services.redact import Redactor
from agno_shell.events import Failed

SERVICE = Destination("anthropic/claude", "anthropic", "ANTHROPIC_API_KEY")
OWN = Destination("openai/x", "10.0.0.1:8000", None, "http://10.0.0.1:8000/v1", "no-key")


def explained(error: BaseException, goal: Destination = SERVICE) -> Failed:
    return explain(
        error, FailureContext(goal, "claude", False, str, lambda name: f"Did you mean {name}-2?")
    )


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
    assert failed.message == "anthropic had an error of its own (529): Overloaded."


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
    failed = explained(
        chained(
            RuntimeError("x"),
            NotSentError("A key was not sent to x.", "Check [provider] api_base."),
        ),
        OWN,
    )
    assert (failed.kind, failed.message) == ("not_sent", "A key was not sent to x.")


def test_a_hint_never_runs_into_the_servers_words() -> None:
    bare = explained(RuntimeError("it broke"))
    whole = explained(RuntimeError("It broke."))
    assert bare.message.endswith("it broke.")
    assert whole.message.endswith("It broke.")
    assert not whole.message.endswith("..")


def test_anything_else_is_still_one_short_line() -> None:
    failed = explained(RuntimeError("litellm.APIError: APIError: x\n" + "Traceback\n" * 100))
    assert failed.kind == "other"
    assert failed.message == "claude could not answer: x."
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
    failed = explain(error, FailureContext(SERVICE, "claude", False, hide))
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


def refused(status: int, headers: dict[str, str] | None = None) -> httpx.HTTPStatusError:
    request = httpx.Request("POST", "https://example.org/")
    response = httpx.Response(status, headers=headers, request=request)
    return httpx.HTTPStatusError("It did not work.", request=request, response=response)


def in_an_hour(form: str = "") -> str:
    moment = datetime.now(UTC) + timedelta(hours=1)
    return moment.strftime(form) if form else email.utils.format_datetime(moment, usegmt=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "2", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "2", "retry-after-ms": "soon"}, 2.0),
        ({"retry-after": "Mon, 05 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"retry-after": "9" * 12}, 366 * 24 * 3600.0),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait_is_read_from_the_headers(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers) == seconds


def test_a_date_to_wait_for_becomes_seconds() -> None:
    seconds = retry_after({"retry-after": in_an_hour()})
    assert seconds is not None
    assert 3500 < seconds <= 3600
    without_zone = retry_after({"retry-after": in_an_hour("%a, %d %b %Y %H:%M:%S")})
    assert without_zone is None


def test_a_busy_server_is_asked_again_when_it_says() -> None:
    failed = explained(refused(429, {"Retry-After": "7"}))
    assert (failed.kind, failed.temporary, failed.retry_after) == ("rate_limited", True, 7.0)
    assert "it asks to wait 7 seconds" in failed.message
    assert explained(refused(429)).retry_after is None
    assert "asks to wait" not in explained(refused(429)).message
    assert "asks to wait" not in explained(refused(429, {"Retry-After": "0"})).message
    assert explained(refused(503, {"Retry-After": "1"})).retry_after == 1.0


@pytest.mark.parametrize(
    ("status", "temporary"),
    [
        *((status, True) for status in (408, 429, 500, 502, 503, 504, 520, 529)),
        *((status, False) for status in (307, 400, 401, 402, 403, 404, 413, 422, 501, 505)),
    ],
)
def test_only_what_may_pass_is_temporary(status: int, temporary: bool) -> None:
    failed = explained(refused(status))
    assert failed.temporary is temporary
    assert str(status) in failed.message or failed.kind == "overflow"


@pytest.mark.parametrize(
    ("inner", "temporary"),
    [
        (ConnectionRefusedError(111, "refused"), True),
        (ConnectionResetError(104, "reset"), True),
        (httpx.ConnectTimeout("slow"), True),
        (httpx.ReadTimeout("slow"), False),
        (socket.gaierror(socket.EAI_AGAIN, "no network"), True),
        (socket.gaierror(socket.EAI_NONAME, "no such name"), False),
        (ssl.SSLCertVerificationError("self-signed"), False),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), False),
    ],
)
def test_a_lost_connection_is_temporary_and_a_wrong_address_is_not(
    inner: BaseException, temporary: bool
) -> None:
    failed = explained(chained(RuntimeError("InternalServerError"), inner), OWN)
    assert failed.temporary is temporary
    assert failed.kind in ("unreachable", "server", "timeout")


def test_where_something_had_come_one_can_go_on_from_there() -> None:
    error = chained(RuntimeError("x"), httpx.ReadError("broke"))
    assert explain(error, FailureContext(OWN, "m", False, str)).hint == "/retry asks again."
    later = explain(error, FailureContext(OWN, "m", True, str))
    assert later.hint == "/continue goes on from there, /retry asks again."
    assert later.message.startswith("The reply was cut off")


def test_a_conversation_that_is_too_long_can_be_summed_up() -> None:
    assert "/compact" in explained(ServiceError(400, "prompt is too long: 2 > 1")).hint
    body = '{"error": {"message": "No.", "code": "context_length_exceeded"}}'
    assert explained(ServiceError(400, body)).kind == "overflow"


def test_an_answer_in_one_piece_is_not_asked_for_again() -> None:
    class Wrapper:
        _response_headers = MappingProxyType({"content-type": "application/json"})

    failed = as_failed(cut_off(OWN, Wrapper(), anything=False))
    assert "in one piece" in failed.message
    assert "direct" in failed.hint
    assert not failed.temporary, "each try is a whole answer that somebody pays for"
    assert cut_off(OWN, Wrapper(), anything=True).kind == "server"


def test_no_credit_is_not_waited_for() -> None:
    body = '{"error": {"message": "No.", "code": "insufficient_quota"}}'
    failed = explained(ServiceError(429, body))
    assert (failed.kind, failed.temporary) == ("rate_limited", False)
    assert "no credit left" in failed.message


@pytest.mark.parametrize("status", [400, 403])
def test_a_key_that_is_called_invalid_is_a_wrong_key_whatever_the_status(status: int) -> None:
    failed = explained(ServiceError(status, "API key not valid. Please pass a valid API key."))
    assert failed.kind == "authentication"
    assert "ANTHROPIC_API_KEY" in failed.message


def test_what_may_not_be_done_names_the_key() -> None:
    failed = explained(ServiceError(403, "Your plan does not include this model."))
    assert failed.message.startswith("anthropic does not allow this (403): Your plan")
    assert "ANTHROPIC_API_KEY" in failed.hint


def test_nothing_in_a_sentence_acts_on_a_terminal() -> None:
    failed = explained(ServiceError(400, "\x1b]0;title\x07 \x9b5n\r\u202e\u200b done"))
    assert failed.sentence().isprintable()
    assert "done" in failed.message


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"error": "no such engine"}', "no such engine"),
        ('{"detail": "no such engine"}', "no such engine"),
        ('{"error": {"message": "no such engine"}}', "no such engine"),
        ("<!DOCTYPE html><html>x</html>", "it sent a web page"),
        ("{not json", "Error code: 503"),
        ("", "Error code: 503"),
    ],
)
def test_what_a_client_library_leaves_out_of_its_error_is_in_the_response(
    body: str, said: str
) -> None:
    request = httpx.Request("POST", "http://127.0.0.1:1/v1")
    response = httpx.Response(503, text=body, request=request)
    error = httpx.HTTPStatusError("Error code: 503", request=request, response=response)
    assert said in explained(error, OWN).message


def test_a_stream_that_litellm_itself_finds_without_an_end_is_cut_off() -> None:
    error = RuntimeError("Stream ended before a finish_reason was received.")
    failed = explain(error, FailureContext(OWN, "x", True, str))
    assert failed.kind == "server"
    assert "ended it without saying that it is complete" in failed.message

"""Whatever litellm raises, as one sentence with a next step.

Whether it is worth while to ask again is said with it (``Failed.temporary``): yes for what
is busy, down or lost on its way; no for what the same request would meet again.
"""

from __future__ import annotations

import email.utils
import json
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from agno_shell.builtin.litellm_provider.causes import (
    address_of,
    causes,
    class_names,
    error_body,
    headers_of,
    response_of,
    status_of,
    text_of,
)
from agno_shell.builtin.litellm_provider.destination import Destination, is_loopback
from agno_shell.builtin.litellm_provider.http_guard import NotSentError, TooLongError
from agno_shell.builtin.litellm_provider.way import OnTheWayError
from agno_shell.errors import ProviderError
from agno_shell.events import Failed
from agno_shell.terminal_text import clean

LONGEST = 300
"""Characters of a sentence and its hint together."""

_LONGEST_MESSAGE = 210
_LONGEST_DETAIL = 130
_LONGEST_WAIT = 366 * 24 * 3600.0
"""Seconds; a server that wants more made a mistake."""

_AGAIN = "/retry asks again."
_GO_ON = "/continue goes on from there, /retry asks again."
_WRAPPING = re.compile(r"^(?:(?:litellm\.)?(?:\w*Error|\w* ?Exception)(?::| -) *)+")
_NO_KEY = re.compile(r"Missing credentials|api_key client option must be set")
_BAD_KEY = re.compile(
    r"(?:invalid|incorrect) api[ _-]?key|api key (?:is )?not valid", re.IGNORECASE
)
_NO_CREDIT = re.compile(
    r"insufficient[_ ]quota|current quota|credit balance|billing|payment required", re.IGNORECASE
)
_FILTERED = re.compile(r"flagged|moderation|content[ _-](?:filter|policy)|safety", re.IGNORECASE)
_NO_FINISH = "ended before a finish_reason"
_PAGE = re.compile(r"<(?:!doctype|html|body)", re.IGNORECASE)
_OVERFLOW = re.compile(
    r"context.{0,10}(?:length|window|size)|maximum context|too many tokens|prompt is too long",
    re.IGNORECASE,
)


def again(*, anything: bool) -> str:
    """The next step after a failure; ``anything``: something of the reply had come."""
    return _GO_ON if anything else _AGAIN


def explain(
    error: BaseException,
    goal: Destination,
    model: str,
    nearest: Callable[[str], str],
    hide: Callable[[str], str],
    *,
    anything: bool = False,
) -> Failed:
    """Why a request failed. ``nearest`` makes a hint of a model name that is not known,
    ``hide`` takes keys out of a text; it comes before the cut, which could halve one.
    ``anything``: something of the reply had come."""
    chain = list(causes(error))
    case = _Case(chain, goal, model, nearest, _detail(chain, hide), anything)
    # litellm gives failed connections a status of its own making, so they come first.
    failed = (
        _stopped_here(case)
        or _without_key(case)
        or (_by_connection(case) if response_of(chain) is None else None)
        or _by_status(case)
        or _by_connection(case)
        or _by_content(case)
        or Failed("other", f"{model} could not answer: {case.detail}", again(anything=anything))
    )
    hint = one_line(failed.hint, LONGEST - _LONGEST_MESSAGE - 1)
    message = _ended(one_line(failed.message, LONGEST - len(hint) - 2))
    return Failed(failed.kind, message, hint, failed.temporary, failed.retry_after)


def _ended(sentence: str) -> str:
    """What a server said may end without a full stop, and a hint stands behind it."""
    return sentence if sentence.endswith((*".!?…。！？",)) else f"{sentence}."


def check_base(goal: Destination) -> str:
    """The next step where an address seems to be wrong."""
    ends = "; it usually ends in /v1" if goal.model.startswith("openai/") else ""
    return f"Check {goal.source}{ends}."


def as_failed(error: ProviderError) -> Failed:
    """The event for an error that is explained already."""
    return Failed(error.kind, str(error), error.hint, error.temporary)


def is_refusal_of(error: BaseException, parameter: str) -> bool:
    """Whether a server refused a request because it does not know ``parameter``."""
    chain = list(causes(error))
    status = getattr(response_of(chain), "status_code", None)
    return status in (400, 422) and any(parameter in str(one) for one in chain)


def cut_off(goal: Destination, wrapper: Any, *, anything: bool) -> ProviderError:
    """The error for a stream that ended without a finish reason."""
    headers = getattr(wrapper, "_response_headers", None) or {}
    kind = str(headers.get("content-type", "")).split(";")[0]
    if not anything and kind and kind not in ("text/event-stream", "application/json"):
        return ProviderError(
            f"{goal.where} did not answer like a model server: it sent {one_line(kind, 40)}.",
            hint=check_base(goal),
            kind="server",
        )
    if not anything:
        message = f"{goal.where} sent an empty reply."
        return ProviderError(message, hint=_AGAIN, kind="server", temporary=True)
    return ProviderError(
        f"The reply was cut off: {goal.where} ended it without saying that it is complete.",
        hint=_GO_ON,
        kind="server",
    )


def empty(goal: Destination, model: str, reason: str) -> ProviderError:
    """The error for a finished reply that holds nothing."""
    if reason == "content_filter":
        message = f"The content filter of {goal.where} held the reply back."
        return ProviderError(message, hint="/edit words the question anew.", kind="refused")
    if reason == "length":
        message = f"{model} reached its token limit before it said anything."
        return ProviderError(message, hint="Raise max_tokens of the agent.", kind="other")
    return ProviderError(f"{model} sent an empty reply.", hint=_AGAIN, kind="server")


def one_line(text: str, limit: int) -> str:
    """Text on one line, nothing in it that acts on a terminal, cut with an ellipsis."""
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def in_plain_words(error: BaseException) -> str:
    """The first line of an error's text without the names of classes that litellm adds."""
    said = str(error).partition("\n")[0].partition(" Original exception:")[0]
    return _WRAPPING.sub("", said)


class _Case(NamedTuple):
    """One failure and what is known of it."""

    chain: list[BaseException]
    goal: Destination
    model: str
    nearest: Callable[[str], str]
    detail: str
    """What the server said, or litellm, without keys."""
    anything: bool


# By cause --------------------------------------------------------------------------------


def _stopped_here(case: _Case) -> Failed | None:
    for error in case.chain:
        if isinstance(error, NotSentError):
            return Failed("not_sent", str(error), error.hint)
        if isinstance(error, OnTheWayError):
            return Failed("unreachable", str(error), error.hint, temporary=error.temporary)
        if isinstance(error, TooLongError):
            return Failed("other", f"{case.goal.where} {error}", check_base(case.goal))
    return None


def _without_key(case: _Case) -> Failed | None:
    """What a client library says when it finds no key at all."""
    if response_of(case.chain) is None and any(_NO_KEY.search(str(one)) for one in case.chain):
        message = f"No key for {case.goal.where} is set."
        hint = "Set its environment variable and start agno-shell again."
        return Failed("authentication", message, hint)
    return None


def _by_status(case: _Case) -> Failed | None:
    status = status_of(case.chain)
    if status is None:
        return None
    where, detail = case.goal.where, case.detail
    if _is_overflow(case, status):
        message = f"The conversation is longer than {case.model} can take: {detail}"
        hint = "/compact sums up the older turns; /model chooses a larger window."
        return Failed("overflow", message, hint)
    if status == 401 or (status in (400, 403) and _BAD_KEY.search(detail)):
        return _wrong_key(case.goal, status)
    if status == 403:
        return _not_allowed(case)
    if status == 404:
        return _not_found(case)
    if status in (402, 429):
        return _rate_limited(case, status)
    if status in (408, 504):
        message = f"{where} took too long ({status}): {detail}"
        return _temporary(case, "timeout", message, again(anything=case.anything))
    if 300 <= status < 400:
        message = f"{where} redirects elsewhere ({status}); a key is never sent after a redirect."
        return Failed("wrong_address", message, "Set [provider] api_base to the final address.")
    if status >= 500:
        message = f"{where} had an error of its own ({status}): {detail}"
        failed = _temporary(case, "server", message, again(anything=case.anything))
        # What a server cannot do at all it cannot do in a moment either.
        return failed if status not in (501, 505) else Failed("server", message, failed.hint)
    message = f"{where} refused the request ({status}): {detail}"
    return Failed("refused", message, "Change what it names, or choose another model with /model.")


def _temporary(case: _Case, kind: str, message: str, hint: str) -> Failed:
    after = retry_after(headers_of(case.chain))
    return Failed(kind, message, hint, temporary=True, retry_after=after)


def _wrong_key(goal: Destination, status: int) -> Failed:
    if goal.key_variable:
        message = f"{goal.where} did not accept the key in {goal.key_variable} ({status})."
        hint = f"Check the value of {goal.key_variable} and start agno-shell again."
        return Failed("authentication", message, hint)
    message = f"{goal.where} wants a key ({status}), and none is set for it."
    hint = "Name the environment variable that holds it in [provider] api_key_env."
    return Failed("authentication", message, hint)


def _not_allowed(case: _Case) -> Failed:
    goal, detail = case.goal, case.detail
    message = f"{goal.where} does not allow this (403): {detail}"
    hint = "Choose another model with /model."
    if goal.key_variable:
        hint = f"See what the key in {goal.key_variable} may use, or choose another /model."
    # Some services answer so to what their own filter does not let through.
    kind = "refused" if _FILTERED.search(detail) else "authentication"
    return Failed(kind, message, hint)


def _not_found(case: _Case) -> Failed:
    where, model, detail = case.goal.where, case.model, case.detail
    # A server of one's own also says 404 where the address is wrong.
    if case.goal.api_base is not None and "model" not in detail.lower():
        message = f"{where} has no such page (404): {detail}"
        return Failed("wrong_address", message, check_base(case.goal))
    message = f"{where} knows no model {model} (404): {detail}"
    return Failed("unknown_model", message, case.nearest(model))


def _rate_limited(case: _Case, status: int) -> Failed:
    where, detail = case.goal.where, case.detail
    words = f"{detail} {(error_body(case.chain) or {}).get('code')}"
    if status == 402 or _NO_CREDIT.search(words):
        message = f"{where} says that the account has no credit left ({status}): {detail}"
        return Failed("rate_limited", message, "Look at the account, or choose another /model.")
    after = retry_after(headers_of(case.chain))
    wait = f"; it asks to wait {_seconds(after)}" if after and round(after) else ""
    message = f"{where} limits how much it is asked ({status}){wait}: {detail}"
    hint = f"Wait a moment; {again(anything=case.anything)}"
    return Failed("rate_limited", message, hint, temporary=True, retry_after=after)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds after which the server wants to be asked again; None where it does not say.

    ``Retry-After`` has seconds or a date (RFC 9110, 10.2.3); OpenAI's and Azure's servers
    send ``retry-after-ms`` beside it, which is finer.
    """
    exact = _number(headers.get("retry-after-ms", ""))
    if exact is not None:
        return min(exact / 1000, _LONGEST_WAIT)
    value = headers.get("retry-after", "").strip()
    seconds = _number(value)
    if seconds is not None:
        return min(seconds, _LONGEST_WAIT)
    try:
        until = email.utils.parsedate_to_datetime(value)
        wait = (until - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):  # no date, or one without a time zone
        return None
    return min(max(0.0, wait), _LONGEST_WAIT)


def _number(value: str) -> float | None:
    """A decimal number that is not negative. ``float`` takes ``nan`` and more."""
    value = value.strip()
    return float(value) if re.fullmatch(r"[0-9]{1,12}(?:\.[0-9]{1,9})?", value) else None


def _seconds(value: float) -> str:
    whole = round(value)
    return "1 second" if whole == 1 else f"{whole} seconds"


def _is_overflow(case: _Case, status: int) -> bool:
    if "ContextWindowExceededError" in class_names(case.chain):
        return True
    code = str((error_body(case.chain) or {}).get("code"))
    too_long = code == "context_length_exceeded" or _OVERFLOW.search(case.detail)
    return status == 413 or (status in (400, 422) and bool(too_long))


def _by_connection(case: _Case) -> Failed | None:
    names = class_names(case.chain)
    where = address_of(case.chain) or case.goal.where
    if any(isinstance(error, ssl.SSLError) for error in case.chain):
        message = f"No safe connection to {where}: its certificate was not accepted."
        return Failed("unreachable", message, "Check the address and this computer's clock.")
    if any(isinstance(error, socket.gaierror) for error in case.chain):
        return _no_such_host(case, where)
    if names & {"ConnectTimeout", "ConnectionTimeoutError", "PoolTimeout"}:
        message = f"No connection to {where}: it did not respond in time."
        hint = "Check the network and the address."
        return Failed("unreachable", message, hint, temporary=True)
    if names & {"ConnectionResetError", "BrokenPipeError"}:
        # litellm calls it a failure to connect wherever it happens.
        return _broke(case, where)
    if names & {"ConnectError", "ConnectionRefusedError", "ProxyError"}:
        why = "it was refused" if "ConnectionRefusedError" in names else "it failed"
        message = f"No connection to {where}: {why}."
        hint = _is_it_running(where, case.goal)
        return Failed("unreachable", message, hint, temporary=True)
    if names & {"ReadTimeout", "TimeoutException", "Timeout"}:
        message = f"{where} took too long to answer."
        return Failed("timeout", message, again(anything=case.anything))
    if names & {"ReadError", "RemoteProtocolError", "ClientPayloadError", "NetworkError"}:
        return _broke(case, where)
    return None


def _no_such_host(case: _Case, where: str) -> Failed:
    codes = {error.errno for error in case.chain if isinstance(error, socket.gaierror)}
    # Not to reach a name server is what happens without a network.
    unsure = socket.EAI_AGAIN in codes
    why = "its name could not be looked up" if unsure else "there is no such host"
    message = f"No connection to {where}: {why}."
    return Failed("unreachable", message, "Check the network and the address.", temporary=unsure)


def _broke(case: _Case, where: str) -> Failed:
    if case.anything:
        message = f"The reply was cut off: the connection to {where} broke."
    else:
        message = f"The connection to {where} broke before the reply began."
    return _temporary(case, "server", message, again(anything=case.anything))


def _is_it_running(where: str, goal: Destination) -> str:
    if is_loopback(urlsplit(f"//{where}").hostname or ""):
        return f"Start the model server there, or check {goal.source}."
    return "Check the network and the address."


def _by_content(case: _Case) -> Failed | None:
    if any(_NO_FINISH in str(one) for one in case.chain):  # litellm from 1.110 on
        return as_failed(cut_off(case.goal, None, anything=case.anything))
    unreadable = any(isinstance(one, json.JSONDecodeError | UnicodeError) for one in case.chain)
    if unreadable or "DecodingError" in class_names(case.chain):
        cut = "The reply was cut off: " if case.anything else ""
        message = f"{cut}{case.goal.where} sent something that is no model reply."
        return Failed(
            "server", message, _GO_ON if case.anything else f"{_AGAIN} {check_base(case.goal)}"
        )
    return None


def _detail(chain: list[BaseException], hide: Callable[[str], str]) -> str:
    """What the server said itself, else what the outermost error says; one line."""
    said = str((error_body(chain) or {}).get("message") or "")
    if not said:
        sent = text_of(chain)
        said = sent if _PAGE.search(sent[:1000]) else in_plain_words(chain[0])
    if _PAGE.search(said):
        said = "it sent a web page"
    return one_line(hide(said) or type(chain[0]).__name__, _LONGEST_DETAIL)

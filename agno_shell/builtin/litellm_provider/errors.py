"""Whatever litellm raises, as one sentence with a next step."""

from __future__ import annotations

import email.utils
import json
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from agno_shell.builtin.litellm_provider.destination import (
    Destination,
    host_and_port,
    is_loopback,
)
from agno_shell.builtin.litellm_provider.http_guard import NotSentError
from agno_shell.errors import ProviderError
from agno_shell.events import Failed

LONGEST = 300
"""Characters of a sentence."""

_LONGEST_DETAIL = 160
_AGAIN = "Send the message again."
_CHECK_BASE = "Check [provider] api_base; it usually ends in /v1."
_WRAPPING = re.compile(r"^(?:(?:litellm\.)?(?:\w*Error|\w* ?Exception)(?::| -) *)+")
_NO_KEY = re.compile(r"Missing credentials|api_key client option must be set")
_OVERFLOW = re.compile(
    r"context.{0,10}(?:length|window)|maximum context|too many tokens|prompt is too long",
    re.IGNORECASE,
)


def explain(
    error: BaseException,
    goal: Destination,
    model: str,
    nearest: Callable[[str], str],
    hide: Callable[[str], str],
) -> Failed:
    """Why a request failed. ``nearest`` makes a hint of a model name that is not known,
    ``hide`` takes keys out of a text; it comes before the cut, which could halve one."""
    chain = list(causes(error))
    detail = _detail(chain, hide)
    # litellm gives failed connections a status of its own making, so they come first.
    failed = (
        _not_sent(chain)
        or _without_key(chain, goal)
        or (_by_connection(chain, goal) if _response(chain) is None else None)
        or _by_status(chain, goal, model, nearest, detail)
        or _by_connection(chain, goal)
        or _by_content(chain, goal)
        or Failed("other", f"{model} could not answer: {detail}", _AGAIN)
    )
    message = one_line(failed.message, LONGEST)
    return Failed(failed.kind, message, one_line(failed.hint, LONGEST))


def is_refusal_of(error: BaseException, parameter: str) -> bool:
    """Whether a server refused a request because it does not know ``parameter``."""
    chain = list(causes(error))
    status = getattr(_response(chain), "status_code", None)
    return status in (400, 422) and any(parameter in str(one) for one in chain)


def cut_off(goal: Destination, wrapper: Any, *, anything: bool) -> ProviderError:
    """The error for a stream that ended without a finish reason."""
    headers = getattr(wrapper, "_response_headers", None) or {}
    kind = str(headers.get("content-type", "")).split(";")[0]
    if not anything and kind and kind not in ("text/event-stream", "application/json"):
        return ProviderError(
            f"{goal.where} did not answer like a model server: it sent {kind}.",
            hint=_CHECK_BASE,
            kind="server",
        )
    if not anything:
        return ProviderError(f"{goal.where} sent an empty reply.", hint=_AGAIN, kind="server")
    return ProviderError(
        f"The reply was cut off: {goal.where} ended it without saying that it is complete.",
        hint=_AGAIN,
        kind="server",
    )


def empty(goal: Destination, model: str, reason: str) -> ProviderError:
    """The error for a finished reply that holds nothing."""
    if reason == "content_filter":
        message = f"The content filter of {goal.where} held the reply back."
        return ProviderError(message, hint="Word the message differently.", kind="refused")
    if reason == "length":
        message = f"{model} reached its token limit before it said anything."
        return ProviderError(message, hint="Raise max_tokens of the agent.", kind="other")
    return ProviderError(f"{model} sent an empty reply.", hint=_AGAIN, kind="server")


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything behind it; litellm hides the real one several layers down."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [getattr(one, "original_exception", None), one.__cause__, one.__context__]


def one_line(text: str, limit: int) -> str:
    """Text on one line, cut with an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def in_plain_words(error: BaseException) -> str:
    """The first line of an error's text without the names of classes that litellm adds."""
    return _WRAPPING.sub("", str(error).partition("\n")[0])


# By cause --------------------------------------------------------------------------------


def _not_sent(chain: list[BaseException]) -> Failed | None:
    for error in chain:
        if isinstance(error, NotSentError):
            return Failed("refused", str(error), error.hint)
    return None


def _without_key(chain: list[BaseException], goal: Destination) -> Failed | None:
    """What a client library says when it finds no key at all."""
    if _response(chain) is None and any(_NO_KEY.search(str(error)) for error in chain):
        message = f"No key for {goal.where} is set."
        hint = "Set its environment variable and start agno-shell again."
        return Failed("authentication", message, hint)
    return None


def _by_status(
    chain: list[BaseException],
    goal: Destination,
    model: str,
    nearest: Callable[[str], str],
    detail: str,
) -> Failed | None:
    response = _response(chain)
    status = getattr(response, "status_code", None) or _mapped_status(chain)
    if status is None:
        return None
    where = goal.where
    if _is_overflow(chain, status, detail):
        message = f"The conversation is longer than {model} can take: {detail}"
        hint = "Begin a new session with /new, or choose a model with a larger window."
        return Failed("overflow", message, hint)
    if status == 401:
        return _wrong_key(goal)
    if status == 404:
        # A server of one's own also says 404 where the address is wrong.
        if goal.api_base is not None and "model" not in detail.lower():
            return Failed("refused", f"{where} has no such page (404): {detail}", _CHECK_BASE)
        return Failed(
            "unknown_model", f"{where} knows no model {model} (404): {detail}", nearest(model)
        )
    if status == 429:
        return _rate_limited(where, response, detail)
    if status in (408, 504):
        return Failed("timeout", f"{where} took too long ({status}): {detail}", _AGAIN)
    if 300 <= status < 400:
        message = f"{where} redirects elsewhere ({status}); a key is never sent after a redirect."
        return Failed("refused", message, "Set [provider] api_base to the final address.")
    if status >= 500:
        message = f"{where} had an error of its own ({status}): {detail}"
        return Failed("server", message, "Try again in a moment.")
    message = f"{where} refused the request ({status}): {detail}"
    return Failed("refused", message, "Change what it names, or choose another model with /model.")


def _wrong_key(goal: Destination) -> Failed:
    if goal.key_variable:
        message = f"{goal.where} did not accept the key in {goal.key_variable} (401)."
        hint = f"Check the value of {goal.key_variable} and start agno-shell again."
        return Failed("authentication", message, hint)
    message = f"{goal.where} wants a key (401), and none is set for it."
    hint = "Name the environment variable that holds it in [provider] api_key_env."
    return Failed("authentication", message, hint)


def _rate_limited(where: str, response: Any, detail: str) -> Failed:
    after = _retry_after(str((getattr(response, "headers", None) or {}).get("retry-after", "")))
    wait = "" if after is None else f"; it asks to wait {after} seconds"
    message = f"{where} limits how much it is asked (429){wait}: {detail}"
    return Failed("rate_limited", message, "Wait, then send the message again.")


def _retry_after(value: str) -> int | None:
    """Seconds to wait; the header gives them or a date (RFC 9110, 10.2.3)."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return int(value[:9])
    try:
        until = email.utils.parsedate_to_datetime(value)
        return max(0, round((until - datetime.now(UTC)).total_seconds()))
    except (ValueError, TypeError):  # no date, or one without a time zone
        return None


def _is_overflow(chain: list[BaseException], status: int, detail: str) -> bool:
    if any(type(error).__name__ == "ContextWindowExceededError" for error in chain):
        return True
    return status == 413 or (status == 400 and bool(_OVERFLOW.search(detail)))


def _by_connection(chain: list[BaseException], goal: Destination) -> Failed | None:
    names = {name for error in chain for name in (kind.__name__ for kind in type(error).__mro__)}
    where = _address(chain) or goal.where
    if any(isinstance(error, ssl.SSLError) for error in chain):
        message = f"No safe connection to {where}: its certificate was not accepted."
        return Failed("unreachable", message, "Check the address and this computer's clock.")
    if any(isinstance(error, socket.gaierror) for error in chain):
        message = f"No connection to {where}: there is no such host."
        return Failed("unreachable", message, "Check the network and the address.")
    if names & {"ConnectTimeout", "ConnectionTimeoutError", "PoolTimeout"}:
        message = f"No connection to {where}: it did not respond in time."
        return Failed("unreachable", message, "Check the network and the address.")
    if names & {"ConnectError", "ConnectionRefusedError", "ProxyError"}:
        why = "it was refused" if "ConnectionRefusedError" in names else "it failed"
        return Failed("unreachable", f"No connection to {where}: {why}.", _is_it_running(where))
    if names & {"ReadTimeout", "TimeoutException", "Timeout"}:
        return Failed("timeout", f"{where} took too long to answer.", _AGAIN)
    if names & {"ReadError", "RemoteProtocolError", "ClientPayloadError", "NetworkError"}:
        return Failed("server", f"The reply was cut off: the connection to {where} broke.", _AGAIN)
    return None


def _is_it_running(where: str) -> str:
    if is_loopback(urlsplit(f"//{where}").hostname or ""):
        return "Start the model server there, or check [provider] api_base."
    return "Check the network and the address."


def _by_content(chain: list[BaseException], goal: Destination) -> Failed | None:
    if any(isinstance(error, json.JSONDecodeError) for error in chain):
        message = f"{goal.where} sent something that is no model reply."
        return Failed("server", message, f"{_AGAIN} If it happens again: {_CHECK_BASE}")
    return None


# What can be found in a chain ------------------------------------------------------------


def _response(chain: list[BaseException]) -> Any:
    """The HTTP response that a server really sent.

    litellm makes up responses for its own errors; only the innermost one is real.
    """
    for error in reversed(chain):
        response = getattr(error, "response", None)
        if type(error).__module__.partition(".")[0] in ("httpx", "openai") and response is not None:
            return response
    return None


def _mapped_status(chain: list[BaseException]) -> int | None:
    """The status that litellm read from a provider without an httpx error behind it."""
    for error in chain:
        status = getattr(error, "status_code", None)
        made_up = type(error).__name__ in (
            "InternalServerError",
            "APIConnectionError",
            "MidStreamFallbackError",
            "Timeout",
            "OpenAIError",
        )
        if isinstance(status, int) and not made_up:
            return status
    return None


def _error_body(chain: list[BaseException]) -> dict[str, Any] | None:
    """OpenAI's error object, where a server sent one."""
    for error in chain:
        body = getattr(error, "body", None)
        if not isinstance(body, dict):
            body = _json_within(str(error))
        if body:
            inner = body.get("error", body)
            return inner if isinstance(inner, dict) else {"message": str(inner)}
    return None


def _json_within(text: str) -> dict[str, Any] | None:
    """The JSON object that ends an error's text, as most of litellm's own clients write it."""
    start = text.find("{")
    try:
        body = json.JSONDecoder().raw_decode(text, start)[0] if start >= 0 else None
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _detail(chain: list[BaseException], hide: Callable[[str], str]) -> str:
    """What the server said itself, else what the outermost error says; one line."""
    said = str((_error_body(chain) or {}).get("message") or "")
    if not said:
        said = in_plain_words(chain[0])
    if re.search(r"<(?:!doctype|html|body)", said, re.IGNORECASE):
        said = "it sent a web page"
    return one_line(hide(said) or type(chain[0]).__name__, _LONGEST_DETAIL)


def _address(chain: list[BaseException]) -> str | None:
    """Host and port of the request that failed."""
    for error in chain:
        if type(error).__module__.partition(".")[0] != "httpx":
            continue
        try:
            url = error.request.url  # type: ignore[attr-defined]
        except (AttributeError, RuntimeError):
            continue
        port = url.port or {"https": 443, "http": 80}.get(url.scheme)
        return host_and_port(url.host, port)
    return None

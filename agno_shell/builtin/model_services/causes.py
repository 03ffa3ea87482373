"""What can be found in an error that litellm raises.

The real cause hides several layers down, and much on the way is of litellm's own making:
a status that no server sent, a response that never was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agno_shell.builtin.model_services.destination import host_and_port

_MADE_UP = frozenset(
    ("InternalServerError", "APIConnectionError", "MidStreamFallbackError", "Timeout")
)
"""Errors of litellm whose status no server sent."""

_PERHAPS_MADE_UP = frozenset(("OpenAIError", "APIError"))
"""Those that have the status 500 where litellm knows none."""

STATUS_OF_WORD = {
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "rate_limited": 429,
    "insufficient_quota": 429,
    "resource_exhausted": 429,
    "overloaded_error": 529,
    "overloaded": 529,
    "server_error": 500,
    "internal_server_error": 500,
    "internal": 500,
    "api_error": 500,
    "service_unavailable": 503,
    "unavailable": 503,
    "timeout_error": 504,
    "deadline_exceeded": 504,
    "invalid_api_key": 401,
    "authentication_error": 401,
    "unauthenticated": 401,
    "permission_error": 403,
    "permission_denied": 403,
    "model_not_found": 404,
    "not_found_error": 404,
    "context_length_exceeded": 400,
    "invalid_request_error": 400,
    "invalid_argument": 400,
}
"""What services write where they cannot send a status any more: the ``code``, ``type`` or
``status`` of an error in the middle of a stream."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything behind it, each once."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [getattr(one, "original_exception", None), one.__cause__, one.__context__]


def class_names(chain: Sequence[BaseException]) -> set[str]:
    """The names of all classes that the errors belong to."""
    return {kind.__name__ for error in chain for kind in type(error).__mro__}


def response_of(chain: Sequence[BaseException]) -> Any:
    """The HTTP response that a server really sent, or None.

    litellm makes up responses for its own errors; only the innermost one is real.
    """
    for error in reversed(chain):
        response = getattr(error, "response", None)
        if type(error).__module__.partition(".")[0] in ("httpx", "openai") and response is not None:
            return response
    return None


def headers_of(chain: Sequence[BaseException]) -> dict[str, str]:
    """The headers of that response, their names in lower case."""
    sources = [getattr(response_of(chain), "headers", None)]
    for error in chain:
        sources += [getattr(error, "litellm_response_headers", None)]
        sources += [getattr(error, "headers", None)]
    for source in sources:
        # httpx.Headers is a mapping; what else there may be is of no use here.
        if isinstance(source, Mapping) and source:
            return {str(name).lower(): str(value) for name, value in source.items()}
    return {}


def status_of(chain: Sequence[BaseException]) -> int | None:
    """The status of the failure: as sent, else as litellm read it, else as an error event
    in the stream has it in words; None where no server reported anything."""
    sent = getattr(response_of(chain), "status_code", None)
    if isinstance(sent, int) and sent >= 300:
        return sent
    return _mapped_status(chain) or _status_in_words(chain)


def _mapped_status(chain: Sequence[BaseException]) -> int | None:
    """The status that litellm read from a provider without an httpx error behind it."""
    for error in chain:
        status = getattr(error, "status_code", None)
        if not isinstance(status, int) or status < 300 or type(error).__name__ in _MADE_UP:
            continue
        # A status other than this one it did read somewhere.
        if status != 500 or type(error).__name__ not in _PERHAPS_MADE_UP:
            return status
    return None


def _status_in_words(chain: Sequence[BaseException]) -> int | None:
    body = error_body(chain) or {}
    for name in ("code", "status", "type"):
        value = body.get(name)
        if str(value).isdecimal() and 300 <= int(str(value)[:4]) < 600:
            return int(str(value))
        if status := STATUS_OF_WORD.get(str(value).lower()):
            return status
    return None


def error_body(chain: Sequence[BaseException]) -> dict[str, Any] | None:
    """OpenAI's error object, where a server sent one."""
    for error in chain:
        body = getattr(error, "body", None)
        if not isinstance(body, dict):
            body = _json_within(str(error))
        if body:
            inner = body.get("error", body)
            return inner if isinstance(inner, dict) else {"message": str(inner)}
    return _body_of_response(text_of(chain))


def text_of(chain: Sequence[BaseException]) -> str:
    """What the server sent with its status, as far as it was read: some versions of the client
    libraries leave it out of their errors."""
    try:
        return str(response_of(chain).text)
    except Exception:
        # There is no response, or none that was read.
        return ""


def _body_of_response(text: str) -> dict[str, Any] | None:
    """The error object in a body of any form that servers give it."""
    body = _json_within(text) if text.startswith("{") else None
    inner = (body or {}).get("error") or (body or {}).get("detail") or (body or {}).get("message")
    return inner if isinstance(inner, dict) or not inner else {"message": str(inner)}


def _json_within(text: str) -> dict[str, Any] | None:
    """The JSON object that ends an error's text, as most of litellm's own clients write it."""
    start = text.find("{")
    try:
        body = json.JSONDecoder().raw_decode(text, start)[0] if start >= 0 else None
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def address_of(chain: Sequence[BaseException]) -> str | None:
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

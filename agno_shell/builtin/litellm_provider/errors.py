"""What litellm raises, as one sentence with a next step."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from agno_shell.builtin.litellm_provider.http_guard import NotSentError
from agno_shell.builtin.litellm_provider.wire_watch import WireWatch
from agno_shell.builtin.model_services import failures
from agno_shell.builtin.model_services.causes import (
    causes,
    class_names,
    error_body,
    headers_of,
    response_of,
    status_of,
    text_of,
)
from agno_shell.builtin.model_services.destination import Destination
from agno_shell.builtin.model_services.failures import (
    FailureContext,
    ServerError,
    again,
    as_failed,
    check_base,
)
from agno_shell.builtin.model_services.way import OnTheWayError
from agno_shell.builtin.model_services.wires.failures import in_reading, line_too_long
from agno_shell.builtin.model_services.wires.framing import LineTooLongError
from agno_shell.errors import ProviderError
from agno_shell.events import Failed

Chain = list[BaseException]

_WRAPPING = re.compile(r"^(?:(?:litellm\.)?(?:\w*Error|\w* ?Exception)(?::| -) *)+")
_NO_KEY = re.compile(r"Missing credentials|api_key client option must be set")
_NO_FINISH = "ended before a finish_reason"
_IN_ONE_PIECE = "application/json"
_MODEL_SERVER = ("text/event-stream", _IN_ONE_PIECE)


def explain(error: BaseException, case: FailureContext, watch: WireWatch | None = None) -> Failed:
    """Why a request failed. ``watch`` knows what was wrong with the reply as it came, for which
    litellm has other words."""
    if watch is not None and watch.trouble is not None:
        return in_reading(case, watch.trouble)
    if watch is not None and watch.is_cut:
        return as_failed(failures.cut_off(case.goal, anything=case.anything))
    chain = list(causes(error))
    detail, hint = _detail(chain, case.hide), again(anything=case.anything)
    # litellm gives failed connections a status of its own making, so they come first.
    return failures.fitting(
        _stopped_here(case, chain)
        or _without_key(case, chain)
        or (failures.by_connection(case, chain) if response_of(chain) is None else None)
        or _by_status(case, chain, detail)
        or failures.by_connection(case, chain)
        or _by_content(case, chain)
        or Failed("other", f"{case.model} could not answer: {detail}", hint)
    )


def is_refusal_of(error: BaseException, parameter: str) -> bool:
    """Whether a server refused a request because it does not know ``parameter``."""
    chain = list(causes(error))
    status = getattr(response_of(chain), "status_code", None)
    return status in (400, 422) and any(parameter in str(one) for one in chain)


def cut_off(goal: Destination, wrapper: Any, *, anything: bool) -> ProviderError:
    """The error for a stream that ended without a finish reason."""
    headers = getattr(wrapper, "_response_headers", None) or {}
    kind = str(headers.get("content-type", "")).split(";")[0]
    if not anything and kind == _IN_ONE_PIECE:
        return failures.not_streamed(goal)
    if not anything and kind and kind not in _MODEL_SERVER:
        return failures.not_a_model_server(goal, kind)
    return failures.cut_off(goal, anything=anything)


def left_out(case: FailureContext) -> Failed:
    """litellm did not pass on all of a reply."""
    message = f"The reply has a hole: litellm could not read all that {case.goal.where} sent."
    return failures.fitting(Failed("server", message, again(anything=case.anything)))


def in_plain_words(error: BaseException) -> str:
    """The first line of an error's text without the names of classes that litellm adds."""
    said = str(error).partition("\n")[0].partition(" Original exception:")[0]
    return _WRAPPING.sub("", said)


def _stopped_here(case: FailureContext, chain: Chain) -> Failed | None:
    for error in chain:
        if isinstance(error, NotSentError):
            return Failed("not_sent", str(error), error.hint)
        if isinstance(error, OnTheWayError):
            return failures.by_connection(case, [error])
        if isinstance(error, LineTooLongError):
            return line_too_long(case, error.limit)
    return None


def _without_key(case: FailureContext, chain: Chain) -> Failed | None:
    """What a client library says when it finds no key at all."""
    if response_of(chain) is None and any(_NO_KEY.search(str(one)) for one in chain):
        message = f"No key for {case.goal.where} is set."
        hint = "Set its environment variable and start agno-shell again."
        return Failed("authentication", message, hint)
    return None


def _by_status(case: FailureContext, chain: Chain, detail: str) -> Failed | None:
    status = status_of(chain)
    if status is None:
        return None
    code = str((error_body(chain) or {}).get("code"))
    if "ContextWindowExceededError" in class_names(chain):
        code = "context_length_exceeded"
    return failures.by_status(case, ServerError(status, detail, code, headers_of(chain)))


def _by_content(case: FailureContext, chain: Chain) -> Failed | None:
    goal, anything = case.goal, case.anything
    if any(_NO_FINISH in str(one) for one in chain):  # litellm from 1.110 on
        return as_failed(cut_off(goal, None, anything=anything))
    unreadable = any(isinstance(one, json.JSONDecodeError | UnicodeError) for one in chain)
    if unreadable or "DecodingError" in class_names(chain):
        cut = "The reply was cut off: " if anything else ""
        message = f"{cut}{goal.where} sent something that is no model reply."
        hint = again(anything=anything)
        return Failed("server", message, hint if anything else f"{hint} {check_base(goal)}")
    return None


def _detail(chain: Chain, hide: Callable[[str], str]) -> str:
    """What the server itself reports, else the outermost error; one line."""
    said = str((error_body(chain) or {}).get("message") or "")
    if not said:
        sent = text_of(chain)
        said = sent if failures.is_page(sent) else in_plain_words(chain[0])
    return failures.in_its_words(said, hide) or type(chain[0]).__name__

"""What servers say of errors, and what is wrong with a body that is no reply."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from agno_shell.builtin.model_services import failures
from agno_shell.builtin.model_services.causes import STATUS_OF_WORD, causes, class_names
from agno_shell.builtin.model_services.failures import FailureContext, again, check_base, fitting
from agno_shell.builtin.model_services.wires.framing import DamagedError, LineTooLongError
from agno_shell.builtin.model_services.wires.reading import ServerReportedError
from agno_shell.events import Failed
from agno_shell.types import NOTHING


class ErrorBody(NamedTuple):
    """What a server reports of an error."""

    status: int | None
    message: str
    code: str
    """The words for programs in it: code, type and status."""
    headers: Mapping[str, str]


# What the server reports ------------------------------------------------------------------


def said(status: int | None, body: Any, headers: Mapping[str, str] | None = None) -> ErrorBody:
    """The server's own words in the body of an error: an object, a text, or bytes. Without a
    status, the words in it tell one, as in an error in the middle of a stream."""
    error = _error_in(_loaded(body))
    message, codes = _message(error), _codes(error)
    if status is None:
        status = next((each for each in map(_status_of, codes) if each), None)
    return ErrorBody(status, message, " ".join(codes), headers or NOTHING)


def _loaded(body: Any) -> Any:
    if isinstance(body, bytes):
        body = body.decode("utf-8", "replace")
    if isinstance(body, str):
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            return body
    return body


def _error_in(body: Any) -> Any:
    if isinstance(body, list):  # Google puts it into a list
        return _error_in(body[0]) if body else ""
    if isinstance(body, Mapping):
        for name in ("error", "detail", "errors", "message"):
            if inner := body.get(name):
                is_inner = isinstance(inner, Mapping | list)
                return _error_in(inner) if is_inner else {**body, "message": inner}
    return body


def _message(error: Any) -> str:
    if not isinstance(error, Mapping):
        return str(error or "")
    # OpenRouter passes on what the service behind it has reported.
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, Mapping) else None
    if raw:
        return _message(_error_in(_loaded(raw))) or str(raw)
    return str(error.get("message") or error.get("msg") or json.dumps(dict(error)))


def _codes(error: Any) -> list[str]:
    if not isinstance(error, Mapping):
        return []
    return [str(error[name]) for name in ("code", "status", "type") if error.get(name)]


def _status_of(word: str) -> int | None:
    if word.isdecimal() and 300 <= int(word[:4]) < 600:
        return int(word)
    return STATUS_OF_WORD.get(word.lower())


# What it means -----------------------------------------------------------------------------


def explained(case: FailureContext, answer: ErrorBody) -> Failed:
    """Why a server refused a request, or broke off a reply."""
    detail = failures.in_its_words(answer.message, case.hide) or "it gave no reason"
    if answer.status is None:
        message = f"{case.goal.where} reported an error: {detail}"
        failed = Failed("server", message, again(anything=case.anything), temporary=True)
    else:
        status_said = failures.ServerError(answer.status, detail, answer.code, answer.headers)
        failed = failures.by_status(case, status_said)
    return fitting(failed)


def by_exception(case: FailureContext, error: Exception) -> Failed:
    """Why nothing came from a server, or nothing more."""
    chain = list(causes(error))
    if found := failures.by_connection(case, chain):
        return fitting(found)
    if "DecodingError" in class_names(chain):
        return not_a_reply(case, "a body that cannot be unpacked")
    text = failures.in_its_words(str(error), case.hide) or type(error).__name__
    message = f"{case.model} could not answer: {text}"
    return fitting(Failed("other", message, again(anything=case.anything)))


def not_a_reply(case: FailureContext, what: str) -> Failed:
    """Something came that is not of the protocol."""
    where, hint = case.goal.where, again(anything=case.anything)
    if case.anything:
        message = f"The reply was cut off: {where} sent {what}, which is no model reply."
        return fitting(Failed("server", message, hint))
    message = f"{where} sent something that is no model reply: {what}."
    return fitting(Failed("server", message, f"{hint} {check_base(case.goal)}"))


def in_reading(
    case: FailureContext, error: DamagedError | LineTooLongError | ServerReportedError
) -> Failed:
    """Why a reply could not be read on."""
    if isinstance(error, ServerReportedError):
        return explained(case, said(None, error.body))
    if isinstance(error, LineTooLongError):
        return line_too_long(case, error.limit)
    return not_a_reply(case, str(error))


def unknown_end(case: FailureContext, reason: str) -> Failed:
    message = f"{case.goal.where} ended the reply for a reason that is not known: "
    said = failures.in_its_words(reason, case.hide)
    return fitting(Failed("server", f"{message}{said}.", again(anything=True)))


def line_too_long(case: FailureContext, most: float) -> Failed:
    message = f"{case.goal.where} sent a line of more than {most:,.0f} bytes."
    return Failed("other", message, check_base(case.goal))

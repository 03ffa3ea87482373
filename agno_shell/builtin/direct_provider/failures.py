"""Why a request failed, as one sentence with a next step.

Whether it is worth while to ask again is said with it (``Failed.temporary``): yes for what is
busy, down or lost on its way; no for what the same request would meet again.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from agno_shell.builtin.direct_provider.endpoint import Endpoint
from agno_shell.builtin.litellm_provider.causes import _STATUS_OF_WORD as STATUS_OF_WORD
from agno_shell.builtin.litellm_provider.destination import is_loopback
from agno_shell.builtin.litellm_provider.errors import again, one_line, retry_after
from agno_shell.events import Failed

_LONGEST_MESSAGE = 210
_LONGEST_DETAIL = 130
_LONGEST = 300
"""Characters of a sentence and its hint together."""

_CHECK_BASE = "Check [provider] api_base."
_BAD_KEY = re.compile(
    r"(?:invalid|incorrect) (?:x-)?api[ _-]?key|api key (?:is )?not valid", re.IGNORECASE
)
_NO_CREDIT = re.compile(
    r"insufficient[_ ]quota|current quota|credit balance|billing|payment required", re.IGNORECASE
)
_OVERFLOW = re.compile(
    r"context.{0,12}(?:length|window|size)|maximum context|too many (?:input )?tokens"
    r"|prompt is too long|input token count.{0,40}exceeds|exceeds? the (?:available|maximum)"
    r".{0,30}(?:context|tokens)|longer than the (?:model|context)|n_ctx"
    r"|request_too_large|string too long",
    re.IGNORECASE,
)
"""How OpenAI, Anthropic, Google, Ollama, LM Studio, vLLM, llama.cpp and OpenRouter say that a
request is longer than the model's window."""


class Case(NamedTuple):
    """A failure, and what is known of it."""

    at: Endpoint
    model: str
    anything: bool
    """Something of the reply had come."""
    hide: Callable[[str], str]
    """Takes keys out of a text."""
    nearest: Callable[[str], str] = lambda _model: ""
    """A hint that names models whose names are near to one that is not known."""


class Said(NamedTuple):
    """What a server said of an error."""

    status: int | None
    message: str
    code: str
    """The words for programs in it: code, type and status."""
    headers: Mapping[str, str]


# What the server said ---------------------------------------------------------------------


def said(status: int | None, body: Any, headers: Mapping[str, str] | None = None) -> Said:
    """The server's own words in the body of an error: an object, a text, or bytes. Without a
    status, the words in it tell one, as in an error in the middle of a stream."""
    error = _error_in(_loaded(body))
    message, codes = _message(error), _codes(error)
    if status is None:
        status = next((each for each in map(_status_of, codes) if each), None)
    return Said(status, message, " ".join(codes), headers or {})


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
    # OpenRouter passes on what the service behind it has said.
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


# By status --------------------------------------------------------------------------------


def by_status(case: Case, answer: Said) -> Failed:
    """Why a server refused a request, or broke off a reply."""
    status, where = answer.status, case.at.where
    detail = _detail(case, answer.message)
    words = f"{answer.message} {answer.code}"
    if status is None:
        message = f"{where} reported an error: {detail}"
        return _made("server", message, again(anything=case.anything), temporary=True)
    if (
        status == 413
        or "context_length_exceeded" in words
        or (status in (400, 422, 500) and _OVERFLOW.search(words))
    ):
        message = f"The conversation is longer than {case.model} can take: {detail}"
        hint = "/compact sums up the older turns; /model chooses a larger window."
        return _made("overflow", message, hint)
    if status == 401 or (status in (400, 403) and _BAD_KEY.search(answer.message)):
        return _wrong_key(case, status)
    if status == 403:
        return _not_allowed(case, detail)
    if status == 404:
        return _not_found(case, detail)
    if status in (402, 429):
        return _rate_limited(case, answer, detail)
    if 300 <= status < 400:
        message = f"{where} redirects elsewhere ({status}); a key is never sent after a redirect."
        return _made("refused", message, "Set [provider] api_base to the final address.")
    after = retry_after(answer.headers)
    if status in (408, 504):
        message = f"{where} took too long ({status}): {detail}"
        hint = again(anything=case.anything)
        return _made("timeout", message, hint, temporary=True, retry_after=after)
    if status >= 500:
        message = f"{where} had an error of its own ({status}): {detail}"
        # What a server cannot do at all it cannot do in a moment either.
        is_passing = status not in (501, 505)
        hint = again(anything=case.anything)
        return _made("server", message, hint, temporary=is_passing, retry_after=after)
    message = f"{where} refused the request ({status}): {detail}"
    return _made("refused", message, "Change what it names, or choose another model with /model.")


def _wrong_key(case: Case, status: int) -> Failed:
    where, variable = case.at.where, case.at.key_variable
    if variable:
        message = f"{where} did not accept the key in {variable} ({status})."
        hint = f"Check the value of {variable} and start agno-shell again."
        return _made("authentication", message, hint)
    message = f"{where} wants a key ({status}), and none is set for it."
    hint = "Name the environment variable that holds it in [provider] api_key_env."
    return _made("authentication", message, hint)


def _not_allowed(case: Case, detail: str) -> Failed:
    variable = case.at.key_variable
    hint = "Choose another model with /model."
    if variable:
        hint = f"See what the key in {variable} may use, or choose another /model."
    return _made("refused", f"{case.at.where} does not allow this (403): {detail}", hint)


def _not_found(case: Case, detail: str) -> Failed:
    # A server of one's own also says 404 where the address is wrong.
    if not case.at.is_own and "model" not in detail.lower():
        hint = f"{_CHECK_BASE[:-1]}; it usually ends in /v1."
        return _made("refused", f"{case.at.where} has no such page (404): {detail}", hint)
    message = f"{case.at.where} knows no model {case.model} (404): {detail}"
    hint = case.nearest(case.model) or "Choose another model with /model."
    return _made("unknown_model", message, hint)


def _rate_limited(case: Case, answer: Said, detail: str) -> Failed:
    where, status = case.at.where, answer.status
    if status == 402 or _NO_CREDIT.search(f"{answer.message} {answer.code}"):
        message = f"{where} says that the account has no credit left ({status}): {detail}"
        return _made("rate_limited", message, "Look at the account, or choose another /model.")
    after = retry_after(answer.headers)
    seconds = round(after) if after else 0
    unit = "second" if seconds == 1 else "seconds"
    wait = f"; it asks to wait {seconds} {unit}" if seconds else ""
    message = f"{where} limits how much it is asked ({status}){wait}: {detail}"
    hint = f"Wait a moment; {again(anything=case.anything)}"
    return _made("rate_limited", message, hint, temporary=True, retry_after=after)


# By the connection ------------------------------------------------------------------------


def by_connection(case: Case, error: Exception) -> Failed:
    """Why nothing came from a server, or nothing more."""
    chain = list(_causes(error))
    names = {kind.__name__ for one in chain for kind in type(one).__mro__}
    where = case.at.where
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in chain):
        message = f"No safe connection to {where}: its certificate was not accepted."
        hint = "Check the address, this computer's clock and SSL_CERT_FILE."
        return _made("unreachable", message, hint)
    if lookup := next((one for one in chain if isinstance(one, socket.gaierror)), None):
        # Not to reach a name server is what happens without a network.
        unsure = lookup.errno == socket.EAI_AGAIN
        why = "its name could not be looked up" if unsure else "there is no such host"
        message = f"No connection to {where}: {why}."
        hint = "Check the network and the address."
        return _made("unreachable", message, hint, temporary=unsure)
    if "ProxyError" in names:
        message = f"No connection to {where}: the proxy said: {_detail(case, str(error))}"
        return _made("unreachable", message, "Check the proxy's variables.", temporary=True)
    if names & {"ConnectTimeout", "PoolTimeout"}:
        message = f"No connection to {where}: it did not respond in time."
        hint = "Check the network and the address."
        return _made("unreachable", message, hint, temporary=True)
    if "ConnectError" in names:
        refused = "ConnectionRefusedError" in names or "refused" in str(error).lower()
        why = "it was refused" if refused else "it failed"
        message = f"No connection to {where}: {why}."
        return _made("unreachable", message, _is_it_running(case), temporary=True)
    if "DecodingError" in names:
        return not_a_reply(case, "a body that cannot be unpacked")
    if "TransportError" in names or isinstance(error, OSError):
        if case.anything:
            message = f"The reply was cut off: the connection to {where} broke."
        else:
            message = f"The connection to {where} broke before the reply began."
        return _made("server", message, again(anything=case.anything), temporary=True)
    said_ = _detail(case, str(error) or type(error).__name__)
    return _made("other", f"{case.model} could not answer: {said_}", again(anything=case.anything))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _is_it_running(case: Case) -> str:
    from urllib.parse import urlsplit

    if is_loopback(urlsplit(case.at.url).hostname or ""):
        return "Start the model server there, or check [provider] api_base."
    return "Check the network and the address."


# By what came -----------------------------------------------------------------------------


def not_a_reply(case: Case, what: str) -> Failed:
    """Something came that is not of the protocol."""
    hint = again(anything=case.anything)
    if case.anything:
        return _made(
            "server",
            f"The reply was cut off: {case.at.where} sent {what}, which is no model reply.",
            hint,
        )
    message = f"{case.at.where} sent something that is no model reply: {what}."
    return _made("server", message, f"{hint} {_CHECK_BASE}")


def not_a_model_server(case: Case, media_type: str) -> Failed:
    message = f"{case.at.where} did not answer like a model server: it sent "
    hint = f"{_CHECK_BASE[:-1]}; it usually ends in /v1."
    return _made("server", f"{message}{one_line(media_type, 40)}.", hint)


def cut_off(case: Case) -> Failed:
    """The stream ended, and the protocol's own end had not come."""
    if not case.anything:
        message = f"{case.at.where} sent an empty reply."
        return _made("server", message, again(anything=False), temporary=True)
    message = f"The reply was cut off: {case.at.where} ended it without saying that it is complete."
    return _made("server", message, again(anything=True))


def unknown_end(case: Case, reason: str) -> Failed:
    message = f"{case.at.where} ended the reply for a reason that is not known: "
    return _made("server", f"{message}{one_line(case.hide(reason), 40)}.", again(anything=True))


def empty(case: Case, reason: str) -> Failed:
    """A finished reply that holds nothing."""
    if reason == "content_filter":
        message = f"The content filter of {case.at.where} held the reply back."
        return _made("refused", message, "/edit words the question anew.")
    if reason == "length":
        message = f"{case.model} reached its token limit before it said anything."
        return _made("other", message, "Raise max_tokens of the agent.")
    return _made("server", f"{case.model} sent an empty reply.", again(anything=False))


def too_long(case: Case, most: float) -> Failed:
    message = f"The reply was cut off: it is longer than {most:,.0f} bytes."
    return _made("other", message, "[provider.limits] reply_bytes in the config file allows more.")


def line_too_long(case: Case, most: float) -> Failed:
    message = f"{case.at.where} sent a line of more than {most:,.0f} bytes."
    return _made("other", message, _CHECK_BASE)


def too_slow(case: Case, limit: str, amount: str) -> Failed:
    """``limit`` is the name of the setting whose ``amount`` of time has passed."""
    where = case.at.where
    message = {
        "first_token": f"{where} did not begin to answer within {amount}.",
        "between_tokens": f"The reply was cut off: {where} sent nothing for {amount}.",
        "whole_reply": f"The reply was cut off: it took longer than {amount}.",
    }[limit]
    hint = f"{again(anything=case.anything)} [provider.limits] {limit} in the config file sets"
    return _made("timeout", message, f"{hint} the limit.")


def _detail(case: Case, text: str) -> str:
    """A server's words on one line, without keys; a web page is only called one."""
    if re.search(r"<(?:!doctype|html|body)", text, re.IGNORECASE):
        return "it sent a web page"
    # Keys are taken out before the cut, which could halve one.
    return one_line(case.hide(text), _LONGEST_DETAIL) or "it gave no reason"


def _made(kind: str, message: str, hint: str, **fields: Any) -> Failed:
    hint = one_line(hint, _LONGEST - _LONGEST_MESSAGE - 1)
    message = one_line(message, _LONGEST - len(hint) - 2)
    # What a server said may end without a full stop, and a hint stands behind it.
    ended = message if message.endswith((*".!?…。！？",)) else f"{message}."
    return Failed(kind, ended, hint, **fields)

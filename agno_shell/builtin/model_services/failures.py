"""Why a server gave no reply, or no whole one, as one sentence with a next step.

Whether it makes sense to ask again is part of it (``Failed.temporary``): yes for what
is busy, down or lost on its way; no for what the same request would meet again.
"""

from __future__ import annotations

import email.utils
import re
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from agno_shell.builtin.model_services.causes import address_of, class_names
from agno_shell.builtin.model_services.destination import Destination, is_loopback
from agno_shell.builtin.model_services.way import OnTheWayError
from agno_shell.errors import ProviderError
from agno_shell.events import Failed
from agno_shell.toolkit.terminal_text import clean
from agno_shell.types import NOTHING

LONGEST = 300
"""Characters of a sentence and its hint together."""

_LONGEST_MESSAGE = 210
_LONGEST_DETAIL = 130
_LONGEST_WAIT = 366 * 24 * 3600.0
"""Seconds; a server that wants more made a mistake."""

_AGAIN = "/retry asks again."
_GO_ON = "/continue goes on from there, /retry asks again."
_BAD_KEY = re.compile(
    r"(?:invalid|incorrect) (?:x-)?api[ _-]?key|api key (?:is )?not valid|no connected db",
    re.IGNORECASE,
)
"""The last one is a litellm proxy without a database, in which it looks for every key that is
not its own."""
_NO_CREDIT = re.compile(
    r"insufficient[_ ]quota|current quota|credit balance|billing|payment required", re.IGNORECASE
)
_NAMES_A_MODEL = re.compile(r"model|deployment for this resource", re.IGNORECASE)
"""How a server says 404 of a model, and Azure of a deployment."""
_FILTERED = re.compile(r"flagged|moderation|content[ _-](?:filter|policy)|safety", re.IGNORECASE)
_NO_MODEL = re.compile(
    r"(?:invalid|unknown|no such) model(?: name| id)?\b(?! \w*(?:put|param|setting|config))"
    r"|model[ _]not[ _](?:found|exist)|not a valid model"
    r"|\bmodel\b.{0,100}(?:does not exist|not found|is not available)",
    re.IGNORECASE,
)
"""How Mistral, DeepSeek, xAI, OpenRouter and a litellm proxy say, with a status for what is
wrong in a request, that they do not have the model."""
_PAGE = re.compile(r"<(?:!doctype|html|body)", re.IGNORECASE)
_OVERFLOW = re.compile(
    r"context.{0,12}(?:length|window|size)|maximum context|too many (?:input )?tokens"
    r"|prompt is too long|input token count.{0,40}exceeds|exceeds? the (?:available|maximum)"
    r".{0,30}(?:context|tokens)|longer than the (?:model|context)|n_ctx"
    r"|request_too_large|string too long",
    re.IGNORECASE,
)
"""How OpenAI, Anthropic, Google, Ollama, LM Studio, vLLM, llama.cpp and OpenRouter say that a
request is longer than the model's window."""


class FailureContext(NamedTuple):
    """A failure, and what is known of it."""

    goal: Destination
    model: str
    anything: bool
    """Something of the reply had come."""
    hide: Callable[[str], str]
    """Takes keys out of a text."""
    nearest: Callable[[str], str] = lambda _model: ""
    """Makes a hint of a model name that is not known."""


class ServerError(NamedTuple):
    """What a server reports of an error."""

    status: int
    detail: str
    """Its words for people: one line, without keys."""
    code: str = ""
    """Its words for programs."""
    headers: Mapping[str, str] = NOTHING
    """Their names in lower case."""


def again(*, anything: bool) -> str:
    """The next step after a failure; ``anything``: something of the reply had come."""
    return _GO_ON if anything else _AGAIN


def check_base(goal: Destination) -> str:
    """The next step where an address seems to be wrong."""
    ends = "; it usually ends in /v1" if goal.model.startswith("openai/") else ""
    return f"Check {goal.source}{ends}."


def as_failed(error: ProviderError) -> Failed:
    """The event for an error that is explained already."""
    return Failed(error.kind, str(error), error.hint, error.temporary)


def fitting(failed: Failed) -> Failed:
    """A failure whose sentence and hint are one line each, and not too long together."""
    hint = one_line(failed.hint, LONGEST - _LONGEST_MESSAGE - 1)
    message = one_line(failed.message, LONGEST - len(hint) - 2)
    # A server's message may end without a full stop, and a hint follows it.
    ended = message if message.endswith((*".!?…。！？",)) else f"{message}."
    return Failed(failed.kind, ended, hint, failed.temporary, failed.retry_after)


def one_line(text: str, limit: int) -> str:
    """Text on one line, nothing in it that acts on a terminal, cut with an ellipsis."""
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def is_page(text: str) -> bool:
    """Whether a text is a web page."""
    return bool(_PAGE.search(text[:1000]))


def in_its_words(text: str, hide: Callable[[str], str]) -> str:
    """A server's words on one line, without keys; a web page is only called one."""
    if is_page(text):
        text = "it sent a web page"
    # Keys are taken out before the cut, which could halve one.
    return one_line(hide(text), _LONGEST_DETAIL)


# By status -------------------------------------------------------------------------------


def by_status(case: FailureContext, said: ServerError) -> Failed:
    """Why a server refused a request, or broke off a reply."""
    where, status, detail = case.goal.where, said.status, said.detail
    if _is_overflow(said):
        message = f"The conversation is longer than {case.model} can take: {detail}"
        hint = "/compact sums up the older turns; /model chooses a larger window."
        return Failed("overflow", message, hint)
    if status == 401 or (status in (400, 403) and _BAD_KEY.search(detail)):
        return _wrong_key(case.goal, status)
    if status == 403:
        return _not_allowed(case, detail)
    if status == 404 or (status in (400, 422) and _NO_MODEL.search(f"{detail} {said.code}")):
        return _not_found(case, said)
    if status in (402, 429):
        return _rate_limited(case, said)
    if status in (408, 504):
        message = f"{where} took too long ({status}): {detail}"
        return _temporary(case, "timeout", message, said)
    if 300 <= status < 400:
        message = f"{where} redirects elsewhere ({status}); a key is never sent after a redirect."
        return Failed("wrong_address", message, "Set [provider] api_base to the final address.")
    if status >= 500:
        message = f"{where} had an error of its own ({status}): {detail}"
        failed = _temporary(case, "server", message, said)
        # What a server cannot do at all it cannot do in a moment either.
        return failed if status not in (501, 505) else Failed("server", message, failed.hint)
    message = f"{where} refused the request ({status}): {detail}"
    return Failed("refused", message, "Change what it names, or choose another model with /model.")


def _is_overflow(said: ServerError) -> bool:
    words = f"{said.detail} {said.code}"
    if said.status == 413 or "context_length_exceeded" in words:
        return True
    return said.status in (400, 422, 500) and bool(_OVERFLOW.search(words))


def _temporary(case: FailureContext, kind: str, message: str, said: ServerError) -> Failed:
    hint, after = again(anything=case.anything), retry_after(said.headers)
    return Failed(kind, message, hint, temporary=True, retry_after=after)


def _wrong_key(goal: Destination, status: int) -> Failed:
    if goal.key_variable:
        message = f"{goal.where} did not accept the key in {goal.key_variable} ({status})."
        hint = f"Check the value of {goal.key_variable} and start agno-shell again."
        return Failed("authentication", message, hint)
    message = f"{goal.where} wants a key ({status}), and none is set for it."
    hint = "Name the environment variable that holds it in [provider] api_key_env."
    return Failed("authentication", message, hint)


def _not_allowed(case: FailureContext, detail: str) -> Failed:
    goal = case.goal
    message = f"{goal.where} does not allow this (403): {detail}"
    hint = "Choose another model with /model."
    if goal.key_variable:
        hint = f"See what the key in {goal.key_variable} may use, or choose another /model."
    # Some services answer so to what their own filter does not let through.
    kind = "refused" if _FILTERED.search(detail) else "authentication"
    return Failed(kind, message, hint)


def _not_found(case: FailureContext, said: ServerError) -> Failed:
    where, model, detail = case.goal.where, case.model, said.detail
    # A server of one's own also says 404 where the address is wrong.
    said_of = f"{detail} {said.code}"
    if case.goal.api_base is not None and not _NAMES_A_MODEL.search(said_of):
        message = f"{where} has no such page (404): {detail}"
        return Failed("wrong_address", message, check_base(case.goal))
    message = f"{where} knows no model {model} ({said.status}): {detail}"
    hint = case.nearest(model) or "Choose another model with /model."
    return Failed("unknown_model", message, hint)


def _rate_limited(case: FailureContext, said: ServerError) -> Failed:
    where, status, detail = case.goal.where, said.status, said.detail
    if status == 402 or _NO_CREDIT.search(f"{detail} {said.code}"):
        message = f"{where} says that the account has no credit left ({status}): {detail}"
        return Failed("rate_limited", message, "Look at the account, or choose another /model.")
    after = retry_after(said.headers)
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


# By the connection -----------------------------------------------------------------------


def by_connection(case: FailureContext, chain: Sequence[BaseException]) -> Failed | None:
    """Why nothing came from a server, or nothing more, by what the client libraries raised;
    None: they raised nothing that says it."""
    for error in chain:
        if isinstance(error, OnTheWayError):
            return Failed("unreachable", str(error), error.hint, temporary=error.temporary)
    names = class_names(chain)
    where = address_of(chain) or case.goal.where
    if any(isinstance(error, ssl.SSLError) for error in chain):
        message = f"No safe connection to {where}: its certificate was not accepted."
        return Failed("unreachable", message, "Check the address and this computer's clock.")
    if any(isinstance(error, socket.gaierror) for error in chain):
        return _no_such_host(chain, where)
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


def _no_such_host(chain: Sequence[BaseException], where: str) -> Failed:
    codes = {error.errno for error in chain if isinstance(error, socket.gaierror)}
    # Not to reach a name server is what happens without a network.
    unsure = socket.EAI_AGAIN in codes
    why = "its name could not be looked up" if unsure else "there is no such host"
    message = f"No connection to {where}: {why}."
    return Failed("unreachable", message, "Check the network and the address.", temporary=unsure)


def _broke(case: FailureContext, where: str) -> Failed:
    if case.anything:
        message = f"The reply was cut off: the connection to {where} broke."
    else:
        message = f"The connection to {where} broke before the reply began."
    return Failed("server", message, again(anything=case.anything), temporary=True)


def _is_it_running(where: str, goal: Destination) -> str:
    if is_loopback(urlsplit(f"//{where}").hostname or ""):
        return f"Start the model server there, or check {goal.source}."
    return "Check the network and the address."


# By what came, and how much, and when ----------------------------------------------------


def not_a_model_server(goal: Destination, media_type: str) -> ProviderError:
    """The error for an answer that is of no kind that model servers give."""
    return ProviderError(
        f"{goal.where} did not answer like a model server: it sent {one_line(media_type, 40)}.",
        hint=check_base(goal),
        kind="wrong_address",
    )


def not_streamed(goal: Destination) -> ProviderError:
    """The error for an answer in one piece, in which a reader of streams finds nothing."""
    return ProviderError(
        f"{goal.where} sent its answer in one piece, which litellm cannot read as a stream.",
        hint='[provider] plugin = "direct" can, where it speaks the server\'s protocol.',
        kind="server",
    )


def cut_off(goal: Destination, *, anything: bool) -> ProviderError:
    """The error for a stream that ended before the protocol's own end had come."""
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
        return ProviderError(message, hint="/edit changes the question.", kind="refused")
    if reason == "length":
        message = f"{model} reached its token limit before it answered anything."
        return ProviderError(message, hint="Raise max_tokens of the agent.", kind="other")
    return ProviderError(f"{model} sent an empty reply.", hint=_AGAIN, kind="server")


def too_long(most: float) -> ProviderError:
    """The error for a reply of more than ``most`` bytes."""
    return ProviderError(
        f"The reply was cut off: it is longer than {most:,.0f} bytes.",
        hint="[provider.limits] reply_bytes in the config file allows more.",
        kind="other",
    )


def too_slow(goal: Destination, limit: str, amount: str, *, anything: bool) -> ProviderError:
    """The error when the ``amount`` of time of the setting ``limit`` has passed."""
    message = {
        "first_token": f"{goal.where} did not begin to answer within {amount}.",
        "between_tokens": f"The reply was cut off: {goal.where} sent nothing for {amount}.",
        "whole_reply": f"The reply was cut off: it took longer than {amount}.",
    }[limit]
    hint = f"{again(anything=anything)} [provider.limits] {limit} in the config file sets"
    return ProviderError(message, hint=f"{hint} the limit.", kind="timeout")


def unsendable(error: Exception) -> ProviderError:
    """The error for a request that cannot be written as JSON."""
    return ProviderError(
        f"A parameter of the request cannot be sent: {error}.",
        hint="Change the agent's parameters in the config file.",
        kind="not_sent",
    )

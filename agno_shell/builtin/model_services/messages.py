"""The messages of a request in OpenAI's form, valid for every model.

Made again from the messages each time, in the same way: what is sent begins the same from
turn to turn, so that the services' caches find it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from agno_shell.builtin.model_services import attachments, private_fields, tool_calls
from agno_shell.builtin.model_services.target import Target
from agno_shell.types import NOTHING

Record = dict[str, Any]

SUMMARY = "This is a summary of the conversation so far:"
NO_RESULT = "There is no result: the tool was not run to its end."
NO_OUTPUT = "(no output)"
BEGINNING = "(The conversation begins with a reply.)"
NO_REPLY = "(There was no reply to this.)"


class Manner(NamedTuple):
    """How messages are written for one request."""

    target: Target
    thinking: bool | None = None
    """Whether the model is asked to think; see :func:`reasoning.is_on`."""
    responses: bool = False
    """The request goes to OpenAI's Responses API."""
    files: Mapping[str, bytes] = NOTHING
    """The contents of attachments, by their SHA-256."""


def in_openai_form(messages: Sequence[Mapping[str, Any]], manner: Manner) -> list[Record]:
    """Messages of :func:`sendable.message_record` for a model. Raises
    :class:`ProviderError` for an attachment of the question that it cannot take."""
    said = [message for message in messages if not _is_empty_reply(message)]
    ids = tool_calls.ToolCallIds(mistral=manner.target.mistral)
    question = max((at for at, one in enumerate(said) if one["role"] == "user"), default=-1)
    written: list[Record] = []
    at = 0
    while at < len(said):
        if said[at]["role"] == "assistant" and said[at].get("tool_calls"):
            end = _end_of_results(said, at + 1)
            written += _calls_with_results(said[at], said[at + 1 : end], manner, ids)
            at = end
        else:
            written.append(_written(said[at], manner, asked_now=at == question))
            at += 1
    written = _begun_by_the_person(written)
    return _results_replied_to(written) if manner.target.mistral else written


def _is_empty_reply(message: Mapping[str, Any]) -> bool:
    """Several services refuse a request with such a one in it."""
    silent = not message["content"].strip() and not message.get("tool_calls")
    return bool(message["role"] == "assistant" and silent)


def _begun_by_the_person(written: list[Record]) -> list[Record]:
    """Anthropic and Google want a conversation to begin with the user."""
    first = next((at for at, one in enumerate(written) if one["role"] != "system"), None)
    if first is not None and written[first]["role"] == "assistant":
        written.insert(first, {"role": "user", "content": BEGINNING})
    return written


def _results_replied_to(written: list[Record]) -> list[Record]:
    """Mistral wants a reply between results of tools and the user's next message; there
    is none where the user stopped it."""
    told: list[Record] = []
    for message in written:
        if message["role"] == "user" and told and told[-1]["role"] == "tool":
            told.append({"role": "assistant", "content": NO_REPLY})
        told.append(message)
    return told


def _written(message: Mapping[str, Any], manner: Manner, *, asked_now: bool) -> Record:
    """Any message but one with calls of tools or one of their results."""
    role, text = message["role"], message["content"]
    if role == "assistant":
        return {"role": role, "content": text} | _private(message, manner)
    if role == "system":
        return {"role": role, "content": text}
    if role == "summary":
        text = f"{SUMMARY}\n\n{text}"
    elif role == "tool":  # of a call that is not there: no service would take it as a result
        text = f"A tool said:\n\n{text}"
    attached = message.get("attachments") or ()
    parts = attachments.parts(attached, manner.files, manner.target, asked_now=asked_now)
    if not parts:
        return {"role": "user", "content": text}
    said = [{"type": "text", "text": text}] if text.strip() else []
    return {"role": "user", "content": [*parts, *said]}


def _private(message: Mapping[str, Any], manner: Manner) -> Record:
    target = manner.target
    given = private_fields.given_by(message, target, manner.thinking)
    return private_fields.message_fields(given, target, responses=manner.responses)


# Tools -----------------------------------------------------------------------------------


def _end_of_results(messages: Sequence[Mapping[str, Any]], start: int) -> int:
    """The place behind the results that follow each other from ``start`` on."""
    end = start
    while end < len(messages) and messages[end]["role"] == "tool":
        end += 1
    return end


def _calls_with_results(
    asked: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]],
    manner: Manner,
    ids: tool_calls.ToolCallIds,
) -> Iterator[Record]:
    """A reply that calls tools, and behind it exactly one result of each call."""
    private = private_fields.given_by(asked, manner.target, manner.thinking)
    calls = [
        (call["id"], tool_calls.call(call, ids.new(call["id"]))) for call in asked["tool_calls"]
    ]
    yield {
        "role": "assistant",
        # Not an empty text: Anthropic would be sent a placeholder for it.
        "content": asked["content"] if asked["content"].strip() else None,
        "tool_calls": [
            call | private_fields.call_fields(private, original) for original, call in calls
        ],
    } | private_fields.message_fields(private, manner.target, responses=manner.responses)
    left = list(results)
    for original, call in calls:
        result = next((one for one in left if one.get("tool_call_id") == original), None)
        if result is not None:
            left.remove(result)
        said = NO_RESULT if result is None else result["content"]
        content = said if said.strip() else NO_OUTPUT
        yield {"role": "tool", "tool_call_id": call["id"], "content": content}
    for stray in left:
        yield _written(stray, manner, asked_now=False)

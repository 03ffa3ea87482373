"""What the strictest servers refuse: one judge for a request on the wire and for one that the
engine makes.

The rules are those of the chat templates that llama.cpp, vLLM and LM Studio use for Mistral,
Gemma and the older Llamas, which raise "Conversation roles must alternate …", and of the
services that check a request's fields:

- at most one system message, and it is the first;
- then user and assistant in turn, the user first. As in Mistral's template, results of tools
  and replies that call tools do not count: an answer stands between results and a question;
- behind a reply that calls tools one result of each call, in their order; none elsewhere;
- the last message is one to be answered;
- no message, and no part of one, is empty;
- no field that the protocol does not have.

A request of the engine has its speakers in the texts, and nothing of the tools that a provider
has run itself: no protocol has a field for either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from agno_shell.events import Request

ALTERNATE = (
    "After the optional system message, conversation roles must alternate "
    "user/assistant/user/assistant/..."
)

REQUEST_FIELDS = frozenset(
    {
        *("model", "messages", "stream", "stream_options", "tools", "tool_choice", "user"),
        *("temperature", "top_p", "n", "stop", "seed", "logit_bias", "logprobs", "top_logprobs"),
        *("max_tokens", "max_completion_tokens", "frequency_penalty", "presence_penalty"),
        *("response_format", "reasoning_effort", "verbosity", "parallel_tool_calls", "store"),
        *("metadata", "modalities", "audio", "prediction", "service_tier", "web_search_options"),
        *("prompt_cache_key", "prompt_cache_retention", "safety_identifier"),
        *("functions", "function_call"),
    }
)
"""Of a chat completion: https://platform.openai.com/docs/api-reference/chat/create"""

MESSAGE_FIELDS: Mapping[str, frozenset[str]] = {
    "system": frozenset(("role", "content", "name")),
    "user": frozenset(("role", "content", "name")),
    "assistant": frozenset(("role", "content", "name", "tool_calls", "refusal", "audio")),
    "tool": frozenset(("role", "content", "tool_call_id")),
}

PART_FIELDS: Mapping[str, frozenset[str]] = {
    "text": frozenset(("type", "text")),
    "image_url": frozenset(("type", "image_url")),
    "input_audio": frozenset(("type", "input_audio")),
    "file": frozenset(("type", "file")),
}


class SequenceItem(NamedTuple):
    """A message as far as the sequence goes."""

    role: str
    is_empty: bool
    calls: tuple[str, ...] = ()
    """The ids of the calls that it makes."""
    answers: str | None = None
    """The id of the call that it answers."""


def request_problem(request: Request) -> str:
    """Why a server would refuse what the engine is about to send; empty: it would not."""
    items = [
        SequenceItem(
            each.role,
            not (each.content.strip() or each.attachments),
            tuple(call.id for call in each.tool_calls),
            each.tool_call_id if each.role == "tool" else None,
        )
        for each in request.messages
    ]
    if any(each.speaker or each.provider_tools for each in request.messages):
        return "A message names its speaker, or tools of the provider, in a field of its own."
    missing = [
        attachment.name
        for each in request.messages
        for attachment in each.attachments
        if attachment.sha256 not in request.files
    ]
    return sequence_problem(items) or (f"The file {missing[0]} is missing." if missing else "")


def body_problem(body: Any) -> str:
    """Why the body of a chat completion is refused; empty: it is not."""
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        return "Field required: messages"
    if unknown := sorted(body.keys() - REQUEST_FIELDS):
        return f"Unrecognized request argument supplied: {unknown[0]}"
    for number, message in enumerate(body["messages"]):
        if wrong := _message_problem(message):
            return f"messages[{number}]: {wrong}"
    return sequence_problem(map(_item, body["messages"]))


def sequence_problem(messages: Iterable[SequenceItem]) -> str:
    """What is wrong with the order of messages, or with an empty one; empty: nothing is."""
    items = list(messages)
    spoken = items[1:] if items and items[0].role == "system" else items
    for number, each in enumerate(items):
        if each.is_empty and not each.calls:
            return f"messages[{number}]: content must not be empty"
    if any(each.role == "system" for each in spoken):
        return "System message must be at the beginning."
    return _turns_problem(spoken) or _results_problem(spoken)


def _turns_problem(spoken: Sequence[SequenceItem]) -> str:
    turn = [each.role for each in spoken if each.role != "tool" and not each.calls]
    if any(role != ("user", "assistant")[at % 2] for at, role in enumerate(turn)):
        return ALTERNATE
    if not turn or spoken[0].role != "user":
        return "The first message must be one of the user."
    for before, each in pairwise(spoken):
        if before.role == each.role == "assistant":
            return ALTERNATE
    if spoken[-1].role == "assistant":
        return "Cannot continue from a message of the assistant."
    return ""


def _results_problem(spoken: Sequence[SequenceItem]) -> str:
    waiting: list[str] = []
    for each in spoken:
        if each.role == "tool":
            if not waiting or waiting[0] != each.answers:
                return f"No tool call is waiting for this result: {each.answers}"
            waiting.pop(0)
        elif waiting:
            break
        else:
            waiting = list(each.calls)
    return f"Not the same number of tool calls and results: {waiting[0]}" if waiting else ""


# Fields -----------------------------------------------------------------------------------


def _message_problem(message: Any) -> str:
    if not isinstance(message, dict):
        return "it is no object"
    known = MESSAGE_FIELDS.get(str(message.get("role")))
    if known is None:
        return f"unknown role {message.get('role')!r}"
    if unknown := sorted(message.keys() - known):
        return f"Extra inputs are not permitted: {unknown[0]}"
    content = message.get("content")
    if isinstance(content, list):
        wrong = (_part_problem(part, message["role"]) for part in content)
        if problem := next(filter(None, wrong), "" if content else "content must not be empty"):
            return problem
    elif content is not None and not isinstance(content, str):
        return "content is neither a text nor a list of parts"
    calls = message.get("tool_calls") or ()
    if problem := next(filter(None, map(_call_problem, calls)), ""):
        return problem
    is_each_once = len({call["id"] for call in calls}) == len(calls)
    return "" if is_each_once else "Duplicate value for tool call id"


def _part_problem(part: Any, role: str) -> str:
    known = PART_FIELDS.get(str(part.get("type"))) if isinstance(part, dict) else None
    if known is None:
        return "Unexpected item type in content."
    if unknown := sorted(part.keys() - known):
        return f"Extra inputs are not permitted: {unknown[0]}"
    if part["type"] == "text":
        return "" if str(part.get("text") or "").strip() else "text must not be empty"
    return "" if role == "user" else f"{part['type']} is only allowed in a user message"


def _call_problem(call: Any) -> str:
    if not isinstance(call, dict) or call.keys() - {"id", "type", "function", "index"}:
        return "a tool call has unknown fields"
    function = call.get("function")
    if not isinstance(function, dict) or function.keys() != {"name", "arguments"}:
        return "a tool call needs a name and arguments"
    return "" if call.get("id") else "a tool call needs an id"


def _item(message: Mapping[str, Any]) -> SequenceItem:
    content = message.get("content")
    is_empty = not content or (isinstance(content, str) and not content.strip())
    calls = tuple(str(call["id"]) for call in message.get("tool_calls") or ())
    return SequenceItem(message["role"], is_empty, calls, message.get("tool_call_id"))

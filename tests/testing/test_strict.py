from __future__ import annotations

from typing import Any

import pytest

from agno_shell.events import Request
from agno_shell.testing.strict import body_problem, request_problem
from agno_shell.types import Attachment, Message, ProviderTool, ToolCall, new_id, now

SYSTEM = {"role": "system", "content": "Be kind."}
USER = {"role": "user", "content": "Hi"}
REPLY = {"role": "assistant", "content": "Hello"}
CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
OTHER = {**CALL, "id": "2"}
CALLS = {"role": "assistant", "content": None, "tool_calls": [CALL, OTHER]}
RESULT = {"role": "tool", "tool_call_id": "1", "content": "x"}
SECOND = {**RESULT, "tool_call_id": "2"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}


def body(*messages: Any, **fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": list(messages), **fields}


@pytest.mark.parametrize(
    "taken",
    [
        body(USER),
        body(SYSTEM, USER, REPLY, USER),
        body(USER, CALLS, RESULT, SECOND),
        body(USER, CALLS, RESULT, SECOND, REPLY, USER),
        body(USER, CALLS, RESULT, SECOND, CALLS, RESULT, SECOND, REPLY, USER),
        body({"role": "user", "content": [IMAGE, {"type": "text", "text": "What?"}]}),
        body(USER, stream=True, stream_options={"include_usage": True}, temperature=0.5),
    ],
)
def test_what_is_in_order_is_taken(taken: dict[str, Any]) -> None:
    assert body_problem(taken) == ""


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (None, "messages"),
        ({"model": "m"}, "messages"),
        (body(), "first message"),
        (body(SYSTEM), "first message"),
        (body(USER, USER), "must alternate"),
        (body(REPLY, USER), "must alternate"),
        (body(USER, REPLY), "Cannot continue"),
        (body(USER, REPLY, REPLY, USER), "must alternate"),
        (body(USER, REPLY, CALLS, RESULT, SECOND), "must alternate"),
        (body(SYSTEM, SYSTEM, USER), "at the beginning"),
        (body(USER, SYSTEM), "at the beginning"),
        (body({**USER, "content": " "}), "empty"),
        (body({**USER, "content": []}), "empty"),
        (body({**USER, "content": [{"type": "text", "text": ""}]}), "empty"),
        (body(USER, {**REPLY, "content": None}, USER), "empty"),
        (body(USER, CALLS, {**RESULT, "content": ""}, SECOND), "empty"),
        (body(USER, CALLS), "Cannot continue"),
        (body(USER, CALLS, RESULT), "number of tool calls"),
        (body(USER, CALLS, SECOND, RESULT), "No tool call"),
        (body(USER, CALLS, RESULT, RESULT), "No tool call"),
        (body(USER, CALLS, RESULT, SECOND, SECOND), "No tool call"),
        (body(USER, RESULT), "No tool call"),
        (body(USER, CALLS, RESULT, SECOND, USER), "must alternate"),
        (body(USER, {**CALLS, "tool_calls": [CALL, CALL]}, RESULT, RESULT), "Duplicate"),
        (body(USER, {**CALLS, "tool_calls": [{"id": "1"}]}, RESULT), "name and arguments"),
        (body({**USER, "id": "x"}), "not permitted: id"),
        (body(USER, {**REPLY, "reasoning_content": "hm"}, USER), "not permitted: reasoning"),
        (body({**USER, "role": "summary"}), "unknown role"),
        (body({**USER, "content": [{"type": "video"}]}), "Unexpected item"),
        (body({**SYSTEM, "content": [IMAGE]}, USER), "only allowed in a user"),
        (body({**USER, "content": 3}), "neither"),
        (body("text"), "no object"),
        (body(USER, cache="yes"), "argument supplied: cache"),
    ],
)
def test_what_is_not_is_refused(refused: Any, why: str) -> None:
    assert why in body_problem(refused)


def message(role: str, content: str = "", **fields: Any) -> Message:
    return Message(new_id(), role, content, now(), **fields)  # type: ignore[arg-type]


def test_a_request_of_the_engine_is_judged_by_the_same_rules() -> None:
    asked = message("user", "Hi")
    calls = message("assistant", tool_calls=(ToolCall("1", "f", "{}"),))
    result = message("tool", "x", tool_call_id="1")
    assert request_problem(Request("m", (asked, calls, result))) == ""
    assert "alternate" in request_problem(Request("m", (asked, asked)))
    two = calls._replace(tool_calls=(ToolCall("1", "f", "{}"), ToolCall("2", "f", "{}")))
    assert "number of tool calls" in request_problem(Request("m", (asked, two, result)))
    assert "empty" in request_problem(Request("m", (message("user", " "),)))
    named = message("assistant", "Hello", speaker="Ada")
    assert "names its speaker" in request_problem(Request("m", (asked, named, asked)))
    ran = message("assistant", "Hello", provider_tools=(ProviderTool("1", "search"),))
    assert "tools of the provider" in request_problem(Request("m", (asked, ran, asked)))
    file = message("user", attachments=(Attachment("a.png", "image/png", "0" * 64, 3),))
    assert request_problem(Request("m", (file,), files={"0" * 64: b"png"})) == ""
    assert "a.png is missing" in request_problem(Request("m", (file,)))

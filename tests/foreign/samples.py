"""What aimock answers, and what is read of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from agno_shell.types import ToolSchema

TEXT = "Grüße, 世界! 🎉 A reply of some length, that comes in pieces."
THOUGHTS = "First I think of it. Then I think of it once more."

_LOOK_UP: dict[str, Any] = {"city": "Köln 🎉", "days": [1, 2, 3]}
_CALLS = [
    {"name": "look_up", "arguments": _LOOK_UP, "id": "call_a"},
    {"name": "add", "arguments": {"a": 1, "b": 2}, "id": "call_b"},
    {"name": "add", "arguments": {}, "id": "call_c"},
]
CALLS = (("look_up", _LOOK_UP), ("add", {"a": 1, "b": 2}), ("add", {}))

TOOLS = (
    ToolSchema(
        "look_up",
        "Looks up the weather.",
        {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "days": {"type": "array", "items": {"type": "integer"}},
            },
            "required": ["city"],
        },
    ),
    ToolSchema("add", "Adds.", {"type": "object", "properties": {"a": {"type": "integer"}}}),
)


class Whole(NamedTuple):
    """A reply that is complete."""

    response: Mapping[str, Any]
    text: str = ""
    thoughts: str = ""
    calls: tuple[tuple[str, Any], ...] = ()
    reason: str = "stop"
    manner: Mapping[str, Any] = {}
    """How it is sent."""


WHOLE = {
    "text": Whole({"content": TEXT}, TEXT),
    "signs": Whole({"content": TEXT}, TEXT, manner={"chunkSize": 1}),
    "thoughts": Whole({"content": TEXT, "reasoning": THOUGHTS}, TEXT, THOUGHTS),
    "calls": Whole({"toolCalls": _CALLS}, "", "", CALLS, "tool_calls"),
    "call-signs": Whole(
        {"toolCalls": _CALLS}, "", "", CALLS, "tool_calls", manner={"chunkSize": 1}
    ),
    "text-calls": Whole({"content": TEXT, "toolCalls": _CALLS}, TEXT, "", CALLS, "tool_calls"),
    "thoughts-calls": Whole(
        {"reasoning": THOUGHTS, "toolCalls": _CALLS}, "", THOUGHTS, CALLS, "tool_calls"
    ),
    "calls-text": Whole(
        {"blocks": [{"type": "toolCall", **_CALLS[0]}, {"type": "text", "text": TEXT}]},
        *(TEXT, "", CALLS[:1], "tool_calls"),
    ),
    "length": Whole({"content": TEXT, "finishReason": "length"}, TEXT, reason="length"),
    "filter": Whole(
        {"content": TEXT, "finishReason": "content_filter"}, TEXT, reason="content_filter"
    ),
}

USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "input_tokens": 100,
    "output_tokens": 20,
    "promptTokenCount": 100,
    "candidatesTokenCount": 20,
}
"""One count, in the words of three protocols."""


class Refusal(NamedTuple):
    """An answer with an error status, and what becomes of it."""

    status: int
    message: str
    kind: str
    temporary: bool = False
    retry_after: float | None = None


REFUSALS = {
    "bad": Refusal(400, "The question is no question.", "refused"),
    "key": Refusal(401, "Incorrect API key provided.", "authentication"),
    "forbidden": Refusal(403, "Not for you.", "authentication"),
    "no-page": Refusal(404, "Nothing is here.", "wrong_address"),
    "no-model": Refusal(404, "The model `m` does not exist.", "unknown_model"),
    "huge": Refusal(413, "Payload too large.", "overflow"),
    "long": Refusal(400, "This model's maximum context length is 8 tokens.", "overflow"),
    "busy": Refusal(429, "Slow down.", "rate_limited", True, 7.0),
    "broken": Refusal(500, "It broke.", "server", True),
    "down": Refusal(503, "It is down.", "server", True),
    "overloaded": Refusal(529, "Overloaded.", "server", True),
}

_SLOWLY = {"chunkSize": 5, "latency": 20}
CUT = {
    "cut-text": ({"content": TEXT}, {**_SLOWLY, "truncateAfterChunks": 3}),
    "cut-thoughts": (
        {"content": TEXT, "reasoning": THOUGHTS},
        {**_SLOWLY, "truncateAfterChunks": 4},
    ),
    "cut-calls": ({"toolCalls": _CALLS}, {**_SLOWLY, "truncateAfterChunks": 4}),
    "gone": ({"content": TEXT}, {**_SLOWLY, "disconnectAfterMs": 90}),
    **{
        f"chaos-{name}": ({"content": TEXT}, {"chaos": {f"{name}Rate": 1.0}})
        for name in ("drop", "malformed", "disconnect")
    },
}
"""Replies that do not come to their end: what they would be, and how they break."""


def _answer(word: str, response: Mapping[str, Any], **manner: Any) -> dict[str, Any]:
    return {"match": {"userMessage": f"[{word}]"}, "response": response, **manner}


FIXTURES = {
    "fixtures": [
        {
            "match": {"toolResultContains": "It is 21 degrees."},
            "response": {"content": "Warm, then."},
        },
        *(_answer(word, whole.response, **whole.manner) for word, whole in WHOLE.items()),
        _answer("usage", {"content": TEXT, "usage": USAGE}),
        *(
            _answer(
                word,
                {
                    "error": {"message": no.message, "type": "an_error"},
                    "status": no.status,
                    **({"retryAfter": no.retry_after} if no.retry_after else {}),
                },
            )
            for word, no in REFUSALS.items()
        ),
        *(_answer(word, response, **manner) for word, (response, manner) in CUT.items()),
    ]
}
"""In aimock's own form; the first one that matches is answered."""

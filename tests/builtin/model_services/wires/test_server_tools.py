"""What services say of the tools that they run themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from agno_shell.builtin.model_services.wires import anthropic, gemini, openai_responses
from agno_shell.builtin.model_services.wires.framing import StreamEvent
from agno_shell.builtin.model_services.wires.server_tools import ServerTools, readable
from agno_shell.builtin.model_services.wires.wire import Wire
from agno_shell.events import ProviderToolFinished, ProviderToolStarted, TextDelta
from agno_shell.types import ToolCall


def streamed(wire: Wire, *values: Mapping[str, Any]) -> tuple[Any, list[Any]]:
    reader = wire.reader()
    found: list[Any] = []
    for value in values:
        found += reader.feed(StreamEvent("", json.dumps(value)))
    return reader, found


def tools(pieces: Sequence[Any]) -> list[Any]:
    return [each for each in pieces if isinstance(each, ProviderToolStarted | ProviderToolFinished)]


# Anthropic --------------------------------------------------------------------------------


def block(index: int, content: Mapping[str, Any], *inputs: str) -> list[dict[str, Any]]:
    delta = {"type": "content_block_delta", "index": index}
    return [
        {"type": "content_block_start", "index": index, "content_block": content},
        *(delta | {"delta": {"type": "input_json_delta", "partial_json": each}} for each in inputs),
        {"type": "content_block_stop", "index": index},
    ]


USE = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
FOUND = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [
        {
            "type": "web_search_result",
            "title": "Tides",
            "url": "https://tides.example/",
            "encrypted_content": "c2VjcmV0",
            "page_age": "2 days ago",
        },
        {"type": "web_search_result", "title": "Moon", "url": "https://moon.example/"},
    ],
}
SEARCHED = [
    ProviderToolStarted(ToolCall("srvtoolu_1", "web_search", '{"query": "tides"}')),
    ProviderToolFinished(
        ToolCall("srvtoolu_1", "web_search", '{"query": "tides"}'),
        "Tides · https://tides.example/\nMoon · https://moon.example/",
    ),
]


def test_claudes_search_is_no_call_of_ours() -> None:
    reader, pieces = streamed(
        anthropic.WIRE,
        *block(0, USE, '{"query"', ': "tides"}'),
        *block(1, FOUND),
        *block(2, {"type": "text", "text": "High at noon."}),
    )
    assert pieces == [*SEARCHED, TextDelta("High at noon.")]
    assert list(reader.calls.events()) == []
    assert reader.server_tools.ids == {"srvtoolu_1"}
    assert reader.size > len("High at noon.")
    assert reader.letters == len("Highatnoon.")


def test_claudes_search_in_a_reply_that_is_not_streamed() -> None:
    reader = anthropic.WIRE.reader()
    content = [USE | {"input": {"query": "tides"}}, FOUND]
    pieces = reader.whole({"content": content, "stop_reason": "end_turn"})
    assert tools(pieces) == SEARCHED


@pytest.mark.parametrize(
    ("result", "status", "words"),
    [
        (
            {
                "type": "web_search_tool_result",
                "content": {
                    "type": "web_search_tool_result_error",
                    "error_code": "max_uses_exceeded",
                },
            },
            "failed",
            "max_uses_exceeded",
        ),
        (
            {
                "type": "bash_code_execution_tool_result",
                "content": {
                    "type": "bash_code_execution_result",
                    "stdout": "42\n",
                    "stderr": "warned",
                    "return_code": 1,
                    "content": [],
                },
            },
            "complete",
            "42\n\nwarned\nreturn code 1",
        ),
        (
            {
                "type": "code_execution_tool_result",
                "content": {
                    "type": "encrypted_code_execution_result",
                    "encrypted_stdout": "c2VjcmV0",
                    "stderr": "",
                    "return_code": 0,
                    "content": [],
                },
            },
            "complete",
            "",
        ),
        (
            {
                "type": "web_fetch_tool_result",
                "content": {
                    "type": "web_fetch_result",
                    "url": "https://tides.example/",
                    "content": {
                        "type": "document",
                        "title": "Tides",
                        "source": {"type": "text", "media_type": "text/plain", "data": "Noon."},
                    },
                },
            },
            "complete",
            "https://tides.example/\nTides\nNoon.",
        ),
        (
            {
                "type": "mcp_tool_result",
                "is_error": True,
                "content": [{"type": "text", "text": "No."}],
            },
            "failed",
            "No.",
        ),
    ],
)
def test_claudes_other_results(result: Mapping[str, Any], status: str, words: str) -> None:
    use = {"type": "mcp_tool_use", "id": "m_1", "name": "look", "server_name": "sea", "input": {}}
    _reader, pieces = streamed(
        anthropic.WIRE, *block(0, use), *block(1, {**result, "tool_use_id": "m_1"})
    )
    assert tools(pieces)[0] == ProviderToolStarted(ToolCall("m_1", "sea.look", ""))
    finished = tools(pieces)[1]
    assert (finished.call.name, finished.status, finished.result) == ("sea.look", status, words)


# OpenAI ------------------------------------------------------------------------------------


def item(kind: str, value: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": f"response.output_item.{kind}", "output_index": 0, "item": value}


def test_openais_search_is_shown_before_its_query_is_known() -> None:
    begun = {"type": "web_search_call", "id": "ws_1", "status": "in_progress"}
    action = {
        "type": "search",
        "query": "tides",
        "sources": [{"type": "url", "url": "https://tides.example/"}],
    }
    done = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": action}
    _reader, pieces = streamed(
        openai_responses.WIRE,
        item("added", begun),
        {"type": "response.web_search_call.searching", "item_id": "ws_1", "output_index": 0},
        item("done", done),
    )
    given = '{"type": "search", "query": "tides"}'
    assert pieces == [
        ProviderToolStarted(ToolCall("ws_1", "web_search", "")),
        ProviderToolFinished(ToolCall("ws_1", "web_search", given), "https://tides.example/"),
    ]


@pytest.mark.parametrize(
    ("done", "call", "result", "status"),
    [
        (
            {
                "type": "file_search_call",
                "queries": ["tides"],
                "status": "completed",
                "results": [{"file_id": "f", "filename": "sea.md", "score": 0.9, "text": "Noon."}],
            },
            ("file_search", '{"queries": ["tides"]}'),
            "sea.md\nf\nNoon.",
            "complete",
        ),
        (
            {
                "type": "code_interpreter_call",
                "code": "print(6 * 7)",
                "container_id": "c",
                "status": "failed",
                "outputs": [{"type": "logs", "logs": "42"}, {"type": "image", "url": "data:x"}],
            },
            ("code_interpreter", '{"code": "print(6 * 7)"}'),
            "42\n(image)",
            "failed",
        ),
        (
            {
                "type": "mcp_call",
                "name": "look",
                "server_label": "sea",
                "arguments": '{"a":1}',
                "output": "Noon.",
                "error": None,
            },
            ("sea.look", '{"a":1}'),
            "Noon.",
            "complete",
        ),
        (
            {
                "type": "mcp_call",
                "name": "look",
                "server_label": "sea",
                "arguments": "{}",
                "error": {"type": "http_error", "code": 500, "message": "Down."},
            },
            ("sea.look", "{}"),
            "Down.",
            "failed",
        ),
        (
            {"type": "image_generation_call", "status": "completed", "result": "iVBORw0KGgo"},
            ("image_generation", ""),
            "(image)",
            "complete",
        ),
    ],
)
def test_openais_other_tools(
    done: Mapping[str, Any], call: tuple[str, str], result: str, status: str
) -> None:
    _reader, pieces = streamed(openai_responses.WIRE, item("done", {**done, "id": "x_1"}))
    (finished,) = pieces
    assert finished.call == ToolCall("x_1", *call)
    assert (finished.result, finished.status) == (result, status)
    body = {"status": "completed", "output": [{**done, "id": "x_1"}]}
    assert openai_responses.WIRE.reader().whole(body) == [finished]


def test_what_openai_asks_of_others_is_no_tool_of_its_own() -> None:
    shell = {"type": "local_shell_call", "id": "l_1", "call_id": "c", "action": {"type": "exec"}}
    _reader, pieces = streamed(openai_responses.WIRE, item("added", shell), item("done", shell))
    assert pieces == []


# Google ------------------------------------------------------------------------------------


def parts(*values: Mapping[str, Any]) -> dict[str, Any]:
    return {"candidates": [{"content": {"role": "model", "parts": list(values)}}]}


@pytest.mark.parametrize(
    ("outcome", "status", "result"),
    [
        ({"outcome": "OUTCOME_OK", "output": "42\n"}, "complete", "42\n"),
        ({"outcome": "OUTCOME_FAILED", "output": "No."}, "failed", "No."),
        ({"outcome": "OUTCOME_DEADLINE_EXCEEDED"}, "failed", "OUTCOME_DEADLINE_EXCEEDED"),
    ],
)
@pytest.mark.parametrize("ident", [{}, {"id": "c7"}])
def test_googles_code(
    outcome: Mapping[str, Any], status: str, result: str, ident: Mapping[str, str]
) -> None:
    code = {"language": "PYTHON", "code": "print(6 * 7)"}
    _reader, pieces = streamed(
        gemini.WIRE,
        parts({"text": "Let me see."}, {"executableCode": {**code, **ident}}),
        parts({"codeExecutionResult": {**outcome, **ident}}, {"text": "42."}),
    )
    call = ToolCall(
        ident.get("id", "tool_1"),
        "code_execution",
        '{"language": "PYTHON", "code": "print(6 * 7)"}',
    )
    assert pieces == [
        TextDelta("Let me see."),
        ProviderToolStarted(call),
        ProviderToolFinished(call, result, status),  # type: ignore[arg-type]
        TextDelta("42."),
    ]


def test_googles_own_search() -> None:
    call = {"id": "t", "toolType": "GOOGLE_SEARCH_WEB", "args": {"query": "tides"}}
    answer = {"id": "t", "toolType": "GOOGLE_SEARCH_WEB", "response": {"output": "Noon."}}
    _reader, pieces = streamed(gemini.WIRE, parts({"toolCall": call}, {"toolResponse": answer}))
    searched = ToolCall("t", "google_search_web", '{"query": "tides"}')
    assert pieces == [ProviderToolStarted(searched), ProviderToolFinished(searched, "Noon.")]


# What is common ----------------------------------------------------------------------------


def test_a_result_of_a_tool_whose_beginning_nobody_told() -> None:
    known = ServerTools()
    assert known.finish("", "x").call.id == "tool_1"
    assert known.finish("id", "x", name="look", arguments={"a": 1}) == ProviderToolFinished(
        ToolCall("id", "look", '{"a": 1}'), "x"
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, ""),
        (7, ""),
        ("as it is", "as it is"),
        ([{"text": "a"}, None, "b", {"text": " "}], "a\nb"),
        ({"type": "strange", "figure": 7, "encrypted_index": "c2V"}, '{"figure": 7}'),
        ({"type": "strange", "figure": None}, ""),
        ({"title": 5, "url": "https://x.example/"}, "https://x.example/"),
        ({"type": "base64", "data": "iVBORw0KGgo"}, "(base64)"),
    ],
)
def test_what_is_to_be_read_in_a_result(value: object, words: str) -> None:
    assert readable(value) == words

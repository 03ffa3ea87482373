"""The model server speaks real HTTP, and each of its faults is what it says."""

from __future__ import annotations

import contextlib
import gc
import http.client
import json
import socket
import subprocess
import sys
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agno_shell.testing.model_server import ModelServer


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


Post = Callable[..., http.client.HTTPResponse]


@pytest.fixture
def post(server: ModelServer) -> Iterator[Post]:
    """Sends one chat request, streamed; gives the response, unread."""
    with contextlib.ExitStack() as connections:

        def send(text: str = "Hello", **fields: Any) -> http.client.HTTPResponse:
            body = {
                "model": "m",
                "messages": [{"role": "user", "content": text}],
                "stream": True,
                "stream_options": {"include_usage": True},
                **fields,
            }
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
            connections.callback(connection.close)
            connection.request("POST", "/v1/chat/completions", json.dumps(body), {"X-Test": "Yes"})
            return connection.getresponse()

        yield send


def events(response: http.client.HTTPResponse) -> list[Any]:
    """The data of every event; ``[DONE]`` as text."""
    with response:
        lines = response.read().decode().split("\n")
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return [item if item == "[DONE]" else json.loads(item) for item in data]


def text_of(chunks: list[Any]) -> str:
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks[:-1] if chunk["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def test_by_itself_it_echoes_and_records(server: ModelServer, post: Post) -> None:
    chunks = events(post("Good day"))
    assert text_of(chunks) == "You said: Good day (1 messages)"
    assert chunks[-1] == "[DONE]"
    assert chunks[-2]["usage"] == {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["x-test"] == "Yes"
    assert request.body["messages"][0]["content"] == "Good day"


def test_a_strict_one_refuses_what_is_not_in_order(server: ModelServer, post: Post) -> None:
    server.strict = True
    server.reply("Planned")
    twice = [{"role": "user", "content": "Hi"}, {"role": "user", "content": "again"}]
    response = post(messages=twice)
    assert response.status == 400
    error = json.loads(response.read())["error"]
    assert "conversation roles must alternate user/assistant" in error["message"]
    assert server.refused == [error["message"]]
    # What was planned is for a request that is taken.
    assert text_of(events(post(messages=twice[:1]))) == "Planned"
    server.forget()
    assert server.refused == []


def test_usage_is_sent_only_when_it_is_asked_for(server: ModelServer, post: Post) -> None:
    chunks = events(post(stream_options=None))
    assert not any("usage" in chunk for chunk in chunks[:-1])


def test_a_reply_that_is_not_streamed_is_one_object(server: ModelServer, post: Post) -> None:
    with post(stream=False) as response:
        answer = json.load(response)
    assert answer["choices"][0]["message"]["content"] == "You said: Hello (1 messages)"
    assert answer["usage"]["prompt_tokens"] == 1


def test_plans_are_used_up_in_order(server: ModelServer, post: Post) -> None:
    server.reply("one")
    server.reply(["t", "wo"], finish="length")
    assert text_of(events(post())) == "one"
    second = events(post())
    assert text_of(second) == "two"
    assert second[-3]["choices"][0]["finish_reason"] == "length"
    assert text_of(events(post())).startswith("You said")


def test_asked_for_a_demo_it_shows_markdown(server: ModelServer, post: Post) -> None:
    text = text_of(events(post("A demo, please")))
    assert text.startswith("# ")
    assert "```python" in text


def test_a_reply_can_be_of_any_length(server: ModelServer, post: Post) -> None:
    server.tokens = 5000
    assert len(text_of(events(post())).split()) == 5000


def test_one_connection_carries_many_requests(server: ModelServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for _ in range(3):
        connection.request("GET", "/v1/models")
        names = [model["id"] for model in json.load(connection.getresponse())["data"]]
        assert names == ["test-model", "other-model"]
    connection.close()


@pytest.mark.parametrize(("code", "page"), [(401, False), (429, False), (500, False), (503, True)])
def test_errors(server: ModelServer, post: Post, code: int, page: bool) -> None:
    if page:
        server.html(code)
    else:
        server.status(code, "No.", {"Retry-After": "7"})
    with post() as response:
        body = response.read()
        assert response.status == code
        if page:
            assert body.startswith(b"<!DOCTYPE html>")
        else:
            assert json.loads(body)["error"]["message"] == "No."
            assert response.headers["Retry-After"] == "7"


def test_overflow_and_redirect(server: ModelServer, post: Post) -> None:
    server.overflow()
    server.redirect("http://127.0.0.1:1/")
    with post() as response:
        assert json.load(response)["error"]["code"] == "context_length_exceeded"
    with post() as response:
        assert (response.status, response.headers["Location"]) == (307, "http://127.0.0.1:1/")


def test_a_dropped_reply_ends_in_the_middle_of_its_body(server: ModelServer, post: Post) -> None:
    server.drop(["Half"])
    with post() as response, pytest.raises(http.client.IncompleteRead) as raised:
        response.read()
    assert b"Half" in raised.value.partial
    assert server.disconnects == [], "it was the server that went away"


def test_a_clean_end_has_no_finish_reason(server: ModelServer, post: Post) -> None:
    server.end_without_finish(["Half"])
    (chunk,) = events(post())
    assert chunk["choices"][0]["finish_reason"] is None


def test_garbage_is_no_json(server: ModelServer, post: Post) -> None:
    server.garbage()
    with pytest.raises(ValueError):
        events(post())


def test_keep_alives_are_comments(server: ModelServer, post: Post) -> None:
    server.keep_alives(3, 0.001, ["x"])
    with post() as response:
        assert response.read().count(b": keep-alive\n\n") == 3


def test_reasoning_and_tool_calls(server: ModelServer, post: Post) -> None:
    server.reasoning(["hm"], "ok")
    server.tool_call("add", ["{}"])
    assert events(post())[0]["choices"][0]["delta"] == {"reasoning_content": "hm"}
    call = events(post())[0]["choices"][0]["delta"]["tool_calls"][0]
    assert call["function"]["name"] == "add"


def test_a_stalled_reply_goes_on_when_it_is_released(server: ModelServer, post: Post) -> None:
    release = server.stall(["a"])
    with post() as response:
        assert b'"a"' in response.readline()
        release()
        assert b"[DONE]" in response.read()


def test_a_client_that_goes_away_is_noticed(server: ModelServer) -> None:
    server.stall()
    client = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    body = b'{"messages": [{"role": "user", "content": "x"}], "stream": true}'
    head = b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)
    client.sendall(head + body)
    assert server.wait_for_requests()
    assert not server.wait_for_disconnect(timeout=0)
    client.close()
    assert server.wait_for_disconnect()
    server.forget()
    assert (server.requests, server.disconnects) == ([], [])


def test_a_port_in_use_is_an_error(server: ModelServer) -> None:
    with pytest.raises(OSError):
        ModelServer(port=server.port).start()


def test_by_hand_it_prints_its_address() -> None:
    command = [sys.executable, "-m", "agno_shell.testing.model_server", "--tokens", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        with process.stdout:
            address = process.stdout.readline().strip()
        with urllib.request.urlopen(f"{address}/models", timeout=10) as response:
            assert response.status == 200
    finally:
        process.terminate()
        process.wait()


def test_one_that_was_never_started_leaves_nothing_open() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        ModelServer().close()
        gc.collect()
    assert [str(warning.message) for warning in seen] == []

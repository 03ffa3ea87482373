"""Each fault of the model server is what it says, seen by a client of no library."""

from __future__ import annotations

import http.client
import inspect
import json
import socket
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agno_shell.testing.model_faults import Faults
from agno_shell.testing.model_server import ModelServer

LAB = Path(__file__).parents[1] / "faults" / "test_fault_lab.py"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def connection(server: ModelServer) -> Iterator[http.client.HTTPConnection]:
    made = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    yield made
    made.close()


@pytest.fixture
def post(connection: http.client.HTTPConnection) -> Callable[[], http.client.HTTPResponse]:
    """Sends one request for a streamed reply; gives the response, unread."""

    def send() -> http.client.HTTPResponse:
        body = {"messages": [{"role": "user", "content": "Hello"}], "stream": True}
        headers = {"Authorization": "Bearer fake-0000"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        return connection.getresponse()

    return send


Post = Callable[[], http.client.HTTPResponse]


def test_every_fault_is_met_in_the_laboratory() -> None:
    lab = LAB.read_text(encoding="utf-8")
    methods = [name for name, _ in inspect.getmembers(Faults, inspect.isfunction)]
    faults = [name for name in methods if not name.startswith("_") and name != "plan"]
    assert len(faults) > 20
    assert [name for name in faults if f".{name}(" not in lab] == []


def test_a_reset_is_one(server: ModelServer, post: Post) -> None:
    server.reset(["Half "])
    response = post()
    with pytest.raises(ConnectionResetError):
        response.read()


def test_before_anything_was_sent_as_well(server: ModelServer, post: Post) -> None:
    server.reset(())
    with pytest.raises(ConnectionResetError):
        post()


def test_a_connection_closes_without_a_word(server: ModelServer, post: Post) -> None:
    server.close_at_once()
    with pytest.raises(http.client.RemoteDisconnected):
        post()


def test_a_body_is_shorter_than_announced(server: ModelServer, post: Post) -> None:
    server.wrong_length(["Half "], missing=7)
    with pytest.raises(http.client.IncompleteRead) as caught:
        post().read()
    assert caught.value.expected == 7
    assert b"Half " in caught.value.partial


def test_chunks_break(server: ModelServer, post: Post) -> None:
    server.broken_chunks(["Half "])
    with pytest.raises((http.client.IncompleteRead, ValueError)):
        post().read()


def test_a_body_with_a_false_encoding(server: ModelServer, post: Post) -> None:
    server.no_gzip()
    response = post()
    assert response.headers["content-encoding"] == "gzip"
    with pytest.raises(zlib.error):
        zlib.decompress(response.read(), 31)


def test_silence_lasts_until_it_is_broken(server: ModelServer) -> None:
    release = server.silence()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        body = b'{"stream": true, "messages": [{"content": "x"}]}'
        head = b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)
        client.sendall(head + body)
        assert server.wait_for_requests()
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(1)
        client.settimeout(10)
        release()
        assert client.recv(8) == b"HTTP/1.1"


@pytest.mark.parametrize("status", [400, 401])
def test_a_key_comes_back_in_text_and_headers(server: ModelServer, post: Post, status: int) -> None:
    server.echo_key(status)
    response = post()
    assert response.status == status
    assert response.headers["x-echo"] == "Bearer fake-0000"
    assert "'Bearer fake-0000'" in json.loads(response.read())["error"]["message"]


def test_an_error_object_has_the_fields_that_are_wanted(server: ModelServer, post: Post) -> None:
    server.status(429, "No.", {"Retry-After": "7"}, code="insufficient_quota")
    response = post()
    assert response.headers["retry-after"] == "7"
    error = json.loads(response.read())["error"]
    assert (error["message"], error["code"]) == ("No.", "insufficient_quota")


def test_an_error_can_be_an_event(server: ModelServer, post: Post) -> None:
    server.error_event("Gone.", ["Half "], code=502)
    response = post()
    assert response.status == 200
    *_, last = response.read().strip().split(b"\n\n")
    assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == 502


def test_bytes_of_a_character_come_one_by_one(server: ModelServer, post: Post) -> None:
    server.split_utf8("世")
    response = post()
    piece = response.read1()
    while "世".encode()[:1] not in piece:
        piece = response.read1()
    assert "世" in (piece + response.read()).decode()


def test_bytes_can_be_no_utf8(server: ModelServer, post: Post) -> None:
    server.invalid_utf8()
    with pytest.raises(UnicodeDecodeError):
        post().read().decode()


def test_a_surrogate_stands_alone(server: ModelServer, post: Post) -> None:
    server.lone_surrogate("\ud83d")
    assert b"\\ud83d" in post().read()


def test_what_has_no_end_ends_with_the_client(
    server: ModelServer, post: Post, connection: http.client.HTTPConnection
) -> None:
    server.endless("again ")
    with post() as response:
        assert b"again " in response.readline()
    connection.close()
    assert server.wait_for_disconnect()


def test_a_huge_reply_is_as_long_as_was_wished(server: ModelServer, post: Post) -> None:
    server.huge(1_000_000)
    assert post().read().count(b"x" * 65_536) == 1_000_000 // 65_536
    server.huge_line(1_000_000)
    line = post().readline()
    assert len(line) == len(b"data: ") + 1_000_000 // 65_536 * 65_536 + 1


def test_a_reply_can_be_finished_twice(server: ModelServer, post: Post) -> None:
    server.finish_twice()
    assert post().read().count(b'"finish_reason": "stop"') == 2

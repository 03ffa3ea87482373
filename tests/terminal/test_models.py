"""A server's own models in the program: seen by who asks for them, and nobody is asked before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agno_shell.testing.model_replies import Exchange
from agno_shell.testing.model_server import ModelServer
from agno_shell.testing.terminal import TAB, Terminal

Run = Callable[..., Any]
Start = Callable[..., Terminal]


@pytest.fixture(autouse=True)
def ollama(server: ModelServer, environ: dict[str, str]) -> ModelServer:
    """The server is an Ollama with one model, loaded with a small window."""
    row = {"model": "small-talk:8b", "context_length": 4096}
    facts = {"general.architecture": "g", "g.context_length": 131_072}

    async def models(exchange: Exchange) -> None:
        await exchange.respond_json({"models": [row]})

    async def show(exchange: Exchange) -> None:
        await exchange.respond_json({"model_info": facts, "capabilities": ["completion"]})

    async def say(exchange: Exchange) -> None:
        said = {"message": {"role": "assistant", "content": "Heard."}, "done": True}
        await exchange.respond_json(said | {"done_reason": "stop"})

    server.pages.update({"/api/tags": models, "/api/ps": models, "/api/show": show})
    server.plan(say)
    environ["OLLAMA_HOST"] = f"127.0.0.1:{server.port}"
    return server


def test_without_a_model_those_of_the_server_are_shown(run: Run, server: ModelServer) -> None:
    done = run(stdin=b"/info\n/context\n/model ollama_chat/small-talk:8b\n/context\n")
    assert (done.returncode, server.lookups, server.requests) == (0, [], [])
    out = run(stdin=b"/new\n/model\n").stdout.decode()
    assert "  ollama_chat/small-talk:8b  4,096 of 131,072 tokens" in out
    assert server.lookups
    assert server.requests == []


def test_a_message_is_preceded_by_a_look_at_the_window(run: Run, server: ModelServer) -> None:
    out = run("--model", "ollama_chat/small-talk:8b", stdin=b"Hello\n/context\n").stdout.decode()
    assert "Heard." in out
    assert "The window has 4,096" in out
    assert {each.path for each in server.lookups} == {"/api/ps", "/api/show"}
    assert len(server.requests) == 1


def test_the_menu_has_them(start: Start, server: ModelServer) -> None:
    terminal = start()
    terminal.type("/mode")
    terminal.expect_screen("/model")
    assert server.lookups == []
    terminal.type("l ")
    terminal.until(lambda: bool(server.lookups))
    # On a busy machine the menu may have given up by now: the command waits for the answer.
    terminal.type("\x15/model\r")
    terminal.expect("4,096 of 131,072 tokens")
    asked = len(server.lookups)
    terminal.type("/model small")
    terminal.until(lambda: "\n".join(terminal.screen()).count("4,096 of 131,072 tokens") == 2)
    terminal.type(TAB)
    terminal.expect_screen("› /model ollama_chat/small-talk:8b")
    assert len(server.lookups) == asked

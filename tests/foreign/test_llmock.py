"""The forms of seven services, streams that llmock breaks on purpose, and its verdict."""

from __future__ import annotations

from typing import Any

import pytest

from agno_shell.contracts import Provider
from tests.foreign.conftest import Talk
from tests.foreign.samples import CALLS, TEXT, TOOLS
from tests.foreign.servers import Server
from tests.foreign.wires import LLMOCK

pytestmark = pytest.mark.asyncio(loop_scope="session")

IN_ONE_EVENT = ("gemini", "mistral")
"""Protocols in which the calls come whole."""


def plan(server: Server, *behaviours: dict[str, Any]) -> None:
    """What the next request meets."""
    server.ask("/_llmock/scenario", {"behaviors": list(behaviours)})


def calls() -> dict[str, Any]:
    made = [{"name": name, "arguments": arguments} for name, arguments in CALLS]
    return {"type": "reply", "text": TEXT, "tool_calls": made}


@pytest.mark.parametrize("wire", LLMOCK)
async def test_what_was_said_arrives(wire: str, llmock_server: Server, talk: Talk) -> None:
    reply = await talk(llmock_server, LLMOCK[wire], TEXT)
    assert (reply.text, reply.reason) == (f"Hello! You said: {TEXT}", "stop")


@pytest.mark.parametrize("wire", LLMOCK)
async def test_calls_and_counts_arrive(
    wire: str, llmock_server: Server, provider: Provider, talk: Talk
) -> None:
    plan(llmock_server, calls())
    reply = await talk(llmock_server, LLMOCK[wire], "Hello", tools=TOOLS)
    assert (reply.text, reply.calls, reply.reason) == (TEXT, CALLS, "tool_calls")
    if (wire, provider.name) == ("mistral", "litellm"):
        return  # llmock counts where it is asked to; Mistral always does, and litellm never asks
    assert reply.usage is not None
    assert reply.usage.input_tokens
    assert reply.usage.output_tokens


@pytest.mark.parametrize("wire", LLMOCK)
async def test_a_reply_may_be_too_long_for_its_limit(
    wire: str, llmock_server: Server, talk: Talk
) -> None:
    plan(llmock_server, {"type": "reply", "text": TEXT, "finish_reason": "length"})
    reply = await talk(llmock_server, LLMOCK[wire], "Hello")
    assert (reply.text, reply.reason) == (TEXT, "length")


@pytest.mark.parametrize("after", [0, 1, 2, 5])
@pytest.mark.parametrize("kind", ["disconnect", "truncate", "malformed"])
@pytest.mark.parametrize("wire", LLMOCK)
async def test_a_broken_text_is_never_complete(
    wire: str, kind: str, after: int, llmock_server: Server, talk: Talk
) -> None:
    fault = {"type": "stream_fault", "kind": kind, "after_chunks": after}
    plan(llmock_server, {"type": "reply", "text": TEXT}, fault)
    reply = await talk(llmock_server, LLMOCK[wire], "Hello")
    assert not reply.is_complete
    assert TEXT.startswith(reply.text)


@pytest.mark.parametrize("after", [1, 2, 5])
@pytest.mark.parametrize("kind", ["disconnect", "truncate", "malformed"])
@pytest.mark.parametrize("wire", [wire for wire in LLMOCK if wire not in IN_ONE_EVENT])
async def test_a_broken_call_is_never_passed_on(
    wire: str, kind: str, after: int, llmock_server: Server, talk: Talk
) -> None:
    fault = {"type": "stream_fault", "kind": kind, "after_chunks": after}
    plan(llmock_server, calls(), fault)
    reply = await talk(llmock_server, LLMOCK[wire], "Hello", tools=TOOLS)
    assert not reply.is_complete
    assert reply.calls == ()


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 503])
@pytest.mark.parametrize("wire", ["chat", "anthropic", "gemini"])
async def test_a_refusal_is_asked_once(
    wire: str, status: int, llmock_server: Server, talk: Talk
) -> None:
    plan(llmock_server, {"type": "fail", "status": status, "retry_after": 3})
    failed = (await talk(llmock_server, LLMOCK[wire], "Hello")).failed
    assert failed.temporary == (status in (408, 429, 500, 503))
    assert failed.retry_after == (3.0 if failed.temporary else None)
    verdict = llmock_server.ask("/_llmock/verdict")
    assert verdict["attempts"] == 1

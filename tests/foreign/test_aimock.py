"""Every protocol that aimock speaks: replies, counts, refusals, and replies that break off."""

from __future__ import annotations

import pytest

from agno_shell.contracts import Provider
from agno_shell.types import Message, ToolCall, new_id, now
from tests.foreign.conftest import Talk
from tests.foreign.samples import CUT, REFUSALS, TEXT, TOOLS, WHOLE
from tests.foreign.servers import Server
from tests.foreign.wires import AIMOCK

pytestmark = pytest.mark.asyncio(loop_scope="session")

LACKING = {
    ("ollama", "thoughts"): "aimock has none in this protocol",
    ("ollama", "thoughts-calls"): "aimock has none in this protocol",
    ("ollama", "length"): "aimock says stop in this protocol",
    ("ollama", "filter"): "aimock says stop in this protocol",
}


@pytest.mark.parametrize("word", WHOLE)
@pytest.mark.parametrize("wire", AIMOCK)
async def test_a_reply_is_read_whole(
    wire: str, word: str, aimock_server: Server, provider: Provider, talk: Talk
) -> None:
    if reason := LACKING.get((wire, word)):
        pytest.skip(reason)
    expected = WHOLE[word]
    if (wire, provider.name) == ("openrouter", "litellm"):
        # aimock says reasoning_content here, where OpenRouter says reasoning.
        expected = expected._replace(thoughts="")
    tools = TOOLS if expected.calls else ()
    reply = await talk(aimock_server, AIMOCK[wire], f"Say [{word}].", tools=tools)
    assert reply[:3] == (expected.text, expected.thoughts, expected.calls)
    if wire == "responses" and word in ("length", "filter"):
        # It gives no details of what is incomplete, and calls filtered text a failure.
        assert not reply.is_complete
    else:
        assert reply.reason == expected.reason


@pytest.mark.parametrize("wire", [wire for wire in AIMOCK if wire != "ollama"])
async def test_tokens_are_counted(wire: str, aimock_server: Server, talk: Talk) -> None:
    reply = await talk(aimock_server, AIMOCK[wire], "Say [usage].")
    assert reply.usage is not None
    assert reply.usage[:2] == (100, 20)


@pytest.mark.parametrize("word", REFUSALS)
@pytest.mark.parametrize("wire", AIMOCK)
async def test_a_refusal_is_explained(
    wire: str, word: str, aimock_server: Server, talk: Talk
) -> None:
    no = REFUSALS[word]
    failed = (await talk(aimock_server, AIMOCK[wire], f"Say [{word}].")).failed
    assert (failed.kind, failed.temporary) == (no.kind, no.temporary)
    assert failed.retry_after == no.retry_after
    assert str(no.status) in failed.message or no.kind == "overflow"
    assert no.message in failed.message or no.kind == "authentication"


@pytest.mark.parametrize("word", CUT)
@pytest.mark.parametrize("wire", AIMOCK)
async def test_what_breaks_off_is_never_complete(
    wire: str, word: str, aimock_server: Server, talk: Talk
) -> None:
    if word == "cut-calls" and wire in ("gemini", "ollama"):
        pytest.skip("the calls are one event in this protocol, and come whole")
    reply = await talk(aimock_server, AIMOCK[wire], f"Say [{word}].")
    assert not reply.is_complete
    assert reply.calls == ()
    assert TEXT.startswith(reply.text)
    assert reply.text != TEXT


@pytest.mark.parametrize("wire", AIMOCK)
async def test_the_result_of_a_call_is_found(
    wire: str, aimock_server: Server, provider: Provider, talk: Talk
) -> None:
    if provider.name == "litellm" and wire in ("responses", "gemini"):
        pytest.skip("litellm writes it in another form of the protocol, which aimock cannot read")
    call = ToolCall("call_a", "look_up", '{"city": "Köln"}')
    conversation = (
        Message(new_id(), "system", "Be brief.", now()),
        Message(new_id(), "user", "How warm is it?", now()),
        Message(new_id(), "assistant", "I look.", now(), tool_calls=(call,)),
        Message(new_id(), "tool", "It is 21 degrees.", now(), tool_call_id="call_a"),
    )
    reply = await talk(aimock_server, AIMOCK[wire], *conversation, tools=TOOLS)
    assert (reply.text, reply.reason) == ("Warm, then.", "stop")

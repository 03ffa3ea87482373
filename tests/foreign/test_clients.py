"""The services' own clients as a second judge: of what is read, of our server, of our requests."""

from __future__ import annotations

import hashlib
import json
import subprocess
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from agno_shell.contracts import Provider
from agno_shell.testing.model_server import ModelServer
from agno_shell.testing.provider_contract import PNG
from agno_shell.types import Attachment, Message, ToolCall, new_id, now
from tests.foreign.conftest import Talk
from tests.foreign.samples import CALLS, TEXT, TOOLS, WHOLE
from tests.foreign.servers import PATIENCE, Server, wanted
from tests.foreign.wires import AIMOCK

JUDGE = Path(__file__).with_name("judge.py")
WORDS = [word for word in WHOLE if word not in ("length", "filter")]
"""OpenAI's client raises for what is not complete; the others pass it on."""
WIRES = [wire for wire in AIMOCK if wire != "openrouter"]

PDF = b"%PDF-1.4\n%%EOF\n"


def judged(*jobs: dict[str, Any]) -> list[Any]:
    """What the clients make of each job; all in one process, since importing them takes long."""
    python = wanted("AGNO_SHELL_TEST_CLIENTS")
    ran = subprocess.run(
        [python, str(JUDGE)],
        input=json.dumps(jobs).encode(),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return list(json.loads(ran.stdout))


# What is read --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def read_by_clients(aimock_server: Server) -> dict[tuple[str, str], Any]:
    """What the clients read of aimock's replies, by protocol and word."""
    keys = [(wire, word) for wire in WIRES for word in [*WORDS, "usage"]]
    jobs = [
        {"do": "read", "wire": wire, "base": aimock_server.root, "said": f"Say [{word}]."}
        for wire, word in keys
    ]
    return dict(zip(keys, judged(*jobs), strict=True))


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("word", [*WORDS, "usage"])
@pytest.mark.parametrize("wire", WIRES)
async def test_both_read_the_same(
    wire: str,
    word: str,
    read_by_clients: dict[tuple[str, str], Any],
    aimock_server: Server,
    talk: Talk,
) -> None:
    if (wire, word) == ("anthropic", "call-signs"):
        pytest.skip("Anthropic's client breaks where a character is cut in two")
    theirs = read_by_clients[wire, word]
    ours = await talk(aimock_server, AIMOCK[wire], f"Say [{word}].")
    assert theirs.get("error") is None
    assert ours.is_complete
    assert (ours.text, ours.thoughts) == (theirs["text"], theirs["thoughts"])
    assert [list(call) for call in ours.calls] == theirs["calls"]
    assert ours.usage is not None
    assert list(ours.usage[:2]) == theirs["usage"]


# What our own test server writes -------------------------------------------------------------


def test_our_server_writes_what_openais_client_reads() -> None:
    with ModelServer() as server:
        base = server.base_url.removesuffix("/v1")
        server.reply(["Grüße, ", "世界! 🎉"], usage={"prompt_tokens": 9, "completion_tokens": 4})
        server.reasoning(["First. ", "Then."], TEXT)
        server.tool_call("look_up", ['{"city": ', '"Köln"}'])
        server.split_utf8(TEXT)
        server.end_without_finish()
        server.drop()
        server.garbage(["Half a "])
        server.error_event()
        server.status(429, "Slow down.")
        asked = {"do": "read", "wire": "chat", "base": base, "said": "Hello"}
        text, thoughts, call, split, *broken = judged(*[asked] * 9)
    assert (text["text"], text["usage"], text["reason"]) == ("Grüße, 世界! 🎉", [9, 4], "stop")
    assert (thoughts["thoughts"], thoughts["text"]) == ("First. Then.", TEXT)
    assert (call["calls"], call["reason"]) == ([["look_up", {"city": "Köln"}]], "tool_calls")
    assert split["text"] == TEXT
    # A stream that just ends is complete to that client, with no reason.
    assert (broken[0].get("error"), broken[0].get("reason")) == (None, None)
    assert all("error" in each for each in broken[1:]), broken


# What our provider sends ---------------------------------------------------------------------


def file(name: str, media_type: str, content: bytes) -> Attachment:
    return Attachment(name, media_type, hashlib.sha256(content).hexdigest(), len(content))


CAT, PAPER = file("cat.png", "image/png", PNG), file("paper.pdf", "application/pdf", PDF)


def conversation(*files: Attachment) -> tuple[Message, ...]:
    """Everything that a conversation may hold."""
    calls = [ToolCall(f"call_{n}", name, json.dumps(a)) for n, (name, a) in enumerate(CALLS)]
    results = [
        Message(new_id(), "tool", f"Result {n}.", now(), tool_call_id=call.id)
        for n, call in enumerate(calls)
    ]
    return (
        Message(new_id(), "system", "Be brief.", now()),
        Message(new_id(), "user", "Look at these.", now(), attachments=files),
        Message(new_id(), "assistant", "I look.", now(), tool_calls=tuple(calls)),
        *results,
        Message(new_id(), "assistant", TEXT, now()),
        Message(new_id(), "user", "And now?", now()),
    )


@pytest.mark.asyncio(loop_scope="session")
async def test_what_is_sent_is_what_the_clients_would_send(provider: Provider, talk: Talk) -> None:
    if provider.name == "litellm":
        pytest.skip("what litellm writes is its own affair")
    wanted("AGNO_SHELL_TEST_CLIENTS")
    jobs = []
    with ModelServer() as ours:
        server = Server(ours.base_url.removesuffix("/v1"))
        for wire, reasoning in product(WIRES, (None, "medium", "off")):
            ours.plan(lambda exchange: exchange.respond_json({"error": {"message": "No."}}, 500))
            await talk(
                server,
                AIMOCK[wire],
                *conversation(*((CAT,) if wire == "ollama" else (CAT, PAPER))),
                tools=TOOLS,
                parameters={"temperature": 0.5, "top_p": 0.9, "max_tokens": 2_000, "stop": ["END"]},
                reasoning=reasoning,
                files={CAT.sha256: PNG, PAPER.sha256: PDF},
            )
            jobs.append({"do": "check", "wire": wire, "body": ours.requests[-1].body})
    assert judged(*jobs) == [{}] * len(jobs)

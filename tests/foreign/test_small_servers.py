"""Three small servers: the plainest forms of the protocols, without ids, counts or streams."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from agno_shell.contracts import Provider
from tests.foreign.conftest import Talk
from tests.foreign.samples import CALLS, TEXT, THOUGHTS, TOOLS
from tests.foreign.servers import Server, llm_mock_api, python_server
from tests.foreign.wires import Wire

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHAT, CLAUDE = Wire("openai/gpt-4o", "/v1"), Wire("anthropic/claude-test", "")
RESPONSES = Wire("openai/responses/gpt-4o", "/v1")


def yaml(rule: object) -> str:
    """A file with one rule; JSON is YAML but for the escapes of characters."""
    return json.dumps({"version": 1, "rules": [rule]}, ensure_ascii=False)


@pytest.fixture(scope="module")
def fakellm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("fakellm")
    rule = {"name": "all", "when": {}, "respond": {"content": TEXT}}
    (folder / "fakellm.yaml").write_text(yaml(rule), "utf-8")
    with python_server("AGNO_SHELL_TEST_MOCKS", "fakellm", folder) as server:
        yield server


@pytest.fixture(scope="module")
def mocktopus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("mocktopus")
    rule = {"type": "llm.openai", "when": {"model": "*"}, "respond": {"content": TEXT}}
    (folder / "mocktopus.yaml").write_text(yaml(rule), "utf-8")
    with python_server("AGNO_SHELL_TEST_MOCKS", "mocktopus", folder) as server:
        yield server


@pytest.fixture(scope="module")
def mock_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    tools = [{"name": name, "args": arguments} for name, arguments in CALLS]
    rules = [
        {"when": "calls", "reply": {"text": TEXT, "tools": tools}},
        {"when": "think", "reply": {"text": TEXT, "reasoning": THOUGHTS}},
        {"when": "hello", "reply": TEXT},
    ]
    with llm_mock_api(tmp_path_factory.mktemp("llm-mock-api"), {"rules": rules}) as server:
        yield server


@pytest.mark.parametrize("wire", [CHAT, CLAUDE])
async def test_fakellm(wire: Wire, fakellm: Server, talk: Talk) -> None:
    reply = await talk(fakellm, wire, "hello")
    assert (reply.text, reply.reason) == (TEXT, "stop")


@pytest.mark.parametrize("wire", [CHAT, CLAUDE, RESPONSES])
async def test_llm_mock_api(wire: Wire, mock_api: Server, talk: Talk) -> None:
    reply = await talk(mock_api, wire, "hello")
    assert (reply.text, reply.reason) == (TEXT, "stop")
    reply = await talk(mock_api, wire, "calls", tools=TOOLS)
    assert (reply.text, reply.calls, reply.reason) == (TEXT, CALLS, "tool_calls")


@pytest.mark.parametrize("wire", [CLAUDE, RESPONSES])
async def test_thoughts_of_llm_mock_api(wire: Wire, mock_api: Server, talk: Talk) -> None:
    reply = await talk(mock_api, wire, "think")
    assert (reply.thoughts, reply.text, reply.reason) == (THOUGHTS, TEXT, "stop")


async def test_mocktopus(mocktopus: Server, talk: Talk) -> None:
    reply = await talk(mocktopus, CHAT, "hello")
    assert (reply.text, reply.reason) == (TEXT, "stop")


async def test_a_server_that_does_not_stream(
    mocktopus: Server, provider: Provider, talk: Talk
) -> None:
    reply = await talk(mocktopus, CLAUDE, "hello")
    if provider.name == "direct":
        assert (bool(reply.text), reply.reason) == (True, "stop")
    else:  # litellm reads nothing but streams
        assert (reply.text, reply.is_complete) == ("", False)

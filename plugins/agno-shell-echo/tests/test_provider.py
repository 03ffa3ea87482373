"""The echo provider: the contract that every provider keeps, and what it says itself."""

from __future__ import annotations

import pytest
from agno_shell_echo.provider import EchoProvider, echo_text, fenced

from agno_shell import Finished, Message, Request, TextDelta, UsageReported
from agno_shell.testing import ProviderContract
from agno_shell.testing.provider_contract import QUESTION
from agno_shell.types import Attachment, ToolCall, ToolSchema, new_id, now


def message(role: str, content: str) -> Message:
    return Message(new_id(), role, content, now())


class TestContract(ProviderContract):
    @pytest.fixture
    def make_provider(self):
        return EchoProvider

    @pytest.fixture
    def model(self):
        return "echo"

    @pytest.fixture
    def expected_reply(self):
        return echo_text(Request("echo", (message("user", QUESTION),)))


async def test_the_reply_holds_all_that_was_sent():
    request = Request(
        "some-model",
        (message("system", "Be brief."), message("user", "Grüße\nund mehr")),
        {"temperature": 0.2},
    )
    events = [event async for event in EchoProvider().stream(request)]
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert text == (
        "Sent to the model `some-model`:\n\n"
        '```json\n{\n  "temperature": 0.2\n}\n```\n\n'
        "1. **system**\n\n```text\nBe brief.\n```\n\n"
        "2. **user**\n\n```text\nGrüße\nund mehr\n```\n"
    )
    assert events[-1] == Finished("stop")
    assert [event.usage.cost for event in events if isinstance(event, UsageReported)] == [0.0]


def test_files_tools_and_calls_are_shown():
    calls = (ToolCall("1", "add", '{"a": 1}'),)
    file = Attachment("a`b.png", "image/png", "ab", 3)
    messages = (
        message("user", "See.")._replace(attachments=(file,)),
        message("assistant", "")._replace(tool_calls=calls),
    )
    tool = ToolSchema("add", "Adds.", {"type": "object"})
    text = echo_text(Request("echo", messages, tools=(tool,), reasoning="low"))
    assert "Tools: `add`\n\nReasoning: low" in text
    assert "See.\n```\n\nWith `a'b.png`, image/png, 3 bytes" in text
    assert '2. **assistant**\n\nCalls `add`:\n\n```text\n{"a": 1}\n```' in text


async def test_it_streams_in_pieces():
    request = Request("echo", (message("user", "one\ntwo\nthree"),))
    deltas = [e async for e in EchoProvider().stream(request) if isinstance(e, TextDelta)]
    assert len(deltas) > 5


def test_a_fence_in_a_message_does_not_end_the_block():
    assert fenced("```python\npass\n```").startswith("````text\n")
    assert fenced("a ````` b").startswith("``````text\n")


def test_parameters_that_json_does_not_know_are_shown_as_words():
    assert "frozenset" in echo_text(Request("echo", (), {"stop": frozenset({"x"})}))

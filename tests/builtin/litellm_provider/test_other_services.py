"""Services that litellm alone knows, in the form of OpenAI's chat: litellm reads them by many
readers, of which some pass over what they cannot read, and some make up an end."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from agno_shell.events import Event, Failed, Finished, TextDelta
from agno_shell.testing.model_replies import Exchange
from agno_shell.testing.model_server import ModelServer

Ask = Callable[..., Awaitable[list[Event]]]

pytestmark = pytest.mark.asyncio(loop_scope="session")

MODELS = [
    "azure/x",
    "azure_ai/x",
    "cerebras/x",
    "codestral/x",
    "databricks/x",
    "deepinfra/x",
    "deepseek/deepseek-chat",
    "fireworks_ai/accounts/fireworks/models/x",
    "github/x",
    "groq/openai/gpt-oss-120b",
    "hosted_vllm/x",
    "huggingface/together/x/y",
    "litellm_proxy/x",
    "lm_studio/x",
    "mistral/mistral-small-latest",
    "moonshot/x",
    "nvidia_nim/x",
    "openrouter/openai/gpt-5.4-mini",
    "perplexity/sonar",
    "together_ai/x/y",
    "xai/grok-4",
]


def plan(server: ModelServer, events: Sequence[bytes]) -> None:
    async def behave(exchange: Exchange) -> None:
        exchange.begin_stream()
        for event in events:
            exchange.send(event)
        await exchange.end_stream()

    server.plan(behave)


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


@pytest.mark.parametrize("model", MODELS)
async def test_only_a_whole_reply_is_complete(
    ask: Ask, server: ModelServer, samples: Any, model: str
) -> None:
    said, middle = samples["openai"].events, 3
    plan(server, said)
    events = await ask(model=model)
    assert (text_of(events), type(events[-1])) == ("I add.", Finished)

    plan(server, [*said[:middle], b"data: {bro\n\n", *said[middle:]])
    events = await ask(model=model)
    assert isinstance(events[-1], Failed)
    assert "an event that is not JSON" in events[-1].message
    assert text_of(events) == "I ", "what came before the damage is kept"

    for done in ([], [b"data: [DONE]\n\n"]):
        plan(server, [*said[:middle], *done])
        events = await ask(model=model)
        assert isinstance(events[-1], Failed)
        assert "without saying that it is complete" in events[-1].message


def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    value = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"data: " + json.dumps(value | {"choices": [choice]}).encode() + b"\n\n"


PARTS = {"content": [{"type": "text", "text": "some words"}]}


@pytest.mark.parametrize(
    "deltas",
    [[{"content": "And "}, PARTS], [{"content": "And "}, {"refusal": "no."}], [PARTS]],
    ids=["parts", "a refusal", "parts alone"],
)
async def test_words_that_litellm_leaves_out_are_a_hole(
    ask: Ask, server: ModelServer, deltas: list[dict[str, Any]]
) -> None:
    plan(server, [*map(chunk, deltas), chunk({}, "stop"), b"data: [DONE]\n\n"])
    events = await ask()
    assert isinstance(events[-1], Failed)
    assert "litellm could not read all" in events[-1].message
    assert text_of(events) == ("And " if len(deltas) == 2 else "")


async def test_white_space_and_tags_of_thoughts_are_no_hole(ask: Ask, server: ModelServer) -> None:
    said = ["Use ", "<think>", "Hm", "m.</think>\n\n", " \n", "<s>A</s> ", "word\n\n", "\ud83d"]
    plan(server, [*(chunk({"content": text}) for text in said), chunk({}, "stop")])
    assert isinstance((await ask())[-1], Finished)
    common = {"model": "m", "created_at": "2026-01-01T00:00:00Z"}
    lines = [common | {"message": {"role": "assistant", "content": text}} for text in said]
    lines = [line | {"done": False} for line in lines] + [common | {"message": {}, "done": True}]  # type: ignore[assignment, list-item]
    plan(server, [json.dumps(line).encode() + b"\n" for line in lines])
    base = server.base_url.removesuffix("/v1")
    assert isinstance((await ask(model="ollama_chat/x", api_base=base))[-1], Finished)


async def test_ollamas_older_page_is_read_as_strictly(ask: Ask, server: ModelServer) -> None:
    pieces = [{"response": text, "done": False} for text in ("I ", "add.")]
    lines = [json.dumps(each).encode() + b"\n" for each in pieces]
    end = b'{"response": "", "done": true, "prompt_eval_count": 1, "eval_count": 2}\n'
    for body, is_whole in (
        ([*lines, end], True),
        (lines, False),
        ([*lines, b"{bro\n", end], False),
    ):
        plan(server, body)
        base = server.base_url.removesuffix("/v1")
        events = await ask(model="ollama/llama3", api_base=base)
        assert text_of(events) == "I add."
        assert isinstance(events[-1], Finished) == is_whole

"""litellm's own proxy: mocked models, and aimock behind it, by four protocols."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio

from agno_shell.contracts import Provider, ProviderOptions
from agno_shell.events import Request
from agno_shell.types import Message, new_id, now
from tests.foreign.conftest import LIMITS, PROVIDERS
from tests.foreign.reply import Reply, read
from tests.foreign.samples import CALLS, TEXT, THOUGHTS, TOOLS
from tests.foreign.servers import Server, python_server
from tests.foreign.wires import KEY

pytestmark = pytest.mark.asyncio(loop_scope="session")

MOCKED = {
    "mock": TEXT,
    "limited": "litellm.RateLimitError",
    "broken": "litellm.InternalServerError",
    "overflow": "litellm.ContextWindowExceededError",
}
"""What its models answer, or which error they raise."""


def configuration(behind: Server) -> str:
    """Of the proxy: YAML, which JSON is but for the escapes of characters."""

    def model(name: str, **where: str) -> dict[str, object]:
        return {"model_name": name, "litellm_params": {"api_key": "fake", **where}}

    models = [model(name, model="openai/x", mock_response=says) for name, says in MOCKED.items()]
    models += [
        model("chat", model="openai/gpt-4o", api_base=f"{behind.root}/v1"),
        model("claude", model="anthropic/claude-test", api_base=behind.root),
        model("gemini", model="gemini/gemini-2.5-test", api_base=f"{behind.root}/v1beta"),
    ]
    return json.dumps(
        {
            "model_list": models,
            "general_settings": {"master_key": KEY},
            "litellm_settings": {"num_retries": 0, "telemetry": False},
            "router_settings": {"disable_cooldowns": True, "num_retries": 0},
        },
        ensure_ascii=False,
    )


@pytest.fixture(scope="module")
def proxy(aimock_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("proxy")
    (folder / "config.yaml").write_text(configuration(aimock_server), "utf-8")
    environ = {
        "CONFIG_FILE_PATH": "config.yaml",
        "DISABLE_ADMIN_UI": "True",
        "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MODE": "PRODUCTION",
    }
    with python_server("AGNO_SHELL_TEST_PROXY", "litellm", folder, environ) as server:
        server.ask("/health/liveliness")  # it takes seconds to start
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=PROVIDERS)
async def keyed(
    request: pytest.FixtureRequest, proxy: Server, surroundings: None
) -> AsyncIterator[Provider]:
    """Both providers, in an environment in which the proxy stands for four services."""
    with pytest.MonkeyPatch.context() as patch:
        for service, path in PATHS.items():
            patch.setenv(f"{service}_BASE_URL", proxy.root + path)
            patch.setenv(f"{service}_API_KEY", WRONG if service == "OPENAI" else KEY)
        made = PROVIDERS[request.param](ProviderOptions(limits=LIMITS))
        await made.start()
        yield made
        await made.close()


@pytest.fixture
def say(keyed: Provider) -> Callable[..., Awaitable[Reply]]:
    async def ask(model: str, said: str = "Hello", **fields: Any) -> Reply:
        message = Message(new_id(), "user", said, now())
        async with asyncio.timeout(60):
            return await read(keyed.stream(Request(model, (message,), **fields)))

    return ask


PATHS = {"LITELLM_PROXY": "/v1", "ANTHROPIC": "", "GEMINI": "", "OPENAI": "/v1"}
WRONG = "sk-fake-wrong-0000000000000000"
"""What OpenAI's own key would be to a proxy."""

BEHIND = ["litellm_proxy/chat", "anthropic/claude", "gemini/gemini"]

Say = Callable[..., Awaitable[Reply]]


@pytest.mark.parametrize("model", ["litellm_proxy/mock", "gemini/mock"])
async def test_a_mocked_reply(model: str, say: Say) -> None:
    reply = await say(model)
    assert (reply.text, reply.reason) == (TEXT, "stop")
    assert reply.usage is not None
    assert reply.usage.output_tokens == 23


async def test_a_mocked_reply_that_is_not_streamed(keyed: Provider, say: Say) -> None:
    """By Anthropic's protocol the proxy gives a mocked reply in one piece."""
    reply = await say("anthropic/mock")
    if keyed.name == "direct":
        assert (reply.text, reply.reason) == (TEXT, "stop")
    else:  # litellm reads nothing but streams
        assert (reply.text, reply.is_complete) == ("", False)


@pytest.mark.parametrize(
    ("model", "kind", "temporary"),
    [
        ("limited", "rate_limited", True),
        ("broken", "server", True),
        ("overflow", "overflow", False),
        ("no-such-model", "unknown_model", False),
    ],
)
async def test_a_refusal(model: str, kind: str, temporary: bool, say: Say) -> None:
    failed = (await say(f"litellm_proxy/{model}")).failed
    assert (failed.kind, failed.temporary) == (kind, temporary)


async def test_a_key_that_is_not_the_proxys(say: Say) -> None:
    failed = (await say("openai/mock")).failed
    assert failed.kind == "authentication"
    assert "OPENAI_API_KEY" in failed.message
    assert WRONG not in failed.sentence()


@pytest.mark.parametrize("model", BEHIND)
async def test_what_aimock_says_comes_through(model: str, say: Say) -> None:
    reply = await say(model, "Say [text].")
    assert (reply.text, reply.reason) == (TEXT, "stop")
    reply = await say(model, "Say [thoughts].")
    assert (reply.thoughts, reply.text, reply.reason) == (THOUGHTS, TEXT, "stop")
    reply = await say(model, "Say [calls].", tools=TOOLS)
    assert (reply.calls, reply.reason) == (CALLS, "tool_calls")
    assert (await say(model, "Say [length].")).reason == "length"


@pytest.mark.parametrize("model", BEHIND)
async def test_what_breaks_behind_it_is_never_complete(model: str, say: Say) -> None:
    for word in ("cut-text", "gone", "chaos-malformed", "chaos-disconnect"):
        reply = await say(model, f"Say [{word}].")
        assert not reply.is_complete, word
        assert TEXT.startswith(reply.text)

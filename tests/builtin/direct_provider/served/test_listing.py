"""Servers are asked for their models when a user asks or sends, briefly, and with care for
keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest

from agno_shell.builtin.direct_provider import model_facts
from agno_shell.builtin.direct_provider.provider import DirectProvider
from agno_shell.builtin.direct_provider.served import model_query
from agno_shell.builtin.model_services.services import BY_PREFIX, SERVICES
from agno_shell.contracts import Abilities, KnownModel, ModelList, ProviderOptions
from agno_shell.events import UsageReported
from agno_shell.testing.model_replies import Behaviour, Exchange
from agno_shell.testing.model_server import ModelServer
from agno_shell.testing.provider_contract import ask, collect

KEY = "sk-fake-openrouter-0000"


def page(value: Any, status: int = 200) -> Behaviour:
    async def answer(exchange: Exchange) -> None:
        await exchange.respond_json(value, status)

    return answer


def show(facts: Mapping[str, Any]) -> Behaviour:
    """Ollama's descriptions, by model."""

    async def answer(exchange: Exchange) -> None:
        await exchange.respond_json(facts[exchange.request.body["model"]])

    return answer


async def hang(_exchange: Exchange) -> None:
    await asyncio.Event().wait()


OLLAMA = {
    "/api/tags": page({"models": [{"model": "llama3.2:latest"}, {"model": "qwen3:8b"}]}),
    "/api/ps": page({"models": [{"model": "qwen3:8b", "context_length": 4096}]}),
    "/api/show": show(
        {
            name: {
                "model_info": {"general.architecture": "g", "g.context_length": 131_072},
                "capabilities": ["completion", "tools"],
            }
            for name in ("llama3.2:latest", "llama3.2", "qwen3:8b")
        }
    ),
}


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, no address, and no server on this machine."""
    for service in SERVICES:
        for variable in (*service.address_variables, *service.key_variables):
            monkeypatch.delenv(variable, raising=False)
    closed = tuple(service._replace(has_port=False) for service in SERVICES)
    monkeypatch.setattr(model_facts, "SERVICES", closed)
    for prefix, service in list(BY_PREFIX.items()):
        monkeypatch.setitem(BY_PREFIX, prefix, service._replace(has_port=False))


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


@pytest.fixture
async def make() -> AsyncIterator[Any]:
    made: list[DirectProvider] = []

    def new(api_base: str | None = None, **options: Any) -> DirectProvider:
        made.append(DirectProvider(ProviderOptions(api_base=api_base, **options)))
        return made[-1]

    yield new
    for each in made:
        await each.close()


@pytest.fixture
def ollama(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    server.pages.update(OLLAMA)
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{server.port}")
    return server


def named(listed: ModelList) -> list[str]:
    return [each.name for each in listed.models]


# When -------------------------------------------------------------------------------------


async def test_nobody_is_asked_before_a_user_asks_or_sends(
    make: Any, ollama: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-fake-openai-0000")
    provider = make()
    await provider.start()
    assert "gpt-4o" in await provider.models()
    assert await provider.context_window("ollama_chat/qwen3:8b") is None
    assert await provider.abilities("ollama_chat/qwen3:8b") == Abilities()
    assert await provider.input_price("ollama_chat/qwen3:8b") is None
    await provider.check("ollama_chat/qwen3:8b")
    provider.address("ollama_chat/qwen3:8b")
    assert ollama.lookups == ollama.requests == []


async def test_a_server_is_asked_once_in_a_run(make: Any, server: ModelServer) -> None:
    provider = make(server.base_url)
    first, second = await asyncio.gather(provider.list_models(), provider.list_models())
    assert first == second == await provider.list_models()
    assert named(first) == ["other-model", "test-model"]
    assert [each.path for each in server.lookups] == ["/v1/models"]
    assert await provider.models() == ["other-model", "test-model"]


async def test_who_is_cancelled_leaves_the_question_on_its_way(
    make: Any, server: ModelServer
) -> None:
    provider, go_on = make(server.base_url), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def wait(exchange: Exchange) -> None:
        loop.call_soon_threadsafe(arrived.set)
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(go_on.wait(), loop))
        await exchange.respond_json({"data": [{"id": "slow-model"}]})

    arrived = asyncio.Event()
    server.pages["/models"] = wait
    asked = asyncio.ensure_future(provider.list_models())
    await arrived.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    again = asyncio.ensure_future(provider.list_models())
    await asyncio.sleep(0)
    go_on.set()
    assert named(await again) == ["slow-model"]
    assert len(server.lookups) == 1


# What -------------------------------------------------------------------------------------


async def test_ollama_says_what_is_there_and_how_it_is_loaded(
    make: Any, ollama: ModelServer
) -> None:
    provider = make()
    listed = await provider.list_models("ollama_chat/qwen3:8b")
    assert listed == ModelList(
        [
            KnownModel("ollama_chat/llama3.2:latest", None, 131_072),
            KnownModel("ollama_chat/qwen3:8b", 4096, 131_072),
        ]
    )
    assert await provider.context_window("ollama_chat/qwen3:8b") == 4096
    assert await provider.context_window("ollama_chat/llama3.2") is None
    assert (await provider.abilities("ollama_chat/llama3.2")).images is False
    assert named(await provider.list_models("ollama/qwen3:8b"))[0] == "ollama/llama3.2:latest"


async def test_a_loaded_window_is_looked_at_whenever_something_is_sent(
    make: Any, ollama: ModelServer
) -> None:
    provider = make()
    assert await provider.current_window("ollama_chat/llama3.2") is None
    loaded = {"models": [{"model": "llama3.2:latest", "context_length": 16_384}]}
    ollama.pages["/api/ps"] = page(loaded)
    assert await provider.current_window("ollama_chat/llama3.2") == 16_384
    assert await provider.context_window("ollama_chat/llama3.2") == 16_384
    assert {each.path for each in ollama.lookups} == {"/api/ps", "/api/show"}


async def test_llama_cpp_is_asked_for_its_slot(make: Any, server: ModelServer) -> None:
    row = {"id": "a.gguf", "owned_by": "llamacpp", "meta": {"n_ctx_train": 131_072}}
    server.pages["/models"] = page({"data": [row]})
    server.pages["/props"] = page({"default_generation_settings": {"n_ctx": 8192}})
    provider = make(server.base_url)
    assert await provider.current_window("a.gguf") == 8192
    assert await provider.current_window("a.gguf") == 8192
    assert (await provider.list_models()).models == [KnownModel("a.gguf", 8192, 131_072)]
    assert [each.path for each in server.lookups] == ["/v1/models", "/props"]


async def test_lm_studio_is_asked_for_what_is_loaded(make: Any, server: ModelServer) -> None:
    row = {"id": "openai/gpt-oss-20b", "owned_by": "organization_owner"}
    server.pages["/api/v0/models"] = page(
        {"data": [{**row, "max_context_length": 131_072, "loaded_context_length": 4096}]}
    )
    server.pages["/models"] = page({"data": [row]})
    listed = await make(server.base_url).list_models()
    # Without the prefix, the maker's name would be taken for it.
    assert listed.models == [KnownModel("openai/openai/gpt-oss-20b", 4096, 131_072)]


async def test_names_are_as_the_model_in_use_is_named(make: Any, server: ModelServer) -> None:
    server.pages["/models"] = page({"data": [{"id": "Qwen/Qwen3-8B", "max_model_len": 40_960}]})
    provider = make(server.base_url)
    assert named(await provider.list_models("qwen3")) == ["Qwen/Qwen3-8B"]
    assert named(await provider.list_models("openai/x")) == ["openai/Qwen/Qwen3-8B"]
    assert await provider.current_window("openai/Qwen/Qwen3-8B") == 40_960
    assert await provider.current_window("Qwen/Qwen3-8B") == 40_960


async def test_a_proxy_says_what_its_models_can(
    make: Any, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = {"mode": "chat", "max_input_tokens": 200_000, "supports_vision": True}
    server.pages["/model/info"] = page({"data": [{"model_name": "test-model", "model_info": info}]})
    monkeypatch.setenv("LITELLM_PROXY_API_BASE", server.base_url.removesuffix("/v1"))
    provider = make()
    listed = await provider.list_models("litellm_proxy/test-model")
    assert KnownModel("litellm_proxy/test-model", 200_000) in listed.models
    assert (await provider.abilities("litellm_proxy/test-model")).images is True


# Prices -----------------------------------------------------------------------------------

PRICING = {"prompt": "0.000001", "completion": "0.000002"}
PRICED = {"data": [{"id": "maker/m", "context_length": 100_000, "pricing": PRICING}]}


@pytest.fixture
def openrouter(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    """The server is OpenRouter itself."""
    server.pages["/models"] = page(PRICED)
    service = BY_PREFIX["openrouter"]._replace(url=server.base_url)
    monkeypatch.setitem(BY_PREFIX, "openrouter", service)
    every = tuple(service if each.prefix == "openrouter" else each for each in model_facts.SERVICES)
    monkeypatch.setattr(model_facts, "SERVICES", every)
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    return server


async def test_a_service_says_its_prices_and_they_hold_for_its_replies(
    make: Any, openrouter: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_facts, "is_loopback", lambda _host: False)
    provider = make()
    # It is in no table: its window is asked for when something is sent.
    assert await provider.current_window("openrouter/maker/m") == 100_000
    assert await provider.input_price("openrouter/maker/m") == 1e-6
    listed = await provider.list_models("openrouter/maker/m")
    assert listed.models == [KnownModel("openrouter/maker/m", 100_000, None, 1e-6, 2e-6)]
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    openrouter.reply("Yes.", usage=usage)
    events = await collect(provider, ask("Hello", "openrouter/maker/m", None))
    (report,) = (each.usage for each in events if isinstance(each, UsageReported))
    assert report.cost == pytest.approx(20e-6)
    (lookup,) = openrouter.lookups
    assert lookup.headers["authorization"] == f"Bearer {KEY}"


async def test_a_server_on_this_machine_has_no_price(make: Any, openrouter: ModelServer) -> None:
    provider = make()
    assert (await provider.list_models()).models == [KnownModel("openrouter/maker/m", 100_000)]
    assert await provider.input_price("openrouter/maker/m") is None


# Keys -------------------------------------------------------------------------------------


async def test_a_key_goes_only_to_its_host(
    make: Any, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for service in SERVICES:
        if service.wire:
            monkeypatch.setenv(service.key_variable, f"sk-fake-{service.stem.lower()}-0000")
    await make(server.base_url).list_models("some-model")
    await make(server.base_url).current_window("some-model")
    assert {each.path for each in server.lookups} == {"/v1/models"}
    assert not [each for each in server.lookups if "sk-fake" in str(each)]


async def test_a_key_that_would_travel_in_the_clear_is_not_sent_for_a_list_either(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk-fake-0000")
    monkeypatch.setenv("GROQ_API_BASE", "http://models.example/v1")
    listed = await make().list_models()
    assert "The key in GROQ_API_KEY was not sent" in listed.note
    assert any(name.startswith("groq/") for name in named(listed)), "the table stands"


async def test_a_redirect_is_not_followed(make: Any, server: ModelServer) -> None:
    async def redirect(exchange: Exchange) -> None:
        await exchange.respond(302, b"", {"Location": f"{server.base_url}/elsewhere"})

    server.pages["/models"] = redirect
    listed = await make(server.base_url).list_models()
    assert "answered 302" in listed.note
    assert len(server.lookups) == 1


# What goes wrong --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (page({"error": "no"}, 500), "answered 500"),
        (page({"error": "who?"}, 401), "answered 401"),
        (page({"surprise": 1}), "sent something that is no list of models"),
        (page("<html>"), "sent something that is no list of models"),
    ],
)
async def test_a_server_that_answers_nonsense_is_one_sentence(
    make: Any,
    server: ModelServer,
    monkeypatch: pytest.MonkeyPatch,
    answer: Behaviour,
    words: str,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-fake-openai-0000")
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    server.pages["/models"] = answer
    provider = make()
    listed = await provider.list_models("gpt-4o")
    assert listed.note == f"Not every server could be asked: 127.0.0.1:{server.port} {words}."
    assert "gpt-4o" in named(listed), "the table stands"
    del server.pages["/models"]
    assert "openai/test-model" in named(await provider.list_models("gpt-4o")), "it is asked again"


@pytest.mark.parametrize("answer", [page({"error": "no such page"}, 404), page({"surprise": 1})])
async def test_a_server_without_a_list_is_not_asked_with_every_message(
    make: Any, server: ModelServer, answer: Behaviour
) -> None:
    server.pages["/models"] = answer
    provider = make(server.base_url)
    for _turn in range(3):
        assert await provider.current_window("some-model") is None
    assert len(server.lookups) == 1


async def test_what_is_too_long_is_not_read(
    make: Any, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_query, "LONGEST", 10)
    assert "sent more than 10 bytes" in (await make(server.base_url).list_models()).note


async def test_a_server_that_hangs_is_left_and_not_waited_for_with_every_message(
    make: Any, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_query, "PATIENCE", 0.05)
    server.pages["/models"] = hang
    provider = make(server.base_url)
    assert await provider.current_window("some-model") is None
    assert await provider.current_window("some-model") is None
    assert len(server.lookups) == 1
    assert "did not answer in time" in (await provider.list_models()).note


async def test_descriptions_that_do_not_come_leave_the_names(
    make: Any, ollama: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_query, "PATIENCE", 0.6)
    ollama.pages["/api/show"] = hang
    listed = await make().list_models("ollama_chat/x")
    assert named(listed) == ["ollama_chat/llama3.2:latest", "ollama_chat/qwen3:8b"]
    assert listed.models[1].window == 4096


async def test_only_what_is_set_up_is_missed(
    make: Any, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = server.port
    server.close()
    lm_studio = BY_PREFIX["lm_studio"]._replace(url=f"http://127.0.0.1:{free}/v1", has_port=True)
    monkeypatch.setitem(BY_PREFIX, "lm_studio", lm_studio)
    monkeypatch.setattr(model_facts, "SERVICES", (lm_studio,))
    assert await make().list_models() == ModelList([])
    assert (await make().list_models("lm_studio/m")).note.endswith("LM Studio was not reached.")
    monkeypatch.setenv("LM_STUDIO_API_BASE", f"http://127.0.0.1:{free}/v1")
    assert "was not reached" in (await make().list_models()).note


async def test_what_a_server_says_cannot_act_on_a_terminal(make: Any, server: ModelServer) -> None:
    server.pages["/models"] = page({"data": [{"id": "\x1b]0;x\x07"}, {"id": "fine"}]})
    assert named(await make(server.base_url).list_models()) == ["fine"]

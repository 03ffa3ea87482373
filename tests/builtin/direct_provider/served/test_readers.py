"""What is taken of the lists of models of each kind of server, and of nonsense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agno_shell.builtin.direct_provider.served import readers, served_model
from agno_shell.builtin.direct_provider.served.served_model import MalformedAnswerError, ServedModel
from agno_shell.contracts import Abilities


def data(*rows: Any) -> dict[str, Any]:
    return {"object": "list", "data": list(rows)}


OPENROUTER = {
    "id": "maker/thinker",
    "context_length": 262_144,
    "architecture": {"input_modalities": ["text", "image"]},
    "pricing": {"prompt": "0.0000002", "completion": "0.000001", "input_cache_read": "0.00000002"},
    "supported_parameters": ["tools", "reasoning"],
}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"id": "gpt-x", "owned_by": "system"}, ServedModel("gpt-x")),
        ({"id": "Qwen/Qwen3-8B", "max_model_len": 40_960}, ServedModel("Qwen/Qwen3-8B", 40_960)),
        (
            {"id": "a.gguf", "owned_by": "llamacpp", "meta": {"n_ctx_train": 131_072}},
            ServedModel("a.gguf", None, 131_072),
        ),
        ({"id": "fast", "context_window": 131_072, "active": True}, ServedModel("fast", 131_072)),
        (
            {
                "id": "mistral-x",
                "max_context_length": 128_000,
                "capabilities": {
                    "completion_chat": True,
                    "function_calling": True,
                    "vision": False,
                },
            },
            ServedModel("mistral-x", 128_000, 128_000, abilities=Abilities(False, None, True)),
        ),
        (
            {
                "id": "t",
                "type": "chat",
                "context_length": 8192,
                "pricing": {"input": 3, "output": 5},
            },
            ServedModel(
                "t", 8192, prices={"input_cost_per_token": 3e-6, "output_cost_per_token": 5e-6}
            ),
        ),
        (
            {"id": "f", "context_length": 8192, "supports_chat": True, "supports_tools": True},
            ServedModel("f", 8192, abilities=Abilities(tools=True)),
        ),
        (
            OPENROUTER,
            ServedModel(
                "maker/thinker",
                262_144,
                prices={
                    "input_cost_per_token": 2e-7,
                    "output_cost_per_token": 1e-6,
                    "cache_read_input_token_cost": 2e-8,
                },
                abilities=Abilities(True, False, True, True),
            ),
        ),
    ],
)
def test_openais_form_has_words_of_many(row: dict[str, Any], expected: ServedModel) -> None:
    (found,) = readers.openai(data(row))
    assert found._replace(prices={}) == expected._replace(prices={})
    assert dict(found.prices) == pytest.approx(dict(expected.prices))


@pytest.mark.parametrize(
    "row",
    [
        {"id": "text-embedding-3-small"},
        {"id": "whisper-1"},
        {"id": "nomic-embed-text"},
        {"id": "gpt-4o-transcribe"},
        {"id": "x", "type": "image"},
        {"id": "x", "supports_chat": False},
        {"id": "x", "capabilities": {"completion_chat": False}},
        {"id": "two words"},
        {"id": "\x1b[31mred"},
        {"id": "--flag"},
        {"id": ""},
        {"id": 7},
        {"id": "x" * 201},
        {},
        "text",
        None,
    ],
)
def test_what_is_no_model_to_talk_to_is_left_out(row: Any) -> None:
    assert readers.openai(data(row, {"id": "good"})) == [ServedModel("good")]


@pytest.mark.parametrize("value", [0, -1, True, "many", 1.5, 10**12, None, [], float("nan")])
def test_a_number_of_tokens_that_is_none_is_not_taken(value: Any) -> None:
    (found,) = readers.openai(data({"id": "m", "max_model_len": value}))
    assert found.window is None


@pytest.mark.parametrize("value", ["-1", "free", "inf", "nan", None, True, {}, 12])
def test_a_price_that_is_none_is_not_taken(value: Any) -> None:
    (found,) = readers.openai(data({"id": "m", "pricing": {"prompt": value, "completion": "0"}}))
    assert dict(found.prices) == {"output_cost_per_token": 0.0}


def test_lm_studio_says_what_is_loaded_and_what_could_be() -> None:
    rows = [
        {"id": "a", "type": "vlm", "state": "not-loaded", "max_context_length": 32_768},
        {
            "id": "b",
            "type": "llm",
            "state": "loaded",
            "max_context_length": 131_072,
            "loaded_context_length": 4096,
            "capabilities": ["tool_use"],
        },
        {"id": "e", "type": "embeddings"},
    ]
    assert readers.lm_studio(data(*rows)) == [
        ServedModel("a", None, 32_768, abilities=Abilities(True)),
        ServedModel("b", 4096, 131_072, abilities=Abilities(False, None, True)),
    ]


def test_llama_cpp_says_the_window_of_a_slot() -> None:
    body = {"default_generation_settings": {"n_ctx": 8192}, "modalities": {"vision": False}}
    assert readers.llama_cpp(body, "a") == ServedModel("a", 8192, abilities=Abilities(False))


def test_a_proxy_says_windows_and_abilities_and_its_prices_are_not_taken() -> None:
    info = {
        "mode": "chat",
        "max_input_tokens": 200_000,
        "supports_vision": True,
        "input_cost_per_token": 1e-6,
    }
    rows = [
        {"model_name": "house", "model_info": info},
        {"model_name": "vectors", "model_info": {"mode": "embedding"}},
    ]
    assert readers.litellm_proxy(data(*rows)) == [
        ServedModel("house", 200_000, abilities=Abilities(True))
    ]


def test_anthropic() -> None:
    able = {"image_input": {"supported": True}, "thinking": {"supported": False}}
    row = {"type": "model", "id": "claude-x", "max_input_tokens": 200_000, "capabilities": able}
    older = {"type": "model", "id": "claude-w", "display_name": "Claude W"}
    assert readers.anthropic({"data": [row, older], "has_more": False}) == [
        ServedModel("claude-x", 200_000, abilities=Abilities(True, None, None, False)),
        ServedModel("claude-w"),
    ]


def test_gemini() -> None:
    rows = [
        {
            "name": "models/gemini-x",
            "inputTokenLimit": 1_048_576,
            "supportedGenerationMethods": ["generateContent", "countTokens"],
            "thinking": True,
        },
        {"name": "models/embedder", "supportedGenerationMethods": ["embedContent"]},
    ]
    assert readers.gemini({"models": rows}) == [
        ServedModel("gemini-x", 1_048_576, abilities=Abilities(reasoning=True))
    ]


def test_ollama() -> None:
    assert readers.ollama_tags(
        {"models": [{"name": "a:8b"}, {"name": "nomic-embed-text:latest"}]}
    ) == [ServedModel("a:8b")]
    assert readers.ollama_loaded({"models": [{"model": "a:8b", "context_length": 4096}]}) == [
        ServedModel("a:8b", 4096)
    ]
    body = {
        "parameters": 'stop "x"\nnum_ctx                        16384',
        "model_info": {"general.architecture": "llama", "llama.context_length": 131_072},
        "capabilities": ["completion", "tools"],
    }
    assert readers.ollama_shown(body, "a:8b") == ServedModel(
        "a:8b", 16_384, 131_072, abilities=Abilities(False, False, True, False)
    )


READERS: list[Callable[[Any], Any]] = [
    readers.openai,
    readers.lm_studio,
    readers.litellm_proxy,
    readers.anthropic,
    readers.gemini,
    readers.ollama_tags,
    readers.ollama_loaded,
    lambda body: readers.llama_cpp(body, "m"),
    lambda body: readers.ollama_shown(body, "m"),
]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("body", [None, 5, "text", [], {}, {"data": 5}, {"models": {}}, [[]]])
def test_nonsense_is_called_so_or_has_no_models(reader: Callable[[Any], Any], body: Any) -> None:
    try:
        found = reader(body)
    except MalformedAnswerError:
        return
    assert found in ([], ServedModel("m"))


@pytest.mark.parametrize("reader", READERS)
def test_values_of_the_wrong_kind_do_no_harm(reader: Callable[[Any], Any]) -> None:
    for wrong in (None, 5, "x", [], {}, True):  # type: ignore[var-annotated]
        keys = ("id", "name", "model", "model_name", "meta", "capabilities", "pricing", "type")
        keys += ("architecture", "supported_parameters", "model_info", "details", "parameters")  # type: ignore[assignment]
        row = dict.fromkeys(keys, wrong) | {"supportedGenerationMethods": wrong}
        named = row | {"id": "m", "name": "m", "model": "m", "model_name": "m"}
        for each in (row, named):
            reader({"data": [each], "models": [each], "default_generation_settings": wrong, **each})


def test_no_more_models_are_looked_at_than_can_be_shown() -> None:
    many = data(*({"id": f"m{number}"} for number in range(served_model.MOST + 5)))
    assert len(readers.openai(many)) == served_model.MOST


def test_what_one_page_does_not_say_another_may() -> None:
    one = ServedModel("m", None, 10, abilities=Abilities(images=False))
    more = ServedModel("m", 5, 20, {"input_cost_per_token": 1e-6}, Abilities(True, True))
    both = ServedModel("m", 5, 10, {"input_cost_per_token": 1e-6}, Abilities(False, True))
    assert one.completed(more) == both

"""The lists of models of each kind of server, read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agno_shell.builtin.direct_provider.served.served_model import (
    MalformedAnswerError,
    ServedModel,
    flag,
    inner,
    is_chat,
    name,
    price,
    rows,
    tokens,
)
from agno_shell.contracts import Abilities

Json = Mapping[str, Any]

_NO_CHAT_TYPES = (
    *("embedding", "embeddings", "image", "audio"),
    *("moderation", "rerank", "transcribe", "video"),
)

_PRICES = (
    ("input_cost_per_token", "prompt", "input"),
    ("output_cost_per_token", "completion", "output"),
    ("cache_read_input_token_cost", "input_cache_read", "cached_input"),
    ("cache_creation_input_token_cost", "input_cache_write", ""),
)
"""A column of litellm's table; OpenRouter's name of it, for one token; Together's, for a
million."""


# OpenAI's form, which most servers have, each with words of its own -------------------------


def openai(body: Any) -> list[ServedModel]:
    """``/models`` of OpenAI, and of vLLM, llama.cpp, LM Studio, OpenRouter, Groq, Mistral,
    Together and Fireworks, which say more in it."""
    found = []
    for row in rows(body, "data", "models"):
        model = name(row.get("id"))
        if model and is_chat(model) and _answers_messages(row):
            found.append(_openai_row(model, row))
    return found


def _answers_messages(row: Json) -> bool:
    said = (inner(row, "capabilities").get("completion_chat"), row.get("supports_chat"))
    return row.get("type") not in _NO_CHAT_TYPES and False not in said


def _openai_row(model: str, row: Json) -> ServedModel:
    meta = inner(row, "meta")
    window = tokens(
        row.get("max_model_len"),  # vLLM
        row.get("loaded_context_length"),  # LM Studio
        row.get("context_length"),  # OpenRouter, Together, Fireworks
        row.get("context_window"),  # Groq
        meta.get("n_ctx"),  # llama.cpp
    )
    # Mistral says it as LM Studio does, of which it is only what could be.
    largest = tokens(row.get("max_context_length"), meta.get("n_ctx_train"))
    if window is None and "capabilities" in row and "state" not in row:
        window = largest
    return ServedModel(model, window, largest, _prices(inner(row, "pricing")), _abilities(row))


def _prices(pricing: Json) -> Mapping[str, float]:
    is_per_token = "prompt" in pricing
    read = {
        column: price(pricing.get(for_one)) if is_per_token else price(pricing.get(million), 1e6)
        for column, for_one, million in _PRICES
    }
    return {column: amount for column, amount in read.items() if amount is not None}


def _abilities(row: Json) -> Abilities:
    known = inner(row, "capabilities")
    taken = inner(row, "architecture").get("input_modalities")
    parameters = row.get("supported_parameters")
    if isinstance(taken, list) and isinstance(parameters, list):  # OpenRouter
        return Abilities(
            "image" in taken, "file" in taken, "tools" in parameters, "reasoning" in parameters
        )
    return Abilities(
        images=_first(known.get("vision"), row.get("supports_image_input")),
        tools=_first(known.get("function_calling"), row.get("supports_tools")),
        reasoning=flag(known.get("reasoning")),
    )


def _first(*values: Any) -> bool | None:
    return next((value for value in values if isinstance(value, bool)), None)


# Pages beside it ----------------------------------------------------------------------------


def lm_studio(body: Any) -> list[ServedModel]:
    """``/api/v0/models`` of LM Studio: also what is not loaded.
    https://lmstudio.ai/docs/developer/rest/endpoints"""
    found = []
    for row in rows(body, "data"):
        model = name(row.get("id"))
        if model and row.get("type") not in _NO_CHAT_TYPES:
            known = row.get("capabilities")
            tools = "tool_use" in known if isinstance(known, list) else None
            is_seeing = row.get("type") == "vlm" if isinstance(row.get("type"), str) else None
            window = tokens(row.get("loaded_context_length"))
            largest = tokens(row.get("max_context_length"))
            found.append(
                ServedModel(model, window, largest, abilities=Abilities(is_seeing, None, tools))
            )
    return found


def llama_cpp(body: Any, model: str) -> ServedModel:
    """``/props`` of llama.cpp: the window of the one model that it has loaded."""
    if not isinstance(body, Mapping):
        raise MalformedAnswerError("something that is no page of llama.cpp")
    settings = inner(body, "default_generation_settings")
    sees = flag(inner(body, "modalities").get("vision"))
    return ServedModel(model, tokens(settings.get("n_ctx")), abilities=Abilities(images=sees))


def litellm_proxy(body: Any) -> list[ServedModel]:
    """``/model/info`` of a LiteLLM proxy. What it knows of prices is not what it asks for."""
    found = []
    for row in rows(body, "data"):
        model, known = name(row.get("model_name")), inner(row, "model_info")
        if model and known.get("mode") in (None, "chat", "responses"):
            abilities = Abilities(
                flag(known.get("supports_vision")),
                flag(known.get("supports_pdf_input")),
                flag(known.get("supports_function_calling")),
                flag(known.get("supports_reasoning")),
            )
            window = tokens(known.get("max_input_tokens"))
            found.append(ServedModel(model, window, abilities=abilities))
    return found


# Anthropic and Google -----------------------------------------------------------------------


def anthropic(body: Any) -> list[ServedModel]:
    """https://platform.claude.com/docs/en/api/models/list"""
    found = []
    for row in rows(body, "data"):
        if model := name(row.get("id")):
            able = {
                key: flag(inner(inner(row, "capabilities"), key).get("supported"))
                for key in ("image_input", "pdf_input", "thinking")
            }
            abilities = Abilities(able["image_input"], able["pdf_input"], None, able["thinking"])
            window = tokens(row.get("max_input_tokens"))
            found.append(ServedModel(model, window, abilities=abilities))
    return found


def gemini(body: Any) -> list[ServedModel]:
    """https://ai.google.dev/api/models"""
    found = []
    for row in rows(body, "models"):
        model = name(row.get("name")).removeprefix("models/")
        methods = row.get("supportedGenerationMethods")
        if model and isinstance(methods, list) and "generateContent" in methods:
            thinks = flag(row.get("thinking"))
            window = tokens(row.get("inputTokenLimit"))
            found.append(ServedModel(model, window, abilities=Abilities(reasoning=thinks)))
    return found


# Ollama -------------------------------------------------------------------------------------
# https://github.com/ollama/ollama/blob/main/docs/api.md


def ollama_tags(body: Any) -> list[ServedModel]:
    """The models that are there."""
    named = (name(row.get("model") or row.get("name")) for row in rows(body, "models"))
    return [ServedModel(model) for model in named if model and is_chat(model)]


def ollama_loaded(body: Any) -> list[ServedModel]:
    """``/api/ps``: the models that are loaded, with the window that they were loaded with."""
    return [
        ServedModel(model, tokens(row.get("context_length")))
        for row in rows(body, "models")
        if (model := name(row.get("model") or row.get("name")))
    ]


def ollama_shown(body: Any, model: str) -> ServedModel:
    """``/api/show``: what a model could, and the window that its Modelfile sets."""
    if not isinstance(body, Mapping):
        raise MalformedAnswerError("something that is no description of a model")
    facts = inner(body, "model_info")
    architecture = facts.get("general.architecture")
    largest = tokens(facts.get(f"{architecture}.context_length"))
    known = body.get("capabilities")
    abilities = Abilities()
    if isinstance(known, list):
        abilities = Abilities("vision" in known, False, "tools" in known, "thinking" in known)
    return ServedModel(model, _num_ctx(body.get("parameters")), largest, abilities=abilities)


def _num_ctx(parameters: Any) -> int | None:
    """The window in the lines of a Modelfile's parameters."""
    for line in parameters.splitlines() if isinstance(parameters, str) else ():
        key, _blank, value = line.strip().partition(" ")
        if key == "num_ctx" and value.strip().isdecimal():
            return tokens(int(value))
    return None

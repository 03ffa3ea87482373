"""The services whose protocol is spoken here: names, addresses and variables."""

from __future__ import annotations

from typing import Literal, NamedTuple

WireName = Literal["openai", "anthropic", "gemini", "ollama"]


class Service(NamedTuple):
    """A model service, or a kind of server."""

    prefix: str
    """Before the slash in a model's name; the names are litellm's."""
    title: str
    wire: WireName
    url: str
    """Where it is; empty: only where a variable or ``api_base`` says."""
    key_variables: tuple[str, ...]
    """Environment variables of which the first that is set holds the key."""
    url_variables: tuple[str, ...] = ()
    """Environment variables of which the first that is set says where it is instead."""
    needs_key: bool = True
    key_header: Literal["", "api-key"] = ""
    """Where the key goes, if not where the protocol has it."""


SERVICES = (
    Service(
        *("openai", "OpenAI", "openai", "https://api.openai.com/v1", ("OPENAI_API_KEY",)),
        ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
    ),
    Service(
        *("anthropic", "Anthropic", "anthropic", "https://api.anthropic.com"),
        ("ANTHROPIC_API_KEY",),
        ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"),
    ),
    Service(
        *("gemini", "Gemini", "gemini", "https://generativelanguage.googleapis.com/v1beta"),
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        ("GEMINI_API_BASE",),
    ),
    Service(
        *("azure", "Azure", "openai", ""),
        *(("AZURE_API_KEY",), ("AZURE_API_BASE",), True, "api-key"),
    ),
    Service(
        *("openrouter", "OpenRouter", "openai", "https://openrouter.ai/api/v1"),
        *(("OPENROUTER_API_KEY",), ("OPENROUTER_API_BASE",)),
    ),
    Service(
        *("groq", "Groq", "openai", "https://api.groq.com/openai/v1"),
        *(("GROQ_API_KEY",), ("GROQ_API_BASE",)),
    ),
    Service(
        *("mistral", "Mistral", "openai", "https://api.mistral.ai/v1"),
        *(("MISTRAL_API_KEY",), ("MISTRAL_API_BASE",)),
    ),
    Service(
        *("deepseek", "DeepSeek", "openai", "https://api.deepseek.com/v1"),
        *(("DEEPSEEK_API_KEY",), ("DEEPSEEK_API_BASE",)),
    ),
    Service(*("xai", "xAI", "openai", "https://api.x.ai/v1"), ("XAI_API_KEY",), ("XAI_API_BASE",)),
    Service(
        *("together_ai", "Together", "openai", "https://api.together.xyz/v1"),
        *(("TOGETHERAI_API_KEY", "TOGETHER_API_KEY"), ("TOGETHER_AI_API_BASE",)),
    ),
    Service(
        *("fireworks_ai", "Fireworks", "openai", "https://api.fireworks.ai/inference/v1"),
        *(("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"), ("FIREWORKS_API_BASE",)),
    ),
    Service(
        *("lm_studio", "LM Studio", "openai", "http://127.0.0.1:1234/v1"),
        *(("LM_STUDIO_API_KEY",), ("LM_STUDIO_API_BASE",), False),
    ),
    Service(
        *("llamafile", "llama.cpp", "openai", "http://127.0.0.1:8080/v1"),
        *(("LLAMAFILE_API_KEY",), ("LLAMAFILE_API_BASE",), False),
    ),
    Service(
        *("hosted_vllm", "vLLM", "openai", "http://127.0.0.1:8000/v1"),
        *(("HOSTED_VLLM_API_KEY",), ("HOSTED_VLLM_API_BASE",), False),
    ),
    Service(
        *("litellm_proxy", "LiteLLM proxy", "openai", "http://127.0.0.1:4000"),
        *(("LITELLM_PROXY_API_KEY",), ("LITELLM_PROXY_API_BASE",), False),
    ),
    Service(
        *("ollama_chat", "Ollama", "ollama", "http://127.0.0.1:11434"),
        *(("OLLAMA_API_KEY",), ("OLLAMA_API_BASE", "OLLAMA_HOST"), False),
    ),
    Service(
        *("ollama", "Ollama", "ollama", "http://127.0.0.1:11434"),
        *(("OLLAMA_API_KEY",), ("OLLAMA_API_BASE", "OLLAMA_HOST"), False),
    ),
)

BY_PREFIX = {service.prefix: service for service in SERVICES}

COMPATIBLE = BY_PREFIX["openai"]
"""What a server of one's own is taken for where the model's name does not say."""

_OWN_NAMES = ("claude-", "gpt-", "chatgpt-", "o1", "o3", "o4")
"""How the names begin of models that need no prefix."""

_ELSEWHERE = frozenset(
    {
        *("ai21", "aiml", "anthropic_text", "azure_ai", "azure_text", "baseten", "bedrock"),
        *("bedrock_converse", "bytez", "cerebras", "clarifai", "cloudflare", "codestral", "cohere"),
        *("cohere_chat", "cometapi", "custom_openai", "dashscope", "databricks", "datarobot"),
        *("deepinfra", "featherless_ai", "friendliai", "galadriel", "github", "github_copilot"),
        *("gigachat", "heroku", "huggingface", "hyperbolic", "infinity", "jina_ai", "lambda_ai"),
        *("lemonade", "litellm_agent", "maritalk", "meta_llama", "minimax", "moonshot", "morph"),
        *("nebius", "nlp_cloud", "novita", "nscale", "nvidia_nim", "oci", "oobabooga"),
        *("openai_like", "perplexity", "petals", "predibase", "ragflow", "replicate", "sagemaker"),
        *("sagemaker_chat", "sambanova", "sap", "snowflake", "text-completion-openai", "topaz"),
        *("triton", "v0", "vercel_ai_gateway", "vertex_ai", "vertex_ai_beta", "vllm"),
        *("volcengine", "voyage", "wandb", "watsonx", "watsonx_text", "xinference", "zai"),
    }
)
"""Prefixes that litellm gives a meaning of its own. Behind an address, any other prefix is a
part of the model's name, as in ``Qwen/Qwen3-8B``."""


def answers(model: str, api_base: str | None) -> bool:
    """Whether a model is asked by a protocol that is spoken here."""
    prefix, slash, _name = model.partition("/")
    if slash and prefix in BY_PREFIX:
        return True
    if api_base is not None:
        return not (slash and prefix in _ELSEWHERE)
    return not slash and model.startswith(_OWN_NAMES)

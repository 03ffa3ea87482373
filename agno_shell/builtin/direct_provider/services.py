"""Which models are asked by a protocol that is spoken here."""

from __future__ import annotations

from agno_shell.builtin.model_services.services import BY_PREFIX, Service, service_of

COMPATIBLE = BY_PREFIX["openai"]
"""What a server of one's own is taken for where the model's name does not say."""

_ELSEWHERE = frozenset(
    {
        *("ai21", "aiml", "anthropic_text", "azure", "azure_ai", "azure_text", "baseten"),
        *("bedrock", "bedrock_converse", "bytez", "cerebras", "clarifai", "cloudflare"),
        *("codestral", "cohere", "cohere_chat", "cometapi", "custom_openai", "dashscope"),
        *("databricks", "datarobot", "deepinfra", "featherless_ai", "friendliai", "galadriel"),
        *("github", "github_copilot", "gigachat", "heroku", "huggingface", "hyperbolic"),
        *("infinity", "jina_ai", "lambda_ai", "lemonade", "litellm_agent", "maritalk"),
        *("meta_llama", "minimax", "moonshot", "morph", "nebius", "nlp_cloud", "novita"),
        *("nscale", "nvidia_nim", "oci", "oobabooga", "openai_like", "perplexity", "petals"),
        *("predibase", "ragflow", "replicate", "sagemaker", "sagemaker_chat", "sambanova", "sap"),
        *("snowflake", "text-completion-openai", "topaz", "triton", "v0", "vercel_ai_gateway"),
        *("vertex_ai", "vertex_ai_beta", "vllm", "volcengine", "voyage", "wandb", "watsonx"),
        *("watsonx_text", "xinference", "zai"),
    }
)
"""Prefixes that litellm gives a meaning of its own. Behind an address, any other prefix is a
part of the model's name, as in ``Qwen/Qwen3-8B``."""


def spoken(prefix: str) -> Service | None:
    """The service of a prefix, if it is asked here."""
    service = BY_PREFIX.get(prefix)
    return service if service is not None and service.wire else None


def answers(model: str, api_base: str | None) -> bool:
    """Whether a model is asked by a protocol that is spoken here."""
    prefix, slash, _name = model.partition("/")
    if slash and spoken(prefix):
        return True
    if api_base is not None:
        return not (slash and prefix in _ELSEWHERE)
    service = None if slash else service_of(model)
    return service is not None and bool(service.wire)

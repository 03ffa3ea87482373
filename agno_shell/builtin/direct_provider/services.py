"""Which models are asked by a protocol that is spoken here."""

from __future__ import annotations

from collections.abc import Mapping

from agno_shell.builtin.direct_provider import azure
from agno_shell.builtin.model_services.keys import is_set
from agno_shell.builtin.model_services.services import BY_PREFIX, Service, service_of
from agno_shell.types import NOTHING

COMPATIBLE = BY_PREFIX["openai"]
"""What a server of one's own is taken for where the model's name does not say."""

ELSEWHERE = frozenset(
    {
        *("a2a", "a2a_agent", "abliteration", "ai21", "ai21_chat", "aiand", "aiml"),
        *("aiohttp_openai", "amazon_nova", "anthropic_text", "apertis", "assemblyai"),
        *("auto_router", "aws_polly", "aws_textract", "azure_ai", "azure_speech", "azure_text"),
        *("baseten", "bedrock", "bedrock_converse", "bedrock_mantle", "bespoke", "bigmodel"),
        *("black_forest_labs", "bytez", "cerebras", "charity_engine", "chatgpt", "chutes"),
        *("clarifai", "clf_ai_gateway", "cloudflare", "codestral", "cognition", "cohere"),
        *("cohere_chat", "cometapi", "compactifai", "coralbricks", "cortecs", "cursor"),
        *("custom", "custom_openai", "darkbloom", "dashscope", "databricks"),
        *("databricks_agent", "datarobot", "deepgram", "deepinfra", "docker_model_runner"),
        *("dotprompt", "edenai", "elevenlabs", "empiriolabs", "empower", "eu_jev", "fal_ai"),
        *("featherless_ai", "friendliai", "galadriel", "gdc", "gigachat", "github"),
        *("github_copilot", "gradient_ai", "helicone", "heroku", "hostinger_router"),
        *("huggingface", "humanloop", "hyperbolic", "inception", "inferenceapis", "infinity"),
        *("jina_ai", "kyma", "lambda_ai", "langflow", "langfuse", "langgraph", "laya"),
        *("lemonade", "libertai", "litellm_agent", "manus", "maritalk", "meta", "meta_llama"),
        *("microsoft_365_copilot", "milvus", "minimax", "modelscope", "mongodb", "moonshot"),
        *("morph", "nace", "nadir", "nano-gpt", "nebius", "neosantara", "nlp_cloud", "novita"),
        *("nscale", "nvidia_nim", "nvidia_riva", "oci", "oobabooga", "openai_like"),
        *("opencode_go", "openinfer", "opensearch", "ovhcloud", "parallel_ai", "parasail"),
        *("perplexity", "petals", "pg_vector", "pinstripes", "poe", "predibase", "prism"),
        *("publicai", "qwen_ai_platform", "qwencloud", "ragflow", "recraft", "reducto"),
        *("refuseless", "reka", "replicate", "runwayml", "s3_vectors", "sagemaker"),
        *("sagemaker_chat", "sagemaker_nova", "sail", "sambanova", "sap", "scaledown"),
        *("scaleway", "scx-ai", "snowflake", "soniox", "stability", "strands_decider"),
        *("streamlake", "synthetic", "tensormesh", "text-completion-codestral"),
        *("text-completion-inception", "text-completion-openai", "topaz", "transcribe"),
        *("triton", "typesafe", "v0", "valkey", "vercel_ai_gateway", "vertex_ai"),
        *("vertex_ai_beta", "vllm", "volcengine", "voyage", "wally", "wandb", "watsonx"),
        *("watsonx_text", "xiaomi_mimo", "xinference", "zai", "zerogpu"),
    }
)
"""Prefixes that litellm gives a meaning of its own. Behind an address, any other prefix is a
part of the model's name, as in ``Qwen/Qwen3-8B``."""

PUBLISHERS = frozenset({"tencent"})
"""Prefixes of litellm that are also names under which models are published: behind an address
they are a part of the model's name as well."""


def spoken(prefix: str) -> Service | None:
    """The service of a prefix, if it is asked here."""
    service = BY_PREFIX.get(prefix)
    return service if service is not None and service.wire else None


def answers(model: str, api_base: str | None, environ: Mapping[str, str] = NOTHING) -> bool:
    """Whether a model is asked by a protocol that is spoken here."""
    prefix, slash, _name = model.partition("/")
    if slash and (service := spoken(prefix)):
        has_key = any(is_set(variable, environ) for variable in service.key_variables)
        return has_key or prefix != azure.PREFIX or not azure.signs_in_elsewhere(environ)
    if api_base is not None:
        return not (slash and prefix in ELSEWHERE)
    service = None if slash else service_of(model)
    return service is not None and bool(service.wire)

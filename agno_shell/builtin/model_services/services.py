"""The services that have models: their names, addresses, variables and protocols."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

WireName = Literal["", "openai", "anthropic", "gemini", "ollama"]


class Service(NamedTuple):
    """A service, or a kind of server."""

    prefix: str
    """Before the slash in a model's name; the names are litellm's."""
    title: str
    stem: str
    """As its variables begin."""
    wire: WireName = ""
    """The protocol by which it is asked; empty: by litellm alone."""
    url: str = ""
    """Where it is; empty: only where a variable or ``api_base`` says."""
    hosts: tuple[str, ...] = ()
    """Its own; with a port where it is a program on this machine."""
    more: tuple[str, ...] = ()
    """Variables of its address beside ``STEM_BASE_URL`` and ``STEM_API_BASE``."""
    keys: tuple[str, ...] = ()
    """Variables of its key beside ``STEM_API_KEY``."""
    tokens: tuple[str, ...] = ()
    """Variables of tokens that are sent in place of a key, as ``Authorization: Bearer``."""
    key_header: str = ""
    """What carries the key, where it is not the header of the protocol."""
    needs_key: bool = True
    has_port: bool = False
    """Whether its port on this machine is taken by nothing else, so that a user who wants to see
    models may see its as well, set up or not."""
    lists_names: bool = False
    """Whether its list of models has their names, and nothing more of them."""
    model: str = ""
    """A current model that is good at a low price, as litellm names it; empty: none is chosen
    because a key of this service is set."""

    @property
    def key_variable(self) -> str:
        return f"{self.stem}_API_KEY"

    @property
    def key_variables(self) -> tuple[str, ...]:
        """Those that hold its key, or what is sent in its place, the strongest first."""
        return (*self.tokens, self.key_variable, *self.keys)

    @property
    def address_variables(self) -> tuple[str, ...]:
        """Those that give its address, the strongest first."""
        return (f"{self.stem}_BASE_URL", f"{self.stem}_API_BASE", *self.more)


def _ollama(prefix: str) -> Service:
    hosts = ("127.0.0.1:11434", "localhost:11434", "[::1]:11434")
    where = "http://127.0.0.1:11434", hosts, ("OLLAMA_HOST",)
    return Service(prefix, "Ollama", "OLLAMA", "ollama", *where, needs_key=False, has_port=True)


SERVICES = (
    Service(
        *("openai", "OpenAI", "OPENAI", "openai"),
        *("https://api.openai.com/v1", ("api.openai.com",)),
        lists_names=True,
        model="gpt-5.4-mini",
    ),
    Service(
        *("anthropic", "Anthropic", "ANTHROPIC", "anthropic"),
        *("https://api.anthropic.com", ("api.anthropic.com",)),
        model="claude-haiku-4-5",
    ),
    Service(
        *("gemini", "Gemini", "GEMINI", "gemini"),
        "https://generativelanguage.googleapis.com/v1beta",
        ("generativelanguage.googleapis.com",),
        keys=("GOOGLE_API_KEY",),
        model="gemini/gemini-flash-latest",
    ),
    Service(
        *("groq", "Groq", "GROQ", "openai"),
        *("https://api.groq.com/openai/v1", ("api.groq.com",)),
        model="groq/openai/gpt-oss-120b",
    ),
    Service(
        *("mistral", "Mistral", "MISTRAL", "openai"),
        *("https://api.mistral.ai/v1", ("api.mistral.ai",)),
        model="mistral/mistral-small-latest",
    ),
    Service(
        *("deepseek", "DeepSeek", "DEEPSEEK", "openai"),
        *("https://api.deepseek.com/v1", ("api.deepseek.com",)),
        lists_names=True,
        model="deepseek/deepseek-v4-flash",
    ),
    Service(
        *("openrouter", "OpenRouter", "OPENROUTER", "openai"),
        *("https://openrouter.ai/api/v1", ("openrouter.ai",)),
        model="openrouter/openai/gpt-5.4-mini",
    ),
    Service(
        *("azure", "Azure OpenAI", "AZURE", "openai"),
        hosts=("openai.azure.com", "cognitiveservices.azure.com", "services.ai.azure.com"),
        more=("AZURE_OPENAI_ENDPOINT",),
        keys=("AZURE_OPENAI_API_KEY",),
        tokens=("AZURE_AD_TOKEN", "AZURE_OPENAI_AD_TOKEN"),
        key_header="api-key",
    ),
    Service(
        *("xai", "xAI", "XAI", "openai", "https://api.x.ai/v1", ("api.x.ai",)),
        lists_names=True,
    ),
    Service(
        *("together_ai", "Together", "TOGETHER_AI", "openai", "https://api.together.xyz/v1"),
        ("api.together.xyz", "api.together.ai"),
        keys=("TOGETHER_API_KEY", "TOGETHERAI_API_KEY"),
    ),
    Service(
        *("fireworks_ai", "Fireworks", "FIREWORKS", "openai"),
        *("https://api.fireworks.ai/inference/v1", ("api.fireworks.ai",)),
        keys=("FIREWORKS_AI_API_KEY", "FIREWORKSAI_API_KEY"),
    ),
    Service(
        *("perplexity", "Perplexity", "PERPLEXITY"),
        hosts=("api.perplexity.ai",),
        keys=("PERPLEXITYAI_API_KEY",),
    ),
    Service("cerebras", "Cerebras", "CEREBRAS", hosts=("api.cerebras.ai",)),
    Service("moonshot", "Moonshot", "MOONSHOT", hosts=("api.moonshot.ai", "api.moonshot.cn")),
    _ollama("ollama"),
    _ollama("ollama_chat"),
    Service(
        *("lm_studio", "LM Studio", "LM_STUDIO", "openai", "http://127.0.0.1:1234/v1"),
        needs_key=False,
        has_port=True,
    ),
    Service(
        *("hosted_vllm", "vLLM", "HOSTED_VLLM", "openai", "http://127.0.0.1:8000/v1"),
        needs_key=False,
    ),
    Service(
        *("llamafile", "llama.cpp", "LLAMAFILE", "openai", "http://127.0.0.1:8080/v1"),
        needs_key=False,
    ),
    Service(
        *("litellm_proxy", "LiteLLM proxy", "LITELLM_PROXY", "openai", "http://127.0.0.1:4000"),
        needs_key=False,
    ),
)
"""In the order in which a key decides the default model. What is not here is left to litellm."""

BY_PREFIX = {service.prefix: service for service in SERVICES}

_BARE = (
    (re.compile(r"gpt-|chatgpt-|o\d(?:-|$)|codex-|computer-use-"), "openai"),
    (re.compile(r"claude-[^:]*$"), "anthropic"),
)
"""Whose models a name without a prefix belongs to; litellm's tables know the same."""


def service_of(model: str) -> Service | None:
    """Whose model a name belongs to, as far as that is known without litellm."""
    prefix, slash, _name = model.partition("/")
    if slash:
        return BY_PREFIX.get(prefix)
    return next((BY_PREFIX[service] for pattern, service in _BARE if pattern.match(model)), None)

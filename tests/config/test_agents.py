from __future__ import annotations

from collections.abc import Callable

import pytest

from agno_shell.config import Agent, Config
from agno_shell.errors import ConfigError

Load = Callable[..., Config]


def test_an_agent_in_full(load: Load) -> None:
    config = load(
        """
        [agents.analyst]
        description = "careful"
        instructions = "You are an analyst."
        model = "x/y"
        fallbacks = ["x/z", "ollama_chat/small"]
        pins = ["Be kind.", "@~/rules.md", "@/etc/motd"]
        reasoning = "low"
        temperature = 0.2
        [agents.analyst.parameters]
        top_p = 0.9
        stop = ["END"]
        response_format = {type = "json_object"}
        [agents.empty]
        """
    )
    assert config.agents["analyst"] == Agent(
        "analyst",
        instructions="You are an analyst.",
        model="x/y",
        description="careful",
        parameters={
            "temperature": 0.2,
            "top_p": 0.9,
            "stop": ["END"],
            "response_format": {"type": "json_object"},
        },
        fallbacks=("x/z", "ollama_chat/small"),
        pins=("Be kind.", "@~/rules.md", "@/etc/motd"),
        reasoning="low",
    )
    assert config.agents["empty"] == Agent("empty", parameters={})


def test_the_shells_file_replaces_an_agent_as_a_whole(load: Load) -> None:
    config = load('agents.a = {model = "x", instructions = "i"}', 'agents.a.model = "y"')
    assert config.agents["a"] == Agent("a", model="y", parameters={})


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[agents]\na = 1", "line 2: agents.a must be a table, [agents.NAME].", ""),
        (
            "[agents.a]\ninstruction = 'x'",
            'line 2: an agent has no key "instruction".',
            '"instructions"',
        ),
        ("[agents.a]\ntop_p = 1", 'line 2: an agent has no key "top_p".', "[agents.a.parameters]"),
        ("[agents.a]\napi_base = 'x'", 'line 2: an agent has no key "api_base".', "[provider]"),
        ("[agents.a]\nmodel = 1", "line 2: agents.a.model must be text in quotes.", ""),
        ("[agents.a]\ntemperature = 'hot'", "line 2: agents.a.temperature must be a number", ""),
        ("[agents.a]\ntemperature = true", "line 2: agents.a.temperature must be a number", ""),
        ("[agents.a]\ntemperature = -1", "line 2: agents.a.temperature must be a number", ""),
        ("[agents.a]\ntemperature = nan", "line 2: agents.a.temperature must be a number", ""),
        ("[agents.a]\nfallbacks = 'x'", "line 2: agents.a.fallbacks must be a list of texts", ""),
        ("[agents.a]\nfallbacks = ['x', ' ']", "line 2: agents.a.fallbacks must be a list", ""),
        ("[agents.a]\npins = [1]", "line 2: agents.a.pins must be a list of texts", ""),
        (
            "[agents.a]\npins = ['fine', '@rules.md']",
            "line 2: agents.a.pins names a file by a path that is not whole.",
            "begins with / or ~/",
        ),
        ("[agents.a]\npins = ['@']", "line 2: agents.a.pins names a file by a path", ""),
        (
            "[agents.a]\nreasoning = 'much'",
            "line 2: agents.a.reasoning must be one of off, low, medium, high.",
            "",
        ),
        ("[agents.a]\nreasoning = ['low']", "line 2: agents.a.reasoning must be one of", ""),
        ("[agents.a]\nparameters = 1", "line 2: agents.a.parameters must be a table.", ""),
        (
            "[agents.a.parameters]\n\napi_key = 'sk-fake-0000'",
            "line 3: agents.a.parameters.api_key is no model",
            "api_key_env",
        ),
        (
            "[agents.a.parameters]\nstream = true",
            "line 2: agents.a.parameters.stream is no model",
            "shell decides",
        ),
        (
            "[agents.a.parameters]\nx = 1979-05-27",
            "line 2: agents.a.parameters.x must be text, a number",
            "",
        ),
        (
            "[agents.a.parameters]\nx = [inf]",
            "line 2: agents.a.parameters.x must be text, a number",
            "",
        ),
        (
            "[agents.a.parameters]\ntemperature = -1",
            "line 2: agents.a.parameters.temperature must be a num",
            "",
        ),
        (
            "[agents.a]\ntemperature = 1\nparameters.temperature = 1",
            "line 3: agents.a.parameters.temperature is given twice.",
            "",
        ),
        ("[agents.'']", "must have a name of 1 to 60 printable characters.", ""),
        ('[agents."a\\u001b[2J"]', "must have a name of 1 to 60 printable characters.", ""),
        (f"[agents.{'a' * 61}]", "must have a name of 1 to 60 printable characters.", ""),
    ],
)
def test_a_wrong_agent_is_one_sentence(load: Load, text: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert message in str(caught.value)
    assert hint in caught.value.hint
    assert "sk-fake" not in caught.value.sentence()

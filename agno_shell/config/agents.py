"""The tables ``[agents.NAME]``."""

# Annotations are not left as text here (PEP 563): a named tuple would compile them at
# every start, and the first call of compile() alone takes 1 ms.

from collections.abc import Mapping
from typing import Any, NamedTuple

from agno_shell.config import settings
from agno_shell.config.toml_file import TomlFile
from agno_shell.errors import ConfigError
from agno_shell.types import NOTHING, Reasoning

TEXTS = {
    "instructions": "The system text of every request.",
    "model": "The model of this agent; without it, the one that is configured for everything.",
    "description": "A few words for the list of agents.",
}
LISTS = {
    "fallbacks": "Models that are asked in this order when this agent's model is down, before "
    "those of `[provider] fallbacks`.",
    "pins": "Texts that are always sent behind the instructions; `@` and an absolute path is the "
    "content of that text file when a request is made.",
}
LEVELS = tuple(filter(None, settings.PROVIDER_REASONING.choices))
KEYS = (*TEXTS, *LISTS, "reasoning", "temperature", "parameters")

FILE_MARK = "@"
"""A pin that begins with it names a file."""

RESERVED = frozenset(
    {"api_base", "api_key", "base_url", "extra_headers", "messages", "model", "stream", "timeout"}
)
"""No model parameters: the shell itself decides these, and where a key goes."""


class Agent(NamedTuple):
    """A named model with instructions: one table ``[agents.NAME]``."""

    name: str
    instructions: str = ""
    """The system text of every request."""
    model: str | None = None
    """None: the model that is configured for everything."""
    description: str = ""
    """A few words for the list of agents."""
    parameters: Mapping[str, Any] = NOTHING
    """Model parameters such as ``temperature``; values that JSON can hold."""
    fallbacks: tuple[str, ...] = ()
    """Models that are asked, in this order, when the agent's own is down."""
    pins: tuple[str, ...] = ()
    """What always goes along with the instructions: texts, and ``@`` with the whole path,
    perhaps from ``~``, of a text file."""
    reasoning: Reasoning | None = None
    """None: as configured for everything."""


def make_agent(name: str, table: Mapping[str, Any]) -> Agent:
    """The agent of a table that stands in no file yet; ``ConfigError`` names the key."""
    return read_agent(TomlFile("The new agent"), name, dict(table))


def read_agent(file: TomlFile, name: str, table: Any) -> Agent:
    """The agent of one table; ``ConfigError`` names file, line and key."""
    if not isinstance(table, dict):
        raise _wrong(file, name, "", "must be a table, [agents.NAME].")
    if not name.strip() or not name.isprintable() or len(name) > 60:
        raise _wrong(file, name, "", "must have a name of 1 to 60 printable characters.")
    for key, value in table.items():
        if key not in KEYS:
            raise _unknown(file, name, key)
        if key in TEXTS and not isinstance(value, str):
            raise _wrong(file, name, key, "must be text in quotes.")
        if key in LISTS and not _is_list_of_texts(value):
            raise _wrong(file, name, key, "must be a list of texts, none of them empty.")
        if key == "reasoning" and value not in LEVELS:
            raise _wrong(file, name, key, f"must be one of {', '.join(LEVELS)}.")
        if key == "temperature" and not _is_temperature(value):
            raise _wrong(file, name, key, "must be a number, at least 0.")
    return Agent(
        name,
        instructions=table.get("instructions", ""),
        model=table.get("model") or None,
        description=table.get("description", ""),
        parameters=_parameters(file, name, table),
        fallbacks=tuple(table.get("fallbacks", ())),
        pins=_pins(file, name, table.get("pins", ())),
        reasoning=table.get("reasoning"),
    )


def _pins(file: TomlFile, agent: str, pins: Any) -> tuple[str, ...]:
    for pin in pins:
        # Relative would mean: another text in every working directory.
        if pin.startswith(FILE_MARK) and not is_whole_path(pin.removeprefix(FILE_MARK)):
            raise _wrong(
                file,
                agent,
                "pins",
                "names a file by a path that is not whole.",
                hint=f"The path behind {FILE_MARK} begins with / or ~/.",
            )
    return tuple(pins)


def is_whole_path(path: str) -> bool:
    """Whether a path, perhaps from ``~``, means the same in every working directory."""
    import os

    return "\0" not in path and (path.startswith(("~/", "~\\")) or os.path.isabs(path))


def _parameters(file: TomlFile, agent: str, table: Mapping[str, Any]) -> dict[str, Any]:
    given = table.get("parameters", {})
    if not isinstance(given, dict):
        raise _wrong(file, agent, "parameters", "must be a table.")
    parameters: dict[str, Any] = {}
    if "temperature" in table:
        parameters["temperature"] = table["temperature"]
    for name, value in given.items():
        key = f"parameters.{name}"
        if name in RESERVED:
            raise _wrong(file, agent, key, "is no model parameter.", hint=_reserved(name))
        if name in parameters:
            raise _wrong(file, agent, key, "is given twice.")
        if name == "temperature" and not _is_temperature(value):
            raise _wrong(file, agent, key, "must be a number, at least 0.")
        if not _is_json(value):
            raise _wrong(
                file,
                agent,
                key,
                "must be text, a number, true, false, or a list or table of these.",
            )
        parameters[name] = value
    return parameters


def _is_temperature(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value < float("inf")


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each.strip() for each in value)


def _is_json(value: Any) -> bool:
    """Whether JSON can hold it: no dates, no infinity."""
    if isinstance(value, dict):
        return all(_is_json(below) for below in value.values())
    if isinstance(value, list):
        return all(_is_json(below) for below in value)
    if isinstance(value, float):
        return value - value == 0  # neither an infinity nor not a number
    return isinstance(value, str | int)


def _wrong(file: TomlFile, agent: str, key: str, what: str, *, hint: str = "") -> ConfigError:
    names = key.split(".", 1) if key else []
    shown = ".".join(["agents", agent[:60], *names])[:160]
    return ConfigError(f"{file.place(('agents', agent, *names))}: {shown} {what}", hint=hint)


def _unknown(file: TomlFile, agent: str, key: str) -> ConfigError:
    from agno_shell.toolkit.nearest import did_you_mean, nearest

    meant = nearest(key, KEYS)
    hint = did_you_mean(key, meant) if meant else _reserved(key)
    return ConfigError(
        f'{file.place(("agents", agent, key))}: an agent has no key "{key[:60]}".',
        hint=hint or f"Model parameters stand in the table [agents.{agent}.parameters].",
    )


def _reserved(name: str) -> str:
    if name in ("api_base", "base_url", "api_key"):
        return "Where a key goes is set in [provider]: api_base and api_key_env."
    return "The shell decides it itself." if name in RESERVED else ""

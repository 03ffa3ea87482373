"""Write ``config.example.toml`` and the tables of ``docs/configuration.md`` from the records.

``python -m agno_shell.config.docs`` writes them; with ``--check`` it writes nothing and
exits 1 where a file differs from what it would write. Run it in the source tree.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agno_shell.config import settings
from agno_shell.config.agents import LEVELS, LISTS, RESERVED, TEXTS
from agno_shell.config.settings import Setting
from agno_shell.config.writing import toml_value

ROOT = Path(__file__).resolve().parents[2]

_HEAD = """\
# The configuration of agno-shell. Every setting is here with its default; remove the "#"
# at the beginning of a line, and of the [table] above it, to change it.
# `agno-shell config --path` says where this file belongs, `agno-shell config --check`
# whether it is right. docs/configuration.md explains everything.
"""

_TABLE_HELP = {
    "storage": "Where the sessions are.",
    "provider": "Which model answers. Keys are in the environment and never here.",
    "provider.limits": "How long anything can take, and how much can come.",
    "conversation": "What the shell does for a conversation by itself.",
    "tools": "What models can call. Nothing is on by itself, and each call asks first.",
    "renderer": "How replies look.",
    "shell": "The shell itself.",
    "plugins": "Which plugins are used.",
}

_AGENTS = '''\
# Agents: named instructions, chosen with --agent NAME or /agent NAME; the session
# remembers its agent. Temperature and all of parameters go to the model.

#[agents.analyst]
#description = "careful with numbers"
#instructions = """
#You are a financial analyst. Say which figures you rely on.
#"""
#model = "anthropic/claude-sonnet-4-5"
#fallbacks = ["openai/gpt-4o", "ollama_chat/llama3.2"]
#pins = ["Today's currency is the euro.", "@~/notes/house-rules.md"]
#reasoning = "low"
#temperature = 0.2

#[agents.analyst.parameters]
#max_tokens = 4000

#[agents.brief]
#instructions = "Answer in one sentence."
'''

_PLUGIN = """\
# The settings of a plugin are in a table with its name; its own documentation lists them.

#[plugins.my-plugin]
#colour = "blue"
"""


def example() -> str:
    """The text of ``config.example.toml``."""
    lines = [_HEAD]
    for name, members in _tables():
        lines += [f"# {_TABLE_HELP[name]}", f"#[{name}]", ""]
        for setting in members:
            key = setting.name.rpartition(".")[2]
            example = _for_example(setting).replace("`", "")
            lines += [
                f"# {setting.help}{_bounds(setting)}{example}",
                f"#{key} = {toml_value(setting.default)}",
                "",
            ]
    return "\n".join(lines) + "\n" + _PLUGIN + "\n" + _AGENTS


def settings_table() -> str:
    """The settings as a Markdown table for every TOML table."""
    parts = []
    for name, members in _tables():
        parts += [
            f"### `[{name}]`",
            "",
            _TABLE_HELP[name],
            "",
            "| key | type | default | environment variable | meaning |",
            "|---|---|---|---|---|",
        ]
        parts += [_row(setting) for setting in members]
        parts.append("")
    return "\n".join(parts)


def agents_table() -> str:
    """The keys of an agent as a Markdown table."""
    rows = [f"| `{key}` | text in quotes | {text} |" for key, text in TEXTS.items()]
    rows += [f"| `{key}` | a list of texts | {text} |" for key, text in LISTS.items()]
    levels = ", ".join(f"`{level}`" for level in LEVELS)
    rows.append(
        f"| `reasoning` | one of {levels} | How much the model thinks before it answers, "
        "if it can. |"
    )
    rows.append("| `temperature` | a number, at least 0 | Short for the parameter of that name. |")
    reserved = ", ".join(f"`{name}`" for name in sorted(RESERVED))
    rows.append(
        "| `parameters` | a table | Other parameters of the model, under litellm's names; not "
        f"{reserved}. |"
    )
    return "\n".join(["| key | type | meaning |", "|---|---|---|", *rows]) + "\n"


def page(text: str) -> str:
    """``text`` of the documentation page with its generated parts updated.

    Such a part stands between ``<!-- NAME: generated -->`` and ``<!-- NAME: end -->``.
    """
    for name, make in (("settings", settings_table), ("agents", agents_table)):
        begin, end = f"<!-- {name}: generated -->", f"<!-- {name}: end -->"
        pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        replacement = f"{begin}\n{make()}{end}"
        text, count = pattern.subn(replacement.replace("\\", r"\\"), text)
        if count != 1:
            raise ValueError(f"the page must hold the markers {begin} and {end} once")
    return text


def main(arguments: Sequence[str]) -> int:
    """Write, or with ``--check`` compare; returns the exit status."""
    documentation = ROOT / "docs" / "configuration.md"
    wanted = {
        ROOT / "config.example.toml": example(),
        documentation: page(documentation.read_text(encoding="utf-8")),
    }
    stale = [
        path
        for path, text in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        if "--check" in arguments:
            sys.stderr.write(
                f"{path.relative_to(ROOT)} is out of date: run python -m agno_shell.config.docs\n"
            )
        else:
            path.write_text(wanted[path], encoding="utf-8")
    return 1 if stale and "--check" in arguments else 0


def _tables() -> list[tuple[str, list[Setting[Any]]]]:
    tables: dict[str, list[Setting[Any]]] = {}
    for setting in settings.ALL:
        tables.setdefault(setting.name.rpartition(".")[0], []).append(setting)
    return list(tables.items())


def _row(setting: Setting[Any]) -> str:
    key = setting.name.rpartition(".")[2]
    default = toml_value(setting.default)
    return (
        f"| `{key}` | {_type(setting)} | `{default}` | `{setting.variable}` "
        f"| {setting.help}{_for_example(setting)} |"
    )


def _for_example(setting: Setting[Any]) -> str:
    if not setting.example:
        return ""
    value = (setting.example,) if setting.kind is tuple else setting.example
    return f" For example `{toml_value(value)}`."


def _bounds(setting: Setting[Any]) -> str:
    if setting.choices:
        return f" Either {_choices(setting)}."
    return f" At least {setting.minimum:g}." if setting.minimum is not None else ""


def _type(setting: Setting[Any]) -> str:
    if setting.choices:
        return _choices(setting)
    bound = f", at least {setting.minimum:g}" if setting.minimum is not None else ""
    return setting.kind_name + bound


def _choices(setting: Setting[Any]) -> str:
    return " or ".join(f'"{choice}"' for choice in setting.choices)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

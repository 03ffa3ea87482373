"""``/agent``: who answers, with which instructions; and making another one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from agno_shell.builtin.commands import completions
from agno_shell.builtin.commands.arguments import first_word, nearest, split_description, unquote
from agno_shell.builtin.commands.wording import one_of
from agno_shell.contracts import Command, CommandContext, Completion
from agno_shell.errors import UsageError
from agno_shell.toolkit.terminal_text import clean, clean_line
from agno_shell.toolkit.text_table import Column

NONE, NEW = "none", "new"
"""Words that name no agent."""

NEW_USAGE = "/agent new NAME [MODEL] -- INSTRUCTIONS"


async def agent(context: CommandContext, text: str) -> None:
    """Choose an agent, leave the one in use, make one, or list them."""
    name = unquote(text)
    word, rest = first_word(text)
    if not name:
        _list_agents(context)
    elif name.lower() == NONE:
        await context.engine.set_agent(None)
        context.ui.print(f"Agent: none. Model: {clean_line(context.engine.model)}")
    elif word == NEW and name not in context.engine.agents:
        await _make(context, rest)
    elif name in context.engine.agents:
        await context.engine.set_agent(name)
        context.ui.print(f"Agent: {clean_line(name)}. Model: {clean_line(context.engine.model)}")
    else:
        hint = one_of(nearest(name, context.engine.agents)) or "/agent lists the agents."
        raise UsageError(f"There is no agent '{clean_line(name)}'.", hint=hint)


# Making one -------------------------------------------------------------------------------


async def _make(context: CommandContext, text: str) -> None:
    name, rest = first_word(text)
    model, instructions = split_description(rest)
    if name in ("", "--") or len(model.split()) > 1:
        raise UsageError("A new agent needs a name.", hint=f"Usage: {NEW_USAGE}")
    if name.lower() in (NONE, NEW):
        raise UsageError(f"An agent cannot be called '{clean_line(name)}'.", hint="Take another.")
    if name in context.engine.agents:
        raise UsageError(
            f"There is an agent '{clean_line(name)}' already.",
            hint="Take another name, or change it in the config file.",
        )
    if not instructions:
        instructions = (await context.ui.edit("") or "").strip()
    if not instructions:
        raise UsageError(
            "An agent needs instructions; none was made.",
            hint=f"They stand behind the two dashes: {NEW_USAGE}",
        )
    table = {"instructions": instructions, **({"model": model} if model else {})}
    context.app.remember_agent(name, table)
    context.ui.print(f"Agent {clean_line(name)} is made and kept. /agent {_typed(name)} uses it.")


def _typed(name: str) -> str:
    return f'"{clean_line(name)}"' if " " in name else clean_line(name)


# Showing them -----------------------------------------------------------------------------


def _list_agents(context: CommandContext) -> None:
    if context.engine.agents:
        _print_table(context)
    else:
        context.ui.print("No agents are set up.")
    name = context.engine.session.agent
    if name is None:
        context.ui.print(f"None is in use. /agent NAME uses one; {NEW_USAGE} makes one.")
    elif name in context.engine.agents:
        _describe(context, name, context.engine.agents[name])
    else:
        context.ui.print(
            f"This session's agent {clean_line(name)} is not configured any more: nothing of it "
            "is sent. /agent none leaves it."
        )


def _print_table(context: CommandContext) -> None:
    context.ui.table(
        (
            Column(""),
            Column("Agent", minimum=8),
            Column("Model", minimum=8),
            Column("What it does", minimum=12),
        ),
        [
            (
                "*" if name == context.engine.session.agent else "",
                name,
                getattr(each, "model", None) or "",
                getattr(each, "description", None) or getattr(each, "instructions", None) or "",
            )
            for name, each in context.engine.agents.items()
        ],
    )


def _describe(context: CommandContext, name: str, agent: Any) -> None:
    """All that the agent in use has."""
    context.ui.print()
    context.ui.print(f"In use: {clean_line(name)}")
    for label, value in _facts(agent):
        first, *more = clean(value).split("\n")
        context.ui.print(f"{label + ':':<14}{first}")
        for line in more:
            context.ui.print(" " * 14 + line)


def _facts(agent: Any) -> Iterator[tuple[str, str]]:
    parameters = getattr(agent, "parameters", None) or {}
    for label, value in (
        ("Model", getattr(agent, "model", None) or "the configured one"),
        ("Fallbacks", ", ".join(getattr(agent, "fallbacks", ()))),
        ("Reasoning", getattr(agent, "reasoning", None)),
        ("Parameters", ", ".join(f"{key}={value}" for key, value in parameters.items())),
        ("Instructions", (getattr(agent, "instructions", None) or "").strip()),
        *(("Pinned", pin) for pin in getattr(agent, "pins", ())),
    ):
        if value:
            yield label, value


async def complete(context: CommandContext, text: str) -> Iterable[Completion]:
    """The agents, the word that leaves the one in use, and the one that makes another."""
    return [*await completions.agents(context, text), Completion(f"{NEW} ", "make an agent")]


COMMANDS = (
    Command(
        "agent",
        "Use an agent, leave it with 'none', list the agents, or make one.",
        agent,
        usage="[NAME | new NAME]",
        details=(
            "An agent is a model with instructions and settings: a table [agents.NAME] in the "
            "config file. The session remembers it. Without a word the agents are listed, the one "
            "in use with all it has.\n"
            f"{NEW_USAGE} writes one to the file that the shell keeps beside yours; without "
            "instructions your editor asks for them.\n"
            "Example: /agent new poet ollama_chat/llama3.2 -- Answer in verse."
        ),
        complete=complete,
        multiline=True,
    ),
)

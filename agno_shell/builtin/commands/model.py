"""Commands that choose who answers."""

from __future__ import annotations

from collections.abc import Sequence

from agno_shell.builtin.commands import completions
from agno_shell.builtin.commands.arguments import nearest, unquote
from agno_shell.builtin.commands.table import print_table
from agno_shell.builtin.commands.wording import one_of
from agno_shell.contracts import Command, CommandContext
from agno_shell.errors import AgnoShellError, UsageError
from agno_shell.terminal_text import clean_line
from agno_shell.text_table import Column
from agno_shell.wording import count

LISTED = 30
"""Providers know thousands of names; more than this are for completion, not for reading."""

PATIENCE = 10.0
"""Seconds that a list of models may take; a provider may be starting."""

BRIEF_PATIENCE = 0.5
"""Seconds that a remark about the name just chosen is worth."""

DEFAULT_FLAG = "--default"


async def model(context: CommandContext, text: str) -> None:
    """Choose a model, or list what can be chosen."""
    flag, _, rest = text.strip().partition(" ")
    as_default = flag == DEFAULT_FLAG
    name = unquote(rest if as_default else text)
    if not name:
        if as_default:
            raise UsageError(
                "/model --default needs the name of a model.", hint="/model lists names."
            )
        await _list_models(context)
        return
    if name.startswith("-") or len(name.split()) > 1:
        raise UsageError(
            f"'{clean_line(name)}' cannot be the name of a model.",
            hint=f"Usage: /model [{DEFAULT_FLAG}] [NAME]",
        )
    await context.set_model(name)
    context.print(f"Model: {clean_line(name)}")
    if as_default:
        context.remember_model(name)
        context.print("New sessions use it as well.")
    await _remark_on_unknown(context, name)


async def _list_models(context: CommandContext) -> None:
    context.print(f"Model in use: {clean_line(context.model)}")
    names = sorted(await _names(context, PATIENCE))
    if not names:
        context.print("The provider lists no models. /model NAME uses the one you name.")
        return
    context.print(f"{count(len(names), 'model')} can be used:")
    for name in names[:LISTED]:
        context.print(f"{'*' if name == context.model else ' '} {clean_line(name)}")
    if len(names) > LISTED:
        context.print(
            f"{len(names) - LISTED:,} more are not listed; type a part of a name "
            "behind /model and press Tab."
        )


async def _remark_on_unknown(context: CommandContext, name: str) -> None:
    """A name that the provider does not list may still be right: say so, and take it."""
    try:
        names = await _names(context, BRIEF_PATIENCE)
    except AgnoShellError:  # the choice is made; what is wrong shows with the next message
        return
    if names and name not in names:
        hint = one_of(nearest(name, names))
        context.print(
            f"The provider does not list this name; it is sent as you typed it. {hint}".strip()
        )


async def _names(context: CommandContext, seconds: float) -> Sequence[str]:
    """The provider's models; nothing when it takes longer than ``seconds``."""
    from asyncio import timeout

    try:
        async with timeout(seconds):
            return await context.provider.models()
    except TimeoutError:
        return ()


async def agent(context: CommandContext, text: str) -> None:
    """Choose an agent, leave the one in use, or list them."""
    name = unquote(text)
    if not name:
        _list_agents(context)
    elif name.lower() == "none":
        await context.set_agent(None)
        context.print(f"Agent: none. Model: {clean_line(context.model)}")
    elif name in context.agents:
        await context.set_agent(name)
        context.print(f"Agent: {clean_line(name)}. Model: {clean_line(context.model)}")
    else:
        hint = one_of(nearest(name, context.agents)) or "/agent lists the agents."
        raise UsageError(f"There is no agent '{clean_line(name)}'.", hint=hint)


def _list_agents(context: CommandContext) -> None:
    if not context.agents:
        context.print("No agents are set up. A table [agents.NAME] in the config file makes one.")
        return
    print_table(
        context,
        (
            Column(""),
            Column("Agent", minimum=8),
            Column("Model", minimum=8),
            Column("What it does", minimum=12),
        ),
        [
            (
                "*" if name == context.agent else "",
                name,
                getattr(each, "model", None) or "",
                getattr(each, "description", None) or getattr(each, "instructions", None) or "",
            )
            for name, each in context.agents.items()
        ],
    )
    if context.agent is None:
        context.print("None is in use. /agent NAME uses one.")


COMMANDS = (
    Command(
        "model",
        "Use another model, or list the models.",
        model,
        usage=f"[{DEFAULT_FLAG}] [NAME]",
        details=(
            "The session remembers the model. With --default, sessions that have chosen none use "
            "it too, from now on.\n"
            "Example: /model ollama_chat/llama3.2"
        ),
        complete=completions.models,
    ),
    Command(
        "agent",
        "Use an agent, leave it with 'none', or list the agents.",
        agent,
        usage="[NAME]",
        details=(
            "An agent is a model with instructions and settings: a table [agents.NAME] in the "
            "config file. The session remembers it."
        ),
        complete=completions.agents,
    ),
)

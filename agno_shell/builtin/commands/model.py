"""Commands that choose who answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from agno_shell.builtin.commands import completions
from agno_shell.builtin.commands.arguments import nearest, unquote
from agno_shell.builtin.commands.wording import one_of
from agno_shell.contracts import Command, CommandContext
from agno_shell.errors import AgnoShellError, UsageError
from agno_shell.terminal_text import clean_line
from agno_shell.types import Reasoning
from agno_shell.wording import count

LISTED = 30
"""Providers know thousands of names; more than this are for completion, not for reading."""

PATIENCE = 10.0
"""Seconds that a list of models may take; a provider may be starting."""

BRIEF_PATIENCE = 0.5
"""Seconds that a remark about the name just chosen is worth."""

DEFAULT_FLAG = "--default"

DEFAULT_LEVEL = "default"
LEVELS = ("off", "low", "medium", "high", DEFAULT_LEVEL)


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
    context.print(f"Model: {_in_use(context)}")
    if as_default:
        context.remember_model(name)
        context.print("New sessions use it as well.")
    await _remark_on_unknown(context, name)


async def _list_models(context: CommandContext) -> None:
    provider = clean_line(context.provider.name)
    context.print(f"Model in use: {_in_use(context)}, asked by the provider {provider}")
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


def _in_use(context: CommandContext) -> str:
    where = f" at {context.address}" if context.address else ""
    return f"{clean_line(context.model)}{where}"


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


async def reasoning(context: CommandContext, text: str) -> None:
    """Say, or choose, how much models think in this session before they answer."""
    word = unquote(text).lower()
    if not word:
        context.print(f"Reasoning: {_level_in_use(context)}.")
        return
    if word not in LEVELS:
        raise UsageError(
            f"/reasoning takes {', '.join(LEVELS[:-1])} or {LEVELS[-1]}, not '{clean_line(word)}'.",
            hint="Usage: /reasoning [off|low|medium|high|default]",
        )
    # LEVELS has the words of the type, and one for None.
    level = cast("Reasoning | None", None if word == DEFAULT_LEVEL else word)
    await context.conversation.set_reasoning(level)
    context.print(f"Reasoning: {_level_in_use(context)}.")
    if level not in (None, "off") and await _cannot_reason(context):
        context.print(
            f"{clean_line(context.model)} is known not to reason; the level waits for a model "
            "that does."
        )


def _level_in_use(context: CommandContext) -> str:
    if level := context.session.reasoning:
        return f"{level}, in this session"
    agent = context.agents.get(context.agent) if context.agent else None
    if level := getattr(agent, "reasoning", None):
        return f"{level}, as the agent {clean_line(context.agent or '')} has it"
    return "as configured"


async def _cannot_reason(context: CommandContext) -> bool:
    from asyncio import timeout

    # The choice is made; this is only a remark about it.
    try:
        async with timeout(BRIEF_PATIENCE):
            abilities = await context.provider.abilities(context.model)
    except (TimeoutError, AgnoShellError):
        return False
    return abilities.reasoning is False


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
        "reasoning",
        "Choose how much the model is to think before it answers, where it can.",
        reasoning,
        usage="[off|low|medium|high|default]",
        details=(
            "The session remembers the level. With default it is the agent's, or the one of "
            "[provider] reasoning in the config file. Without a word it says which level holds."
        ),
        complete=completions.words(
            ("off", "answer at once"),
            ("low", "think a little"),
            ("medium", "think"),
            ("high", "think long"),
            ("default", "as configured"),
        ),
    ),
)

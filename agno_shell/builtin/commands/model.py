"""Commands that choose who answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from agno_shell.builtin.commands import completions
from agno_shell.builtin.commands.arguments import nearest, unquote
from agno_shell.builtin.commands.wording import one_of, price_words, window_words
from agno_shell.contracts import Command, CommandContext, KnownModel, ModelList
from agno_shell.errors import AgnoShellError, UsageError
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.wording import count
from agno_shell.types import Reasoning

LISTED = 30
"""Providers know thousands of names; more than this are for completion, not for reading."""

PATIENCE = 10.0
"""Seconds that a list of models may take; a provider may be starting."""

BRIEF_PATIENCE = 0.5
"""Seconds that a remark about the name just chosen is worth."""

LONGEST_NOTE = 300
"""Characters about servers that could not be asked."""

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
    await context.engine.set_model(name)
    context.ui.print(f"Model: {_in_use(context)}")
    if as_default:
        context.app.remember_model(name)
        context.ui.print("New sessions use it as well.")
    await _remark_on_unknown(context, name)


async def _list_models(context: CommandContext) -> None:
    engine = context.engine
    provider = clean_line(engine.provider.name)
    place = f" at {engine.asked_at}" if engine.asked_at and not engine.address else ""
    context.ui.print(f"Model in use: {_in_use(context)}, asked by the provider {provider}{place}")
    listed = await _listed(context, PATIENCE, ask=True)
    if listed.note:
        context.ui.print(clean_line(listed.note, LONGEST_NOTE))
    if not listed.models:
        context.ui.print("The provider lists no models. /model NAME uses the one you name.")
        return
    shown = listed.models[:LISTED]
    described = [(_mark(context, each), window_words(each), price_words(each)) for each in shown]
    priced = any(price for _name, _window, price in described)
    units = " (a million tokens cost, sent / received)" if priced else ""
    context.ui.print(f"{count(len(listed.models), 'model')} can be used{units}:")
    _print_columns(context, described)
    if len(listed.models) > LISTED:
        context.ui.print(
            f"{len(listed.models) - LISTED:,} more are not listed; type a part of a name "
            "behind /model and press Tab."
        )


def _mark(context: CommandContext, model: KnownModel) -> str:
    return f"{'*' if model.name == context.engine.model else ' '} {clean_line(model.name)}"


def _print_columns(context: CommandContext, rows: Sequence[tuple[str, str, str]]) -> None:
    """Names, and behind them what is known."""
    wide = max(len(name) for name, _window, _price in rows)
    widest = max(len(window) for _name, window, _price in rows)
    for name, window, price in rows:
        context.ui.print(f"{name:<{wide}}  {window:>{widest}}  {price}".rstrip())


def _in_use(context: CommandContext) -> str:
    where = f" at {context.engine.address}" if context.engine.address else ""
    return f"{clean_line(context.engine.model)}{where}"


async def _remark_on_unknown(context: CommandContext, name: str) -> None:
    """A name that the provider does not list may still be right: say so, and take it."""
    try:
        listed = await _listed(context, BRIEF_PATIENCE, ask=False)
    except AgnoShellError:  # the choice is made; what is wrong shows with the next message
        return
    names = [each.name for each in listed.models]
    if names and name not in names:
        hint = one_of(nearest(name, names))
        context.ui.print(
            f"The provider does not list this name; it is sent as you typed it. {hint}".strip()
        )


async def _listed(context: CommandContext, seconds: float, *, ask: bool) -> ModelList:
    """The models that can be used; none when it takes longer than ``seconds``."""
    from asyncio import timeout

    try:
        async with timeout(seconds):
            return await context.engine.list_models(ask=ask)
    except TimeoutError:
        return ModelList(())


async def reasoning(context: CommandContext, text: str) -> None:
    """Say, or choose, how much models think in this session before they answer."""
    word = unquote(text).lower()
    if not word:
        context.ui.print(f"Reasoning: {_level_in_use(context)}.")
        return
    if word not in LEVELS:
        raise UsageError(
            f"/reasoning takes {', '.join(LEVELS[:-1])} or {LEVELS[-1]}, not '{clean_line(word)}'.",
            hint="Usage: /reasoning [off|low|medium|high|default]",
        )
    # LEVELS has the words of the type, and one for None.
    level = cast("Reasoning | None", None if word == DEFAULT_LEVEL else word)
    await context.engine.set_reasoning(level)
    context.ui.print(f"Reasoning: {_level_in_use(context)}.")
    if level not in (None, "off") and await _cannot_reason(context):
        model = clean_line(context.engine.model)
        context.ui.print(f"{model} is known not to reason; the level waits for a model that does.")


def _level_in_use(context: CommandContext) -> str:
    if level := context.engine.session.reasoning:
        return f"{level}, in this session"
    name = context.engine.session.agent or ""
    if level := getattr(context.engine.agents.get(name), "reasoning", None):
        return f"{level}, as the agent {clean_line(name)} has it"
    return "as configured"


async def _cannot_reason(context: CommandContext) -> bool:
    from asyncio import timeout

    # The choice is made; this is only a remark about it.
    try:
        async with timeout(BRIEF_PATIENCE):
            abilities = await context.engine.provider.abilities(context.engine.model)
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
            "it too, from now on. Without a name, the servers that are set up are asked for their "
            "models, two seconds at most: each is shown with the tokens that a request may hold, "
            "and with the price in US dollars of a million tokens sent and received.\n"
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

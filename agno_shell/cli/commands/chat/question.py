"""``agno-shell chat --quick``: what is asked, and the parts that it takes to ask."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from agno_shell.app import ending, parts
from agno_shell.app.chat import collect_garbage
from agno_shell.config import settings
from agno_shell.errors import UsageError

if TYPE_CHECKING:
    from agno_shell.base.options import CommonOptions
    from agno_shell.base.paths import Paths
    from agno_shell.cli.commands.chat.quick import QuickQuestion
    from agno_shell.config import Config
    from agno_shell.conversation.models import Models

INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""

LONGEST_INPUT = 16 * 1024 * 1024
"""Bytes of standard input; a longer text is refused."""


def question(text: str, piped: BinaryIO | None) -> str:
    """The text, with what is piped behind it, or what is piped alone; UsageError when that
    is no text, or there is none."""
    if piped is None:
        return _asked(text)
    data = piped.read(LONGEST_INPUT + 1)
    if len(data) > LONGEST_INPUT:
        raise UsageError(
            f"Standard input is larger than {LONGEST_INPUT // 1024**2} MiB; nothing was sent.",
            hint="Pipe a part of it.",
        )
    try:
        behind = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        what = "binary" if b"\0" in data else "not UTF-8"
        raise UsageError(
            f"Standard input is {what}; nothing was sent.", hint="Pipe text in UTF-8."
        ) from None
    if "\0" in behind:
        raise UsageError("Standard input is binary; nothing was sent.", hint="Pipe text in UTF-8.")
    if not behind.strip():
        return _asked(text)
    return f"{text}\n\n{behind}" if text.strip() else behind


def _asked(text: str) -> str:
    if text.strip():
        return text
    raise UsageError(
        "There is no question.",
        hint='Try: agno-shell chat --quick "Hello", or pipe the question in.',
    )


def ask(
    text: str,
    common: CommonOptions,
    *,
    agent: str | None,
    facts: Mapping[str, Any],
    attach: Sequence[str],
    as_json: bool,
) -> int:
    """One question, of which nothing is saved; 130 when it was stopped. ``attach``: the paths of
    files that go along, as they were typed."""
    from agno_shell.cli.commands.chat.quick import make_query

    paths, config = parts.configure(common)
    piped = sys.stdin.buffer if sys.stdin and not sys.stdin.isatty() else None
    whole = question(text, piped)

    def query(models: Models) -> QuickQuestion:
        overrides = common.overrides
        return make_query(
            whole, config, models, overrides=overrides, agent=agent, facts=facts, attach=attach
        )

    return ending.run(_ask(query, common, paths, config, as_json=as_json))


async def _ask(
    make_query: Callable[[Models], QuickQuestion],
    common: CommonOptions,
    paths: Paths,
    config: Config,
    *,
    as_json: bool,
) -> int:
    from agno_shell.cli.commands.chat.answer import Answer
    from agno_shell.cli.commands.chat.quick import QuickChat, interrupts
    from agno_shell.conversation.stopping import Stop

    plugins = parts.plugins_of(config, common)
    plugins.load_installed()  # a filter must see this request, too
    models = parts.models_of(config, paths, plugins)
    collect_garbage()
    query = make_query(models)
    answer = Answer(
        sys.stdout,
        sys.stderr,
        parts.renderer_of(config, plugins, styled=False),
        as_json=as_json,
        trace=config[settings.SHELL_TRACE],
        metrics=config[settings.SHELL_METRICS],
    )
    stop = Stop()
    try:
        with interrupts(stop.set):
            whole = await QuickChat(query, plugins, answer, stop).ask()
    finally:
        await models.close()
    return 0 if whole else INTERRUPTED

"""One question and its answer: nothing is read from the sessions, and nothing is saved."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from agno_shell.cli.commands.chat.answer import Answer
from agno_shell.cli.commands.chat.attached import AttachedFiles, take_in
from agno_shell.config import Agent, Config, settings
from agno_shell.contracts import Provider
from agno_shell.conversation.attempts import Attempts, RetryPolicy
from agno_shell.conversation.models import Choice, Models, configured_reasoning
from agno_shell.conversation.reply import Reply, taken_by
from agno_shell.conversation.request.agent_texts import read_pins
from agno_shell.conversation.request.rules import filtered
from agno_shell.conversation.request.system_text import system_message
from agno_shell.conversation.speakers import InOrder
from agno_shell.conversation.stopping import Stop
from agno_shell.errors import ProviderError, UsageError
from agno_shell.events import (
    Ending,
    Failed,
    Finished,
    Interrupted,
    Receipt,
    ReceiptRow,
    Request,
    RequestPrepared,
    TurnEvent,
)
from agno_shell.plugins.manager import Plugins
from agno_shell.types import NOTHING, Message, Reasoning, new_id, now

_SLASH_COMMAND = r"(?:^|\s)/[a-z]+(?=[\s.,;:!?]|$)"


class QuickQuestion(NamedTuple):
    """What is asked, and of whom."""

    text: str
    choices: tuple[Choice, ...]
    """One after the other, while each is down."""
    provider: Callable[[Choice], Provider]
    retry_policy: RetryPolicy
    cautions: Callable[[Choice], Sequence[str]] = lambda _choice: ()
    agent: Agent | None = None
    facts: Mapping[str, Any] = NOTHING
    api_base: str | None = None
    reasoning: Reasoning | None = None
    attached: AttachedFiles = AttachedFiles()


def make_query(
    text: str,
    config: Config,
    models: Models,
    *,
    overrides: Mapping[str, Any] = NOTHING,
    agent: str | None = None,
    facts: Mapping[str, Any] = NOTHING,
    attach: Sequence[str] = (),
) -> QuickQuestion:
    """The question, and who is asked: what the command line says, in ``overrides``, counts more
    than the agent, and that more than the configuration. ``attach``: paths of files."""
    chosen = config.agents.get(agent) if agent else None
    if agent and chosen is None:
        known = ", ".join(sorted(config.agents)) or "none"
        raise UsageError(
            f"There is no agent called {agent!r}.", hint=f"Configured agents: {known}."
        )
    first = models.choose(overrides.get("provider.model") or (chosen.model if chosen else None))
    fallbacks = (*(chosen.fallbacks if chosen else ()), *config[settings.PROVIDER_FALLBACKS])
    reasoning = overrides.get("provider.reasoning") or (chosen.reasoning if chosen else None)
    return QuickQuestion(
        text,
        models.in_turn(first, fallbacks),
        models.provider,
        RetryPolicy.of(config, asyncio.sleep),
        models.cautions,
        chosen,
        facts,
        config[settings.PROVIDER_API_BASE] or None,
        reasoning or configured_reasoning(config),
        take_in(attach, config[settings.CONVERSATION_ATTACHMENT_BYTES]),
    )


@contextmanager
def interrupts(call: Callable[[], object]) -> Iterator[None]:
    """Ctrl-C calls ``call`` in this block, where the event loop takes signals."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, call)
    except (NotImplementedError, RuntimeError):  # there it ends the program as usual
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


class QuickChat:
    """Asks once, as a turn of the shell does: with the same tries, fallbacks and stop."""

    def __init__(self, query: QuickQuestion, plugins: Plugins, answer: Answer, stop: Stop) -> None:
        self._query = query
        self._plugins = plugins
        self._answer = answer
        self._stop = stop

    async def ask(self) -> bool:
        """Ask and show; False when the user stopped it. Raises
        :class:`~agno_shell.errors.ProviderError` for a reply that is not whole."""
        query = self._query
        for caution in query.cautions(query.choices[0]):
            self._answer.note(caution)
        reply = Reply(None, query.choices[0])
        asking = Attempts(
            query.choices,
            query.provider,
            self._prepare,
            lambda choice, _prepared: reply.begin(choice),
            query.retry_policy,
            self._stop,
            taken_by(reply),
        )
        in_order = InOrder()

        def take(event: TurnEvent) -> None:
            for each in in_order.passed_on(event):
                self._answer.take(each)

        ending = _judged(await asking.run(take), reply)
        take(ending)
        messages = (*reply.ended(), reply.finish(ending))
        self._answer.end(messages, ending, query.attached.attachments)
        if isinstance(ending, Failed):
            raise ProviderError(ending.message, hint=ending.hint, kind=ending.kind)
        if isinstance(ending, Finished) and ending.reason != "stop":
            raise ProviderError(f"The reply ended early ({ending.reason}).", kind="server")
        return not isinstance(ending, Interrupted)

    async def _prepare(self, choice: Choice) -> RequestPrepared:
        """The request, with the system text and the question as its messages."""
        query, agent = self._query, self._query.agent
        system = system_message(
            agent.instructions if agent else "", query.facts, await self._pins(agent)
        )
        if query.attached.files:
            query.attached.check(choice.model, await query.provider(choice).abilities(choice.model))
        question = query.attached.sent_with(Message(new_id(), "user", query.text, now()))
        request = Request(
            choice.model,
            (*([system] if system else []), question),
            agent.parameters if agent else NOTHING,
            query.api_base,
            reasoning=query.reasoning,
            files=query.attached.files,
        )
        request = await filtered(self._plugins, None, request)
        return RequestPrepared(request, await self._receipt(choice, request))

    async def _pins(self, agent: Agent | None) -> tuple[str, ...]:
        if agent is None or not agent.pins:
            return ()
        pinned = await asyncio.to_thread(read_pins, agent.pins)
        for problem in pinned.problems:
            self._answer.note(problem)
        return pinned.texts

    async def _receipt(self, choice: Choice, request: Request) -> Receipt:
        """Counted only where it is shown: a first request would have to wait for the count."""
        tokens, exact, window = [0] * len(request.messages), False, None
        if self._answer.traces:
            provider = self._query.provider(choice)
            tokens, exact = await provider.count_tokens(request.model, request.messages)
            window = await provider.context_window(request.model)
        rows = zip(request.messages, tokens, strict=True)
        return Receipt(
            tuple(
                ReceiptRow(each, count, "instructions" if each.role == "system" else "question")
                for each, count in rows
            ),
            (),
            tool_tokens=0,
            window=window or 0,
            window_known=window is not None,
            reserve=0,
            estimated=not exact,
        )


def _judged(ending: Ending, reply: Reply) -> Ending:
    """A reply without a word in it is no answer, whatever the provider says; and there are
    no slash commands here that a hint could name."""
    if isinstance(ending, Finished) and ending.reason == "stop" and reply.is_empty:
        return Failed("server", "The model sent an empty reply.")
    if isinstance(ending, Failed):
        return replace(ending, hint=without_commands(ending.hint))
    return ending


def without_commands(hint: str) -> str:
    """The sentences of a hint that name no slash command."""
    sentences = re.split(r"(?<=[.!?])\s+", hint)
    return " ".join(each for each in sentences if not re.search(_SLASH_COMMAND, each))

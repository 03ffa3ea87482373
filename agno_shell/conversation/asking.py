"""One request until it is answered: tried again while nothing of its reply has come, and
put to the next model where one is down."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, NamedTuple

from agno_shell.config import Config, settings
from agno_shell.contracts import Provider
from agno_shell.conversation.limits import DEFAULT_LIMITS, ReplyLimits
from agno_shell.conversation.models import Choice
from agno_shell.conversation.stopping import Stop, StoppedError
from agno_shell.conversation.stream import Stream, Take, failure, passed_on
from agno_shell.conversation.turn_log import logged
from agno_shell.errors import AgnoShellError
from agno_shell.events import (
    Event,
    Failed,
    FellBack,
    Finished,
    Interrupted,
    RequestPrepared,
    Retrying,
    TurnEvent,
)
from agno_shell.toolkit.guarding import let_through, reason_of

BACK_OFF = (1.0, 3.0)
"""Seconds before the second try and before later ones, where the other side names none."""

DOWN = ("unreachable", "timeout", "provider_died")
"""Failures that another model may not have, beside the temporary ones."""


class RetryPolicy(NamedTuple):
    """How often and how long a request is tried."""

    tries: int
    retry_after: float
    """Seconds; who wants to be left alone for longer is not asked again."""
    wait: Callable[[float], Coroutine[Any, Any, None]]
    limits: ReplyLimits = DEFAULT_LIMITS
    """Those of each try."""

    @classmethod
    def of(cls, config: Config, wait: Callable[[float], Coroutine[Any, Any, None]]) -> RetryPolicy:
        """As ``[provider.limits]`` says."""
        tries, retry_after = config[settings.LIMIT_TRIES], config[settings.LIMIT_RETRY_AFTER]
        return cls(tries, retry_after, wait, ReplyLimits.of(config))


class Asking:
    """The events of one request at the first of ``choices`` that is not down.

    ``prepare`` makes the request for a choice; ``begun`` is told of each one that leaves.
    ``take`` gets what the provider yields before it is passed on: see :class:`Stream`.
    """

    def __init__(
        self,
        choices: Sequence[Choice],
        provider: Callable[[Choice], Provider],
        prepare: Callable[[Choice], Awaitable[RequestPrepared]],
        begun: Callable[[Choice, RequestPrepared], object],
        policy: RetryPolicy,
        stop: Stop,
        take: Take = passed_on,
    ) -> None:
        self._choices = choices
        self._provider = provider
        self._prepare = prepare
        self._begun = begun
        self._policy = policy
        self._stop = stop
        self._take = take

    def events(self) -> AsyncGenerator[TurnEvent, None]:
        """The last one is Finished, Failed or Interrupted."""
        return logged(self._events())

    async def _events(self) -> AsyncGenerator[TurnEvent, None]:
        for number, choice in enumerate(self._choices):
            is_last = number == len(self._choices) - 1
            event: TurnEvent = Interrupted()
            async with aclosing(self._at(choice, 1 if not is_last else self._tries)) as events:
                async for event in events:
                    if not isinstance(event, Failed):
                        yield event
            if not isinstance(event, Failed):
                return
            if is_last or self._has_begun or not _is_down(event):
                yield event
                return
            yield FellBack(event, choice.model, self._choices[number + 1].model)

    @property
    def _tries(self) -> int:
        return max(1, self._policy.tries)

    async def _at(self, choice: Choice, tries: int) -> AsyncGenerator[TurnEvent, None]:
        """The request at one model."""
        self._has_begun = False
        try:
            prepared = await self._stop.guard(self._prepared(choice))
        except StoppedError:
            yield Interrupted()
            return
        yield prepared
        if isinstance(prepared, Failed):
            return
        for attempt in range(1, tries + 1):
            self._begun(choice, prepared)
            event: TurnEvent = Interrupted()
            async with aclosing(self._once(choice, prepared)) as events:
                async for event in events:
                    if not isinstance(event, Failed):
                        self._has_begun = True
                        yield event
            if not isinstance(event, Failed):
                if not isinstance(event, Finished):
                    yield Interrupted()
                return
            if (seconds := self._pause(event, attempt)) is None or attempt == tries:
                yield self._explained(event)
                return
            yield Retrying(event, seconds, attempt + 1, tries)
            try:
                await self._stop.guard(self._policy.wait(seconds))
            except StoppedError:
                yield Interrupted()
                return

    async def _once(self, choice: Choice, prepared: RequestPrepared) -> AsyncGenerator[Event, None]:
        stream = Stream(self._provider(choice), prepared.request, self._take, self._policy.limits)
        with self._stop.calling(stream.stop):
            async with aclosing(stream.events()) as events:
                async for event in events:
                    yield event

    async def _prepared(self, choice: Choice) -> RequestPrepared | Failed:
        try:
            return await self._prepare(choice)
        except AgnoShellError as error:
            return failure(error)
        # A provider may be anybody's plugin; its bug costs one reply and not the shell.
        except BaseException as error:
            let_through(error)
            reason = reason_of(error)
            return Failed("other", f"The request could not be prepared: {reason}")

    def _pause(self, failed: Failed, attempt: int) -> float | None:
        """Seconds to wait for the next try; None: there is none."""
        if self._has_begun or not failed.temporary:
            return None
        if failed.retry_after is None:
            return BACK_OFF[min(attempt, len(BACK_OFF)) - 1]
        return failed.retry_after if failed.retry_after <= self._policy.retry_after else None

    def _explained(self, failed: Failed) -> Failed:
        """The failure, with why it is not tried again where it could have been."""
        longest = self._policy.retry_after
        if not failed.temporary or (failed.retry_after or 0.0) <= longest:
            return failed
        hint = f"That is longer than [provider.limits] retry_after, {longest:g} seconds, allows"
        return replace(failed, hint=f"{hint}; /retry asks again.")


def _is_down(failed: Failed) -> bool:
    return failed.temporary or failed.kind in DOWN

"""One request until it is answered: tried again while nothing of its reply has come, and
put to the next model where one is down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from agno_shell.config import Config, settings
from agno_shell.contracts import Provider
from agno_shell.conversation.limits import DEFAULT_LIMITS, ReplyLimits
from agno_shell.conversation.models import Choice
from agno_shell.conversation.stopping import Stop, StoppedError
from agno_shell.conversation.stream import Stream, Take, failure, passed_on
from agno_shell.conversation.turn_log import TurnLog
from agno_shell.errors import AgnoShellError
from agno_shell.events import (
    Emit,
    Ending,
    Event,
    Failed,
    FellBack,
    Interrupted,
    RequestPrepared,
    Retrying,
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


Prepare = Callable[[Choice], Awaitable[RequestPrepared]]
"""Makes the request for a choice."""


class Attempts:
    """One request, at the first of ``choices`` that is not down.

    ``prepare`` makes the request for a choice; ``begun`` is told of each one that leaves.
    ``take`` gets what the provider yields before it is passed on: see :class:`Stream`.
    """

    def __init__(
        self,
        choices: Sequence[Choice],
        provider: Callable[[Choice], Provider],
        prepare: Prepare,
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

    async def run(self, emit: Emit) -> Ending:
        """Ask until one answers; what happens meanwhile goes to ``emit``, and how it ended
        is returned."""
        log = TurnLog()
        emit = log.before(emit)
        ending: Ending = Interrupted()
        for number, choice in enumerate(self._choices):
            is_last = number == len(self._choices) - 1
            ending = await self._at(choice, self._tries if is_last else 1, emit)
            if not isinstance(ending, Failed) or is_last:
                break
            if self._has_begun or not _is_down(ending):
                break
            emit(FellBack(ending, choice.model, self._choices[number + 1].model))
        log.take(ending)
        return ending

    @property
    def _tries(self) -> int:
        return max(1, self._policy.tries)

    async def _at(self, choice: Choice, tries: int, emit: Emit) -> Ending:
        """The request at one model."""
        self._has_begun = False
        try:
            prepared = await self._stop.guard(self._prepared(choice))
            if isinstance(prepared, Failed):
                return prepared
            emit(prepared)
            for attempt in range(1, tries):
                ending = await self._once(choice, prepared, emit)
                if not isinstance(ending, Failed):
                    return ending
                if (seconds := self._pause(ending, attempt)) is None:
                    return self._explained(ending)
                emit(Retrying(ending, seconds, attempt + 1, tries))
                await self._stop.guard(self._policy.wait(seconds))
            ending = await self._once(choice, prepared, emit)
        except StoppedError:
            return Interrupted()
        return self._explained(ending) if isinstance(ending, Failed) else ending

    async def _once(self, choice: Choice, prepared: RequestPrepared, emit: Emit) -> Ending:
        def begin(event: Event) -> None:
            self._has_begun = True
            emit(event)

        self._begun(choice, prepared)
        stream = Stream(self._provider(choice), prepared.request, self._take, self._policy.limits)
        with self._stop.calling(stream.stop):
            return await stream.run(begin)

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

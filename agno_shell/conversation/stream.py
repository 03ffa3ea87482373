"""The events of one request, read in a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing, suppress
from typing import Any, get_args

from agno_shell.base.program_log import note
from agno_shell.contracts import Provider
from agno_shell.conversation.limits import DEFAULT_LIMITS, LimitWatch, ReplyLimits
from agno_shell.errors import AgnoShellError
from agno_shell.events import (
    EVENT_FIELDS,
    Ending,
    Event,
    Failed,
    Finished,
    HiddenDelta,
    Interrupted,
    ProviderToolFinished,
    ProviderToolStarted,
    Request,
    TextDelta,
    UsageReported,
)
from agno_shell.toolkit.guarding import let_through, reason_of
from agno_shell.types import Status, Usage

BEHIND = 512
"""Events that may wait to be taken and shown; a provider that is faster waits. Each batch waits
for a thread, which on a busy machine takes a while: few large ones keep up."""

TOGETHER = 64
"""Events that are read, or passed on, before the keyboard is let in."""

BATCH_SECONDS = 1 / 30
"""What comes faster is taken and passed on together, once in so many seconds."""

BURST = 2
"""Batches that may come early after a rest: the first words of a quick answer come at once."""

CLOSING_SECONDS = 0.05
"""How long a provider may take to close its connection before the shell goes on without it."""


MOST_TOKENS = 2**53
MOST_DOLLARS = 1e9


Take = Callable[[Sequence[Event]], Coroutine[Any, Any, None]]
"""Gets some events before they are passed on, and may take its time."""


async def passed_on(_events: Sequence[Event]) -> None:
    """Takes nothing."""


class Stream:
    """The events of one request. A task of its own reads the provider, so that
    :meth:`stop` acts at once, whatever the provider, or ``take``, is waiting for."""

    def __init__(
        self,
        provider: Provider,
        request: Request,
        take: Take = passed_on,
        limits: ReplyLimits = DEFAULT_LIMITS,
    ) -> None:
        self._provider = provider
        self._request = request
        self._take = take
        self._limits = limits
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._has_room = asyncio.Event()
        self._is_due = asyncio.Event()
        """Set when the next batch is not to wait for more: it is full, or the last one."""
        self._next_batch = 0.0
        """When the next batch is due in the rhythm, in the loop's time."""
        self._task: asyncio.Task[None] | None = None
        self._is_over = False
        """Nobody listens any more, perhaps to a provider that cannot be cancelled."""
        self._stopping = asyncio.get_running_loop().create_future()
        self.stopped = False

    @property
    def _name(self) -> str:
        return str(getattr(self._provider, "name", type(self._provider).__name__))

    def stop(self) -> None:
        """End the events now; the provider closes its connection."""
        self.stopped = True
        if self._task:
            self._task.cancel()
            # A task that is cancelled before its first step never gets to its `finally`.
            self._put(None)
        if not self._stopping.done():
            self._stopping.set_result(None)

    async def run(self, emit: Callable[[Event], object]) -> Ending:
        """Pass on what the provider yields, and return how that ended."""
        if self.stopped:
            return Interrupted()
        note(
            __name__,
            "request sent",
            provider=self._name,
            model=self._request.model,
            messages=len(self._request.messages),
            tools=len(self._request.tools),
            files=len(self._request.files),
        )
        watch = LimitWatch(self._limits, self._request.model, self._put)
        self._task = asyncio.create_task(self._read(watch))
        try:
            while batch := await self._batch():
                if ending := await self._pass_on(batch, emit):
                    return ending
            if self.stopped:
                return Interrupted()
            hint = "/retry asks again."
            return Failed("server", "The reply ended without being finished.", hint)
        finally:
            watch.close()
            self._is_over = True
            # Once only: a second time would interrupt the provider while it closes its
            # connection, which then stays open.
            if not self._task.cancelling():
                self._task.cancel()
            # Not for ever: closing is the provider's own code, and Ctrl-C acts at once.
            await asyncio.wait([self._task], timeout=CLOSING_SECONDS)

    async def _pass_on(
        self, batch: Sequence[Event], emit: Callable[[Event], object]
    ) -> Ending | None:
        for number, event in enumerate(batch, 1):
            if isinstance(event, Finished | Failed):
                return event
            emit(event)
            if number % TOGETHER == 0:
                await asyncio.sleep(0)
            if self.stopped:
                return Interrupted()
        return None

    async def _batch(self) -> list[Event]:
        """The next events, taken; none at the end, and after :meth:`stop`."""
        if (event := await self._queue.get()) is None:
            return []
        await self._gather()
        batch = [event]
        while not self._queue.empty() and len(batch) < BEHIND:
            if (event := self._queue.get_nowait()) is None:
                self._queue.put_nowait(None)  # for the next time
                break
            batch.append(event)
        self._is_due.clear()
        self._has_room.set()
        if self.stopped:
            return []
        taking = asyncio.create_task(self._take(batch))
        await asyncio.wait({taking, self._stopping}, return_when=asyncio.FIRST_COMPLETED)
        if self.stopped:
            return []
        taking.result()
        return batch

    async def _gather(self) -> None:
        """Let a batch gather until it is due in the rhythm."""
        time = asyncio.get_running_loop().time
        wait = self._next_batch - BURST * BATCH_SECONDS - time()
        if wait > 0 and not self.stopped:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._is_due.wait()
        self._next_batch = max(self._next_batch, time()) + BATCH_SECONDS

    def _put(self, event: Event | None) -> None:
        self._queue.put_nowait(event)
        is_last = event is None or isinstance(event, Finished | Failed)
        if is_last or self._queue.qsize() >= BEHIND:
            self._is_due.set()

    async def _room(self) -> None:
        """Wait until some of what was yielded is taken."""
        while self._queue.qsize() >= BEHIND and not self._is_over:
            self._has_room.clear()
            await self._has_room.wait()

    async def _read(self, watch: LimitWatch) -> None:
        try:
            async with aclosing(self._provider.stream(self._request)) as events:
                async for event in events:
                    if self._is_over:
                        return
                    event = checked(event)
                    if not watch.note(event):
                        return
                    if isinstance(event, HiddenDelta):
                        continue
                    self._put(event)
                    if self._queue.qsize() % TOGETHER == 0:
                        await asyncio.sleep(0)
                    if self._queue.qsize() >= BEHIND:
                        watch.hold()
                        await self._room()
                        watch.go_on()
        except AgnoShellError as error:
            self._put(failure(error))
        # A provider may be anybody's plugin; its bug costs one reply and not the shell, even
        # where it calls sys.exit().
        except BaseException as error:
            let_through(error)
            note(__name__, "provider failed", problem=error, provider=self._name)
            said = f"The provider {self._name!r} failed: {reason_of(error)}"
            self._put(Failed("other", said))
        finally:
            self._put(None)


def failure(error: AgnoShellError) -> Failed:
    kind, temporary = getattr(error, "kind", "other"), getattr(error, "temporary", False)
    return Failed(kind, str(error), error.hint, temporary)


def checked(event: Any) -> Event:
    """An event as a provider has yielded it, without figures that are none: what cannot be
    stored would hold up every later message. ``TypeError`` for what is no event."""
    if type(event) is TextDelta and type(event.text) is str:  # most of them
        return event
    fields = next((EVENT_FIELDS[kind] for kind in EVENT_FIELDS if isinstance(event, kind)), None)
    if fields is None:
        raise TypeError(f"it yielded {type(event).__name__} where an event must be")
    for name, kind in fields.items():
        if not isinstance(value := getattr(event, name), kind):
            what = f"{type(event).__name__}.{name}"
            raise TypeError(f"it yielded {type(value).__name__} as {what}")
    if isinstance(event, ProviderToolStarted | ProviderToolFinished):
        checked(event.call)
    if isinstance(event, ProviderToolFinished) and event.status not in get_args(Status):
        raise TypeError(f"it yielded {event.status[:40]!r} as the status of a tool")
    if isinstance(event, UsageReported):
        figures = event.usage._asdict()
        cost = _dollars(figures.pop("cost"))
        return UsageReported(Usage(**{name: _tokens(figures[name]) for name in figures}, cost=cost))
    known: Event = event
    return known


def _tokens(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and 0 <= value < MOST_TOKENS else None


def _dollars(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value < MOST_DOLLARS else None

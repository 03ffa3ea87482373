"""What a session may cost: nothing is sent that would pass the limit until the user agrees."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from agno_shell.contracts import Figures
from agno_shell.conversation.accounts.figures import Ledger, plus
from agno_shell.conversation.models import Choice, Models
from agno_shell.conversation.open_session import OpenSession
from agno_shell.conversation.store import StoreThread
from agno_shell.errors import ProviderError, StorageError
from agno_shell.events import RequestPrepared
from agno_shell.toolkit.guarding import quiet
from agno_shell.toolkit.reports import dollars
from agno_shell.toolkit.wording import count

HINT = "/metrics shows the figures; max_cost_per_session in [provider] is the limit."


class Budget:
    """Watches over ``[provider] max_cost_per_session`` of one shell.

    What a session has cost is summed up once, in the background, and then kept up to
    date; of replies whose price nobody knows, nothing can be counted.
    """

    def __init__(
        self,
        session: OpenSession,
        reader: StoreThread,
        ledger: Ledger,
        models: Models,
        limit: float,
        ask: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._session = session
        self._reader = reader
        self._ledger = ledger
        self._models = models
        self._limit = limit
        """US dollars; 0: there is none."""
        self._ask = ask
        """Asks the user whether to go on."""
        self._allowed: dict[str, float] = {}
        """What a session may cost by now, where the user has agreed to more."""
        self._others: dict[str, tuple[int, asyncio.Task[Figures]]] = {}
        """What was spent on each session by others and in earlier runs, and how much had been
        added elsewhere when that was summed up."""
        self._prices: dict[Choice, float | None] = {}

    def begin(self, session_id: str) -> None:
        """A session was opened: sum up in the background what it has cost so far."""
        if self._limit:
            self._sum_up(session_id)

    async def has_room(self, session_id: str) -> bool:
        """Whether a session may cost anything more; for what nobody would be asked about."""
        if not self._limit:
            return True
        figures = await self._known(session_id)
        return (figures.cost or 0.0) < self._allowed.get(session_id, self._limit)

    async def check(self, choice: Choice, prepared: RequestPrepared) -> None:
        """Raises :class:`~agno_shell.errors.ProviderError` where the request is not to be
        sent, because the session has cost as much as it may, or will with this request."""
        if not self._limit:
            return
        session_id = self._session.id
        figures = await self._known(session_id)
        estimate = await self._estimate(choice, prepared)
        spent, costs = figures.cost or 0.0, (figures.cost or 0.0) + (estimate or 0.0)
        allowed = self._allowed.get(session_id, self._limit)
        if spent < allowed and costs <= allowed:
            return
        state, more = _state(figures, estimate, allowed), _next_limit(costs, self._limit)
        if not await self._ask(
            f"{state[0].upper()}{state[1:]}. Let it cost up to {dollars(more)}?"
        ):
            raise ProviderError(f"Nothing was sent: {state}.", hint=HINT, kind="not_sent")
        self._allowed[session_id] = more

    async def spent(self, session_id: str) -> Figures:
        """What a session has used so far: on all branches, in this run and in earlier ones.
        ``StorageError`` when it cannot be read."""
        seen, others = self._others.get(session_id, (-1, None))
        if others is None or seen != self._session.elsewhere:
            others = self._sum_up(session_id)
        try:
            stored = await asyncio.shield(others)
        except StorageError:
            self._others.pop(session_id, None)
            raise
        return plus(stored, self._ledger.in_session(session_id))

    async def _known(self, session_id: str) -> Figures:
        """What a session has used; of one that cannot be read, the part that was."""
        try:
            return await self.spent(session_id)
        except StorageError:
            others = self._ledger.others(session_id, self._session.history)
            return plus(others, self._ledger.in_session(session_id))

    def _sum_up(self, session_id: str) -> asyncio.Task[Figures]:
        task = asyncio.create_task(self._read(session_id))
        # Who needs it hears what went wrong; who never asks is not told.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._others[session_id] = self._session.elsewhere, task
        return task

    async def _read(self, session_id: str) -> Figures:
        stored = await self._reader(lambda storage: storage.tree(session_id))
        return self._ledger.others(session_id, stored)

    async def _estimate(self, choice: Choice, prepared: RequestPrepared) -> float | None:
        """US dollars that the request costs without its reply; None when not known."""
        models = self._models
        if models.address(choice, prepared.request.api_base) is not None:
            return None  # the price is that of the service itself
        if choice not in self._prices:
            provider = models.provider(choice)
            self._prices[choice] = None
            # A provider that cannot say it now says so when it is asked to answer; it may be
            # anybody's plugin, and its bug costs the estimate and not the turn.
            with quiet():
                self._prices[choice] = await provider.input_price(choice.model)
        price = self._prices[choice]
        return None if price is None else price * prepared.receipt.tokens


def _state(figures: Figures, estimate: float | None, allowed: float) -> str:
    """Why the next request would cost too much, as the main part of a sentence."""
    parts = [f"this session has cost {dollars(figures.cost or 0.0)}"]
    if unpriced := figures.unpriced:
        parts[0] += f" ({count(unpriced, 'reply')} of unknown cost not counted)"
    if (figures.cost or 0.0) < allowed and estimate:
        parts.append(f"the next request costs about {dollars(estimate)} before its reply")
    parts.append(f"the limit is {dollars(allowed)}")
    return f"{', '.join(parts[:-1])}, and {parts[-1]}"


def _next_limit(costs: float, limit: float) -> float:
    """The next multiple of the limit that leaves room for something."""
    return float(limit * (1 + int(costs / limit + 1e-6)))

"""Large stores: what is not asked for is not read.

Measured by the memory that Python is asked for, which no busy machine changes.
"""

# ruff: noqa: S101 - a contract is made of assertions

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from contextlib import closing
from functools import partial

from agno_shell.contracts import Storage
from agno_shell.testing.storage_contract.samples import OpenStore, message, old_session, say
from agno_shell.types import Message, now

MEGABYTE = 1024 * 1024
ENOUGH = MEGABYTE
"""Bytes that listing and opening may take: a fraction of what is stored."""


class LargeStoreContract:
    """The cost of listing and opening does not grow with the messages."""

    def test_listing_and_opening_read_no_messages(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            session_id = store.create("large").session_id
            self._use_all(store, session_id)
            for number in range(8):
                say(store, session_id, f"{number:x}" * MEGABYTE)
        uses: dict[str, Callable[[Storage], object]] = {
            "sessions()": lambda store: store.sessions(),
            "open()": lambda store: store.open(session_id),
            "version()": lambda store: store.version(session_id),
        }
        for name, use in uses.items():
            self._takes_little(open_store, f"{name} of a store with 8 MB of messages", use)

    def test_the_end_of_a_long_session_is_read_alone(self, open_store: OpenStore) -> None:
        messages: list[Message] = []
        for number in range(2500):
            messages.append(message(f"{number} " + "x" * 1000, messages[-1] if messages else None))
        session, _said = old_session(
            message_count=len(messages), head=None, pinned=(), updated_at=now()
        )
        with closing(open_store()) as store:
            store.import_session(session, messages)
            self._use_all(store, session.session_id)
        for last in (1, 20):
            self._takes_little(
                open_store,
                f"messages(last={last}) of a session of 2,500 messages",
                partial(_end_of, session.session_id, last),
            )

    def _use_all(self, store: Storage, session_id: str) -> None:
        """Import, once, what the calls that are measured need."""
        store.sessions()
        store.open(session_id)
        store.version(session_id)
        store.messages(session_id, last=1)

    def _takes_little(
        self, open_store: OpenStore, what: str, use: Callable[[Storage], object]
    ) -> None:
        def fresh() -> None:
            with closing(open_store()) as store:
                use(store)

        peak = _peak_of(fresh)
        assert peak < ENOUGH, (
            f"{what} reads only what is asked for, but it took {peak / MEGABYTE:.1f} MB of memory."
        )


def _end_of(session_id: str, last: int, store: Storage) -> list[Message]:
    return store.messages(session_id, last=last)


def _peak_of(work: Callable[[], object]) -> int:
    """The most bytes that ``work`` held at one time."""
    was_tracing = tracemalloc.is_tracing()
    if not was_tracing:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before, _peak = tracemalloc.get_traced_memory()
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not was_tracing:
            tracemalloc.stop()

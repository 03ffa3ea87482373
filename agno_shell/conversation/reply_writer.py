"""Keeping a reply beside its session while it grows, so that its text outlives the process.

Whoever shows a reply gets a piece of it only once the piece is written: see
:meth:`ReplyWriter.take`. Nothing is synced for that; once a second all of it is, for the case
that the power fails. What a speaker has said is saved as a message once another one begins.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from time import monotonic

from agno_shell.contracts import Storage
from agno_shell.conversation.reply import Reply
from agno_shell.conversation.speakers import InOrder, Kept
from agno_shell.conversation.store import StoreThread
from agno_shell.errors import StorageError
from agno_shell.events import Event
from agno_shell.types import Message

SYNC_SECONDS = 1.0
"""A power cut costs what came since the last sync."""

PATIENCE = 1.0
"""Seconds that text waits for the disk. Then it is shown, and that it is not kept is said."""

RETRY_SECONDS = 1.0
"""How long it is not tried again after a failure."""

SLOW = (
    "The disk is slow: the reply is shown before it is written, and a crash would cost what is not."
)


class ReplyWriter:
    """One reply on its way to the disk.

    ``told`` gets a sentence when the text is shown though it is not written, and None when
    it is written again; ``save`` saves a message of it.
    """

    def __init__(
        self,
        store: StoreThread,
        session_id: str,
        reply: Reply,
        told: Callable[[str | None], object],
        save: Callable[[Message], Awaitable[Kept]],
    ) -> None:
        self._store = store
        self._session_id = session_id
        self._reply = reply
        self._told = told
        self._save = save
        self.saved: deque[Kept] = deque()
        """What has become of the messages of speakers behind whom another one has begun."""
        self.in_order = InOrder(self.saved)
        self._saving: asyncio.Task[None] | None = None
        """Saves some of these; nothing else of the reply is written until that is done."""
        self._kept: str | None = None
        """The message that the storage keeps, so that it only need be extended."""
        self._writing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._not_before = 0.0
        self._is_over = False

    async def take(self, events: Sequence[Event]) -> None:
        """Add what ``events`` bring to the reply, and return when it is written, or cannot be
        for now."""
        for event in events:
            self._reply.take(event)
        await self.save_ended()
        if self._is_over:
            return  # it was stopped meanwhile: its last message is on its way
        writing = self._writing
        if writing is None:
            writing = self._begin()
        elif not writing.done():
            return  # it is late already, and that was said
        if writing is None:
            return
        done, _late = await asyncio.wait({writing}, timeout=PATIENCE)
        if not done:
            self._told(SLOW)

    async def save_ended(self) -> None:
        """Save the messages of speakers behind whom another one has begun."""
        ended = list(self._reply.ended())
        if ended:
            self._saving = asyncio.create_task(self._save_all(ended, self._saving))
        if self._saving:
            # Whoever stops waiting does not stop that: the next message follows these.
            await asyncio.shield(self._saving)

    async def _save_all(
        self, messages: Sequence[Message], before: asyncio.Task[None] | None
    ) -> None:
        if before:
            await before
        for message in messages:
            self.saved.append(await self._save(message))

    def end(self) -> None:
        """The reply is over, and is saved as a message next."""
        self._is_over = True
        if self._timer:
            self._timer.cancel()

    def _begin(self) -> asyncio.Task[None] | None:
        """Write what is not written yet; None: there is nothing, or it was tried just now."""
        if not self._reply.has_grown or monotonic() < self._not_before:
            return None
        if self._saving and not self._saving.done():
            return None
        self._writing = asyncio.create_task(self._write())
        return self._writing

    async def _write(self) -> None:
        session_id, message_id = self._session_id, self._reply.message_id
        is_begun = self._kept == message_id and not self._reply.has_new_tools
        growth = self._reply.take_growth()
        so_far = self._reply.so_far()

        def work(storage: Storage) -> None:
            if is_begun:
                # What cannot be added, for whatever reason, is kept whole, or that says why.
                with suppress(Exception):
                    return storage.extend_partial(session_id, growth)
            return storage.save_partial(session_id, so_far())

        try:
            await self._store(work)
        except StorageError as error:
            self._kept = None
            self._not_before = monotonic() + RETRY_SECONDS
            self._told(f"The reply is shown, but not kept while it streams: {error.sentence()}")
        else:
            self._kept = message_id
            self._told(None)
            self._sync_later()
        finally:
            self._writing = None
        if self._kept and not self._is_over:
            self._begin()  # what has come while the disk was slow

    def _sync_later(self) -> None:
        if self._timer is None and not self._is_over:
            self._timer = asyncio.get_running_loop().call_later(SYNC_SECONDS, self._sync)

    def _sync(self) -> None:
        self._timer = None
        if self._kept != self._reply.message_id:
            return
        session_id, so_far = self._session_id, self._reply.so_far()
        self._store.soon(lambda storage: storage.save_partial(session_id, so_far()))

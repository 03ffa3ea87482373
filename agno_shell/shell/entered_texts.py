"""Between what is entered, the open session, and the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from agno_shell.conversation.journal import Journal
from agno_shell.conversation.open_session import OpenSession
from agno_shell.shell import typed
from agno_shell.shell.entered import EnteredFile, Entry
from agno_shell.shell.frontend import Frontend
from agno_shell.shell.history import SECRET
from agno_shell.toolkit.wording import count

T = TypeVar("T")

SYNC_SECONDS = 0.3
"""What is sent at once costs no sync; what waits longer survives a power cut."""

SETTLING_SECONDS = 1.0
"""How long leaving waits for a slow disk, before it says what becomes of what was entered."""


class EnteredTexts:
    """Keeps what is entered in ``folder`` until it is sent, in a thread of its own: a slow
    disk holds up no key. Without a folder, or where nothing waits, it does nothing."""

    def __init__(
        self,
        session: OpenSession,
        journal: Journal,
        frontend: Frontend,
        folder: str,
        tell: Callable[[str], None],
    ) -> None:
        self._session = session
        self._journal = journal
        self._waiting = frontend.waiting
        self._frontend = frontend
        self._folder = folder
        self._tell = tell
        self._files: dict[str, EnteredFile] = {}
        self._sessions: dict[Entry, str] = {}
        """In which session each text is kept that is not done."""
        self._early: list[Entry] = []
        """What was entered before a session was open."""
        self._unkept: dict[Entry, str] = {}
        """What cannot be kept, and why."""
        self._problem = ""
        """Why the last attempt to write failed, if it did."""
        self._is_closed = False
        self._thread: ThreadPoolExecutor | None = None
        if self._waiting is not None and folder:
            self._waiting.keeper = self

    # What the queue tells ---------------------------------------------------------------

    def add(self, entry: Entry) -> None:
        # A key that is given to a command is written nowhere.
        if entry.text.lstrip().startswith("/") and SECRET.search(entry.text):
            return
        if not self._session.is_open:
            self._early.append(entry)
            return
        session_id = self._sessions[entry] = self._session.id
        self._soon(lambda: self._keep(entry, session_id))
        asyncio.get_running_loop().call_later(SYNC_SECONDS, self._sync, entry)

    def _keep(self, entry: Entry, session_id: str) -> None:
        try:
            self._file(session_id).add([entry])
        except OSError as error:
            self._unkept[entry] = _reason(error)
            raise
        self._unkept.pop(entry, None)

    def _sync(self, entry: Entry) -> None:
        session_id = self._sessions.get(entry)
        if session_id is not None and not self._is_closed:
            self._soon(lambda: self._file(session_id).sync())

    def done(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry in self._early:
                self._early.remove(entry)
            self._unkept.pop(entry, None)
            session_id = self._sessions.pop(entry, None)
            if session_id is not None:
                self._drop(entry, session_id)

    def _drop(self, entry: Entry, session_id: str) -> None:
        self._soon(lambda: self._file(session_id).done([entry.id]))

    # What the shell tells ---------------------------------------------------------------

    async def restore(self) -> None:
        """Put what was not sent in the session that is open now back into the input."""
        waiting = self._waiting
        if waiting is None or not self._folder or not self._frontend.has_user:
            return
        early, self._early = self._early, []
        for entry in early:
            self.add(entry)
        session_id = self._session.id
        self._bring_along(session_id)
        found = await self._do(lambda: self._file(session_id).adopt()) or []
        self._sessions.update(dict.fromkeys(found, session_id))
        said = [each for each in found if self._is_said(each)]
        self.done(said)
        left = [each for each in found if each not in said]
        if left:
            self._frontend.put_back(left)
            self._tell(put_back(len(left)) + "\n")

    def _bring_along(self, session_id: str) -> None:
        """What waits is going to be sent in the session that is open by now. A message that
        is in memory only belongs where it was said."""
        in_memory = self._waiting.in_memory if self._waiting is not None else ()
        for entry, kept_in in list(self._sessions.items()):
            if kept_in != session_id and entry not in in_memory:
                self.add(entry)
                self._drop(entry, kept_in)

    def after(self) -> None:
        """What was read last is done with."""
        if self._waiting is None:
            return
        if any(message.role == "user" for message in self._journal.unsaved):
            self._waiting.unsaved()
        else:
            self._waiting.sent()

    async def settled(self) -> None:
        """Wait a moment for what is on its way to the disk: what cannot be kept is not promised."""
        if self._thread is not None and not self._is_closed:
            waiting = asyncio.get_running_loop().run_in_executor(self._thread, int)
            await asyncio.wait([waiting], timeout=SETTLING_SECONDS)

    def left_behind(self) -> str:
        """What leaving means for what is not sent, as the beginning of a sentence; empty
        where everything is."""
        number = self._waiting.unsent if self._waiting is not None else 0
        if not number:
            return ""
        what = f"{count(number, 'message', 'were')} entered but not sent"
        in_memory = self._waiting.in_memory if self._waiting is not None else ()
        reasons = [why for entry, why in list(self._unkept.items()) if entry not in in_memory]
        if reasons:
            return f"{what}, and cannot be kept ({reasons[-1]})"
        if not self._folder:
            return what
        it = "it comes" if number == 1 else "they come"
        return f"{what}: {it} back when this session is opened again"

    async def close(self) -> None:
        """Finish writing; what is not sent stays for the next shell."""

        def close() -> None:
            for file in self._files.values():
                file.close()

        self._is_closed = True
        if self._thread is not None:
            await self._do(close)
            await asyncio.to_thread(self._thread.shutdown)

    def _is_said(self, entry: Entry) -> bool:
        """Whether its message was saved, by a shell that ended in that moment."""
        said = typed.read(entry.text)
        text = said.text if isinstance(said, typed.Say) else None
        return any(
            message.role == "user"
            and message.content == text
            and message.created_at >= entry.entered_at
            for message in self._session.history
        )

    # The thread -------------------------------------------------------------------------

    def _file(self, session_id: str) -> EnteredFile:
        if session_id not in self._files:
            self._files[session_id] = EnteredFile(self._folder, session_id)
        return self._files[session_id]

    def _soon(self, work: Callable[[], T]) -> asyncio.Future[T | None]:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="entered")
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._thread, self._safely, loop, work)

    def _safely(self, loop: asyncio.AbstractEventLoop, work: Callable[[], T]) -> T | None:
        result, problem = None, ""
        try:
            result = work()
        except OSError as error:
            problem = _reason(error)
        if problem != self._problem:
            loop.call_soon_threadsafe(self._meet, problem)
        return result

    def _meet(self, problem: str) -> None:
        if problem and not self._problem:
            self._tell(f"What waits to be sent cannot be kept on the disk: {problem}.\n")
        self._problem = problem

    async def _do(self, work: Callable[[], T]) -> T | None:
        return await asyncio.shield(self._soon(work))


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def put_back(number: int) -> str:
    """Texts of an earlier shell are there again."""
    if number == 1:
        return "1 message that was entered here but not sent is back in the input."
    return (
        f"{count(number, 'message')} that were entered here but not sent are back: the first is "
        "in the input, and the next follows whenever one is sent or cleared."
    )

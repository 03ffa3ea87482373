"""Files that go with a message: taken in, kept with the session, checked before they leave."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from agno_shell.contracts import Abilities
from agno_shell.conversation.files.file_content import (
    PDF,
    as_text,
    fenced,
    is_text,
    media_type,
    read_file,
    refuse,
)
from agno_shell.conversation.files.mentions import Mention, mentions
from agno_shell.conversation.files.opened import extent_within
from agno_shell.conversation.models import CurrentModel
from agno_shell.conversation.open_session import OpenSession
from agno_shell.conversation.store import StoreThread
from agno_shell.errors import UsageError
from agno_shell.toolkit.guarding import let_through
from agno_shell.toolkit.terminal_text import clean_line, count_hidden
from agno_shell.toolkit.wording import count
from agno_shell.types import Attachment, Message

BYTES_PER_TOKEN = 4
FILE_TOKENS = 1_600
"""Tokens of an image or a PDF, in an estimate."""

LARGE_SHARE = 4
"""What takes more than one in so many tokens of the window is said to be large."""

LOOKED_UP = 50
"""Places of one message that are looked up among the files."""


class OutgoingFiles(NamedTuple):
    """What goes with a message."""

    attachments: tuple[Attachment, ...]
    doubt: str = ""
    """A sentence that the user is to read before it leaves; empty: there is none."""


class Attachments:
    """The attachments that wait for the next message of a session, and those it names.

    ``tell`` gets a sentence about what the user may not expect.
    """

    def __init__(
        self,
        session: OpenSession,
        current: CurrentModel,
        store: StoreThread,
        most_bytes: int,
        tell: Callable[[str], object],
    ) -> None:
        self._session = session
        self._current = current
        self._store = store
        self._most_bytes = most_bytes
        self._tell = tell
        self._waiting: dict[str, list[Attachment]] = {}
        """By the id of the session, which keeps their contents."""
        self._extents: dict[str, str] = {}
        """How much is in what was attached, by its hash."""

    @property
    def waiting(self) -> Sequence[Attachment]:
        """Those of the open session."""
        return tuple(self._waiting.get(self._session.id, ()))

    def extent(self, attachment: Attachment) -> str:
        """How much is in it: ``640 × 480 pixels``, ``3 pages``; empty where that is not known."""
        return self._extents.get(attachment.sha256, "")

    async def attach(self, path: str) -> Attachment:
        """Take in a file; it goes with the next message."""
        return await self._wait(await self._take_file(path))

    async def attach_data(self, data: bytes, name: str) -> Attachment:
        """Take in content that is no file."""
        return await self._wait(await self._take(data, name))

    async def _wait(self, attachment: Attachment) -> Attachment:
        waiting = self._waiting.setdefault(self._session.id, [])
        if attachment not in waiting:
            waiting.append(attachment)
        await self._remark_on_size(attachment)
        return attachment

    def detach(self, attachment: Attachment) -> None:
        """It does not wait any more."""
        waiting = self._waiting.get(self._session.id, [])
        if attachment in waiting:
            waiting.remove(attachment)

    async def of(self, text: str, *, pasted: Sequence[str] = ()) -> OutgoingFiles:
        """What goes with a message: what waits, and the files that ``@path`` names. Not
        those in ``pasted`` text: whoever wrote it does not choose what leaves this machine.

        ``UsageError`` when a file is none that can be sent, or the model does not take it.
        """
        chosen = list(self.waiting)
        for path in await self._named(text, pasted):
            attachment = await self._take_file(path)
            if attachment not in chosen:
                chosen.append(attachment)
        if not chosen:
            return OutgoingFiles(())
        abilities = await self._abilities()
        for attachment in chosen:
            self._check(attachment, abilities)
        doubt = await self._doubt(chosen)
        # Of what is asked about anyway nothing is said twice.
        for attachment in chosen[len(self.waiting) :] if not doubt else ():
            await self._remark_on_size(attachment)
        return OutgoingFiles(tuple(chosen), doubt)

    def sent(self) -> None:
        """What waited is on its way."""
        self._waiting.pop(self._session.id, None)

    # Files ------------------------------------------------------------------------------

    async def _named(self, text: str, pasted: Sequence[str]) -> list[str]:
        if "@" not in text:
            return []
        found = await asyncio.to_thread(_files, islice(mentions(text), LOOKED_UP))
        paths = []
        for mention, path in found:
            if any(mention.typed in each for each in pasted):
                name = clean_line(path)
                self._tell(f"{name} stands in pasted text and is not attached; /attach does it.")
            elif path not in paths:
                paths.append(path)
        return paths

    async def _take_file(self, path: str) -> Attachment:
        data = await asyncio.to_thread(read_file, path, self._most_bytes)
        return await self._take(data, os.path.basename(path))

    async def _take(self, data: bytes, name: str) -> Attachment:
        kind, hidden = await asyncio.to_thread(_examined, name, data)
        shown = clean_line(name)
        refuse(name, kind, data)
        extent = await extent_within(name, kind, data)
        session_id = self._session.id
        attachment = Attachment(name, kind, "", len(data))
        self._check(attachment, await self._abilities())
        sha256 = await self._store(lambda s: s.attach(session_id, data))
        self._extents[sha256] = extent
        if hidden:
            self._tell(
                f"{shown} holds {count(hidden, 'character')} that cannot be seen or that turn the "
                "direction of writing; the model reads them."
            )
        return attachment._replace(sha256=sha256)

    # The model --------------------------------------------------------------------------

    @property
    def _model(self) -> str:
        return self._current.choice.model

    async def _abilities(self) -> Abilities:
        # A provider may be anybody's plugin; its bug leaves open what the model can take.
        try:
            return await self._current.provider.abilities(self._model)
        except BaseException as error:
            let_through(error)
            return Abilities()

    def _check(self, attachment: Attachment, abilities: Abilities) -> None:
        if is_text(attachment.media_type):
            return
        is_pdf = attachment.media_type == PDF
        takes = abilities.pdf if is_pdf else abilities.images
        what = "PDF files" if is_pdf else "images"
        if takes is False:
            raise UsageError(
                f"{clean_line(attachment.name)} cannot be sent: {clean_line(self._model)} takes no "
                f"{what}.",
                hint="/model NAME chooses another model.",
            )
        if takes is None and not attachment.sha256:
            self._tell(f"Whether {clean_line(self._model)} takes {what} is not known; it is tried.")

    async def _window(self) -> int:
        try:
            window = await self._current.provider.context_window(self._model)
        except BaseException as error:  # as above
            let_through(error)
            window = None
        return window or self._current.default_window

    async def _remark_on_size(self, attachment: Attachment) -> None:
        tokens, window = _estimate([attachment]), await self._window()
        if tokens * LARGE_SHARE > window:
            self._tell(f"{clean_line(attachment.name)} is {self._compared(tokens, window)}.")

    async def _doubt(self, attachments: Sequence[Attachment]) -> str:
        tokens, window = _estimate(attachments), await self._window()
        if tokens <= window:
            return ""
        is_one = len(attachments) == 1
        what = f"{clean_line(attachments[0].name)} is" if is_one else "The attachments are"
        return f"{what} {self._compared(tokens, window)}."

    def _compared(self, tokens: int, window: int) -> str:
        model = clean_line(self._model)
        return f"about {tokens:,} tokens, by estimate; {model} takes {window:,} in all"


def unattached(question: Message) -> list[str]:
    """The mentions in a question of files that did not go with it."""
    names = {attachment.name for attachment in question.attachments}
    return [
        each.typed
        for each in mentions(question.content)
        if names.isdisjoint(map(os.path.basename, each.paths))
    ]


def expanded(
    message: Message,
    text_by_hash: Mapping[str, str],
    beside: Collection[Attachment] | None = None,
) -> str:
    """The content of a message with its text files behind it, as the model reads them.

    ``text_by_hash`` has the files' texts by their SHA-256 (see :func:`as_text`); ``beside``
    are those that go beside the text; None: all that are no text. One that is in neither is
    said to be missing. The same message gives the same text every time.
    """
    parts = [message.content] if message.content.strip() else []
    for attachment in message.attachments:
        is_beside = not is_text(attachment.media_type) if beside is None else attachment in beside
        if is_beside:
            continue
        text = text_by_hash.get(attachment.sha256)
        if text is None:
            parts.append(f"[The file {clean_line(attachment.name)} is not kept any more.]")
        else:
            parts.append(fenced(attachment.name, text))
    return "\n\n".join(parts)


def _estimate(attachments: Iterable[Attachment]) -> int:
    """Tokens."""
    return sum(
        each.size // BYTES_PER_TOKEN if is_text(each.media_type) else FILE_TOKENS
        for each in attachments
    )


def _examined(name: str, data: bytes) -> tuple[str, int]:
    """The media type, and how many characters of it are hidden."""
    kind = media_type(name, data)
    text = as_text(data) if is_text(kind) else None
    return kind, count_hidden(text) if text else 0


def _files(places: Iterable[Mention]) -> list[tuple[Mention, str]]:
    """Those places that name a file that is there, and which one."""
    found = []
    for place in places:
        for path in place.paths:
            if os.path.isfile(os.path.expanduser(path)):
                found.append((place, path))
                break
    return found

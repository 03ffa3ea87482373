"""The contents of attached files, on their way into a request."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping

from agno_shell.conversation.files.attachments import expanded
from agno_shell.conversation.files.file_content import as_text, is_text
from agno_shell.conversation.open_session import OpenSession
from agno_shell.conversation.store import StoreThread
from agno_shell.errors import StorageError
from agno_shell.types import Attachment, Message

KEPT_BYTES = 64 * 1024 * 1024
"""Contents that stay in memory, so that they are read once and not with every turn."""

AT_ONCE_BYTES = 256 * 1024
"""What is longer is put into its message in a thread, so that the keys are not held up."""


class Contents:
    """Reads what is attached to messages of the open session, through ``reader``, by its hash.
    ``report`` gets a sentence about what is not there any more."""

    def __init__(
        self, session: OpenSession, reader: StoreThread, report: Callable[[str], object]
    ) -> None:
        self._session = session
        self._reader = reader
        self._report = report
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        """Those used last are the last."""
        self._size = 0
        self._missing: set[str] = set()

    async def as_sent(self, message: Message) -> Message:
        """The message with its text files in its content, and without them beside it; one
        that is not there any more is named in its place."""
        if not message.attachments:
            return message
        contents: dict[str, bytes] = {}
        for attachment in message.attachments:
            data = await self._content(attachment.sha256)
            if data is not None:
                contents[attachment.sha256] = data
        if sum(map(len, contents.values())) > AT_ONCE_BYTES:
            return await asyncio.to_thread(_as_sent, message, contents)
        return _as_sent(message, contents)

    async def files(self, messages: Iterable[Message]) -> Mapping[str, bytes]:
        """What is attached to messages as they are sent, by its hash."""
        found: dict[str, bytes] = {}
        for sha256 in {each.sha256 for message in messages for each in message.attachments}:
            data = await self._content(sha256)
            if data is not None:
                found[sha256] = data
        return found

    async def _content(self, sha256: str) -> bytes | None:
        """None where it is not there any more, which is told once."""
        if sha256 in self._kept:
            self._kept.move_to_end(sha256)
            return self._kept[sha256]
        session_id = self._session.id
        try:
            data = await self._reader(lambda storage: storage.attachment(session_id, sha256))
        except StorageError as error:
            if sha256 not in self._missing:
                self._missing.add(sha256)
                self._report(f"It is sent without a file: {error.sentence()}")
            return None
        self._keep(sha256, data)
        return data

    def _keep(self, sha256: str, data: bytes) -> None:
        self._kept[sha256] = data
        self._size += len(data)
        while self._size > KEPT_BYTES:
            _oldest, gone = self._kept.popitem(last=False)
            self._size -= len(gone)


def _as_sent(message: Message, contents: Mapping[str, bytes]) -> Message:
    texts: dict[str, str] = {}
    others: list[Attachment] = []
    for attachment in message.attachments:
        data = contents.get(attachment.sha256)
        if data is None:
            continue
        if is_text(attachment.media_type):
            texts[attachment.sha256] = as_text(data) or data.decode("utf-8", "replace")
        else:
            others.append(attachment)
    return message._replace(content=expanded(message, texts, others), attachments=tuple(others))

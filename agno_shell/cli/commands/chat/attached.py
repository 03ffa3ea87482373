"""Files that go with one question. They are named on the command line and nowhere else: a
text that a script puts together does not choose what leaves this machine."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from agno_shell.contracts import Abilities
from agno_shell.conversation.files.attachments import expanded
from agno_shell.conversation.files.file_content import (
    PDF,
    as_text,
    is_text,
    media_type,
    read_file,
    refuse,
)
from agno_shell.conversation.files.opened import extent
from agno_shell.errors import ProviderError
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.types import NOTHING, Attachment, Message


class AttachedFiles(NamedTuple):
    """Files, and what is in them by its SHA-256."""

    attachments: tuple[Attachment, ...] = ()
    contents: Mapping[str, bytes] = NOTHING

    @property
    def files(self) -> Mapping[str, bytes]:
        """The contents that go beside the messages, because they are no text."""
        others = (each.sha256 for each in self.attachments if not is_text(each.media_type))
        return {sha256: self.contents[sha256] for sha256 in others}

    def sent_with(self, message: Message) -> Message:
        """The message as it is sent: with the text files in it, and the others beside it."""
        texts = {
            each.sha256: as_text(self.contents[each.sha256]) or ""
            for each in self.attachments
            if is_text(each.media_type)
        }
        content = expanded(message._replace(attachments=self.attachments), texts)
        others = tuple(each for each in self.attachments if not is_text(each.media_type))
        return message._replace(content=content, attachments=others)

    def check(self, model: str, abilities: Abilities) -> None:
        """Raises :class:`~agno_shell.errors.ProviderError` where the model is known not to
        take what is attached."""
        for each in self.attachments:
            if is_text(each.media_type):
                continue
            is_pdf = each.media_type == PDF
            if (abilities.pdf if is_pdf else abilities.images) is False:
                what = "PDF files" if is_pdf else "images"
                raise ProviderError(
                    f"{clean_line(each.name)} cannot be sent: {model} takes no {what}.",
                    hint="--model chooses another model.",
                    kind="refused",
                )


def take_in(paths: Iterable[str], limit: int) -> AttachedFiles:
    """The files at ``paths``, each of at most ``limit`` bytes. ``UsageError`` for one that
    cannot be read or sent."""
    attachments: list[Attachment] = []
    contents: dict[str, bytes] = {}
    for path in paths:
        data = read_file(path, limit)
        name = os.path.basename(path)
        kind = media_type(name, data)
        refuse(path, kind, data)
        extent(path, kind, data)
        sha256 = hashlib.sha256(data).hexdigest()
        attachments.append(Attachment(name, kind, sha256, len(data)))
        contents[sha256] = data
    return AttachedFiles(tuple(attachments), contents)

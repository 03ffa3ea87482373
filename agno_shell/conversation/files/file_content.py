"""What is in a file that is to be attached: read within limits, known by its content."""

from __future__ import annotations

import os
import re
import shlex
import stat

from agno_shell.errors import UsageError
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.wording import size

_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
IMAGES = frozenset(kind for _mark, kind in _IMAGES) | {"image/webp"}
PDF = "application/pdf"

_MARKS = (
    # Longest first: UTF-32's little-endian mark begins with that of UTF-16.
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)

_CONTROLS = bytes(each for each in range(0x20) if each not in b"\t\n\r\f\x1b") + b"\x7f"
"""Bytes that no text in an 8-bit encoding has."""

LOOKED_AT = 65_536
"""Bytes at the beginning from which an encoding is guessed."""

MOST_ACCENTS = 3
"""A text in the Latin script has a letter beyond ASCII in so many characters at most."""

PDF_BEGINS_WITHIN = 1024
"""Bytes before the mark of a PDF, as readers allow them."""


def read_file(path: str, limit: int) -> bytes:
    """The content of a regular file of at most ``limit`` bytes, behind links as well.

    Nothing else is opened for longer than it takes to see what it is: a pipe would wait,
    and a device never end. ``UsageError`` names the file and says what is wrong.
    """
    shown = clean_line(path)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
    flags |= getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(os.path.expanduser(path), flags)
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            os.close(descriptor)
            raise UsageError(f"{shown} is {_kind(mode)}; only files can be attached.")
        with open(descriptor, "rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise UsageError(
            f"There is no file {shown}.", hint="A path with blanks stands in quotes."
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if os.path.isdir(os.path.expanduser(path)):  # Windows does not open one
            reason = "it is a folder"
        raise UsageError(f"{shown} cannot be attached: {reason}.") from None
    if len(data) > limit:
        raise UsageError(
            f"{shown} has more than {size(limit)}, which is the most that is attached.",
            hint="[conversation] attachment_bytes in the config file changes that.",
        )
    return data


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a device" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else "no regular file"


def as_text(data: bytes) -> str | None:
    """The content as text: UTF-8, or UTF-16 and UTF-32 with their marks; None when it is
    none."""
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8-sig")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def media_type(name: str, data: bytes) -> str:
    """What the content is: an image or PDF by its first bytes, ``text/plain`` if it is text,
    else what the name says."""
    for mark, found in _IMAGES:
        if data.startswith(mark):
            return found
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    text = as_text(data)
    if data.startswith(b"%PDF-") or (text is None and b"%PDF-" in data[:PDF_BEGINS_WITHIN]):
        return PDF
    if text is not None:
        return "text/plain"
    from mimetypes import guess_type

    guessed = guess_type(name)[0] or ""
    # Its first bytes would be others if it were what the name says.
    is_wrong = guessed.startswith("text/") or guessed in (*IMAGES, PDF)
    return "application/octet-stream" if is_wrong else guessed or "application/octet-stream"


def refuse(path: str, kind: str, data: bytes) -> None:
    """Raises :class:`UsageError` for a content of which nothing can be sent."""
    shown = clean_line(path)
    if not data:
        raise UsageError(f"{shown} is empty.")
    if is_sendable(kind):
        return
    if encoding := other_encoding(data):
        raise UsageError(
            f"{shown} is text, but not in UTF-8; it seems to be in {encoding[0]}.",
            hint=f"iconv -f {encoding[1]} -t UTF-8 {shlex.quote(shown)} > NEW converts it; "
            "attach NEW.",
        )
    raise UsageError(
        f"{shown} is {kind}, which no model takes.",
        hint="Text, PNG, JPEG, GIF and WebP images, and PDF can be attached.",
    )


def other_encoding(data: bytes) -> tuple[str, str] | None:
    """What text that is not in UTF-8 seems to be in, for a user and for ``iconv``; None
    for what does not look like text."""
    odd, even = data[1:LOOKED_AT:2], data[0:LOOKED_AT:2]
    for half, other, name in ((odd, even, "UTF-16LE"), (even, odd, "UTF-16BE")):
        if not len(data) % 2 and half.count(0) * 2 > len(half) and not other.count(0):
            return f"{name} without a byte order mark", name
    if data.translate(None, _CONTROLS) != data:
        return None
    high = sum(each >= 0x80 for each in data[:LOOKED_AT])
    if high * MOST_ACCENTS > len(data[:LOOKED_AT]):
        return "an older encoding", "ENCODING"
    return "Windows-1252 or Latin-1", "WINDOWS-1252"


def is_text(kind: str) -> bool:
    """Whether what is attached with this media type is written into its message."""
    return kind.startswith("text/")


def is_sendable(kind: str) -> bool:
    """Whether there are models that take it."""
    return is_text(kind) or kind == PDF or kind in IMAGES


def fenced(name: str, text: str) -> str:
    """A text file as Markdown: its name, and its content in a fence that it cannot close."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    ending = os.path.splitext(name)[1][1:]
    language = ending if re.fullmatch(r"[A-Za-z0-9]{1,12}", ending) else ""
    newline = "" if text.endswith("\n") or not text else "\n"
    return f"{clean_line(name)}:\n{fence}{language}\n{text}{newline}{fence}"

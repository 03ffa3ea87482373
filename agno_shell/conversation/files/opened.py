"""Pictures and PDF files, opened when they are attached: a service that cannot read one
refuses the whole request, and every later one with it."""

from __future__ import annotations

import asyncio
import io
import logging
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from agno_shell.conversation.files.file_content import IMAGES, PDF
from agno_shell.errors import UsageError
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.wording import count

MOST_PIXELS = 100_000_000
"""Of a picture, and of all pictures of an animation that are looked at: more than services
take, and about as much as is decoded in a second."""

END_OF_PDF = b"%%EOF"
END_WITHIN = 4096
"""Bytes at the end of a PDF in which its mark stands."""

SECONDS = 10.0
"""How long a file may take to be opened."""

T = TypeVar("T")


def extent(name: str, kind: str, data: bytes) -> str:
    """How much is in a file of this media type: ``640 × 480 pixels``, ``3 pages``; empty for
    what is none of both. Raises :class:`UsageError` for one that is damaged or cut off."""
    if kind in IMAGES:
        return _picture(clean_line(name), kind.removeprefix("image/").upper(), data)
    return _pdf(clean_line(name), data) if kind == PDF else ""


async def extent_within(name: str, kind: str, data: bytes, seconds: float = SECONDS) -> str:
    """:func:`extent`, in a thread that nobody waits for longer than so many seconds."""
    if kind not in IMAGES and kind != PDF:
        return ""
    try:
        return await asyncio.wait_for(_apart(lambda: extent(name, kind, data)), seconds)
    except TimeoutError:
        raise UsageError(
            f"{clean_line(name)} took longer than {seconds:g} seconds to be opened, and is not "
            "attached."
        ) from None


async def _apart(work: Callable[[], T]) -> T:
    """What ``work`` returns, done in a thread that does not keep the program from ending."""
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as error:
            done.set_exception(error)

    threading.Thread(target=run, name="open-attachment", daemon=True).start()
    return await asyncio.wrap_future(done)


# Pictures ---------------------------------------------------------------------------------


def _picture(shown: str, kind: str, data: bytes) -> str:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # the limit is ours
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks on odd metadata
            with Image.open(io.BytesIO(data), formats=(kind,)) as picture:
                width, height = picture.size
                is_huge = width * height > MOST_PIXELS
                if not is_huge:
                    picture.verify()
            if not is_huge:
                _decode(data, kind)
    # The library raises whatever its many formats raise; all of it means the same.
    except Exception as error:
        raise UsageError(
            f"{shown} is a damaged or cut-off {kind} picture, which every model would refuse: "
            f"{clean_line(str(error), 100)}.",
            hint="Open it and save it again, or copy it again.",
        ) from None
    if is_huge:
        raise UsageError(
            f"{shown} has {width:,} × {height:,} pixels, more than models take.",
            hint="Make it smaller, and attach that.",
        )
    return f"{width:,} × {height:,} pixels"


def _decode(data: bytes, kind: str) -> None:
    """Decode every picture in it, up to so many pixels."""
    from PIL import Image

    if kind == "PNG" and len(data) - data.rfind(b"IEND") < 8:
        raise ValueError("its end is missing")
    with Image.open(io.BytesIO(data), formats=(kind,)) as picture:
        left = MOST_PIXELS
        number = 0
        while left >= 0:
            try:
                picture.seek(number)
            except EOFError:
                return
            picture.load()
            number += 1
            left -= picture.width * picture.height


# PDF --------------------------------------------------------------------------------------


def _pdf(shown: str, data: bytes) -> str:
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, FileNotDecryptedError

    # What it finds odd is logged, and would be printed over the input.
    logging.getLogger("pypdf").addHandler(logging.NullHandler())
    try:
        pages = len(PdfReader(io.BytesIO(_with_its_end(data))).pages)
    except FileNotDecryptedError:
        raise UsageError(
            f"{shown} is locked with a password, and no model can read it.",
            hint="Save it without the password, and attach that.",
        ) from None
    except DependencyError:  # encrypted, in a way that it does not read by itself
        return ""
    # As above.
    except Exception as error:
        raise UsageError(
            f"{shown} is a damaged or cut-off PDF, which every model would refuse: "
            f"{clean_line(str(error), 100)}.",
            hint="Save it again, or copy it again.",
        ) from None
    if not pages:
        raise UsageError(f"{shown} is a PDF without a page.")
    return count(pages, "page")


def _with_its_end(data: bytes) -> bytes:
    if END_OF_PDF not in data[-END_WITHIN:]:
        raise ValueError("its end is missing")
    return data

from __future__ import annotations

import io
import random
import struct
import threading
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfWriter

from agno_shell.conversation.files import opened
from agno_shell.conversation.files.file_content import media_type
from agno_shell.conversation.files.opened import extent, extent_within
from agno_shell.errors import UsageError


def picture(kind: str, **how: Any) -> bytes:
    noise = random.Random(1).randbytes(60 * 40 * 3)
    made, data = Image.frombytes("RGB", (60, 40), noise), io.BytesIO()
    made.save(data, kind, **how)
    return data.getvalue()


def frames() -> list[Image.Image]:
    return [Image.new("RGB", (60, 40), color) for color in ("red", "green")]


PICTURES = {
    "png": picture("PNG"),
    "jpeg": picture("JPEG"),
    "progressive": picture("JPEG", progressive=True),
    "gif": picture("GIF"),
    "webp": picture("WEBP"),
    "lossless": picture("WEBP", lossless=True),
    "animated gif": picture("GIF", save_all=True, append_images=frames()),
    "animated webp": picture("WEBP", save_all=True, append_images=frames()),
}


def pdf(pages: int = 3, **encrypted: Any) -> bytes:
    writer, data = PdfWriter(), io.BytesIO()
    for _page in range(pages):
        writer.add_blank_page(200, 200)
    if encrypted:
        writer.encrypt(**encrypted)
    writer.write(data)
    return data.getvalue()


def look(data: bytes) -> str:
    return extent("a\x1bfile", media_type("a", data), data)


@pytest.mark.parametrize("kind", PICTURES)
def test_a_whole_picture_is_taken_and_measured(kind: str) -> None:
    assert look(PICTURES[kind]) == "60 × 40 pixels"
    assert look(PICTURES[kind] + b"\0\0and more") == "60 × 40 pixels"


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_without_its_end_is_not(kind: str) -> None:
    whole = PICTURES[kind]
    # The last bytes of a GIF are no part of its picture: everything reads it without them.
    least = 3 if "gif" in kind else 1
    cuts = [16, *random.Random(2).sample(range(16, len(whole) - least), 20), len(whole) - least]
    for cut in cuts:
        with pytest.raises(UsageError, match=r"^a␛file is a damaged or cut-off [A-Z]+ picture"):
            look(whole[:cut])


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def huge_png() -> bytes:
    """Of 900 million pixels, in few bytes."""
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000))
    mark = PICTURES["png"][:8]
    return mark + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_picture_that_would_fill_the_memory_is_not_decoded() -> None:
    with pytest.raises(UsageError, match="30,000 × 30,000 pixels, more than models take"):
        look(huge_png())


def test_of_a_long_animation_no_more_is_decoded_than_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opened, "MOST_PIXELS", 60 * 40)
    assert look(PICTURES["animated gif"]) == "60 × 40 pixels"


def test_a_damaged_picture_is_not_taken() -> None:
    whole = bytearray(PICTURES["png"])
    whole[-30] ^= 0xFF
    with pytest.raises(UsageError, match="damaged"):
        look(bytes(whole))


def test_a_pdf_is_taken_with_its_pages() -> None:
    assert look(pdf()) == "3 pages"
    assert look(pdf(1)) == "1 page"
    assert look(pdf(1) + b"\r\n\0\0") == "1 page"
    # Locked against changes only: everybody can read it.
    assert look(pdf(2, user_password="", owner_password="x")) == "2 pages"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        *((pdf()[:-cut], "cut-off PDF") for cut in (2, 7, 30, 200, 500)),
        (pdf()[:16], "cut-off PDF"),
        (b"%PDF-1.4\nnothing of it\n%%EOF\n", "damaged"),
        (pdf(0), "without a page"),
        (pdf(1, user_password="secret"), "locked with a password"),
    ],
)
def test_a_pdf_that_cannot_be_read_is_not(
    data: bytes, why: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match=why):
        extent("a.pdf", "application/pdf", data)
    assert capfd.readouterr() == ("", ""), "nothing else is printed"


async def test_what_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    given_up = threading.Event()

    def slow(*_arguments: object) -> str:
        given_up.wait(60)
        return ""

    monkeypatch.setattr(opened, "extent", slow)
    with pytest.raises(UsageError, match=r"a\.png took longer than 0\.05 seconds"):
        await extent_within("a.png", "image/png", b"", 0.05)
    given_up.set()


@pytest.mark.parametrize("kind", ["text/plain", "audio/ogg"])
async def test_other_files_are_not_opened(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    never: Callable[..., None] = lambda *_arguments: pytest.fail("opened")  # noqa: E731
    monkeypatch.setattr(opened, "extent", never)
    assert await extent_within("a", kind, b"x") == ""

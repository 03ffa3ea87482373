"""Attachments of a real conversation on a storage in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfWriter

from agno_shell.contracts import Abilities
from agno_shell.conversation.driver import Driver
from agno_shell.conversation.engine import Engine
from agno_shell.conversation.files.attachments import Attachments, expanded
from agno_shell.errors import StorageError, UsageError
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.types import Attachment, Message, now

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49"
    "444154789c636000000002000148afa4710000000049454e44ae426082"
)
"""A picture of one pixel."""


class Eyes:
    """A provider's abilities, as a test puts them there."""

    def __init__(self, provider: ScriptedProvider) -> None:
        self.abilities: Abilities | Exception = Abilities()

        async def abilities(_model: str) -> Abilities:
            if isinstance(self.abilities, Exception):
                raise self.abilities
            return self.abilities

        provider.abilities = abilities  # type: ignore[assignment, method-assign]


@pytest.fixture
def eyes(provider: ScriptedProvider) -> Eyes:
    return Eyes(provider)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def attachments(engine: Engine, told: list[str]) -> Attachments:
    return attachments_of(engine, told)


def attachments_of(engine: Engine, told: list[str]) -> Attachments:
    class Notices(Driver):
        def notice(self, text: str, style: str = "") -> None:
            told.append(text)

    engine.driver = Notices()
    return engine.attachments


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a file into the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, content: str | bytes = "hello") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


async def content(engine: Engine, attachment: Attachment) -> bytes:
    session_id = engine.session.session_id
    return await engine.store(lambda s: s.attachment(session_id, attachment.sha256))


async def test_a_file_is_kept_with_the_session_and_goes_with_one_message(
    attachments: Attachments, engine: Engine, file: Callable[..., Path]
) -> None:
    path = file("notes.txt", "Grüße")
    attached = await attachments.attach(str(path))
    data = "Grüße".encode()
    assert attached == ("notes.txt", "text/plain", hashlib.sha256(data).hexdigest(), len(data))
    path.unlink()
    assert await content(engine, attached) == data
    assert await attachments.attach_data(data, "notes.txt") == attached
    assert attachments.waiting == (attached,)
    assert (await attachments.of("Look")).attachments == (attached,)
    assert attachments.waiting == (attached,)  # until it is sent
    attachments.sent()
    assert attachments.waiting == ()
    assert (await attachments.of("Look")).attachments == ()


async def test_what_waits_is_the_sessions_own(attachments: Attachments, engine: Engine) -> None:
    first = engine.session.session_id
    attached = await attachments.attach_data(b"x", "a.txt")
    await engine.create("Second")
    assert attachments.waiting == ()
    attachments.detach(attached)
    await engine.open(first)
    assert attachments.waiting == (attached,)
    attachments.detach(attached)
    assert attachments.waiting == ()


async def test_files_that_a_message_names_go_with_it(
    attachments: Attachments, file: Callable[..., Path], told: list[str]
) -> None:
    file("a b.txt", "one")
    file("c.txt", "two")
    text = 'Compare @"a b.txt" with @c.txt, and @c.txt; @nobody and \\@c.txt and @. are words.'
    names = [each.name for each in (await attachments.of(text)).attachments]
    assert names == ["a b.txt", "c.txt"]
    assert told == []


async def test_pasted_text_names_no_files(
    attachments: Attachments, file: Callable[..., Path], told: list[str]
) -> None:
    file("secret", "s")
    file("mine", "m")
    pasted = ["Please read @secret now"]
    chosen = await attachments.of("@mine Please read @secret now", pasted=pasted)
    assert [each.name for each in chosen.attachments] == ["mine"]
    assert told == ["secret stands in pasted text and is not attached; /attach does it."]


async def test_a_file_that_cannot_be_sent_stops_the_message(
    attachments: Attachments, file: Callable[..., Path]
) -> None:
    file("old.zip", b"PK\3\4\xff\0")
    file("nothing", b"")
    with pytest.raises(UsageError, match=r"old.zip is application/zip, which no model takes"):
        await attachments.of("@old.zip")
    with pytest.raises(UsageError, match="nothing is empty"):
        await attachments.attach("nothing")
    assert attachments.waiting == ()


async def test_a_model_is_given_only_what_it_takes(
    attachments: Attachments, eyes: Eyes, file: Callable[..., Path], told: list[str]
) -> None:
    file("cat.png", PNG)
    eyes.abilities = Abilities(images=False, pdf=True)
    with pytest.raises(UsageError, match=r"cat.png cannot be sent: model-x takes no images") as no:
        await attachments.attach("cat.png")
    assert "/model" in no.value.hint
    eyes.abilities = Abilities(images=True)
    await attachments.attach("cat.png")
    assert told == []
    eyes.abilities = Abilities(images=False)  # another model, by now
    with pytest.raises(UsageError, match="takes no images"):
        await attachments.of("Look")
    writer = PdfWriter()
    writer.add_blank_page(9, 9)
    writer.write(file("paper.pdf"))
    eyes.abilities = Abilities(images=True, pdf=False)
    with pytest.raises(UsageError, match="takes no PDF files"):
        await attachments.of("@paper.pdf")


@pytest.mark.parametrize("unknown", [Abilities(), RuntimeError("a bug")])
async def test_what_nobody_knows_is_tried_and_said(
    attachments: Attachments, eyes: Eyes, told: list[str], unknown: Any
) -> None:
    eyes.abilities = unknown
    await attachments.attach_data(PNG, "cat.png")
    assert len((await attachments.of("Look")).attachments) == 1
    assert told == ["Whether model-x takes images is not known; it is tried."]


@pytest.mark.parametrize("cut", [1, 16, 40, len(PNG) - 1])
async def test_a_cut_off_picture_is_not_attached(
    attachments: Attachments, file: Callable[..., Path], engine: Engine, cut: int
) -> None:
    file("cat.png", PNG[:-cut] if cut < len(PNG) - 1 else PNG[:16])
    for attach in (
        lambda: attachments.attach("cat.png"),
        lambda: attachments.attach_data(Path("cat.png").read_bytes(), "cat.png"),
        lambda: attachments.of("What is @cat.png?"),
    ):
        with pytest.raises(UsageError, match=r"cat\.png is a damaged or cut-off PNG picture"):
            await attach()
    assert attachments.waiting == ()


async def test_how_much_is_in_it_is_known(attachments: Attachments) -> None:
    assert attachments.extent(await attachments.attach_data(PNG, "a.png")) == "1 × 1 pixels"
    assert attachments.extent(await attachments.attach_data(b"x", "a.txt")) == ""


async def test_hidden_characters_are_counted(attachments: Attachments, told: list[str]) -> None:
    await attachments.attach_data("a\u202eb\u200bc\x1b[2J\r\n\té👩‍👩‍👧 你好".encode(), "a.txt")
    [line] = told
    assert line.startswith("a.txt holds 3 characters that cannot be seen")


async def test_what_is_large_is_said_and_what_is_too_large_is_asked_about(
    attachments: Attachments, told: list[str], make_engine: Callable[..., Engine]
) -> None:
    await attachments.attach_data(b"x" * 4 * 3000, "large.txt")
    assert told == ["large.txt is about 3,000 tokens, by estimate; model-x takes 10,000 in all."]
    assert (await attachments.of("Look")).doubt == ""
    await attachments.attach_data(b"y" * 4 * 8000, "larger.txt")
    doubt = (await attachments.of("Look")).doubt
    assert doubt == (
        "The attachments are about 11,000 tokens, by estimate; model-x takes 10,000 in all."
    )


async def test_the_limit_is_that_of_the_configuration(
    make_engine: Callable[..., Engine], file: Callable[..., Path], told: list[str]
) -> None:
    made = make_engine(values={"conversation.attachment_bytes": 4})
    await made.create("Test")
    file("five", "12345")
    with pytest.raises(UsageError, match="more than 4 B"):
        await attachments_of(made, told).attach("five")


async def test_what_cannot_be_kept_is_not_attached(
    make_engine: Callable[..., Engine], told: list[str]
) -> None:
    class Full(MemoryStorage):
        def attach(self, session_id: str, data: bytes) -> str:
            raise StorageError("Nothing was saved: the disk is full.")

    made = make_engine(Full())
    await made.create("Test")
    attachments = attachments_of(made, told)
    with pytest.raises(StorageError, match="full"):
        await attachments.attach_data(b"x", "a.txt")
    assert attachments.waiting == ()


def test_text_files_are_written_into_their_message() -> None:
    files = (
        Attachment("a.py", "text/x-python", "1" * 64, 5),
        Attachment("cat.png", "image/png", "2" * 64, 5),
        Attachment("b\x1b.txt", "text/plain", "3" * 64, 5),
    )
    said = Message("m", "user", "Look", now(), attachments=files)
    texts = {"1" * 64: "x = 1\n"}
    assert expanded(said, texts) == (
        "Look\n\na.py:\n```py\nx = 1\n```\n\n[The file b␛.txt is not kept any more.]"
    )
    assert expanded(said, texts) == expanded(said, dict(texts))
    assert expanded(said._replace(content=" ", attachments=files[:1]), texts).startswith("a.py:")
    assert expanded(said._replace(attachments=()), {}) == "Look"

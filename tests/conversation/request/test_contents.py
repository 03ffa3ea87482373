"""Attached files on their way into a request."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Any

import pytest

from agno_shell.conversation.engine import Engine
from agno_shell.conversation.request import contents
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.testing.turn_events import events_of
from agno_shell.types import Attachment

PICTURE = b"\x89PNG\r\n\x1a\n"


class Watched(MemoryStorage):
    """Remembers which contents were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def attachment(self, session_id: str, sha256: str) -> bytes:
        self.read.append(sha256)
        return super().attachment(session_id, sha256)


@pytest.fixture
def storage() -> Watched:
    return Watched()


@pytest.fixture
async def talk(make_engine: Callable[..., Engine], storage: Watched) -> Engine:
    made = make_engine(storage)
    await made.create("Test")
    return made


def attach(talk: Engine, storage: Watched, name: str, kind: str, data: bytes) -> Attachment:
    sha256 = storage.attach(talk.session.session_id, data)
    return Attachment(name, kind, sha256, len(data))


async def ask(talk: Engine, text: str, *attached: Attachment) -> list[Any]:
    return await events_of(talk.turn(text, attached))


async def test_text_stands_in_the_message_and_is_read_once(
    talk: Engine, storage: Watched, provider: ScriptedProvider
) -> None:
    file = attach(talk, storage, "a.py", "text/x-python", b"print('```')\n")
    await ask(talk, "What is this?", file)
    await ask(talk, "And now?")
    for request in provider.requests:
        asked = request.messages[0]
        assert asked.content == "What is this?\n\na.py:\n````py\nprint('```')\n````"
        assert asked.attachments == ()
        assert request.files == {}
    assert storage.read == [file.sha256]
    assert (await talk.messages.path())[0].content == "What is this?"


async def test_a_picture_goes_beside_its_message(
    talk: Engine, storage: Watched, provider: ScriptedProvider
) -> None:
    picture = attach(talk, storage, "a.png", "image/png", PICTURE)
    text = attach(talk, storage, "a.txt", "text/plain", b"words")
    await ask(talk, "Look", picture, text)
    await ask(talk, "And now?")
    for request in provider.requests:
        assert request.messages[0].attachments == (picture,)
        assert request.files == {picture.sha256: PICTURE}
    assert sorted(storage.read) == sorted([picture.sha256, text.sha256])


async def test_what_is_attached_is_counted(talk: Engine, storage: Watched) -> None:
    file = attach(talk, storage, "a.txt", "text/plain", b"word " * 500)
    await ask(talk, "Look", file)
    assert (await talk.requests.receipt()).rows[0].tokens > 500


async def test_a_file_that_is_gone_is_said_once_and_nothing_fails(
    talk: Engine, storage: Watched, provider: ScriptedProvider, plugins: Any
) -> None:
    told: list[str] = []
    plugins.report = told.append
    gone = Attachment("a.txt", "text/plain", hashlib.sha256(b"?").hexdigest(), 1)
    picture = Attachment("a.png", "image/png", hashlib.sha256(b"!").hexdigest(), 1)
    await ask(talk, "Look", gone, picture)
    await ask(talk, "And now?")
    asked = provider.requests[-1].messages[0]
    assert "a.txt is not kept any more" in asked.content
    assert "a.png is not kept any more" in asked.content
    assert asked.attachments == ()
    assert provider.requests[-1].files == {}
    assert len(told) == 2
    assert all(each.startswith("It is sent without a file: ") for each in told)


async def test_contents_do_not_fill_the_memory(
    talk: Engine, storage: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "KEPT_BYTES", 12)
    one = attach(talk, storage, "1.png", "image/png", b"123456")
    two = attach(talk, storage, "2.png", "image/png", b"654321")
    three = attach(talk, storage, "3.png", "image/png", b"abcdef")
    kept = contents.Contents(talk.open_session, talk.reader, print)
    message = (await ask(talk, "Look", one))[0].message
    storage.read.clear()
    for attached in (one, two, one, three, one, two):
        files = await kept.files([message._replace(attachments=(attached,))])
        assert len(files) == 1
    # The one that was used least lately makes room.
    assert storage.read == [one.sha256, two.sha256, three.sha256, two.sha256]


async def test_a_long_text_does_not_hold_up_the_keys(
    talk: Engine,
    storage: Watched,
    provider: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[threading.Thread] = []

    def watched(data: bytes) -> str | None:
        threads.append(threading.current_thread())
        return data.decode()

    monkeypatch.setattr(contents, "as_text", watched)
    short = attach(talk, storage, "short.txt", "text/plain", b"few words")
    long = attach(talk, storage, "long.txt", "text/plain", b"many words " * 30_000)
    await ask(talk, "What is this?", short)
    await ask(talk, "And this?", long)
    assert [thread is threading.main_thread() for thread in threads] == [True, False]
    assert provider.requests[1].messages[-1].content.count("many words") == 30_000

"""Files that go with a message: across the pipe, into the request, or refused."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.builtin.model_services import attachments
from agno_shell.builtin.model_services.destination import Destination
from agno_shell.builtin.model_services.target import Target
from agno_shell.errors import ProviderError
from agno_shell.events import Event, Failed, Finished, Request
from agno_shell.testing.model_server import ModelServer
from agno_shell.testing.provider_contract import PNG
from agno_shell.types import Attachment, Message, new_id, now

PDF = b"%PDF-1.4\n%%EOF\n"
BLIND = {"supports_function_calling": True}
SEES = {"supports_vision": True, "supports_pdf_input": True}


def attachment(name: str, media_type: str, content: bytes) -> Attachment:
    return Attachment(name, media_type, hashlib.sha256(content).hexdigest(), len(content))


CAT = attachment("cat.png", "image/png", PNG)
PAPER = attachment("paper.pdf", "application/pdf", PDF)
ARCHIVE = attachment("notes.zip", "application/zip", b"PK")
FILES = {CAT.sha256: PNG, PAPER.sha256: PDF, ARCHIVE.sha256: b"PK"}


def target(entry: dict[str, Any], provider: str = "openai") -> Target:
    return Target(Destination(f"{provider}/m", "here", None), provider, "m", entry)


def parts(file: Attachment, to: Target, *, asked_now: bool = True) -> list[dict[str, Any]]:
    return attachments.parts([file._asdict()], FILES, to, asked_now=asked_now)


@pytest.mark.parametrize("entry", [SEES, {}], ids=["sees", "unknown"])
def test_an_image_is_a_data_url(entry: dict[str, Any]) -> None:
    url = "data:image/png;base64," + base64.b64encode(PNG).decode()
    assert parts(CAT, target(entry)) == [{"type": "image_url", "image_url": {"url": url}}]


def test_a_pdf_is_a_file_with_its_name() -> None:
    data = "data:application/pdf;base64," + base64.b64encode(PDF).decode()
    file = {"filename": "paper.pdf", "file_data": data}
    assert parts(PAPER, target(SEES)) == [{"type": "file", "file": file}]
    assert parts(PAPER, target({})) == [{"type": "file", "file": file}]


@pytest.mark.parametrize(
    ("file", "to", "why"),
    [
        (CAT, target(BLIND), "openai/m sees no images"),
        (PAPER, target(BLIND), "openai/m takes no PDF files"),
        (PAPER, target({}, "ollama_chat"), "ollama_chat/m takes no PDF files"),
        (ARCHIVE, target(SEES), "a file of the type application/zip can be sent to no model"),
    ],
)
def test_what_the_model_cannot_take_is_refused_in_the_question_and_named_before(
    file: Attachment, to: Target, why: str
) -> None:
    with pytest.raises(ProviderError) as raised:
        parts(file, to)
    assert str(raised.value) == f"{file.name} was not sent: {why}."
    assert raised.value.kind == "refused"
    earlier = parts(file, to, asked_now=False)
    assert earlier == [{"type": "text", "text": f"[{file.name}: {why}]"}]


def test_text_stands_in_the_message_already() -> None:
    text = attachment("notes.txt", "text/plain", b"text")
    assert parts(text, target(BLIND)) == []


# Over the wire ---------------------------------------------------------------------------

Ask = Callable[..., Coroutine[Any, Any, list[Event]]]


def see(*files: Attachment, text: str = "What is it?") -> Message:
    return Message(new_id(), "user", text, now(), attachments=files)


@pytest.fixture
def ask_with_files(litellm: LitellmProvider, server: ModelServer) -> Ask:
    async def ask(*messages: Message, **fields: Any) -> list[Event]:
        fields = {"model": "test-model", "api_base": server.base_url, "files": FILES} | fields
        return [event async for event in litellm.stream(Request(messages=messages, **fields))]

    return ask


@pytest.mark.asyncio(loop_scope="session")
async def test_files_come_before_the_words_about_them(
    ask_with_files: Ask, server: ModelServer
) -> None:
    server.reply("A cat.")
    assert isinstance((await ask_with_files(see(CAT, PAPER)))[-1], Finished)
    content = server.requests[0].body["messages"][0]["content"]
    assert [part["type"] for part in content] == ["image_url", "file", "text"]
    data = content[0]["image_url"]["url"].partition(",")[2]
    assert base64.b64decode(data) == PNG


@pytest.mark.asyncio(loop_scope="session")
async def test_a_refusal_comes_before_anything_is_sent(
    ask_with_files: Ask, server: ModelServer
) -> None:
    (failed,) = await ask_with_files(see(CAT), model="gpt-3.5-turbo")
    assert isinstance(failed, Failed)
    assert failed.kind == "refused"
    assert "cat.png" in failed.message
    assert not server.requests


@pytest.mark.asyncio(loop_scope="session")
async def test_a_conversation_about_an_image_goes_on_with_a_model_that_sees_none(
    ask_with_files: Ask, server: ModelServer
) -> None:
    answer = Message(new_id(), "assistant", "A cat.", now())
    server.reply("Grey.")
    events = await ask_with_files(
        *(see(CAT), answer, see(text="Which colour?")), model="gpt-3.5-turbo"
    )
    assert isinstance(events[-1], Finished)
    content = server.requests[0].body["messages"][0]["content"]
    assert [part["type"] for part in content] == ["text", "text"]
    assert "cat.png" in content[0]["text"]


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    ("model", "page", "kinds"),
    [
        ("anthropic/claude-sonnet-4-5", "/v1/messages", ["image", "document", "text"]),
        ("gemini/gemini-2.5-flash", "streamGenerateContent", ["inline_data"] * 2 + ["text"]),
    ],
)
async def test_other_services_get_files_in_their_own_form(
    ask_with_files: Ask, server: ModelServer, model: str, page: str, kinds: list[str]
) -> None:
    server.status(400)
    await ask_with_files(see(CAT, PAPER), model=model, api_base=server.base_url.removesuffix("/v1"))
    (request,) = server.requests
    assert page in request.path
    said = (request.body.get("messages") or request.body.get("contents"))[0]
    sent = said.get("content") or said.get("parts")
    assert [one.get("type") or next(iter(one)) for one in sent] == kinds


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("megabytes", [1, pytest.param(20, marks=pytest.mark.slow)])
async def test_a_large_file_goes_through_while_other_requests_are_answered(
    ask_with_files: Ask, server: ModelServer, megabytes: int
) -> None:
    content = bytes(range(256)) * (megabytes * 4096)
    large = attachment("large.png", "image/png", content)
    files = {large.sha256: content}
    server.reply("Large.")
    events = await ask_with_files(see(large), files=files)
    assert isinstance(events[-1], Finished)
    url = server.requests[0].body["messages"][0]["content"][0]["image_url"]["url"]
    assert hashlib.sha256(base64.b64decode(url.partition(",")[2])).hexdigest() == large.sha256
    # Two at once, and one that is given up in the middle, leave the pipe in order.
    server.forget()
    for _ in range(3):
        server.reply("Large.")
    given_up = asyncio.create_task(ask_with_files(see(large), files=files))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    given_up.cancel()
    both = await asyncio.gather(ask_with_files(see(large), files=files), ask_with_files(see()))
    assert all(isinstance(events[-1], Finished) for events in both)
    with pytest.raises(asyncio.CancelledError):
        await given_up

"""What a protocol module offers: how a request is written, and who reads the reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from agno_shell.builtin.model_services.target import Target
from agno_shell.builtin.model_services.wires.framing import Framing
from agno_shell.builtin.model_services.wires.reading import Reader
from agno_shell.types import Reasoning

Record = dict[str, Any]


class ChatRequest(NamedTuple):
    """What is asked of a model, in OpenAI's form, before a protocol gives it its own."""

    target: Target
    messages: Sequence[Record]
    tools: Sequence[Record]
    parameters: Mapping[str, Any]
    """Model parameters, except those that set how much to think."""
    reasoning: Reasoning | None = None


class Post(NamedTuple):
    """An HTTP request, without the address of the server and the key."""

    path: str
    body: Record


class Wire(NamedTuple):
    """One protocol."""

    name: str
    write: Callable[[ChatRequest], Post]
    reader: Callable[[], Reader]
    framing: Callable[[float], Framing]
    """Of the streamed body; takes the longest line in bytes."""
    key_headers: Callable[[str], Mapping[str, str]]
    """The headers that carry a key."""
    models_path: str
    """The page that lists the server's models."""
    headers: Mapping[str, str] = {}
    """Headers of every request."""


def bearer(key: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {key}"}


def data_url(part: Mapping[str, Any]) -> tuple[str, str]:
    """Media type and base 64 of an image or file part in OpenAI's form."""
    url = part["image_url"]["url"] if part["type"] == "image_url" else part["file"]["file_data"]
    head, _comma, data = str(url).partition(",")
    return head.removeprefix("data:").removesuffix(";base64"), data


def parts_of(message: Mapping[str, Any]) -> list[Record]:
    """The content of a message as parts."""
    content = message.get("content")
    if isinstance(content, list):
        return content
    return [{"type": "text", "text": content}] if content else []


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message, whatever else it holds."""
    return "\n\n".join(part["text"] for part in parts_of(message) if part["type"] == "text")

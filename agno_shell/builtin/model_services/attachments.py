"""Files of a message as parts of its content, in OpenAI's form."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from agno_shell.builtin.model_services.target import Target
from agno_shell.errors import ProviderError

Record = dict[str, Any]
Kind = Literal["image", "PDF", "other"]

_IMAGES = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp"))
"""What OpenAI, Anthropic and Google all take."""

_PASS_FILES_ON = frozenset(
    {
        *("anthropic", "azure", "azure_ai", "bedrock", "bedrock_converse", "gemini"),
        *("hosted_vllm", "litellm_proxy", "openai", "openrouter", "vertex_ai"),
    }
)
"""With the others litellm leaves a PDF out without a word."""


def kind_of(media_type: str) -> Kind:
    if media_type in _IMAGES:
        return "image"
    return "PDF" if media_type == "application/pdf" else "other"


def parts(
    attached: Sequence[Mapping[str, Any]],
    files: Mapping[str, bytes],
    target: Target,
    *,
    asked_now: bool,
) -> list[Record]:
    """The parts for those attachments whose contents are given; the others are text, which
    stands in the message already.

    What the model cannot take is named in its place, so that a conversation can be carried
    on with another model; in the question itself (``asked_now``) it raises
    :class:`ProviderError`.
    """
    made = []
    for attachment in attached:
        if attachment["sha256"] not in files:
            continue
        why_not = _why_not(attachment, target)
        if why_not and asked_now:
            raise ProviderError(
                f"{attachment['name']} was not sent: {why_not}.",
                hint="Send the message without it, or choose another model with /model.",
                kind="refused",
            )
        if why_not:
            made.append({"type": "text", "text": f"[{attachment['name']}: {why_not}]"})
        else:
            made.append(_part(attachment, files[attachment["sha256"]]))
    return made


def _why_not(attachment: Mapping[str, Any], target: Target) -> str:
    """Why the model cannot take it; empty where it can, or where nobody knows."""
    media_type = attachment["media_type"]
    kind = kind_of(media_type)
    if kind == "image":
        return f"{target.goal.model} sees no images" if target.abilities.images is False else ""
    if kind == "PDF":
        takes = target.abilities.pdf
        takes = target.provider in _PASS_FILES_ON if takes is None else takes
        return "" if takes else f"{target.goal.model} takes no PDF files"
    return f"a file of the type {media_type} can be sent to no model"


def _part(attachment: Mapping[str, Any], content: bytes) -> Record:
    data = base64.b64encode(content).decode("ascii")
    url = f"data:{attachment['media_type']};base64,{data}"
    if kind_of(attachment["media_type"]) == "image":
        return {"type": "image_url", "image_url": {"url": url}}
    return {"type": "file", "file": {"filename": attachment["name"], "file_data": url}}

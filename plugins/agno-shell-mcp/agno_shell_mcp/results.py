"""What a tool answers, as text for the model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agno_shell.toolkit.wording import size

if TYPE_CHECKING:
    from mcp_types import CallToolResult, ContentBlock, EmbeddedResource


def text_of(result: CallToolResult) -> str:
    """The text of a result; what is no text is named in a line."""
    parts = _parts(result.content)
    if not parts and result.structured_content is not None:
        parts = [_json(result.structured_content)]
    return "\n".join(parts)


def _parts(content: Sequence[ContentBlock]) -> list[str]:
    return [_part(each) for each in content]


def _part(block: ContentBlock) -> str:
    if block.type == "text":
        return block.text
    if block.type == "image" or block.type == "audio":
        return f"[{block.type}, {block.mime_type}, {_bytes(block.data)}, left out]"
    if block.type == "resource_link":
        return f"[resource {block.name}: {block.uri}]"
    return _resource(block)


def _resource(block: EmbeddedResource) -> str:
    resource = block.resource
    if hasattr(resource, "text"):
        return f"[resource {resource.uri}]\n{resource.text}"
    kind = resource.mime_type or "data"
    return f"[resource {resource.uri}, {kind}, {_bytes(resource.blob)}, left out]"


def _bytes(base64: str) -> str:
    """The size of what a base64 text holds (RFC 4648: four characters are three bytes)."""
    return size(max(0, len(base64) * 3 // 4 - base64[-2:].count("=")))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)

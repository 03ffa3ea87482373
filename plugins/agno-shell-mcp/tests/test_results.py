from __future__ import annotations

import base64

import pytest
from agno_shell_mcp.results import text_of
from mcp_types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)


def encoded(size: int) -> str:
    return base64.b64encode(bytes(size)).decode()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([], ""),
        ([TextContent(text="one"), TextContent(text="two\n")], "one\ntwo\n"),
        (
            [ImageContent(data=encoded(12_345), mime_type="image/png")],
            "[image, image/png, 12.3 kB, left out]",
        ),
        (
            [AudioContent(data=encoded(1), mime_type="audio/wav")],
            "[audio, audio/wav, 1 B, left out]",
        ),
        (
            [ResourceLink(name="notes", uri="file:///notes.txt")],
            "[resource notes: file:///notes.txt]",
        ),
        (
            [EmbeddedResource(resource=TextResourceContents(uri="a://b", text="words"))],
            "[resource a://b]\nwords",
        ),
        (
            [EmbeddedResource(resource=BlobResourceContents(uri="a://b", blob=encoded(2)))],
            "[resource a://b, data, 2 B, left out]",
        ),
    ],
)
def test_each_kind_of_content(content, text):
    assert text_of(CallToolResult(content=content)) == text


def test_structured_content_counts_where_there_is_no_other():
    structured = {"größe": 1}
    assert text_of(CallToolResult(content=[], structured_content=structured)) == '{"größe": 1}'
    text = [TextContent(text="one")]
    assert text_of(CallToolResult(content=text, structured_content=structured)) == "one"

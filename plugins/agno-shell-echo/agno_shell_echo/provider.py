"""The provider: it answers with what it was sent, as Markdown."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Sequence

from agno_shell import Event, Finished, Message, Provider, Request, TextDelta, Usage, UsageReported


class EchoProvider(Provider):
    """Shows the request: the model, its parameters and tools, and every message with its role.

    It takes any name as a model, because the name is part of what it shows.
    """

    name = "echo"

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        text = echo_text(request)
        for line in text.splitlines(keepends=True):
            yield TextDelta(line)
            # Without a pause for the loop no key could be read and nothing could be
            # cancelled while a long answer streams.
            await asyncio.sleep(0)
        counted = await self.count_tokens(request.model, request.messages)
        sent = sum(counted.tokens)
        yield UsageReported(Usage(input_tokens=sent, output_tokens=len(text) // 4, cost=0.0))
        yield Finished()

    async def models(self) -> Sequence[str]:
        return ("echo",)


def echo_text(request: Request) -> str:
    """The request as Markdown."""
    parts = [f"Sent to the model `{request.model}`:"]
    if request.parameters:
        parts.append(as_json(dict(request.parameters)))
    if request.tools:
        parts.append("Tools: " + ", ".join(f"`{tool.name}`" for tool in request.tools))
    if request.reasoning is not None:
        parts.append(f"Reasoning: {request.reasoning}")
    parts += [
        f"{number}. **{message.role}**\n\n{message_text(message)}"
        for number, message in enumerate(request.messages, 1)
    ]
    return "\n\n".join(parts) + "\n"


def message_text(message: Message) -> str:
    """What one message holds: its text, its files, the tools that it calls."""
    parts = [fenced(message.content)] if message.content or not message.tool_calls else []
    parts += [
        f"With {inline(file.name)}, {file.media_type}, {file.size} bytes"
        for file in message.attachments
    ]
    parts += [f"Calls `{call.name}`:\n\n{fenced(call.arguments)}" for call in message.tool_calls]
    return "\n\n".join(parts)


def as_json(value: object) -> str:
    """``value`` as a code block; what JSON does not know, as words."""
    text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True, default=str)
    return fenced(text, "json")


def inline(name: str) -> str:
    """``name`` as code in a line, whatever is in it."""
    return "`" + name.replace("`", "'") + "`"


def fenced(text: str, language: str = "text") -> str:
    """``text`` in a code block, between fences longer than any run of backticks in it."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"

"""The provider for when no model is set up: it answers without a network.

It never pretends to be a model. Its replies are made of the messages of the
session, so that a user sees what would be sent to one.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import TYPE_CHECKING

from agno_shell.contracts import Abilities, Provider, ProviderFactory, ProviderOptions
from agno_shell.hookspecs import hookimpl
from agno_shell.toolkit.wording import count
from agno_shell.types import Message

if TYPE_CHECKING:
    from agno_shell.events import Event, Request

NAME = "offline"

SET_UP = (
    "To talk to a model, set an API key such as `OPENAI_API_KEY` and start again, type "
    "`/model ollama_chat/llama3.2` for a local Ollama, or set `[provider] model` in the "
    "config file."
)

_LIST = re.compile(r"\b(list|what (did|have) (i|we) (say|said)|what i said)\b", re.IGNORECASE)
_REPEAT = re.compile(r"\b(repeat|again)\b", re.IGNORECASE)
_QUOTED_LENGTH = 200
_PIECE = re.compile(r"\S+\s*|\s+")


class OfflineProvider(Provider):
    """Lists, repeats, or says that it is there."""

    name = NAME

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        from agno_shell.events import Finished, TextDelta

        for piece in _pieces(answer(request.messages, len(request.tools))):
            yield TextDelta(piece)
        yield Finished("stop")

    async def models(self) -> Sequence[str]:
        return (NAME,)

    async def abilities(self, model: str) -> Abilities:
        # Files are named, and nothing is called: so neither is refused before it is sent.
        return Abilities(images=True, pdf=True, tools=False, reasoning=False)


def answer(messages: Sequence[Message], tools: int = 0) -> str:
    """The whole reply, as Markdown; ``tools``: how many a model could call."""
    said = [message for message in messages if message.role in ("user", "assistant")]
    question = said[-1].content if said else ""
    earlier = said[:-1]
    if _LIST.search(question):
        reply = _listing(said)
    elif _REPEAT.search(question):
        reply = _repetition(earlier)
    else:
        reply = (
            f"This is the offline provider, not a model. You said: {_quoted(question)} "
            f"I see {count(len(said), 'message')} of this session.{_beside(said, tools)}"
        )
    first = not any(message.role == "assistant" for message in earlier)
    return f"{reply}\n\n{SET_UP}" if first else reply


def _listing(said: Sequence[Message]) -> str:
    lines = [
        f"{number}. **{'you' if message.role == 'user' else 'reply'}**: {_quoted(message.content)}"
        f"{_attached(message)}"
        for number, message in enumerate(said, start=1)
    ]
    return "\n".join(["These are the messages of this session:", "", *lines])


def _attached(message: Message) -> str:
    names = ", ".join(_quoted(attachment.name) for attachment in message.attachments)
    return f", with {names}" if names else ""


def _repetition(earlier: Sequence[Message]) -> str:
    if not earlier:
        return "There is nothing to repeat yet: this is the first message of the session."
    # The user's words are worth repeating; the replies here are only about it.
    mine = [message for message in earlier if message.role == "user"] or earlier
    return f"You said before: {_quoted(mine[-1].content)}"


def _quoted(text: str) -> str:
    """Text as one line between quotation marks, shortened where it is long."""
    line = " ".join(text.split())
    if len(line) > _QUOTED_LENGTH:
        line = line[: _QUOTED_LENGTH - 1] + "…"
    return f"“{line}”"


def _beside(said: Sequence[Message], tools: int) -> str:
    """What a model would get beside the words, where there is anything."""
    attached = sum(len(message.attachments) for message in said)
    counts = [(attached, "attachment"), (tools, "tool")]
    named = [count(number, what) for number, what in counts if number]
    return f" A model would also get {' and '.join(named)}." if named else ""


def _pieces(text: str) -> Iterator[str]:
    """The text word by word, as a model would send it."""
    return (match.group() for match in _PIECE.finditer(text))


def _open(_options: ProviderOptions) -> Provider:
    return OfflineProvider()


@hookimpl
def register_providers() -> Sequence[ProviderFactory]:
    summary = "answers without a network, from the messages of the session"
    return [ProviderFactory(NAME, summary, _open)]

"""How many tokens messages have, without asking anybody.

The models of OpenAI are counted with their own tokenizer, whose tables litellm brings along;
all others with one of these too, and a margin: an estimate.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from agno_shell.builtin.model_services.attachments import kind_of

PER_MESSAGE = 4
"""Tokens of the role and the ends of a message."""
PER_CALL = 8
"""Tokens of what surrounds a call of a tool."""
PER_IMAGE = 1_600
"""Tokens of an image, about the most that the usual services make of one."""
PER_PAGE = 2_000
"""Tokens of a page of a PDF, which is sent as text and as an image."""

_PAGE = 75_000
"""Bytes of a page."""
_MOST_PAGES = 100
_MARGIN = 1.1
_OPENAI = ("openai", "azure", "text-completion-openai")
_OTHERS = "cl100k_base"
_COUNTED_WHOLE = 1_000_000
"""Characters; of a longer text the beginning is counted and the rest estimated."""

_TABLES = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"
"""tiktoken finds a table in its cache by the hash of where it would be downloaded from."""


class Tokenizer(NamedTuple):
    """Counts the tokens of a text."""

    count: Callable[[str], int]
    exact: bool


def count_messages(
    tokenizer: Tokenizer, messages: Sequence[Mapping[str, Any]]
) -> tuple[list[int], bool]:
    """The tokens of each message of :func:`sendable.message_record`, and whether they are
    exact."""
    whole = all(
        len(message["content"]) <= _COUNTED_WHOLE and not _estimated(message)
        for message in messages
    )
    return [_count(tokenizer, message) for message in messages], tokenizer.exact and whole


def _estimated(message: Mapping[str, Any]) -> int:
    return sum(_of_file(attachment) for attachment in message.get("attachments") or ())


def _of_file(attachment: Mapping[str, Any]) -> int:
    kind = kind_of(attachment["media_type"])
    if kind == "image":
        return PER_IMAGE
    pages = min(_MOST_PAGES, math.ceil(attachment["size"] / _PAGE) or 1)
    return PER_PAGE * pages if kind == "PDF" else 0


def _count(tokenizer: Tokenizer, message: Mapping[str, Any]) -> int:
    texts = [message["content"]]
    calls = message.get("tool_calls") or ()
    for call in calls:
        texts += (call["name"], call["arguments"])
    counted = sum(_of_text(tokenizer, text) for text in texts if text)
    return PER_MESSAGE + PER_CALL * len(calls) + counted + _estimated(message)


def _of_text(tokenizer: Tokenizer, text: str) -> int:
    part = text[:_COUNTED_WHOLE]
    counted = tokenizer.count(part)
    return counted if len(part) == len(text) else counted * len(text) // len(part)


# Tokenizers ------------------------------------------------------------------------------


def tokenizer(name: str, entry: Mapping[str, Any]) -> Tokenizer:
    """The tokenizer for a model, by its name and its row in litellm's tables."""
    try:
        own = _own_encoding(name) if entry.get("litellm_provider") in _OPENAI else None
        count = _counter(own or _OTHERS)
    except ImportError:  # it came with a litellm of another version
        own = count = None
    if count is None:
        return Tokenizer(lambda text: math.ceil(_bytes(text) / 4 * _MARGIN), exact=False)
    if own is not None:
        return Tokenizer(count, exact=True)
    return Tokenizer(lambda text: math.ceil(count(text) * _MARGIN), exact=False)


def _own_encoding(name: str) -> str | None:
    import tiktoken

    try:
        encoding = tiktoken.encoding_name_for_model(name)
    except KeyError:
        return None
    return encoding if _is_bundled(encoding) else None


def _counter(encoding: str) -> Callable[[str], int] | None:
    """Counts in an encoding; None where tiktoken would have to download its table."""
    import tiktoken

    if not _is_bundled(encoding):
        return None
    table = tiktoken.get_encoding(encoding)
    return lambda text: len(table.encode(text, disallowed_special=()))


def _is_bundled(encoding: str) -> bool:
    # Importing it tells tiktoken where litellm's copies of the tables are.
    from litellm.litellm_core_utils import default_encoding  # noqa: F401

    address = _TABLES.format("o200k_base" if encoding == "o200k_harmony" else encoding)
    name = hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()
    return os.path.isfile(os.path.join(os.environ.get("TIKTOKEN_CACHE_DIR", ""), name))


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))

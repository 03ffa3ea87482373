"""Calls of tools in the form in which every service takes them.

A history may hold calls of several models: what one service gives, another refuses. Names
are at most 64 of ``[A-Za-z0-9_-]`` (OpenAI, Anthropic), ids at most 40 of these (OpenAI), or
exactly nine letters and digits (Mistral), and no id occurs twice (Anthropic). Arguments are
a JSON object (Anthropic, Google, Ollama).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

Record = dict[str, Any]

_LONGEST_NAME = 64
_VALID_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_MISTRAL_ID = re.compile(r"[A-Za-z0-9]{9}")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class ToolCallIds:
    """Gives the calls of one request ids that are valid, and different from each other.

    The same calls in the same order get the same ids, so that what is sent begins the same
    from turn to turn.
    """

    def __init__(self, *, mistral: bool = False) -> None:
        self._valid = _MISTRAL_ID if mistral else _VALID_ID
        self._given: set[str] = set()

    def new(self, original: str) -> str:
        """An id for a call: its own where that will do."""
        given, attempt = original, 0
        while given in self._given or not self._valid.fullmatch(given):
            given = _digest(f"{original} {attempt}")
            attempt += 1
        self._given.add(given)
        return given


def _digest(text: str) -> str:
    """Nine letters and digits that stand for a text."""
    number = int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8])
    letters = []
    for _ in range(9):
        number, rest = divmod(number, len(_DIGITS))
        letters.append(_DIGITS[rest])
    return "".join(letters)


def tools(schemas: Sequence[Mapping[str, Any]]) -> list[Record]:
    """What a model may call, in OpenAI's form, always in the same order."""
    return [
        {
            "type": "function",
            "function": {
                "name": schema["name"],
                "description": schema["description"],
                "parameters": schema["parameters"] or {"type": "object", "properties": {}},
            },
        }
        for schema in sorted(schemas, key=lambda schema: str(schema["name"]))
    ]


def call(original: Mapping[str, str], given_id: str) -> Record:
    """A call that a model has made, in OpenAI's form."""
    function = {"name": name(original["name"]), "arguments": arguments(original["arguments"])}
    return {"id": given_id, "type": "function", "function": function}


def name(said: str) -> str:
    """The name that a model has called, which may be none that exists."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", said)[:_LONGEST_NAME] or "unnamed"


def arguments(said: str) -> str:
    """The arguments as they came where they are a JSON object, else as text in one."""
    if not said.strip():
        return "{}"
    try:
        if isinstance(json.loads(said), dict):
            return said
    except (ValueError, RecursionError):
        pass
    return json.dumps({"arguments": said})

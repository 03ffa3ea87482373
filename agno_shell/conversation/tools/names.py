"""Names for tools that every provider takes, and no two tools share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256

LONGEST = 64
"""Characters that the strictest providers take."""

_DIGITS = 6

Key = tuple[str, str]
"""The name of a tool box, and that of a tool as its box has it."""


def distinct_names(keys: Iterable[Key]) -> Mapping[Key, str]:
    """A name of ``[A-Za-z0-9_-]{1,64}`` for each tool, in the order of the keys.

    It is the tool's own, as far as it can be; where two have the same one, both are
    called after their boxes, so that neither depends on which of them came first.
    """
    ordered = sorted(set(keys))
    plain = {key: valid_name(key[1]) for key in ordered}
    shared = Counter(plain.values())
    names: dict[Key, str] = {}
    # First those that keep their own name, so that none of them can lose it.
    for key in sorted(ordered, key=lambda key: (shared[plain[key]] > 1, key)):
        box, own = key
        name = plain[key] if shared[plain[key]] == 1 else valid_name(f"{box}_{own}")
        names[key] = name if name not in names.values() else _marked(name, key, names.values())
    return {key: names[key] for key in ordered}


def valid_name(name: str) -> str:
    """``name`` in the characters and the length that every provider takes."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", name) or "tool"
    return plain if len(plain) <= LONGEST else _cut(plain, _digest(name))


def _marked(name: str, key: Key, taken: Collection[str]) -> str:
    """``name`` with a mark that depends on nothing but the tool itself."""
    text = "\0".join(key)
    while (marked := _cut(name, _digest(text))) in taken:
        text += "\0"
    return marked


def _cut(name: str, mark: str) -> str:
    return f"{name[: LONGEST - 1 - len(mark)]}_{mark}"


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]

"""A hint for the name of a model that nobody knows."""

from __future__ import annotations

import difflib
from collections.abc import Collection


def nearest(model: str, known: Collection[str]) -> str:
    """A sentence with the known names that are nearest to ``model``."""
    # Of names with the same prefix that prefix says nothing about how near they are.
    prefix, slash, name = model.rpartition("/")
    same = {
        each.removeprefix(prefix + slash): each for each in known if each.startswith(prefix + slash)
    }
    near = difflib.get_close_matches(name, same, n=3, cutoff=0.6)
    close = [same[each] for each in near] or difflib.get_close_matches(
        name, known, n=3, cutoff=0.75
    )
    if not close:
        return "Choose another one with /model; local ones look like ollama_chat/llama3.2."
    return f"Did you mean {' or '.join(close)}?"

"""File names that complete what is typed."""

from __future__ import annotations

import os

from agno_shell.toolkit.terminal_text import clean_line

LOOKED_AT = 50_000
"""Entries of one folder that are looked at; the rest is not offered."""

OFFERED = 500


def matching(typed: str) -> list[str]:
    """Paths whose last part holds the characters typed of it, in order, those that begin
    with them first; a folder ends in a slash.

    Hidden ones come when a dot is typed, as everywhere, and none that cannot be shown as it
    is. A disk may be slow: call it in a thread.
    """
    folder, slash, beginning = typed.rpartition("/")
    folder += slash
    wanted = beginning.casefold()
    found: list[tuple[bool, str, os.DirEntry[str]]] = []
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as entries:
            for _number, entry in zip(range(LOOKED_AT), entries, strict=False):
                name = entry.name
                if name.startswith(".") and not beginning.startswith("."):
                    continue
                if holds(name.casefold(), wanted) and name == clean_line(name, len(name)):
                    found.append((not name.casefold().startswith(wanted), name, entry))
    except (OSError, ValueError):
        return []  # no such folder, or none that may be read: there is nothing to offer
    if len(found) > OFFERED:
        from heapq import nsmallest

        found = nsmallest(OFFERED, found, key=lambda each: each[:2])
    else:
        found.sort(key=lambda each: each[:2])
    return [folder + name + "/" * _is_folder(entry) for _later, name, entry in found]


def holds(text: str, characters: str) -> bool:
    """Whether the characters stand in the text, in this order."""
    place = 0
    for character in characters:
        place = text.find(character, place) + 1
        if not place:
            return False
    return True


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False

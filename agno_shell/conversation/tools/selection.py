"""Which tools are on."""

from __future__ import annotations

from collections.abc import Collection


def split_name(name: str, boxes: Collection[str]) -> tuple[str, str] | None:
    """``BOX`` or ``BOX.TOOL`` as the names of the box and of the tool, the latter empty for
    the whole box; None where there is no such box. Both may hold dots themselves."""
    if name in boxes:
        return name, ""
    found = [box for box in boxes if name.startswith(f"{box}.") and len(name) > len(box) + 1]
    if not found:
        return None
    box = max(found, key=len)
    return box, name[len(box) + 1 :]


class ToolSelection:
    """What the user has switched on and off: boxes, and single tools by any of their names."""

    def __init__(self) -> None:
        self._boxes: set[str] = set()
        self._on: dict[str, set[str]] = {}
        """Tools of boxes that are not on as a whole."""
        self._off: dict[str, set[str]] = {}
        """Tools of boxes that are."""

    def switch(self, box: str, names: Collection[str] = (), *, on: bool) -> None:
        """Switch a whole box or, by all names that it answers to, one tool of it."""
        if not names:
            (self._boxes.add if on else self._boxes.discard)(box)
            self._on.pop(box, None)
            self._off.pop(box, None)
            return
        exceptions = self._off if box in self._boxes else self._on
        there = exceptions.setdefault(box, set())
        there.difference_update(names)
        if (box in self._boxes) != on:
            there.update(names)

    def has_box(self, box: str) -> bool:
        """Whether anything of a box is on."""
        return box in self._boxes or bool(self._on.get(box))

    def has(self, box: str, names: Collection[str]) -> bool:
        """Whether the tool is on that answers to these names."""
        if box in self._boxes:
            return self._off.get(box, set()).isdisjoint(names)
        return not self._on.get(box, set()).isdisjoint(names)

    def singles(self, box: str) -> Collection[str]:
        """The names by which single tools of a box were switched."""
        return self._on.get(box, set()) | self._off.get(box, set())

"""What is kept of the result of a tool, however large it is."""

from __future__ import annotations

from collections.abc import Awaitable

from agno_shell.toolkit.threads import in_thread
from agno_shell.toolkit.wording import size

LARGE = 1_000_000
"""Characters from which on a result is cut in a thread."""

_PIECE = 1_000_000
"""Characters that are looked at without letting go of the interpreter."""


async def limited_aside(text: str, most: int) -> str:
    """:func:`limited`, in a thread where that takes long."""
    if len(text) < LARGE:
        return limited(text, most)
    cut: Awaitable[str] = in_thread(lambda: limited(text, most))
    return await cut


def limited(text: str, most: int) -> str:
    """``text`` in at most ``most`` bytes of UTF-8, and a remark on what was cut off."""
    if len(text) <= most and len(data := _encoded(text)) <= most:
        return data.decode()
    # No character takes less than a byte.
    head = _encoded(text[:most])[:most].decode("utf-8", "ignore")
    pieces = (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
    left = sum(len(_encoded(piece)) for piece in pieces) - len(head.encode())
    return f"{head}\n[Cut off here: {size(left)} more were left out.]"


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which no request can carry
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()

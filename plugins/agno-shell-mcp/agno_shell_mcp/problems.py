"""Why a server cannot be used, in a few words."""

from __future__ import annotations

import httpx2
from mcp import MCPError


def reason_of(error: BaseException, seconds: float) -> str:
    """The first real cause of an error, which the SDK wraps in groups; without a full stop.
    ``seconds`` is the limit that a ``TimeoutError`` stands for."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TimeoutError):
        return f"it did not answer within {seconds:g} seconds"
    if isinstance(error, httpx2.ConnectTimeout):
        return "its address did not answer"
    if isinstance(error, httpx2.ConnectError):
        return f"its address could not be reached ({error})"
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        return f"{error.strerror}{where}"
    text = str(error).strip().rstrip(".")
    return text if isinstance(error, MCPError) and text else f"{type(error).__name__}: {text}"

"""Closing the connection on which a SOCKS proxy has refused.

httpcore (1.0) closes the ones that it has come to use, and forgets one whose first words were
refused: it would stay open for as long as nobody collects it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agno_shell.builtin.model_services.proxies import Proxy
from agno_shell.types import NOTHING

_SETUP = "socks.setup_socks5_connection."


def extensions(proxy: Proxy | None, *, synchronous: bool = False) -> Mapping[str, Any]:
    """What a request through ``proxy`` carries for httpcore: a listener that closes what is
    left, or nothing."""
    if proxy is None or not proxy.is_socks:
        return NOTHING
    return {"trace": _StreamCloser() if synchronous else _AsyncStreamCloser()}


class _Handshake:
    """Each step of one request, as httpx's extension ``trace`` tells it."""

    def __init__(self) -> None:
        self._stream: Any = None

    def left(self, step: str, details: Mapping[str, Any]) -> Any:
        """The stream that nobody closes, once its first words were refused."""
        if step == f"{_SETUP}started":
            self._stream = details.get("stream")
        return self._stream if step == f"{_SETUP}failed" else None


class _StreamCloser(_Handshake):
    def __call__(self, step: str, details: Mapping[str, Any]) -> None:
        if stream := self.left(step, details):
            stream.close()


class _AsyncStreamCloser(_Handshake):
    async def __call__(self, step: str, details: Mapping[str, Any]) -> None:
        if stream := self.left(step, details):
            await stream.aclose()

"""Asking a server for its models: a few pages, within two seconds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from agno_shell.builtin.direct_provider.client import Client
from agno_shell.builtin.direct_provider.endpoint import Endpoint
from agno_shell.builtin.direct_provider.served import readers
from agno_shell.builtin.direct_provider.served.served_model import MalformedAnswerError, ServedModel
from agno_shell.builtin.model_services.wires.wire import Wire

PATIENCE = 2.0
"""Seconds for all pages of a server together."""

LONGEST = 8 * 1024 * 1024
"""Bytes of one page; that of OpenRouter has one."""

DESCRIBED = 30
"""Models of Ollama that are described one by one."""

_AT_ONCE = 6
_SHORT = 65_536
"""Bytes of JSON that hold up no key while they are read."""

_LM_STUDIO_PORT = 1234


class RefusedError(Exception):
    """A server answered with an error; the text is its status."""


class ModelQuery:
    """One server, asked once."""

    def __init__(self, client: Client, wire: Wire, at: Endpoint) -> None:
        self._client = client
        self._wire = wire
        self._at = at
        self._root = at.url.removesuffix("/v1")

    async def models(self) -> list[ServedModel]:
        """Every model that it lists. Raises :class:`RefusedError`, :class:`MalformedAnswerError`,
        ``TimeoutError``, and everything that the connection does."""
        kinds: Mapping[str, Callable[[], Awaitable[list[ServedModel]]]] = {
            "anthropic": self._anthropic,
            "gemini": self._gemini,
            "ollama": self._ollama,
        }
        async with asyncio.timeout(PATIENCE):
            return await kinds.get(self._at.service.wire, self._openai)()

    async def model(self) -> ServedModel | None:
        """The one model that the endpoint names, asked for as briefly as its server allows."""
        async with asyncio.timeout(PATIENCE):
            if self._at.service.wire == "ollama":
                return await self._ollama_model(self._at.name)
        found = await self.models()
        return next((each for each in found if each.id == self._at.name), None)

    # Kinds of servers -------------------------------------------------------------------

    async def _anthropic(self) -> list[ServedModel]:
        return readers.anthropic(await self._page(f"{self._wire.models_path}?limit=1000"))

    async def _gemini(self) -> list[ServedModel]:
        return readers.gemini(await self._page(f"{self._wire.models_path}?pageSize=1000"))

    async def _openai(self) -> list[ServedModel]:
        body = await self._page(self._wire.models_path)
        found = readers.openai(body)
        if any(each.window for each in found) or (self._at.is_own and self._at.service.needs_key):
            return found
        # One of the servers that say more elsewhere.
        makers = {str(row.get("owned_by")) for row in _objects(body)}
        if "llamacpp" in makers and found:
            more = [await self._beside("/props", lambda body: readers.llama_cpp(body, found[0].id))]
        elif self._is_lm_studio(makers):
            more = await self._beside("/api/v0/models", readers.lm_studio) or []
            return merged(more, found)
        elif self._at.service.prefix == "litellm_proxy":
            more = await self._beside("/model/info", readers.litellm_proxy) or []
        else:
            return found
        return merged(found, [each for each in more if each])

    def _is_lm_studio(self, makers: set[str]) -> bool:
        is_its_port = urlsplit(self._at.url).port == _LM_STUDIO_PORT
        return (
            "organization_owner" in makers or self._at.service.prefix == "lm_studio" or is_its_port
        )

    async def _ollama(self) -> list[ServedModel]:
        tags, loaded = await asyncio.gather(
            self._page(self._wire.models_path),
            self._read_if_there(self._at.page("/api/ps"), readers.ollama_loaded),
        )
        found = merged(readers.ollama_tags(tags), loaded or (), only_known=True)
        return merged(found, await self._described([each.id for each in found[:DESCRIBED]]))

    async def _described(self, models: Sequence[str]) -> list[ServedModel]:
        """What Ollama says of each model, as far as it does in time."""
        slots = asyncio.Semaphore(_AT_ONCE)

        async def described(model: str) -> ServedModel | None:
            async with slots:
                return await self._shown(model)

        tasks = [asyncio.ensure_future(described(model)) for model in models]
        try:
            done = (await asyncio.wait(tasks, timeout=PATIENCE / 2))[0] if tasks else ()
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        return [each for each in ended if isinstance(each, ServedModel)] if done else []

    async def _ollama_model(self, model: str) -> ServedModel | None:
        loaded, shown = await asyncio.gather(
            self._read_if_there(self._at.page("/api/ps"), readers.ollama_loaded),
            self._shown(model),
        )
        named = {model, f"{model}:latest"}
        found = next((each for each in loaded or () if each.id in named), None)
        known = ServedModel(model, found.window if found else None)
        return known.completed(shown) if shown else known

    async def _shown(self, model: str) -> ServedModel | None:
        def read(body: Any) -> ServedModel:
            return readers.ollama_shown(body, model)

        found = await self._read_if_there(self._at.page("/api/show"), read, {"model": model})
        return found if isinstance(found, ServedModel) else None

    # Pages ------------------------------------------------------------------------------

    async def _beside(self, path: str, read: Callable[[Any], Any]) -> Any:
        """A page of the server's own protocol, which stands beside OpenAI's."""
        return await self._read_if_there(self._root + path, read)

    async def _read_if_there(
        self, url: str, read: Callable[[Any], Any], body: Mapping[str, Any] | None = None
    ) -> Any:
        """What is read from a page that not every server has; None where this one has not."""
        try:
            return read(await self._get(url, body))
        except (MalformedAnswerError, RefusedError):
            return None

    async def _page(self, path: str) -> Any:
        return await self._get(self._at.page(path))

    async def _get(self, url: str, body: Mapping[str, Any] | None = None) -> Any:
        headers = {"Accept": "application/json", **self._wire.headers}
        headers |= self._at.key_headers(self._wire.key_headers)
        content = b""
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        method = "GET" if body is None else "POST"
        response = await self._client.send(method, url, content, headers)
        try:
            if response.status_code != 200:
                raise RefusedError(str(response.status_code))
            said = bytearray()
            async for piece in response.aiter_bytes():
                said += piece
                if len(said) > LONGEST:
                    raise MalformedAnswerError(f"more than {LONGEST:,} bytes")
        finally:
            await response.aclose()
        if len(said) < _SHORT:
            return _decoded(bytes(said))
        return await asyncio.to_thread(_decoded, bytes(said))


def _decoded(said: bytes) -> Any:
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        raise MalformedAnswerError("something that is not JSON") from None


def _objects(body: Any) -> Sequence[Mapping[str, Any]]:
    listed = body.get("data") if isinstance(body, Mapping) else body
    return [row for row in listed or () if isinstance(row, Mapping)]


def merged(
    found: Sequence[ServedModel], more: Sequence[ServedModel], *, only_known: bool = False
) -> list[ServedModel]:
    """Models by their names, each with what either list says of it; those of ``more`` alone as
    well, unless they are to be ``only_known`` ones."""
    others = {each.id: each for each in more}
    both = [each.completed(others.pop(each.id)) if each.id in others else each for each in found]
    return both if only_known else [*both, *others.values()]

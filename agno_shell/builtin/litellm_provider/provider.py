"""The litellm provider as the shell sees it: light, with the model process behind it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from agno_shell.builtin.litellm_provider.connection import Connection
from agno_shell.builtin.litellm_provider.process import ModelProcess
from agno_shell.builtin.litellm_provider.protocol import (
    PROVIDER,
    record_event,
    request_record,
)
from agno_shell.builtin.litellm_provider.spawned import spawn
from agno_shell.builtin.model_services import endpoints, trust
from agno_shell.builtin.model_services.limits import Limits
from agno_shell.builtin.model_services.sendable import message_record
from agno_shell.contracts import (
    Abilities,
    Address,
    Background,
    Provider,
    ProviderOptions,
    TokenCounts,
)
from agno_shell.errors import ProviderError
from agno_shell.events import Event, Failed, Finished, Request
from agno_shell.toolkit.log_file import Log
from agno_shell.types import Message

_GRACE = 30.0
"""Seconds that the model process may take beyond its own limit on a reply, and for a question."""

_SILENCE = 5.0
"""Seconds beyond ``first_token`` in which at least a sign of life must come from it: it watches
that limit itself."""


_FORKING = ("linux", "darwin")
"""Where a process can be forked for the next shell, and the client that connects to it is known."""


class LitellmProvider(Provider):
    """Sends requests to the model process, which it starts, and restarts when it died.

    It belongs to the event loop in which it is first used.
    """

    name = PROVIDER

    def __init__(self, options: ProviderOptions) -> None:
        self._options = options
        self._limits = Limits.from_settings(options.limits)
        self._silence = self._limits.first_token + _SILENCE
        self._process: ModelProcess | None = None
        self._starting = asyncio.Lock()
        self._connecting: asyncio.Task[None] | None = None
        self._closed = False
        self._may_be_warm = options.keep_warm > 0 and sys.platform in _FORKING

    @property
    def pid(self) -> int | None:
        """The process id of the model process, while it runs."""
        running = self._process is not None and self._process.alive
        return self._process.pid if self._process is not None and running else None

    async def start(self) -> None:
        """Start the model process and wait until it can answer at once."""
        await (await self._running()).ready(self._silence)

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        try:
            process = await self._running()
        except ProviderError as error:
            yield Failed(error.kind, str(error), error.hint, error.temporary)
            return
        try:
            asked = {"do": "stream", "request": request_record(request)}
            number, answers = process.send(asked, request.files)
        except (TypeError, ValueError, RecursionError) as error:
            from agno_shell.builtin.model_services.failures import as_failed, unsendable

            yield as_failed(unsendable(error))
            return
        over = begun = False
        try:
            await process.ready(self._silence)
            end = time.monotonic() + self._limits.whole_reply + _GRACE
            while not over:
                record = await process.answer(answers, self._silence, end - time.monotonic())
                event = _event(record, begun=begun)
                begun = True
                over = isinstance(event, Finished | Failed)
                yield event
        finally:
            process.forget(number, cancel=not over)

    def address(self, model: str, api_base: str | None = None) -> Address | None:
        return endpoints.in_use(model, api_base or self._options.api_base, os.environ)

    def cautions(self) -> Sequence[str]:
        return [trust.UNCHECKED] if trust.is_unchecked(os.environ) else []

    async def models(self) -> Sequence[str]:
        return tuple(await self._ask("models"))

    async def context_window(self, model: str) -> int | None:
        window = await self._ask("context_window", model=model)
        return None if window is None else int(window)

    async def count_tokens(self, model: str, messages: Sequence[Message]) -> TokenCounts:
        records = [message_record(message) for message in messages]
        for record in records:
            record.pop("private", None)
        answer = await self._ask("count_tokens", model=model, messages=records)
        return TokenCounts([int(count) for count in answer["tokens"]], bool(answer["exact"]))

    async def input_price(self, model: str) -> float | None:
        price = await self._ask("input_price", model=model)
        return None if price is None else float(price)

    async def abilities(self, model: str) -> Abilities:
        return Abilities(**await self._ask("abilities", model=model))

    async def check(self, model: str | None = None) -> list[str]:
        try:
            return [str(sentence) for sentence in await self._ask("check", model=model)]
        except ProviderError as error:
            return [error.sentence()]

    async def background(self) -> Sequence[Background]:
        return await self._at_the_servers("look")

    async def end_background(self) -> Sequence[Background]:
        return await self._at_the_servers("end")

    async def _at_the_servers(self, what: str) -> Sequence[Background]:
        """Look at the servers that keep litellm imported, or end them; also where a setting says
        that there are none: they may have been started before."""
        if sys.platform not in _FORKING:
            return ()
        from agno_shell.builtin.litellm_provider.warm import looking
        from agno_shell.builtin.litellm_provider.warm.problems import NotWarmError

        work = looking.look if what == "look" else looking.end
        try:
            return await asyncio.to_thread(work, self._options.runtime_dir)
        except (NotWarmError, OSError) as error:
            raise ProviderError(f"What is kept warm cannot be looked at: {error}") from error

    async def close(self) -> None:
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
        async with self._starting:
            process, self._process = self._process, None
        if process is not None:
            await process.close()

    async def _ask(self, name: str, **arguments: Any) -> Any:
        """The answer of the model process. Raises :class:`ProviderError`."""
        process = await self._running()
        number, answers = process.send({"do": "call", "name": name, "arguments": arguments})
        answered = False
        try:
            await process.ready(self._silence)
            record = await process.answer(answers, self._silence, _GRACE)
            answered = True
        finally:
            process.forget(number, cancel=not answered)
        if "ended" in record:
            raise ProviderError(
                record["ended"],
                hint=record["hint"],
                kind="provider_died",
                temporary=record["temporary"],
            )
        if "error" in record:
            raise ProviderError(record["error"]["message"], hint=record["error"]["hint"])
        return record["result"]

    async def _running(self) -> ModelProcess:
        """The model process, started if it does not run."""
        async with self._starting:
            if self._process is None or not self._process.alive:
                # A task, so that closing need not wait for it.
                self._connecting = asyncio.create_task(self._connect())
                try:
                    await self._connecting
                except asyncio.CancelledError:
                    if not self._closed:
                        raise
            if self._process is None:
                message = "The model process (litellm) was closed."
                raise ProviderError(message, kind="provider_died")
            return self._process

    async def _connect(self) -> None:
        configuration = {
            "limits": dict(self._options.limits),
            "api_base": self._options.api_base,
            "api_key_env": self._options.api_key_env,
        }
        log = Log(self._options.log)
        try:
            connection = await self._warm(log) or await spawn(log.descriptor)
        finally:
            log.close()
        self._process = ModelProcess(connection, log, configuration)

    async def _warm(self, log: Log) -> Connection | None:
        """A process of the server that keeps litellm imported, where one is wanted; None where it
        cannot be had, and from then on: what went wrong once is not tried with every message."""
        if not self._may_be_warm:
            return None
        from agno_shell.builtin.litellm_provider.warm import client
        from agno_shell.builtin.litellm_provider.warm.problems import NotWarmError

        options = self._options
        wish = client.WarmOptions(options.runtime_dir, options.keep_warm, log, os.environ)
        connection = None
        try:
            connection = await client.connect(wish)
        except (NotWarmError, OSError) as error:
            with contextlib.suppress(OSError):
                os.write(log.descriptor, f"litellm is not kept warm: {error}\n".encode())
        self._may_be_warm = False
        return connection


def _event(record: dict[str, Any], *, begun: bool) -> Event:
    """``begun``: something of the reply has come."""
    if "ended" in record:
        go_on = "/continue goes on from there; " if begun else ""
        # The next try starts a new process.
        hint, temporary = go_on + record["hint"], record["temporary"]
        return Failed("provider_died", record["ended"], hint, temporary=temporary)
    return record_event(record)

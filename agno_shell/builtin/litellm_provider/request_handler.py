"""The model process's work: requests in, one task each, events out."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from agno_shell.builtin.litellm_provider.completion import Completion
from agno_shell.builtin.litellm_provider.event_writer import EventWriter
from agno_shell.builtin.litellm_provider.inbox import Inbox
from agno_shell.builtin.litellm_provider.model_catalog import ModelCatalog
from agno_shell.builtin.litellm_provider.stream_tap import StreamTap
from agno_shell.builtin.model_services.limits import Limits
from agno_shell.builtin.model_services.redact import Redactor, hidden
from agno_shell.builtin.model_services.way import DIRECT, Way
from agno_shell.errors import ProviderError
from agno_shell.events import Failed
from agno_shell.types import NOTHING

Record = Mapping[str, Any]

ALIVE: Record = {"alive": True}
SIGN_SECONDS = 1.0


class RequestHandler:
    """Answers the records of :mod:`protocol`."""

    def __init__(self, descriptor: int, configuration: Record, way: Way = DIRECT) -> None:
        self._limits = Limits.from_settings(configuration["limits"])
        self._redactor = Redactor(hidden(os.environ, configuration["api_key_env"]))
        self.writer = EventWriter(descriptor, self._redactor)
        self._catalog = ModelCatalog(configuration["api_base"], configuration["api_key_env"], way)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._releasing: set[asyncio.Task[None]] = set()

    def take(self, record: Record) -> None:
        """Begin what a record asks for, or cancel what one asked for before."""
        number = record["id"]
        if record["do"] == "cancel":
            if task := self._tasks.get(number):
                task.cancel()
            return
        work = self._stream if record["do"] == "stream" else self._call
        task = asyncio.get_running_loop().create_task(work(record))
        self._tasks[number] = task
        task.add_done_callback(lambda _task: self._tasks.pop(number, None))

    async def answer(self, inbox: Inbox, at_leisure: Callable[[], object] | None = None) -> None:
        """Take what is in the inbox and comes to it, for good; ``at_leisure`` is called in a
        thread behind what is waiting already."""
        living = asyncio.create_task(self.give_signs_of_life())
        inbox.connect(self.take)
        self.writer.record({"ready": True})
        if at_leisure is not None:
            await self.idle()
            await asyncio.to_thread(at_leisure)
        await living

    async def give_signs_of_life(self) -> NoReturn:
        """Tell the shell every second that this loop turns, while there is something to do."""
        while True:
            await asyncio.sleep(SIGN_SECONDS)
            if self._tasks:
                self.writer.record(ALIVE)

    async def idle(self) -> None:
        """Return as soon as no request is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks.values())

    async def _stream(self, record: Record) -> None:
        number = record["id"]
        completion = Completion(
            record["request"],
            self._catalog,
            self._limits,
            lambda event: self.writer.event(number, event),
            record.get("files", NOTHING),
        )
        try:
            rest = await completion.run()
        except Exception as error:
            # A bug of ours costs one reply, not every request that is under way.
            name = type(error).__name__
            self.writer.event(number, Failed("other", f"The provider litellm failed: {name}."))
            raise
        if rest is not None:
            self._release(rest)

    def _release(self, rest: StreamTap) -> None:
        task = asyncio.get_running_loop().create_task(rest.release())
        self._releasing.add(task)
        task.add_done_callback(self._releasing.discard)

    async def _call(self, record: Record) -> None:
        """Answer a question about models; such work may take long, so a thread does it."""
        answer: dict[str, Any] = {"id": record["id"]}
        try:
            question = self._questions[record["name"]]
            answer["result"] = await asyncio.to_thread(question, **record["arguments"])
        except ProviderError as error:
            answer["error"] = {"message": self._redactor.redact(str(error)), "hint": error.hint}
        except Exception as error:
            # Whatever it is, the question is answered; the shell does not wait forever.
            text = f"litellm could not say: {type(error).__name__}: {error}"
            answer["error"] = {"message": self._redactor.redact(text)[:300], "hint": ""}
        self.writer.record(answer)

    @property
    def _questions(self) -> Mapping[str, Callable[..., Any]]:
        catalog = self._catalog
        return {
            "models": catalog.models,
            "context_window": catalog.context_window,
            "input_price": catalog.input_price,
            "count_tokens": catalog.count_tokens,
            "abilities": catalog.abilities,
            "check": catalog.check,
        }

"""A real HTTP/1.1 server that speaks OpenAI's chat protocol, for tests without a network.

Use it as a context manager, plan its answers, look at the requests that it got::

    with ModelServer() as server:
        server.reply("Hello")                     # for the next request only
        ...                                       # ask at server.base_url
        assert server.requests[0].body["messages"][-1]["content"] == "Hi"

Planned answers are used up in order; after them, and without any, the server
echoes the question. By hand: ``python -m agno_shell.testing.model_server``.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agno_shell.testing.model_faults import Faults
from agno_shell.testing.model_replies import (
    Behaviour,
    Exchange,
    RecordedRequest,
    Script,
    contents,
    play,
    read_request,
)
from agno_shell.testing.strict import body_problem

__all__ = ["Exchange", "ModelServer", "RecordedRequest", "Script", "model_server"]

DEMO = """# A short tour

A reply may hold *structure*:

- lists,
- **strong** words and `names`,
- code in the language of its fence.

```python
def greet(name: str) -> str:
    return f"Hello, {name}"
```

That is all.
"""


OTHER_FORMS = ("/responses", "/messages", ":streamGenerateContent", "/api/chat", "/api/generate")
"""Pages of other protocols (OpenAI's newer one, Anthropic's, Google's, Ollama's): what was
planned is answered there too."""


class _Protocol(asyncio.StreamReaderProtocol):
    def eof_received(self) -> bool:
        # A client that closes its side has gone away: close ours too, so that it is noticed.
        super().eof_received()
        return False


@dataclass
class ModelServer(Faults):
    """The server; it listens on 127.0.0.1 from ``start()`` or ``with`` on. The ways in which it
    can fail are in :class:`~agno_shell.testing.model_faults.Faults`."""

    port: int = 0
    """0: any free port; the one in use once it runs."""
    delay: float = 0.0
    """Seconds before each piece of the default answer."""
    tokens: int = 0
    """Above 0: the default answer is so many words long."""
    requests: list[RecordedRequest] = field(default_factory=list)
    """What models were asked."""
    lookups: list[RecordedRequest] = field(default_factory=list)
    """Requests for other pages, such as the list of models."""
    pages: dict[str, Behaviour] = field(default_factory=dict)
    """How other pages are answered, by the end of their path; without one, ``/models`` lists
    ``model_ids``, and no other page is there."""
    disconnects: list[RecordedRequest] = field(default_factory=list)
    """Requests whose client went away before the answer was complete."""
    model_ids: Sequence[str] = ("test-model", "other-model")
    strict: bool = False
    """Refuse a chat completion that the strictest servers refuse, with status 400 and
    before any plan: see :mod:`agno_shell.testing.strict`."""
    refused: list[str] = field(default_factory=list)
    """Why, for each request that was refused."""

    def __post_init__(self) -> None:
        self._planned: deque[Behaviour] = deque()
        self._loop: asyncio.AbstractEventLoop
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="model-server", daemon=True)
        self._listening = threading.Event()
        self._stop = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        self._error: OSError | None = None

    # Life ---------------------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        """What a client takes as ``api_base``."""
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> ModelServer:
        self._loop = asyncio.new_event_loop()
        self._thread.start()
        self._listening.wait()
        if self._error is not None:
            raise self._error
        return self

    def close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def __enter__(self) -> ModelServer:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._listening.set()
            self._loop.close()

    async def _serve(self) -> None:
        def protocol() -> _Protocol:
            return _Protocol(asyncio.StreamReader(limit=1 << 26), self._connected)

        try:
            server = await self._loop.create_server(protocol, "127.0.0.1", self.port)
        except OSError as error:
            self._error = error
            return
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._stop.wait()
        server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        # Connections that are closed now are gone with the next turn of the loop.
        for _turn in range(3):
            await asyncio.sleep(0)

    # What a test waits for ----------------------------------------------------------------

    def wait_for_requests(self, count: int = 1, timeout: float = 10.0) -> bool:
        """Block until so many requests have arrived; False when they did not."""
        return self._wait(lambda: len(self.requests) >= count, timeout)

    def wait_for_disconnect(self, count: int = 1, timeout: float = 10.0) -> bool:
        """Block until so many clients went away early; False when they did not."""
        return self._wait(lambda: len(self.disconnects) >= count, timeout)

    def _wait(self, true: Callable[[], bool], timeout: float) -> bool:
        with self._changed:
            return self._changed.wait_for(true, timeout)

    def forget(self) -> None:
        """Drop what was recorded and what was planned."""
        with self._changed:
            self.requests.clear()
            self.lookups.clear()
            self.pages.clear()
            self.disconnects.clear()
            self.refused.clear()
            self._planned.clear()

    # Planned answers ---------------------------------------------------------------------

    def plan(self, behaviour: Behaviour) -> None:
        """Answer the next request that has no plan yet with ``behaviour``."""
        self._planned.append(behaviour)

    def script(self, script: Script) -> None:
        self.plan(lambda exchange: play(exchange, script))

    def reply(
        self,
        text: str | Iterable[str],
        *,
        delay: float = 0.0,
        usage: Mapping[str, Any] | None = None,
        finish: str = "stop",
        usage_delay: float = 0.0,
    ) -> None:
        """A complete reply: one text, or the pieces in which it is sent."""
        pieces = [text] if isinstance(text, str) else list(text)
        self.script(Script(contents(pieces), finish, usage, delay, usage_delay=usage_delay))

    def reasoning(self, thoughts: Iterable[str], text: str) -> None:
        """Thoughts (``reasoning_content``), then a reply."""
        thinking = [{"reasoning_content": thought} for thought in thoughts]
        self.script(Script([*thinking, *contents([text])]))

    def tool_call(self, name: str, arguments: Iterable[str], call_id: str = "call_1") -> None:
        """A call of a function, its JSON arguments in pieces."""
        first = {"index": 0, "id": call_id, "type": "function"}
        deltas = [{"tool_calls": [first | {"function": {"name": name, "arguments": ""}}]}]
        deltas += [
            {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in arguments
        ]
        self.script(Script(deltas, "tool_calls"))

    # Connections --------------------------------------------------------------------------

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection is served in a task")
        self._connections.add(task)
        # One for the whole connection: cancelling it closes the stream.
        gone = asyncio.ensure_future(writer.wait_closed())
        with contextlib.suppress(asyncio.CancelledError, OSError, EOFError):
            while not writer.is_closing():
                await self._serve_one(await read_request(reader), writer, gone)
        self._connections.discard(task)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        writer.close()

    async def _serve_one(
        self, request: RecordedRequest, writer: asyncio.StreamWriter, gone: asyncio.Future[None]
    ) -> None:
        behaviour = self._behaviour(request)
        with self._changed:
            (self.requests if _asks_a_model(request) else self.lookups).append(request)
            self._changed.notify_all()
        answering = asyncio.ensure_future(behaviour(Exchange(request, writer)))
        try:
            await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done() or isinstance(answering.exception(), ConnectionError):
                with self._changed:
                    self.disconnects.append(request)
                    self._changed.notify_all()
            else:
                answering.result()  # a behaviour that raises is a bug of the test
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)

    def _behaviour(self, request: RecordedRequest) -> Behaviour:
        path = request.path.partition("?")[0]
        if not _asks_a_model(request):
            planned = (page for end, page in self.pages.items() if path.endswith(end))
            return next(planned, None) or self._other_page(path)
        if self._planned and any(page in path for page in OTHER_FORMS):
            return self._planned.popleft()
        if not path.endswith("/chat/completions"):
            return self._other_page(path)
        if self.strict and (problem := body_problem(request.body)):
            self.refused.append(problem)
            error = {"message": problem, "type": "BadRequestError", "param": None, "code": 400}
            return lambda exchange: exchange.respond_json({"error": error}, 400)
        return self._planned.popleft() if self._planned else self._default

    def _other_page(self, path: str) -> Behaviour:
        if path.endswith("/models"):
            listing = [{"id": name, "object": "model"} for name in self.model_ids]
            return lambda exchange: exchange.respond_json({"object": "list", "data": listing})
        return lambda exchange: exchange.respond_json({"error": "No such page."}, 404)

    async def _default(self, exchange: Exchange) -> None:
        messages = exchange.request.body["messages"]
        text = str(messages[-1]["content"])
        if self.tokens:
            pieces = [f"word{number} " for number in range(self.tokens)]
        elif "demo" in text.lower():
            pieces = [word + " " for word in DEMO.split(" ")]
        else:
            pieces = ["You said: ", text, f" ({len(messages)} messages)"]
        await play(exchange, Script(contents(pieces), delay=self.delay))


def _asks_a_model(request: RecordedRequest) -> bool:
    return any(page in request.path for page in ("/chat/completions", *OTHER_FORMS))


@contextlib.contextmanager
def model_server(**settings: Any) -> Iterator[ModelServer]:
    """A running :class:`ModelServer`, for a fixture of one line."""
    with ModelServer(**settings) as server:
        yield server


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server by hand until Ctrl-C."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="python -m agno_shell.testing.model_server",
        description="A model server without a model. It echoes; ask it for a demo.",
    )
    parser.add_argument("--port", type=int, default=0, help="default: any free port")
    parser.add_argument("--delay", type=float, default=0, metavar="MS", help="before each piece")
    parser.add_argument("--tokens", type=int, default=0, help="answer with so many words")
    parser.add_argument(
        "--strict", action="store_true", help="refuse what the strictest servers refuse"
    )
    chosen = parser.parse_args(arguments)
    delay = chosen.delay / 1000
    with ModelServer(chosen.port, delay, chosen.tokens, strict=chosen.strict) as server:
        print(server.base_url, flush=True)  # noqa: T201 - a program that is run by hand
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

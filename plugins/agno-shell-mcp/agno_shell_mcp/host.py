"""The process that talks to the servers, so that whatever they send is read and
parsed where no key waits for it.

It reads requests as JSON lines from its standard input, and answers in such lines::

    {"servers": [...]}                                              first, and no answer
    {"id": 1, "do": "tools"}          {"id": 1, "tools": [...], "problems": [...]}
    {"id": 2, "do": "call", "server": "a", "tool": "x", "arguments": {}}
                                      {"id": 2, "text": "..."} or {"id": 2, "error": "..."}
    {"id": 2, "do": "cancel"}                                       no answer

At the end of its input, which is also that of a shell that was killed, it ends the servers
and itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from agno_shell import AgnoShellError
from agno_shell.toolkit.guarding import let_through, reason_of
from agno_shell_mcp.settings import Server, from_record

LONGEST_REQUEST = 64 * 1024 * 1024

ENDING_SECONDS = 6.0


def main() -> None:
    requests, answers = os.dup(0), os.dup(1)
    # What libraries print is for the log, and nobody reads the requests but this module.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    asyncio.run(_serve(requests, answers))
    os._exit(0)  # a thread that hangs must not keep it


async def _serve(requests: int, answers: int) -> None:
    source = asyncio.StreamReader(limit=LONGEST_REQUEST)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(source), os.fdopen(requests, "rb", buffering=0)
    )
    servers = [from_record(each) for each in json.loads(await source.readline())["servers"]]
    handler = RequestHandler(servers, answers)
    with suppress(ValueError):  # a line that is too long: nothing behind it can be trusted
        while line := await source.readline():
            handler.take(json.loads(line))
    with suppress(TimeoutError):
        async with asyncio.timeout(ENDING_SECONDS):
            await handler.close()


class RequestHandler:
    """Takes requests and answers them, in whatever order they are done."""

    def __init__(self, servers: list[Server], answers: int) -> None:
        from agno_shell_mcp.servers import Servers  # the SDK takes a second

        # The SDK's warnings go to standard error by themselves: nobody has set up logging.
        self._servers = Servers(servers, sys.stderr)
        self._answers = answers
        self._working: dict[int, asyncio.Task[None]] = {}

    def take(self, record: Mapping[str, Any]) -> None:
        number = record["id"]
        if record["do"] == "cancel":
            if task := self._working.get(number):
                task.cancel()
            return
        task = self._working[number] = asyncio.create_task(self._answer(number, record))
        task.add_done_callback(lambda _done: self._working.pop(number, None))

    async def _answer(self, number: int, record: Mapping[str, Any]) -> None:
        try:
            answer = await self._do(record)
        except AgnoShellError as error:
            answer = {"error": error.sentence()}
        except BaseException as error:
            let_through(error)
            answer = {"error": f"It failed: {reason_of(error)}"}
        self._say({"id": number, **answer})

    async def _do(self, record: Mapping[str, Any]) -> dict[str, Any]:
        if record["do"] == "tools":
            tools = await self._servers.tools()
            return {"tools": tools, "problems": self._servers.problems()}
        text = await self._servers.call(record["server"], record["tool"], record["arguments"])
        return {"text": text}

    def _say(self, record: Mapping[str, Any]) -> None:
        left = memoryview(json.dumps(record).encode() + b"\n")
        with suppress(OSError):  # the shell is gone
            while left:
                left = left[os.write(self._answers, left) :]

    async def close(self) -> None:
        for task in list(self._working.values()):
            task.cancel()
        await self._servers.close()


if __name__ == "__main__":
    main()

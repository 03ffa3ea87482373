"""What servers have reported of their models in this run; each is asked once, and only when it is
to be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from agno_shell.builtin.direct_provider.endpoint import Endpoint
from agno_shell.builtin.direct_provider.served.served_model import MalformedAnswerError, ServedModel

if TYPE_CHECKING:
    from agno_shell.builtin.direct_provider.served.model_query import ModelQuery

Key = tuple[str, str]
"""A protocol and an address."""


class Servers:
    """Belongs to the loop in which it is used. ``asking`` makes what asks one server."""

    def __init__(self, asking: Callable[[Endpoint], Awaitable[ModelQuery]]) -> None:
        self._new_asking = asking
        self._models: dict[Key, dict[str, ServedModel]] = {}
        self._listed: set[Key] = set()
        self._of_no_use: set[Key] = set()
        """Those that did not say it, or not in time: no message waits for them again."""
        self._running: dict[Key, asyncio.Task[str]] = {}

    def known(self, at: Endpoint) -> ServedModel | None:
        """What is known of the model of an endpoint."""
        models = self._models.get(_key(at), {})
        return models.get(at.name) or models.get(f"{at.name}:latest")

    def all_known(self, at: Endpoint) -> Sequence[ServedModel]:
        return tuple(self._models.get(_key(at), {}).values())

    async def list(self, at: Endpoint) -> str:
        """Ask a server for its models, unless it has reported them; returns why it did not, in a
        few words. A caller that is cancelled while it waits leaves the request running."""
        if _key(at) in self._listed:
            return ""
        task = self._running.get(_key(at))
        if task is None:
            task = self._running[_key(at)] = asyncio.ensure_future(self._ask(at))
            task.add_done_callback(lambda _done: self._running.pop(_key(at), None))
        return await asyncio.shield(task)

    async def _ask(self, at: Endpoint) -> str:
        from agno_shell.builtin.direct_provider.served.model_query import RefusedError
        from agno_shell.builtin.model_services.way import OnTheWayError

        try:
            models = await (await self._new_asking(at)).models()
        except TimeoutError:
            self._of_no_use.add(_key(at))
            return "did not answer in time"
        except RefusedError as error:
            self._of_no_use.add(_key(at))
            return f"answered {error}"
        except MalformedAnswerError as error:
            self._of_no_use.add(_key(at))
            return f"sent {error}"
        except OnTheWayError as error:
            return f"was not reached ({str(error).rstrip('.')})"
        # httpx raises errors of many kinds, and so do the libraries below it.
        except Exception:
            return "was not reached"
        self._models[_key(at)] = {each.id: each for each in models}
        self._listed.add(_key(at))
        return ""

    async def current(self, at: Endpoint) -> ServedModel | None:
        """What the server says of the model of an endpoint, before something is sent to it. With
        Ollama that is how it is loaded now; others are set up when they are started."""
        if _key(at) in self._of_no_use:
            return self.known(at)
        if at.service.wire == "ollama":
            await self._ask_for_one(at)
        else:
            await self.list(at)
        return self.known(at)

    async def _ask_for_one(self, at: Endpoint) -> None:
        try:
            found = await (await self._new_asking(at)).model()
        except TimeoutError:
            self._of_no_use.add(_key(at))
        except Exception:
            # What is wrong with the server is reported when the message is sent.
            return
        else:
            if found is not None:
                self._models.setdefault(_key(at), {})[at.name] = found

    async def close(self) -> None:
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _key(at: Endpoint) -> Key:
    return at.service.wire, at.url

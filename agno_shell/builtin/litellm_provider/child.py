"""The model process: ``python -m agno_shell.builtin.litellm_provider.child``.

It imports litellm away from the process in which a user types. Requests come on what was
its standard input, events leave on what was its standard output; both are moved away at
once, because litellm prints. It ends when its input does, even in the middle of the import.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sys
import threading
from collections.abc import Iterator

from agno_shell.builtin.litellm_provider import library, missing
from agno_shell.builtin.litellm_provider.inbox import Inbox
from agno_shell.builtin.litellm_provider.printed import protect_secrets
from agno_shell.builtin.litellm_provider.protocol import encode
from agno_shell.builtin.litellm_provider.request_handler import ALIVE, SIGN_SECONDS, RequestHandler
from agno_shell.builtin.model_services.failures import one_line
from agno_shell.builtin.model_services.redact import Redactor, hidden

_DIES_WITH_ITS_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


def main() -> None:
    _end_with_the_shell()
    requests, events = _take_over_pipes()
    redactor = protect_secrets()
    inbox = Inbox(os.fdopen(requests, "rb"))
    inbox.start()
    try:
        way = library.prepare(os.environ)
        with _signs_of_life(events):
            library.load()
            library.take_way(way)
    except BaseException as error:
        os.write(events, encode({"broken": why_not(error)}))
        raise
    configuration = inbox.first()
    redactor.hide(hidden(os.environ, configuration["api_key_env"]))
    asyncio.run(_serve(inbox, RequestHandler(events, configuration, way), events))


def why_not(error: BaseException) -> str:
    """Why litellm could not be imported, in one line without a key."""
    reason = Redactor(hidden(os.environ)).redact(missing.reason(error))
    return one_line(reason, missing.LONGEST)


def _end_with_the_shell() -> None:
    """Let the system end this process with the shell, also while it is stopped and cannot see
    the end of its input. Other systems than Linux have no such thing."""
    if sys.platform == "linux":
        import ctypes
        import signal

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_DIES_WITH_ITS_PARENT, signal.SIGKILL)


@contextlib.contextmanager
def _signs_of_life(events: int) -> Iterator[None]:
    """Tell the shell every second that this process runs: on a slow disk what is imported takes
    long, and the loop does not turn meanwhile."""
    over = threading.Event()

    def tell() -> None:
        with contextlib.suppress(BrokenPipeError):
            while not over.wait(SIGN_SECONDS):
                os.write(events, encode(ALIVE))

    thread = threading.Thread(target=tell, name="signs of life", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()  # what is written behind this comes from the loop alone


def _take_over_pipes() -> tuple[int, int]:
    """Descriptors of their own for the protocol; what is printed goes where stderr goes."""
    requests, events = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, events


async def _serve(inbox: Inbox, service: RequestHandler, events: int) -> None:
    # Before the first request even if that is waiting already: it would import the same,
    # but at the expense of its limits.
    with _signs_of_life(events):
        await library.warm_up()
    library.keep_refusals()
    library.freeze()
    gc.enable()
    await service.answer(inbox, library.warm_up_tokenizer)


if __name__ == "__main__":
    main()

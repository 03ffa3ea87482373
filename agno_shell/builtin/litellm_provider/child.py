"""The model process: ``python -m agno_shell.builtin.litellm_provider.child``.

It imports litellm, which takes seconds and some 170 MB, away from the process in which
a person types. Requests come on what was its standard input, events leave on what was
its standard output; both are moved away at once, because litellm prints. It ends when
its input does, even in the middle of the import.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import os
import sys
import threading
from collections.abc import Callable, Iterator, MutableMapping
from queue import SimpleQueue
from typing import NoReturn, TextIO, cast

from agno_shell.builtin.litellm_provider import http_guard, missing
from agno_shell.builtin.litellm_provider.protocol import Record, decode, encode, read_files
from agno_shell.builtin.litellm_provider.service import ALIVE, SIGN_SECONDS, Service
from agno_shell.builtin.model_services.failures import one_line
from agno_shell.builtin.model_services.redact import RedactingWriter, Redactor, hidden
from agno_shell.builtin.model_services.way import Way

_ENVIRONMENT = {
    # Without these, importing litellm reads a .env found above the working directory,
    # downloads a price list, and downloads a list of headers.
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    # What its native part sends would not pass the gate below the HTTP clients.
    "LITELLM_RUST": "False",
}


_LOOPBACK = ("localhost", "127.0.0.1", "::1")


_DIES_WITH_ITS_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


def main() -> None:
    _end_with_the_shell()
    requests, events = _take_over_pipes()
    redactor = _protect_secrets()
    inbox = Inbox(requests)
    inbox.start()
    try:
        way = Way.take(os.environ)
        with _signs_of_life(events):
            _import_litellm(way)
    except BaseException as error:
        reason = missing.reason(error)
        reason = one_line(Redactor(hidden(os.environ)).redact(reason), missing.LONGEST)
        os.write(events, encode({"broken": reason}))
        raise
    configuration = inbox.first()
    redactor.hide(hidden(os.environ, configuration["api_key_env"]))
    asyncio.run(_serve(inbox, Service(events, configuration, way), events))


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


def _protect_secrets() -> Redactor:
    """No key in the log, by what is returned, and none in a core dump."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    redactor = Redactor(hidden(os.environ))
    log = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), "utf-8", "backslashreplace")
    # Loggers keep the stream that they find at import, so this comes before it.
    sys.stdout = sys.stderr = cast("TextIO", RedactingWriter(cast("io.TextIOBase", log), redactor))
    return redactor


class Inbox:
    """Reads records in a thread, so that the end of input is noticed at any time."""

    def __init__(self, descriptor: int) -> None:
        self._stream = os.fdopen(descriptor, "rb")
        self._early: SimpleQueue[Record] = SimpleQueue()
        self._lock = threading.Lock()
        self._deliver: Callable[[Record], object] = self._early.put

    def start(self) -> None:
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(EOFError):
            while line := self._stream.readline():
                record = decode(line)
                if "files" in record:
                    record["files"] = read_files(record["files"], self._stream)
                with self._lock:
                    self._deliver(record)
        # Not sys.exit: taking litellm down in good order costs a second.
        os._exit(0)

    def first(self) -> Record:
        """The record that comes first; blocks until it is there."""
        return self._early.get()

    def connect(self, take: Callable[[Record], object]) -> None:
        """Hand over what came so far, and from now on everything, in the loop's thread."""
        loop = asyncio.get_running_loop()
        with self._lock:
            while not self._early.empty():
                take(self._early.get())
            self._deliver = lambda record: loop.call_soon_threadsafe(take, record)


def keep_from_proxies(environ: MutableMapping[str, str]) -> None:
    """Let no proxy see what is said to this machine: it would get keys in the clear, and
    could not reach the server anyway."""
    listed = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    hosts = [host for host in listed.split(",") if host.strip()]
    # Clients look at one or the other first.
    environ["no_proxy"] = environ["NO_PROXY"] = ",".join([*hosts, *_LOOPBACK])


def _import_litellm(way: Way) -> None:
    """Import it as fast as it goes, and switch off what acts on its own."""
    os.environ.update(_ENVIRONMENT)
    keep_from_proxies(os.environ)
    # An empty key counts as a key for litellm, which then sends it.
    for name in [name for name in os.environ if name.endswith("_API_KEY")]:
        os.environ[name] = os.environ[name].strip()
        if not os.environ[name]:
            del os.environ[name]
    gc.disable()
    import litellm

    litellm.suppress_debug_info = True
    litellm.disable_hf_tokenizer_download = True
    litellm.drop_params = True
    litellm.telemetry = False
    litellm.num_retries = None
    # A table of equal rows is no endless loop; the limits on time and size end those.
    litellm.REPEATED_STREAMING_CHUNK_LIMIT = sys.maxsize
    # The client that litellm uses by itself knows no SOCKS; httpx does.
    litellm.disable_aiohttp_transport = way.proxies.have_socks
    http_guard.install()


async def _serve(inbox: Inbox, service: Service, events: int) -> None:
    # Before the first request even if that is waiting already: it would import the same,
    # but at the expense of its limits.
    with _signs_of_life(events):
        await _warm_up()
    living = asyncio.create_task(service.give_signs_of_life())
    _keep_refusals()
    # Without collecting first: that takes a third of a second and finds nothing.
    gc.freeze()
    gc.enable()
    inbox.connect(service.take)
    service.outbox.record({"ready": True})
    # Behind a request that is waiting already: one question alone counts no tokens.
    await service.idle()
    await asyncio.to_thread(_warm_up_tokenizer)
    await living


async def _warm_up() -> None:
    """Import what the first request would; nothing is sent."""
    with contextlib.suppress(Exception):
        import litellm
        import openai.resources.chat.completions  # noqa: F401
        from openai.types.chat import ChatCompletionChunk

        stream = await litellm.acompletion(
            model="openai/warm-up",
            api_key="no-key",
            messages=[{"role": "user", "content": "Hello"}],
            mock_response="Hello",
            stream=True,
        )
        async for _chunk in stream:
            pass
        choice = {"index": 0, "delta": {"content": "Hello"}}
        chunk = {"id": "", "created": 0, "model": "", "object": "chat.completion.chunk"}
        ChatCompletionChunk.model_validate({**chunk, "choices": [choice]})


_GUESSES = "drop_params_from_unprocessable_entity_error"


def _keep_refusals() -> None:
    """Let a server's refusal (422) of a parameter reach us. litellm would guess from it which
    parameters to leave out, ask again, and answer with nothing when that is refused too."""
    with contextlib.suppress(ImportError):
        import litellm.llms.openai.common_utils
        import litellm.llms.openai.openai  # noqa: F401 - it has the function as a name of its own
    for name, module in list(sys.modules.items()):
        if name.startswith("litellm.") and _GUESSES in vars(module):
            setattr(module, _GUESSES, refuse)


def refuse(*arguments: object, **named: object) -> NoReturn:
    """What litellm calls with an error, and with more that differs between its versions."""
    raise next(each for each in (*arguments, *named.values()) if isinstance(each, Exception))


def _warm_up_tokenizer() -> None:
    with contextlib.suppress(Exception):
        import litellm

        litellm.token_counter(model="gpt-4o", text="Hello")


if __name__ == "__main__":
    main()

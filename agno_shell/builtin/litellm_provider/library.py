"""litellm, imported and tamed: what is set before its import, switched off behind it, and made
ready for the first request.

The import takes seconds and some 170 MB, so it is done in processes in which nobody types.
"""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import MutableMapping
from typing import NoReturn

from agno_shell.builtin.litellm_provider import http_guard
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

_GUESSES = "drop_params_from_unprocessable_entity_error"

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def prepare(environ: MutableMapping[str, str]) -> Way:
    """Make an environment one in which litellm may be imported, and used; the way to the
    servers, which it is not to read by itself."""
    way = Way.take(environ)
    environ.update(_ENVIRONMENT)
    keep_from_proxies(environ)
    # An empty key counts as a key for litellm, which then sends it.
    for name in [name for name in environ if name.endswith("_API_KEY")]:
        environ[name] = environ[name].strip()
        if not environ[name]:
            del environ[name]
    return way


def keep_from_proxies(environ: MutableMapping[str, str]) -> None:
    """Let no proxy see what is sent to this machine: it would get keys in the clear, and
    could not reach the server anyway."""
    listed = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    hosts = [host for host in listed.split(",") if host.strip()]
    # Clients look at one or the other first.
    environ["no_proxy"] = environ["NO_PROXY"] = ",".join([*hosts, *_LOOPBACK])


def load() -> None:
    """Import it as fast as it goes, and switch off what acts on its own; the environment is
    :func:`prepare`\\ d."""
    gc.disable()
    import litellm

    litellm.suppress_debug_info = True
    litellm.disable_hf_tokenizer_download = True
    litellm.drop_params = True
    litellm.telemetry = False
    litellm.num_retries = None
    # A table of equal rows is no endless loop; the limits on time and size end those.
    litellm.REPEATED_STREAMING_CHUNK_LIMIT = sys.maxsize
    http_guard.install()


def take_way(way: Way) -> None:
    """Let it go the way of this process's environment."""
    import litellm

    # The client that litellm uses by itself knows no SOCKS; httpx does.
    litellm.disable_aiohttp_transport = way.proxies.have_socks


async def warm_up() -> None:
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


def keep_refusals() -> None:
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


def warm_up_tokenizer() -> None:
    """Load the tables with which tokens are counted."""
    with contextlib.suppress(Exception):
        import litellm

        litellm.token_counter(model="gpt-4o", text="Hello")


def stay_forkable() -> None:
    """Let litellm's native part refuse what would start threads in this process; the processes
    that are forked from it may use it."""
    with contextlib.suppress(Exception):  # older ones have no such part
        from litellm.rust_bridge import fork_guard

        fork_guard.reserve_process_for_forking("the warm server of agno-shell")


def freeze() -> None:
    """Let no later look for garbage go through what there is, which would also copy every page
    of it into each process that is forked."""
    # Without collecting first: that takes a third of a second and finds nothing.
    gc.freeze()

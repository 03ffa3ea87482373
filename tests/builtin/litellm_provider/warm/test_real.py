"""With the real litellm: what only it can get wrong when it is forked."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.builtin.litellm_provider.warm import looking
from agno_shell.contracts import ProviderOptions
from agno_shell.events import Event, Finished, Request, TextDelta
from agno_shell.testing.model_server import ModelServer
from agno_shell.types import Message, new_id, now
from tests.builtin.litellm_provider.warm.seeing import is_warm, until


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


@pytest.fixture(scope="module")
def shared() -> Iterator[Path]:
    """Where the server is that these tests share: its import takes seconds."""
    folder = Path(tempfile.mkdtemp(prefix="aw"))
    yield folder / "run"
    looking.end(str(folder / "run"))
    shutil.rmtree(folder)


@pytest.fixture
async def shells(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[list[LitellmProvider]]:
    """Three of them, with one server."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    options = ProviderOptions(keep_warm=600.0, runtime_dir=str(shared), log=str(tmp_path / "log"))
    several = [LitellmProvider(options) for _ in range(3)]
    await asyncio.gather(*(each.start() for each in several))
    assert all(map(is_warm, several)), (tmp_path / "log").read_text()
    yield several
    for each in several:
        await each.close()


async def reply(provider: LitellmProvider, server: ModelServer, model: str) -> list[Event]:
    said = Message(new_id(), "user", "Hello", now())
    request = Request(model, (said,), api_base=server.base_url)
    async with asyncio.timeout(60):
        return [event async for event in provider.stream(request)]


async def test_each_shell_is_answered_also_after_others_were(
    shells: list[LitellmProvider], server: ModelServer, shared: Path
) -> None:
    for provider in (*shells, *shells):
        server.reply("Here I am.")
        events = await reply(provider, server, "openai/test-model")
        assert "".join(each.text for each in events if isinstance(each, TextDelta)) == "Here I am."
        assert isinstance(events[-1], Finished)
    (running,) = looking.look(str(shared))
    assert running.about.startswith("litellm 1.")
    assert running.serving == 3
    if sys.platform == "linux":
        assert os.listdir(f"/proc/{running.pid}/task") == [str(running.pid)], "one thread"


async def test_tokens_and_tables_are_there(shells: list[LitellmProvider]) -> None:
    counted = await shells[0].count_tokens(
        "gpt-4o", [Message(new_id(), "user", "Hello, world", now())]
    )
    assert counted.exact, "its tables come with litellm, which says in a variable where they are"
    assert counted.tokens[0] > 0
    assert await shells[1].context_window("gpt-4o") == 128_000


async def test_a_proxy_and_a_key_of_the_shell_are_no_obstacle(
    shells: list[LitellmProvider], server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://someone:fake-password@127.0.0.1:1")
    monkeypatch.setenv("MISTRAL_API_KEY", "fake-key-0000-canary")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-fake-0000-canary")
    provider = LitellmProvider(shells[0]._options)
    try:
        assert await provider.check("mistral/mistral-small-latest") == []
        server.reply("Here I am.")
        assert isinstance((await reply(provider, server, "openai/x"))[-1], Finished)
        assert is_warm(provider)
    finally:
        await provider.close()


TWO_FORKS = """
import asyncio, os
from agno_shell.builtin.litellm_provider import library

library.prepare(os.environ)
library.load()
library.stay_forkable()
asyncio.run(library.warm_up())
from litellm._uuid import uuid

print(uuid.uuid4(), flush=True)
for _ in range(2):
    if not os.fork():
        print(uuid.uuid4(), flush=True)
        os._exit(0)
    os.wait()
"""


def test_forked_processes_make_different_ids() -> None:
    """Calls of tools get such ids: two alike in one session would be taken for each other."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    made = subprocess.run(
        [sys.executable, "-P", "-c", TWO_FORKS],
        env=environ,
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert len(set(made)) == 3


async def test_a_shell_in_the_middle_of_starting_leaves_the_server_to_others(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    options = ProviderOptions(keep_warm=60.0, runtime_dir=str(runtime))
    leaving, staying = LitellmProvider(options), LitellmProvider(options)
    starting = asyncio.create_task(leaving.start())
    await until(lambda: list(runtime.glob("*.sock")))
    await leaving.close()
    await asyncio.gather(starting, return_exceptions=True)
    await staying.start()
    try:
        assert is_warm(staying)
        assert await staying.context_window("gpt-4o") == 128_000
    finally:
        await staying.close()

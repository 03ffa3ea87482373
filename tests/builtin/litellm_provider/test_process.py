"""The model process: how it starts, how it ends, and what is said when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.litellm_provider.library import keep_from_proxies
from agno_shell.builtin.litellm_provider.process import ModelProcess
from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.contracts import ProviderOptions
from agno_shell.errors import ProviderError
from agno_shell.events import Event, Failed, Finished, Request, TextDelta

Ask = Callable[..., Awaitable[list[Event]]]
MakeRequest = Callable[..., Request]

# A shell that starts the process, says its id, and then does nothing more.
SHELL = """
import asyncio
from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.contracts import ProviderOptions

async def main():
    provider = LitellmProvider(ProviderOptions())
    starting = asyncio.create_task(provider.start())
    while provider.pid is None:
        await asyncio.sleep(0.001)
    print(provider.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def gone(is_running: Callable[[int], bool], pid: int) -> bool:
    """Whether a process ends within ten seconds."""
    for _ in range(1000):
        if not is_running(pid):
            return True
        await asyncio.sleep(0.01)
    return False


@pytest.fixture
def without_litellm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place before all others in which ``import litellm`` fails."""
    (tmp_path / "litellm.py").write_text("raise ImportError('broken: sk-fake-0000-secret')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


async def test_a_failed_import_is_one_sentence_with_the_log(
    without_litellm: Path, make_request: MakeRequest
) -> None:
    log = without_litellm / "log"
    provider = LitellmProvider(ProviderOptions(log=str(log)))
    await provider.start()
    (failed,) = [event async for event in provider.stream(make_request("Hello"))]
    await provider.close()
    assert isinstance(failed, Failed)
    assert failed.kind == "provider_died"
    assert "could not start: litellm could not be imported: ImportError: broken" in failed.message
    assert not failed.temporary
    assert failed.hint == f"The log is {log}."
    assert "ImportError" in log.read_text(), "the traceback is there"
    assert "sk-fake" not in failed.message + log.read_text()


async def test_what_litellm_does_by_itself_is_switched_off_before_its_import(
    without_litellm: Path, make_request: MakeRequest
) -> None:
    names = "LITELLM_MODE", "LITELLM_LOCAL_MODEL_COST_MAP", "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS"
    code = f"import os; raise ImportError([os.environ.get(name) for name in {names}])\n"
    (without_litellm / "litellm.py").write_text(code)
    provider = LitellmProvider(ProviderOptions())
    (failed,) = [event async for event in provider.stream(make_request("Hello"))]
    await provider.close()
    assert isinstance(failed, Failed)
    assert "['PRODUCTION', 'True', 'True']" in failed.message


async def test_questions_are_answered_with_an_error_when_it_cannot_start(
    without_litellm: Path,
) -> None:
    provider = LitellmProvider(ProviderOptions())
    with pytest.raises(ProviderError, match="could not start"):
        await provider.models()
    (problem,) = await provider.check()
    assert "could not start" in problem
    await provider.close()


async def test_an_interpreter_that_is_not_there_is_one_sentence(
    make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    provider = LitellmProvider(ProviderOptions())
    (failed,) = [event async for event in provider.stream(make_request("Hello"))]
    await provider.close()
    assert isinstance(failed, Failed)
    assert failed.kind == "provider_died"
    assert "could not be started" in failed.message


async def test_closing_ends_the_process_even_while_it_imports(
    is_running: Callable[[int], bool], make_request: MakeRequest
) -> None:
    provider = LitellmProvider(ProviderOptions())
    asking = asyncio.create_task(anext(provider.stream(make_request("Hello"))))
    while provider.pid is None:
        await asyncio.sleep(0)
    pid = provider.pid
    await provider.close()
    await provider.close()
    assert not is_running(pid)
    failed = await asking
    assert isinstance(failed, Failed)
    assert failed.message == "The model process (litellm) was closed."


@pytest.mark.skipif(sys.platform == "win32", reason="stops a process")
async def test_closing_kills_a_process_that_does_not_move(
    is_running: Callable[[int], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    from agno_shell.builtin.litellm_provider import process

    monkeypatch.setattr(process, "_PATIENCE", 0.05)
    provider = LitellmProvider(ProviderOptions())
    starting = asyncio.create_task(provider.start())
    while provider.pid is None:
        await asyncio.sleep(0)
    pid = provider.pid
    os.kill(pid, signal.SIGSTOP)
    await provider.close()
    await starting
    assert not is_running(pid)


@pytest.mark.parametrize(
    "stopped",
    [
        False,
        pytest.param(
            True,
            marks=pytest.mark.skipif(
                sys.platform != "linux", reason="only Linux ends a stopped process with another"
            ),
        ),
    ],
)
async def test_it_ends_when_its_shell_is_killed(
    stopped: bool,
    is_running: Callable[[int], bool],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # An import that does not come to its end, so that nothing else can end the process.
    begun = tmp_path / "begun"
    code = f"import pathlib, time; pathlib.Path({str(begun)!r}).touch(); time.sleep(600)\n"
    (tmp_path / "litellm.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    shell = subprocess.Popen([sys.executable, "-c", SHELL], stdout=subprocess.PIPE, text=True)
    assert shell.stdout is not None
    with shell.stdout:
        pid = int(await asyncio.to_thread(shell.stdout.readline))
    assert is_running(pid)
    if stopped:
        async with asyncio.timeout(60):
            while not begun.exists():
                await asyncio.sleep(0.01)
        os.kill(pid, signal.SIGSTOP)
    shell.kill()
    shell.wait()
    try:
        assert await gone(is_running, pid)
    finally:
        if is_running(pid):
            os.kill(pid, signal.SIGKILL)


async def test_it_is_in_a_process_session_of_its_own() -> None:
    provider = LitellmProvider(ProviderOptions())
    starting = asyncio.create_task(provider.start())
    while provider.pid is None:
        await asyncio.sleep(0)
    try:
        assert os.getsid(provider.pid) == provider.pid
    finally:
        await provider.close()
        await starting


def test_the_shells_side_imports_nothing_heavy() -> None:
    code = (
        "import sys; import agno_shell.builtin.litellm_provider.plugin as plugin\n"
        "light = set(sys.modules)\n"
        "import agno_shell.builtin.litellm_provider.provider\n"
        "heavy = {'litellm', 'openai', 'httpx', 'aiohttp', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)), sorted({'asyncio'} & light))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[] []"


async def test_what_the_shell_asks_before_a_model_is_needed_starts_nothing() -> None:
    provider = LitellmProvider(ProviderOptions())
    assert provider.address("cohere/command-r", "http://127.0.0.1:1/v1") is not None
    assert list(provider.cautions()) == []
    assert provider.pid is None
    await provider.close()
    assert provider.pid is None


@pytest.mark.skipif(sys.platform == "win32", reason="stops a process")
async def test_a_process_that_does_not_answer_is_ended_and_named(
    is_running: Callable[[int], bool], make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agno_shell.builtin.litellm_provider import process

    monkeypatch.setattr(process, "STARTING", 0.05)
    provider = LitellmProvider(ProviderOptions())
    asking = asyncio.create_task(anext(provider.stream(make_request("Hello"))))
    while provider.pid is None:
        await asyncio.sleep(0)
    pid = provider.pid
    os.kill(pid, signal.SIGSTOP)
    failed = await asking
    await provider.close()
    assert isinstance(failed, Failed)
    assert failed.kind == "provider_died"
    assert failed.message == "The model process (litellm) did not answer and was ended."
    assert not is_running(pid)


async def test_an_answer_that_does_not_come_in_time_ends_the_process(
    without_litellm: Path, monkeypatch: pytest.MonkeyPatch, make_request: MakeRequest
) -> None:
    from agno_shell.builtin.litellm_provider import provider as module

    (without_litellm / "litellm.py").write_text("import time; time.sleep(600)\n")
    monkeypatch.setattr(module, "_GRACE", 0.05)
    monkeypatch.setattr(ModelProcess, "ready", lambda self, _silence: asyncio.sleep(0))
    provider = LitellmProvider(ProviderOptions(limits={"whole_reply": 0.05}))
    (failed,) = [event async for event in provider.stream(make_request("Hello"))]
    assert isinstance(failed, Failed)
    assert "did not answer" in failed.message
    with pytest.raises(ProviderError, match="did not answer"):
        await provider.models()
    await provider.close()


MODEL_PROCESS = """
import json, sys, threading, time

def say(**record):
    print(json.dumps(record), flush=True)

say(ready=True)
sys.stdin.readline()
number = json.loads(sys.stdin.readline())["id"]
say(id=number, text="Half ")
{then}
sys.stdin.read()
"""
"""A stand-in that imports nothing: what it does behind the first words is filled in."""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    from agno_shell.builtin.litellm_provider import spawned

    def make(then: str) -> None:
        (tmp_path / "stand_in.py").write_text(MODEL_PROCESS.replace("{then}", then))
        monkeypatch.setattr(spawned, "_MODULE", "stand_in")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return make


ANSWERS = "say(id=number, finished={'reason': 'stop', 'provider_data': {}})"

ANSWERS_ONCE_IT_MAY = f"""
import pathlib
if not pathlib.Path(__file__).with_name("it may").exists():
    sys.stdin.read()
{ANSWERS}
"""


async def test_a_killed_process_is_named_and_the_next_request_starts_another(
    stand_in: Callable[[str], None], make_request: MakeRequest, tmp_path: Path
) -> None:
    stand_in(ANSWERS_ONCE_IT_MAY)
    provider = LitellmProvider(ProviderOptions())
    events = provider.stream(make_request("Hello"))
    assert await anext(events) == TextDelta("Half ")
    first = provider.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    failed = await anext(events)
    assert isinstance(failed, Failed)
    assert failed.kind == "provider_died"
    assert failed.message == "The model process (litellm) ended unexpectedly (signal 9)."
    assert failed.temporary, "a new process may well do better"
    assert failed.hint.startswith(
        "/continue goes on from there; /retry asks again, and restarts it."
    )
    assert provider.pid is None

    # Asked before it is ready, it answers as soon as it is.
    (tmp_path / "it may").touch()
    events = provider.stream(make_request("Hello"))
    assert await anext(events) == TextDelta("Half ")
    assert isinstance(await anext(events), Finished)
    assert provider.pid not in (None, first)
    await provider.close()


@pytest.mark.skipif(sys.platform == "win32", reason="stops a process")
async def test_one_that_is_stopped_in_the_middle_of_a_reply_is_ended_when_first_token_has_passed(
    stand_in: Callable[[str], None],
    is_running: Callable[[int], bool],
    make_request: MakeRequest,
) -> None:
    stand_in("")
    provider = LitellmProvider(ProviderOptions())
    events = provider.stream(make_request("Hello"))
    assert await anext(events) == TextDelta("Half ")
    pid = provider.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    provider._silence = 0.1  # not before, when it was starting
    async with asyncio.timeout(20):
        failed = await anext(events)
    assert isinstance(failed, Failed)
    assert failed.message == "The model process (litellm) did not answer and was ended."
    assert failed.hint.startswith("/continue goes on from there")
    assert not is_running(pid)
    await provider.close()


async def test_one_that_gives_signs_of_life_may_take_its_time(
    stand_in: Callable[[str], None], make_request: MakeRequest
) -> None:
    stand_in(f"for _ in range(24):\n    time.sleep(0.05)\n    say(alive=True)\n{ANSWERS}")
    provider = LitellmProvider(ProviderOptions())
    events = provider.stream(make_request("Hello"))
    assert await anext(events) == TextDelta("Half ")
    provider._silence = 0.9  # less than it takes to answer
    assert isinstance(await anext(events), Finished)
    await provider.close()


async def test_the_model_process_gives_them_while_it_works(tmp_path: Path) -> None:
    """Both those of the import and those of a request in work."""
    from agno_shell.builtin.litellm_provider import child, request_handler

    reading, writing = os.pipe()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(child, "SIGN_SECONDS", 0.01)
            patch.setattr(request_handler, "SIGN_SECONDS", 0.01)
            with child._signs_of_life(writing):
                assert await asyncio.to_thread(os.read, reading, 15) == b'{"alive":true}\n'
            os.set_blocking(reading, False)
            with contextlib.suppress(BlockingIOError):
                while os.read(reading, 65536):
                    pass
            configuration: dict[str, Any] = {"limits": {}, "api_base": None, "api_key_env": None}
            working = request_handler.RequestHandler(writing, configuration)
            living = asyncio.create_task(working.give_signs_of_life())
            await asyncio.sleep(0.05)
            with pytest.raises(BlockingIOError):
                os.read(reading, 1)
            working._tasks[1] = asyncio.create_task(asyncio.sleep(60))
            os.set_blocking(reading, True)
            assert await asyncio.to_thread(os.read, reading, 15) == b'{"alive":true}\n'
            living.cancel()
            working._tasks[1].cancel()
    finally:
        os.close(reading)
        os.close(writing)


async def test_the_folders_of_the_log_are_made_for_this_person_alone(
    without_litellm: Path, make_request: MakeRequest
) -> None:
    log = without_litellm / "state" / "log" / "litellm.log"
    provider = LitellmProvider(ProviderOptions(log=str(log)))
    (failed,) = [event async for event in provider.stream(make_request("Hello"))]
    await provider.close()
    assert isinstance(failed, Failed)
    assert failed.hint == f"The log is {log}."
    modes = [path.stat().st_mode & 0o777 for path in (log.parents[1], log.parent, log)]
    assert modes == [0o700, 0o700, 0o600]


@pytest.mark.parametrize("kind", ["no folder", "fifo"])
async def test_a_log_that_cannot_be_written_is_neither_waited_for_nor_named(
    kind: str, without_litellm: Path, make_request: MakeRequest
) -> None:
    log = without_litellm / "file" / "log"
    log.parent.write_text("in the way")
    if kind == "fifo":
        log = without_litellm / "fifo"
        os.mkfifo(log)
    provider = LitellmProvider(ProviderOptions(log=str(log)))
    (failed,) = [event async for event in provider.stream(make_request("Hello"))]
    await provider.close()
    assert isinstance(failed, Failed)
    assert "could not start" in failed.message
    assert str(log) not in failed.sentence()


async def test_a_parameter_that_json_does_not_know_is_refused_in_a_sentence(
    without_litellm: Path, make_request: MakeRequest
) -> None:
    provider = LitellmProvider(ProviderOptions())
    request = make_request("Hello", parameters={"stop": date(2020, 1, 1)})
    (failed,) = [event async for event in provider.stream(request)]
    await provider.close()
    assert isinstance(failed, Failed)
    assert failed.kind == "not_sent"
    assert "type date" in failed.message


def test_proxies_are_kept_from_what_is_said_to_this_machine() -> None:
    environ = {"NO_PROXY": "example.org", "HTTP_PROXY": "http://proxy.example.org"}
    keep_from_proxies(environ)
    expected = "example.org,localhost,127.0.0.1,::1"
    assert environ["no_proxy"] == environ["NO_PROXY"] == expected


@pytest.mark.parametrize("line", ["no json", "[]", '{"x": 1}'])
async def test_a_line_that_is_no_answer_ends_the_process_and_closing_is_quiet(
    line: str, tmp_path: Path, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agno_shell.builtin.litellm_provider import spawned

    code = f"print({line!r}, flush=True); input(); input(); print({line!r}, flush=True)\n"
    (tmp_path / "babbling.py").write_text("print('{\"ready\": true}', flush=True)\n" + code)
    monkeypatch.setattr(spawned, "_MODULE", "babbling")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    provider = LitellmProvider(ProviderOptions())
    (failed,) = [event async for event in provider.stream(make_request("Hello"))]
    assert isinstance(failed, Failed)
    assert failed.kind == "provider_died"
    await provider.close()

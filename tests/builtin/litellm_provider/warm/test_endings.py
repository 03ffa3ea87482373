"""How servers, their processes and shells end, each on its own or together."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agno_shell.builtin.litellm_provider.warm import looking
from agno_shell.events import Failed, Finished, TextDelta
from tests.builtin.litellm_provider.warm.seeing import (
    Make,
    events_of,
    is_warm,
    request,
    runs,
    seen_by,
    servers,
    stop,
    until,
)

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


async def test_it_ends_when_nobody_was_served_for_a_while(make: Make, runtime: Path) -> None:
    provider = make(keep_warm=0.5)
    await provider.start()
    (server,) = servers(runtime)
    assert len({(await seen_by(provider))["pid"] for _ in range(20)}) == 1
    assert runs(server.pid), "somebody is served"
    await provider.close()
    await until(lambda: not runs(server.pid))
    assert not list(runtime.glob("*.sock"))


async def test_a_process_that_dies_costs_one_reply_and_then_the_shell_has_its_own(
    make: Make,
) -> None:
    provider = make()
    events = provider.stream(request("half"))
    assert await anext(events) == TextDelta("Half ")
    first = provider.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    failed = await anext(events)
    assert isinstance(failed, Failed)
    assert failed.message == "The model process (litellm) ended unexpectedly."
    assert failed.temporary
    assert failed.hint.startswith("/continue goes on from there; /retry asks again")
    assert (await seen_by(provider))["pid"] not in (first, None)
    assert not is_warm(provider)


async def test_a_server_that_is_killed_costs_no_reply(
    make: Make, runtime: Path, tmp_path: Path
) -> None:
    events = make().stream(request("half"))
    assert await anext(events) == TextDelta("Half ")
    (server,) = servers(runtime)
    os.kill(server.pid, signal.SIGKILL)
    await until(lambda: not runs(server.pid))
    (tmp_path / "go_on").touch()
    assert [type(each) async for each in events] == [TextDelta, Finished]


async def test_ending_it_lets_shells_go_on(make: Make, runtime: Path, tmp_path: Path) -> None:
    provider = make()
    events = provider.stream(request("half"))
    assert await anext(events) == TextDelta("Half ")
    (ended,) = await provider.end_background()
    assert ended.serving == 1
    assert not list(runtime.glob("*.sock"))
    (tmp_path / "go_on").touch()
    assert [type(each) async for each in events] == [TextDelta, Finished]
    assert (await seen_by(provider))["pid"] == provider.pid
    assert list(await provider.background()) == []


@linux
async def test_processes_that_have_ended_are_reaped(make: Make, runtime: Path) -> None:
    several = [make() for _ in range(3)]
    for each in several:
        await each.start()
    (server,) = servers(runtime)
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children")
    for each in several:
        await each.close()
    await until(lambda: not children.read_text().split())
    assert servers(runtime)[0].serving == 0


SHELL = """
import asyncio, os, sys
from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.contracts import ProviderOptions

async def main():
    provider = LitellmProvider(ProviderOptions(keep_warm=60.0, runtime_dir=sys.argv[1]))
    await provider.start()
    print(provider.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize("stopped", [False, pytest.param(True, marks=linux)])
async def test_a_process_ends_with_its_shell_and_the_server_stays(
    stopped: bool, make: Make, runtime: Path
) -> None:
    command = [sys.executable, "-c", SHELL, str(runtime)]
    shell = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert shell.stdout is not None
    with shell.stdout:
        pid = int(await asyncio.to_thread(shell.stdout.readline))
    (server,) = servers(runtime)
    assert runs(pid)
    if stopped:
        await stop(pid)
    shell.kill()
    shell.wait()
    try:
        await until(lambda: not runs(pid))
    finally:
        if runs(pid):  # a stopped one would outlive the tests
            os.kill(pid, signal.SIGKILL)
    assert servers(runtime)[0].pid == server.pid


async def test_a_server_that_does_not_move_is_done_without(
    make: Make, runtime: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from agno_shell.builtin.litellm_provider.warm import greeting

    await make().start()
    (server,) = servers(runtime)
    await stop(server.pid)
    monkeypatch.setattr(greeting, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(looking, "_SECONDS", 0.1)
    provider = make()
    assert isinstance((await events_of(provider))[-1], Finished)
    assert "litellm is not kept warm: The server did not answer." in (tmp_path / "log").read_text()
    (ended,) = await provider.end_background()
    assert ended.starting, "it says nothing of itself"
    await until(lambda: not runs(server.pid))


async def test_a_process_that_stops_in_a_reply_is_ended_when_first_token_has_passed(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agno_shell.builtin.litellm_provider import provider as module

    monkeypatch.setattr(module, "_SILENCE", 0.0)
    provider = make(limits={"first_token": 0.3})
    await provider.start()
    events = provider.stream(request("half"))
    assert await anext(events) == TextDelta("Half ")
    pid = provider.pid
    assert pid is not None
    await stop(pid)
    async with asyncio.timeout(30):
        failed = await anext(events)
    assert isinstance(failed, Failed)
    assert failed.message == "The model process (litellm) did not answer and was ended."
    await until(lambda: not runs(pid))


async def test_closing_kills_a_process_that_does_not_move(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agno_shell.builtin.litellm_provider import process

    monkeypatch.setattr(process, "_PATIENCE", 0.05)
    provider = make()
    await provider.start()
    pid = provider.pid
    assert pid is not None
    await stop(pid)
    await provider.close()
    await until(lambda: not runs(pid))


async def test_closing_waits_for_no_import_and_a_server_can_be_ended_in_it(
    make: Make, library: Path, runtime: Path
) -> None:
    library.write_text("import time\ntime.sleep(600)\n")
    provider = make()
    asking = asyncio.create_task(events_of(provider))
    await until(lambda: list(runtime.glob("*.sock")))
    async with asyncio.timeout(20):
        await provider.close()
        (failed,) = await asking
    assert isinstance(failed, Failed)
    assert failed.message == "The model process (litellm) was closed."
    (server,) = servers(runtime)
    assert server.starting
    looking.end(str(runtime))
    assert not runs(server.pid)


async def test_who_is_stopped_while_it_starts_is_served_the_next_time(
    make: Make, library: Path, runtime: Path, tmp_path: Path
) -> None:
    answering = library.read_text()
    wait = (
        f"import os, time\nwhile not os.path.exists({str(tmp_path / 'go_on')!r}): time.sleep(0.01)"
    )
    library.write_text(f"{wait}\n{answering}")
    provider = make()
    asking = asyncio.create_task(events_of(provider))
    await until(lambda: list(runtime.glob("*.sock")))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    (tmp_path / "go_on").touch()
    assert isinstance((await events_of(provider))[-1], Finished)
    assert is_warm(provider)


async def test_whatever_the_system_says_no_to_is_no_end_of_it(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agno_shell.builtin.litellm_provider.warm import client

    def refuse(*_: object) -> str:
        raise PermissionError(13, "Permission denied", "/somewhere")

    monkeypatch.setattr(client, "identity", refuse)
    provider = make()
    assert isinstance((await events_of(provider))[-1], Finished)
    assert not is_warm(provider)
    assert "litellm is not kept warm: [Errno 13]" in (tmp_path / "log").read_text()

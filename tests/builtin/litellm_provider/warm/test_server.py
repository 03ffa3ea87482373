"""A server and the shells that it serves: real processes, with a stand-in for litellm."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from agno_shell.builtin.litellm_provider.warm import looking
from agno_shell.contracts import Background
from agno_shell.events import Failed, Finished, TextDelta
from tests.builtin.litellm_provider.warm.seeing import (
    Make,
    events_of,
    is_warm,
    request,
    runs,
    seen_by,
    until,
)

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")

CANARY = "fake-canary-7f3a9c51-0000"


def servers(runtime: Path) -> list[Background]:
    return looking.look(str(runtime))


async def test_one_server_serves_two_shells_with_a_process_each(make: Make, runtime: Path) -> None:
    one, other = make(), make()
    await one.start()
    await other.start()
    (server,) = servers(runtime)
    assert server.serving == 2
    assert server.keep == 60
    assert not server.starting
    assert is_warm(one)
    assert is_warm(other)
    pids = {(await seen_by(one))["pid"], (await seen_by(other))["pid"]}
    assert len(pids) == 2
    assert pids == {one.pid, other.pid}
    assert server.pid not in pids


async def test_a_process_has_the_environment_of_its_shell(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CANARY_KEY", CANARY)
    await make().start()
    monkeypatch.setenv("CANARY_KEY", "another-key-0000")
    monkeypatch.setenv("OTHER_API_KEY", "  ")
    monkeypatch.setenv("ODD", "\udcff\nline")
    monkeypatch.chdir(tmp_path)
    mask = os.umask(0o027)
    try:
        provider = make()
        seen = await seen_by(provider)
    finally:
        os.umask(mask)
    assert is_warm(provider)
    assert seen["environment"]["CANARY_KEY"] == "another-key-0000"
    assert seen["environment"]["ODD"] == "\udcff\nline"
    assert "OTHER_API_KEY" not in seen["environment"], "litellm would send the empty key"
    assert seen["environment"]["LITELLM_MODE"] == "PRODUCTION"
    assert seen["environment"]["STAND_IN_WROTE"] == "at its import"
    assert seen["umask"] == 0o027
    assert seen["cwd"] == "/", "nothing in a working directory is found by chance"


@linux
async def test_no_key_is_ever_in_the_server(
    make: Make, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY_KEY", CANARY)
    provider = make()
    assert (await seen_by(provider))["environment"]["CANARY_KEY"] == CANARY
    assert is_warm(provider)
    (server,) = servers(runtime)
    assert CANARY.encode() not in Path(f"/proc/{server.pid}/environ").read_bytes()
    assert provider.pid is not None
    assert holds(provider.pid, CANARY), "so that what is not found could be found"
    assert not holds(server.pid, CANARY)


def holds(pid: int, text: str) -> bool:
    """Whether a text is anywhere in the memory of a process."""
    try:
        memory = open(f"/proc/{pid}/mem", "rb", buffering=0)  # noqa: SIM115 - closed below
    except PermissionError:
        pytest.skip("the memory of another process cannot be read here")
    with memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            begin, end = (int(each, 16) for each in span.split("-"))
            try:
                memory.seek(begin)
                if text.encode() in memory.read(end - begin):
                    return True
            except (OSError, OverflowError):  # a page that nobody may read
                continue
    return False


async def test_what_is_printed_goes_to_the_log_of_the_shell_without_keys(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY_KEY", CANARY)
    await make().start()
    other = make(log=str(tmp_path / "other.log"))
    await events_of(other)
    assert is_warm(other)
    await other.close()
    printed = (tmp_path / "other.log").read_text()
    assert "asked with [hidden key]" in printed
    assert "imported" not in printed, "that was the server's"
    assert "imported\n" in (tmp_path / "log").read_text()
    assert CANARY not in (tmp_path / "log").read_text()


@linux
async def test_the_server_leaves_the_terminal_and_no_core(make: Make, runtime: Path) -> None:
    await make().start()
    (server,) = servers(runtime)
    assert os.getsid(server.pid) != os.getsid(0)
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    assert fields[4] == "0", "no terminal controls it"
    assert os.getsid(server.pid) != server.pid, "nor can it get one"
    core = next(
        line
        for line in Path(f"/proc/{server.pid}/limits").read_text().splitlines()
        if line.startswith("Max core")
    )
    assert core.split()[4:6] == ["0", "0"]
    opened = {os.readlink(each) for each in Path(f"/proc/{server.pid}/fd").iterdir()}
    assert not {each for each in opened if each.startswith("pipe:")}, "nothing of the shell's"


async def test_the_socket_of_a_server_that_is_gone_is_no_obstacle(
    make: Make, runtime: Path
) -> None:
    await make().start()
    (first,) = servers(runtime)
    os.kill(first.pid, signal.SIGKILL)
    await until(lambda: not runs(first.pid))
    assert list(runtime.glob("*.sock")), "it was left"
    assert servers(runtime) == []
    await make().start()
    (second,) = servers(runtime)
    assert second.pid != first.pid


async def test_shells_that_start_it_at_once_share_one(make: Make, runtime: Path) -> None:
    several = [make() for _ in range(4)]
    await asyncio.gather(*(each.start() for each in several))
    (server,) = servers(runtime)
    assert server.serving == 4


async def test_it_ends_when_nobody_was_served_for_a_while(make: Make, runtime: Path) -> None:
    provider = make(keep_warm=0.1)
    await provider.start()
    (server,) = servers(runtime)
    assert len({(await seen_by(provider))["pid"] for _ in range(20)}) == 1
    assert runs(server.pid), "somebody is served"
    await provider.close()
    await until(lambda: not runs(server.pid))
    assert not list(runtime.glob("*.sock"))


async def test_after_an_upgrade_another_one_is_started(
    make: Make, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agno_shell.builtin.litellm_provider.warm import identity

    await make().start()
    monkeypatch.setattr(identity, "_installed", lambda: ("elsewhere", 1))
    provider = make()
    await provider.start()
    both = servers(runtime)
    assert sorted(each.serving for each in both) == [1, 1]
    assert {each.pid for each in await provider.end_background()} == {each.pid for each in both}
    assert servers(runtime) == []


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
        os.kill(pid, signal.SIGSTOP)
    shell.kill()
    shell.wait()
    await until(lambda: not runs(pid))
    assert servers(runtime)[0].pid == server.pid


async def test_a_variable_that_the_import_reads_must_be_the_same(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make().start()
    monkeypatch.setenv("STAND_IN_SWITCH", "on")
    provider = make()
    assert (await seen_by(provider))["switch"] == "on"
    assert not is_warm(provider)
    told = "litellm reads STAND_IN_SWITCH when it is imported, and was imported without."
    assert f"litellm is not kept warm: {told}\n" in (tmp_path / "log").read_text()


async def test_where_litellm_cannot_be_imported_that_is_said_as_ever(
    make: Make, library: Path, runtime: Path, tmp_path: Path
) -> None:
    library.write_text("raise ImportError('broken')\n")
    (failed,) = await events_of(make())
    assert isinstance(failed, Failed)
    assert "could not start: litellm could not be imported: ImportError: broken" in failed.message
    assert "litellm is not kept warm: " in (tmp_path / "log").read_text()
    assert not list(runtime.glob("*.sock"))


async def test_a_server_that_does_not_move_is_done_without(
    make: Make, runtime: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from agno_shell.builtin.litellm_provider.warm import greeting

    await make().start()
    (server,) = servers(runtime)
    os.kill(server.pid, signal.SIGSTOP)
    monkeypatch.setattr(greeting, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(looking, "_SECONDS", 0.1)
    provider = make()
    assert isinstance((await events_of(provider))[-1], Finished)
    assert "litellm is not kept warm: The server did not answer." in (tmp_path / "log").read_text()
    (ended,) = await provider.end_background()
    assert ended.starting, "it says nothing of itself"
    await until(lambda: not runs(server.pid))


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


async def test_who_connects_and_says_nothing_holds_nobody_up(make: Make, runtime: Path) -> None:
    await make().start()
    (path,) = runtime.glob("*.sock")
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(path))
        assert isinstance((await events_of(make()))[-1], Finished)
        silent.sendall(b"\nno record\n")
    assert isinstance((await events_of(make()))[-1], Finished)


async def test_nothing_is_kept_where_nobody_asked_for_it(make: Make, runtime: Path) -> None:
    provider = make(keep_warm=0)
    await provider.start()
    assert not is_warm(provider)
    assert servers(runtime) == []
    assert not runtime.exists()

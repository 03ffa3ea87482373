"""A server and the shells that it serves: real processes, with a stand-in for litellm."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from agno_shell.events import Failed, Finished
from tests.builtin.litellm_provider.warm.seeing import (
    Make,
    events_of,
    is_warm,
    request,
    runs,
    seen_by,
    servers,
    until,
)

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")

CANARY = "fake-canary-7f3a9c51-0000"


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
    # The one that was forked last: no other may have its connection open, too.
    last = max(several, key=lambda each: each.pid or 0)
    events = last.stream(request("half"))
    await anext(events)
    assert last.pid is not None
    os.kill(last.pid, signal.SIGKILL)
    async with asyncio.timeout(30):
        assert isinstance(await anext(events), Failed)


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


async def test_a_server_in_which_threads_run_forks_nothing_and_says_so(
    make: Make, library: Path, runtime: Path, tmp_path: Path
) -> None:
    waiting = (
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()"
    )
    library.write_text(f"{library.read_text()}\n{waiting}\n")
    for _ in range(2):
        provider = make()
        assert isinstance((await events_of(provider))[-1], Finished)
        assert not is_warm(provider)
    told = "litellm is not kept warm: Threads run in the server, so that it cannot fork.\n"
    assert (tmp_path / "log").read_text().count(told) == 2
    (server,) = servers(runtime)
    assert server.starting, "it forks nothing for a look either"


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

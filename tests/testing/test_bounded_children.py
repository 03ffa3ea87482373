from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = r"""
import asyncio, subprocess, sys

import pytest

PROGRAM = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN);"
           "print('ready', flush=True); time.sleep(600)"]

def keep(process):
    with open({pids!r}, "a") as file:
        file.write(f"{process.pid}\n")

@pytest.fixture(scope="module")
def fixture():
    process = subprocess.Popen(PROGRAM, stdout=subprocess.PIPE)
    process.stdout.readline()
    yield process
    assert process.poll() is None, "it belongs to the fixture"
    process.kill()
    process.communicate()

def test_leaves_one(fixture):
    keep(subprocess.Popen(PROGRAM, start_new_session=True))
    fixture.terminate()

async def _start():
    keep(await asyncio.create_subprocess_exec(*PROGRAM))

def test_leaves_one_of_a_loop(fixture):
    loop = asyncio.new_event_loop()
    loop.run_until_complete(_start())

def test_writes_too_much(tmp_path):
    code = "import os; os.lseek(1, 1 << 31, 0); os.write(1, b'x')"
    with open(tmp_path / "file", "wb") as file:
        assert subprocess.run([sys.executable, "-c", code], stdout=file, stderr=-3).returncode == 1

def test_computes_for_ever():
    code = "import resource; print(resource.getrlimit(resource.RLIMIT_CPU))"
    import time
    done = subprocess.run([sys.executable, "-c", "import time; time.sleep(.2);" + code],
                          capture_output=True, text=True)
    assert done.stdout == "(300, 300)\n"
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits another process")
def test_what_a_test_leaves_is_ended_and_bounded(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    (tmp_path / "test_some.py").write_text(
        TESTS.replace("{pids!r}", repr(str(pids)))
        .replace("{{", "{")
        .replace("}}", "}")
        .replace("\\\\\\\\", "\\\\")
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "agno_shell.testing.bounded_children"]
    command += ["-p", "no:cacheprovider", "-o", "addopts=", "test_some.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert "4 passed" in done.stdout, done.stdout + done.stderr
    for pid in map(int, pids.read_text().split()):
        state = Path(f"/proc/{pid}/stat")
        try:
            assert state.read_text().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)

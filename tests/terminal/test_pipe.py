"""Without a terminal: lines come in, lines go out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Result = subprocess.CompletedProcess[bytes]
Run = Callable[..., Result]


def test_piped_lines_are_messages_and_commands(run: Run, home: Path) -> None:
    done = run(stdin=b"hello\n\n/rename Piped\nwhat did I say?\n/exit\nnever\n")
    assert done.returncode == 0
    assert done.stderr == b""
    out = done.stdout.decode()
    assert "You said: “hello”" in out
    assert "“never”" not in out
    assert "\x1b" not in out
    listed = json.loads(run("session", "--list", "--json").stdout)
    assert "Piped" in json.dumps(listed)
    assert list((home / "sessions").glob("*/messages.json"))


def test_the_end_of_the_input_is_leaving(run: Run) -> None:
    done = run(stdin=b"no newline at the end")
    assert done.returncode == 0
    assert "“no newline at the end”" in done.stdout.decode()


def test_binary_lines_are_refused_and_the_others_are_not(run: Run, home: Path) -> None:
    done = run(stdin=b"\x7fELF\x02\x01\x00\x00\n\xff\xfe\x80 latin\ntext\n")
    assert done.returncode == 1
    assert "You said: “text”" in done.stdout.decode()
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 2
    assert "binary" in lines[0]
    assert "UTF-8" in lines[1]
    [path] = home.rglob("messages.json")
    assert [m["content"] for m in json.loads(path.read_text()) if m["role"] == "user"] == ["text"]


def test_what_failed_is_on_standard_error_and_the_rest_is_done(run: Run, home: Path) -> None:
    script = (
        b"/nothing\r\n/tmp/a: a path\r\n/delete\r\ny\r\n /word\r\n/info abc\r\nexit()\r\nnever\r\n"
    )
    done = run(stdin=script)
    assert done.returncode == 1
    errors = done.stderr.decode().splitlines()
    assert [line.split(": ")[1] for line in errors] == ["line 1", "line 3", "line 6"]
    assert all(line.startswith("agno-shell: line ") for line in errors)
    [path] = home.rglob("messages.json")
    said = [m["content"] for m in json.loads(path.read_text()) if m["role"] == "user"]
    assert said == ["/tmp/a: a path", "y", "/word"]


@pytest.mark.parametrize("option", [[], ["--yes"]])
def test_a_script_deletes_what_it_says_it_wants_to_delete(
    run: Run, home: Path, option: list[str]
) -> None:
    done = run(stdin=" ".join(["/new Doomed\n/delete", *option]).encode() + b"\n")
    assert done.returncode == (0 if option else 1)
    listed = json.loads(run("session", "--list", "--json").stdout)
    assert ("Doomed" in json.dumps(listed)) == (not option)


def test_nothing_to_read_is_nothing_to_do(program: Path, environ: dict[str, str]) -> None:
    close = "import os, sys; os.close(0); os.execv(sys.argv[1], sys.argv[1:])"
    for command in ([str(program)], [sys.executable, "-c", close, str(program)]):
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, env=environ, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, b"")


def test_an_input_that_cannot_be_read_is_a_failure(
    program: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    with open(tmp_path / "out", "wb") as write_only:
        done = subprocess.run(
            [str(program)], stdin=write_only, capture_output=True, env=environ, timeout=60
        )
    assert done.returncode == 1
    assert done.stderr == b"agno-shell: Standard input cannot be read: Bad file descriptor.\n"


def test_foreign_control_codes_never_reach_the_output(run: Run) -> None:
    done = run(stdin="\x1b]0;owned\x07 \x9b2J \u202egnp\n".encode())
    assert b"\x1b" not in done.stdout
    assert b"\x07" not in done.stdout
    out = done.stdout.decode()
    assert "\x9b" not in out
    assert "\u202e" not in out
    assert "␛]0;owned␇" in out
    assert "‹U+202E›" in out


def test_the_output_is_not_coloured_in_a_latin_1_world(run: Run, environ: dict[str, str]) -> None:
    environ["LANG"] = "C"
    environ["PYTHONIOENCODING"] = "latin-1"
    done = run(stdin=b"caf\xc3\xa9 \xe2\x82\xac\n")
    assert done.returncode == 0
    assert "café" in done.stdout.decode("latin-1")
    assert b"Traceback" not in done.stderr


BOUND_BY_MODES = """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
if ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0):
    sys.exit("the capability cannot be dropped")
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Runs a program as root for whom a file's mode means what it means for everybody else."""


def test_a_folder_that_cannot_be_written_is_read_and_the_loss_is_named(
    run: Run, home: Path, program: Path, environ: dict[str, str]
) -> None:
    run(stdin=b"said before\n")
    command = [str(program)]
    if os.geteuid() == 0:
        if sys.platform != "linux":
            pytest.skip("root may write everywhere here")
        command = [sys.executable, "-c", BOUND_BY_MODES, *command]
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    for path in [home, *home.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        done = subprocess.run(command, input=b"said now\n", capture_output=True, env=environ)
    finally:
        for path in [home, *home.rglob("*")]:
            path.chmod(0o700 if path.is_dir() else 0o600)
    out = done.stdout.decode()
    assert "said before" in out
    assert "You said: “said now”" in out
    assert done.returncode == 1
    assert b"not saved" in done.stderr
    assert b"Traceback" not in done.stderr
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before

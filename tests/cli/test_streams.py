"""What the program writes where, and what it imports for it: in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import agno_shell


def run(*arguments: str, **settings: Any) -> subprocess.CompletedProcess[bytes]:
    # What is buffered fails late, at the exit of the interpreter at worst.
    environ = {"PYTHONUNBUFFERED": "", **settings.pop("env", os.environ)}
    return subprocess.run(
        [sys.executable, *arguments],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environ,
        **settings,
    )


def imports_of(ran: subprocess.CompletedProcess[bytes]) -> set[str]:
    """The modules that ``-X importtime`` has listed."""
    return {line.rpartition("|")[2].strip() for line in ran.stderr.decode().splitlines()}


def test_the_version_is_printed_without_importing_anything_slow() -> None:
    ran = run("-X", "importtime", "-m", "agno_shell", "--version", stdout=subprocess.PIPE)
    assert ran.stdout.decode().split() == ["agno-shell", agno_shell.__version__]
    # What this Python imports at every start, its .pth files among it, is not our doing.
    bare = run("-X", "importtime", "-c", "pass")
    imported = imports_of(ran) - imports_of(bare)
    assert "agno_shell.cli" in imported
    others = {name for name in imported if name.startswith("agno_shell")}
    quick = ("", ".base", ".base.lazy_names", ".cli", ".cli.arguments", ".cli.parser")  # no command
    assert others == {f"agno_shell{name}" for name in quick}
    slow = "typing shutil dataclasses inspect asyncio logging json pathlib pluggy prompt_toolkit"
    assert not imported & set(slow.split())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "arguments",
    ["config --path", "--version", "--help", "chat --help", "--print-completion fish"],
)
def test_output_that_cannot_be_written_is_one_line(arguments: str, unbuffered: str) -> None:
    environ = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "wb") as full:
        ran = run("-m", "agno_shell", *arguments.split(), stdout=full, env=environ)
    assert ran.stderr.decode() == (
        "agno-shell: The output could not be written: No space left on device.\n"
    )
    assert ran.returncode == 1


def test_a_reader_that_has_gone_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    ran = run("-m", "agno_shell", "config", "--path", stdout=write)
    os.close(write)
    assert ran.stderr == b""
    assert ran.returncode == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs sh")
def test_a_closed_output_is_no_error() -> None:
    command = f'"{sys.executable}" -m agno_shell config --path >&-'
    ran = subprocess.run(["sh", "-c", command], capture_output=True, stdin=subprocess.DEVNULL)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")


@pytest.mark.skipif(sys.platform == "win32", reason="needs sh")
def test_errors_that_nobody_hears_keep_their_status() -> None:
    for arguments in ("config --check --config /there/is/none", "--frob"):
        command = f'"{sys.executable}" -m agno_shell {arguments} 2>&-'
        ran = subprocess.run(["sh", "-c", command], capture_output=True, stdin=subprocess.DEVNULL)
        assert (ran.returncode, ran.stdout, ran.stderr) == (2, b"", b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ("config --check --config /there/is/none", 2),
        ("config --get nothing", 2),
        ("session --set nothing", 1),
        ("--frob", 2),
        ("plugins", 0),
    ],
)
def test_errors_and_warnings_that_cannot_be_written_keep_the_status(
    tmp_path: Path, arguments: str, status: int
) -> None:
    environ = {**os.environ, "AGNO_SHELL_HOME": str(tmp_path), "AGNO_SHELL_SHELL_TRCE": "yes"}
    command = f'"{sys.executable}" -m agno_shell {arguments} 2>/dev/full'
    ran = subprocess.run(
        ["sh", "-c", command], env=environ, capture_output=True, stdin=subprocess.DEVNULL
    )
    assert ran.returncode == status


@pytest.mark.parametrize("arguments", ["session --list", "agents", "trace", "metrics", "config"])
def test_what_only_reads_files_imports_no_plugin(tmp_path: Path, arguments: str) -> None:
    environ = {**os.environ, "AGNO_SHELL_HOME": str(tmp_path)}
    ran = run(
        *("-X", "importtime", "-m", "agno_shell", *arguments.split()),
        env=environ,
        stdout=subprocess.DEVNULL,
    )
    slow = "asyncio pluggy litellm prompt_toolkit pygments dataclasses agno_shell.plugins.manager"
    assert "agno_shell.app.parts" in imports_of(ran) or "agno_shell.base.paths" in imports_of(ran)
    assert not imports_of(ran) & set(slow.split())


def test_a_latin_1_locale_gets_escapes(tmp_path: Any) -> None:
    environ = {
        **os.environ,
        "AGNO_SHELL_HOME": str(tmp_path),
        "AGNO_SHELL_PROVIDER_MODEL": "日本",
        "PYTHONIOENCODING": "latin-1",
        "PYTHONUTF8": "0",
    }
    ran = run("-m", "agno_shell", "config", stdout=subprocess.PIPE, env=environ)
    assert ran.returncode == 0, ran.stderr
    assert b'model = "\\u65e5\\u672c"' in ran.stdout

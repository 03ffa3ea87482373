"""The installed program: one question after another, the doctor, and the end of it."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

CANARY = "sk-fake-0000-canary-of-the-command-line"


@pytest.fixture
def run(runtime: Path, library: Path) -> Run:
    """Runs ``agno-shell ARGUMENTS`` with keep_warm, and the stand-in for litellm."""
    home = runtime.parent  # whose folder "run" is the one that the fixture clears
    settings = {
        "PLUGIN": "litellm",
        "MODEL": "openai/test",
        "API_BASE": "http://127.0.0.1:9/v1",
        "KEEP_WARM": "10m",
    }
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AGNO_SHELL")},
        "AGNO_SHELL_HOME": str(home),
        "MISTRAL_API_KEY": CANARY,
        **{f"AGNO_SHELL_PROVIDER_{name}": value for name, value in settings.items()},
    }
    program = Path(sysconfig.get_path("scripts")) / "agno-shell"

    def run(
        *arguments: str, check: bool = True, **changes: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *arguments],
            env=environ | changes,
            cwd=home,
            capture_output=True,
            text=True,
            check=check,
            timeout=120,
        )

    return run


def kept(run: Run) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run("provider", "--json").stdout)["kept_warm"]
    return found


def test_one_question_leaves_a_server_for_the_next(run: Run) -> None:
    assert "Kept warm  nothing yet; keep_warm is 10m" in run("provider").stdout
    seen = [json.loads(run("chat", "--quick", "Hello").stdout) for _ in range(2)]
    (server,) = kept(run)
    assert server["keep"] == 600
    assert len({each["pid"] for each in seen}) == 2
    if os.path.exists("/proc"):
        environ = Path(f"/proc/{server['pid']}/environ").read_bytes()
        assert CANARY.encode() not in environ
    assert seen[0]["environment"]["MISTRAL_API_KEY"] == CANARY

    named = f"{server['about']}, pid {server['pid']}, "
    assert named in run("provider").stdout
    told = run("doctor").stdout
    assert f"provider litellm: It keeps a process running: {named}" in told
    assert "agno-shell provider --stop ends it." in told

    assert run("provider", "--stop").stdout == f"Ended: {server['about']}, pid {server['pid']}.\n"
    assert kept(run) == []
    assert run("provider", "--stop").stdout == "Nothing is kept warm.\n"


def test_off_is_off(run: Run) -> None:
    run("chat", "--quick", "Hello", AGNO_SHELL_PROVIDER_KEEP_WARM="off")
    assert kept(run) == []
    assert "Kept warm  off" in run("provider", AGNO_SHELL_PROVIDER_KEEP_WARM="off").stdout


def test_a_folder_that_cannot_be_trusted_is_told_and_every_question_is_answered(
    run: Run, runtime: Path
) -> None:
    runtime.mkdir()
    runtime.chmod(0o770)
    assert json.loads(run("chat", "--quick", "Hello").stdout)
    refused = run("provider", "--stop", check=False)
    assert refused.returncode == 1
    assert f"{runtime} is open to others" in refused.stderr
    told = run("doctor", check=False)
    assert told.returncode == 1
    assert f"What is kept warm cannot be looked at: {runtime} is open to others" in told.stdout
    runtime.chmod(0o700)

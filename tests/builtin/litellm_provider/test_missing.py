from __future__ import annotations

import shlex
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest

from agno_shell.builtin.litellm_provider import missing
from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.contracts import ProviderOptions
from agno_shell.events import Failed, Request
from agno_shell.types import Message, new_id, now

PYTHON = "/opt/a b/bin/python"


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        ("", [PYTHON, "-m", "pip", "install", "agno-shell[litellm]"]),
        ("uv-receipt.toml", ["uv", "pip", "install", "--python", PYTHON, "agno-shell[litellm]"]),
        ("pipx_metadata.json", ["pipx", "inject", "agno-shell", "litellm<2"]),
    ],
)
def test_the_command_is_that_of_the_environment_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str, expected: list[str]
) -> None:
    monkeypatch.setattr(missing, "find_spec", lambda _name: object())
    monkeypatch.setattr(missing, "requirement", lambda: "litellm<2")
    monkeypatch.setattr(missing, "_has_extra", lambda: True)
    prefix = tmp_path / "agno-shell"
    prefix.mkdir()
    if mark:
        (prefix / mark).touch()
    command = missing.install_command(str(prefix), PYTHON)
    assert shlex.split(command) == expected


def test_an_environment_without_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missing, "find_spec", lambda _name: None)
    command = missing.install_command(str(tmp_path), PYTHON)
    assert shlex.split(command)[:3] == ["uv", "pip", "install"]


def test_a_program_that_is_not_installed_has_no_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missing, "PACKAGE", "no-such-package")
    assert shlex.split(missing.install_command(str(tmp_path), PYTHON))[-1] == "litellm"


def test_the_extra_is_the_dependency() -> None:
    """The extra names what is a dependency already, so that the name works in both ways."""
    own = [each for each in requires("agno-shell") or () if each.startswith("litellm")]
    (dependency,) = (each for each in own if ";" not in each)
    (extra,) = (each.partition(";")[0] for each in own if "extra ==" in each)
    assert set(extra.strip().split(",")) == set(dependency.split(","))


def test_the_versions_are_those_that_this_program_takes() -> None:
    assert missing.requirement().startswith("litellm")
    assert ">=1.84" in missing.requirement()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("litellm", "This model is asked through litellm, which is not installed. Install it: "),
        ("tiktoken", "which is not installed (tiktoken, which it needs, is missing). Install"),
    ],
)
async def test_one_line_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    code = f"raise ModuleNotFoundError('No module named {name}', name={name!r})\n"
    (tmp_path / "litellm.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    provider = LitellmProvider(ProviderOptions())
    request = Request("openai/gpt-4o", (Message(new_id(), "user", "Hello", now()),))
    await provider.start()
    (failed,) = [event async for event in provider.stream(request)]
    await provider.close()
    assert isinstance(failed, Failed)
    assert said in failed.message
    assert failed.hint == ""
    assert failed.message.endswith(missing.install_command())
    assert sys.executable in failed.message or "pipx" in failed.message
    assert "\n" not in failed.message

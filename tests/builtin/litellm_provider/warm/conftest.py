"""Real servers and real processes; in the place of litellm a module that answers by itself."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.builtin.litellm_provider.warm import looking
from agno_shell.contracts import ProviderOptions

if sys.platform not in ("linux", "darwin"):
    collect_ignore_glob = ["test_*.py"]

# Answers with what it sees of its process. What it reads at its import counts.
STAND_IN = """
import asyncio, json, os, sys
from types import SimpleNamespace

SWITCH = os.environ.get("STAND_IN_SWITCH")
os.environ["STAND_IN_WROTE"] = "at its import"
print("imported", file=sys.stderr)

provider_list = ["openai"]
model_cost = {}

def get_llm_provider(model):
    return model, "openai"

def get_model_info(model):
    raise Exception(model)

def delta(text, reason=None):
    said = SimpleNamespace(content=text, tool_calls=None)
    return SimpleNamespace(choices=[SimpleNamespace(delta=said, finish_reason=reason)])

async def acompletion(**call):
    async def stream():
        asked = call["messages"][-1]["content"]
        if asked == "half":
            yield delta("Half ")
            while not os.path.exists(os.environ["GO_ON"]):
                await asyncio.sleep(0.01)
            yield delta("and half.", "stop")
            return
        print("asked with", os.environ.get("CANARY_KEY"), file=sys.stderr, flush=True)
        umask = os.umask(0)
        os.umask(umask)
        seen = {
            "pid": os.getpid(),
            "cwd": os.getcwd(),
            "umask": umask,
            "environment": dict(os.environ),
            "switch": SWITCH,
        }
        yield delta(json.dumps(seen), "stop")

    return stream()
"""


@pytest.fixture
def runtime() -> Iterator[Path]:
    """A folder with a path short enough for a socket; the servers there end with the test."""
    folder = Path(tempfile.mkdtemp(prefix="aw"))
    yield folder / "run"
    looking.end(str(folder / "run"))
    shutil.rmtree(folder)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that is imported as litellm, by servers and by the shell's own processes."""
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "litellm.py").write_text(STAND_IN)
    (folder / "openai.py").write_text("raise ImportError\n")  # spares its import
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("GO_ON", str(tmp_path / "go_on"))
    return folder / "litellm.py"


Make = Callable[..., LitellmProvider]


@pytest.fixture
async def make(runtime: Path, library: Path, tmp_path: Path) -> AsyncIterator[Make]:
    """Makes providers, as each shell has one."""
    made: list[LitellmProvider] = []

    def provider(**options: Any) -> LitellmProvider:
        given = {
            "keep_warm": 60.0,
            "runtime_dir": str(runtime),
            "log": str(tmp_path / "log"),
            "api_base": "http://127.0.0.1:9/v1",
        }
        made.append(LitellmProvider(ProviderOptions(**given | options)))  # type: ignore[arg-type]
        return made[-1]

    yield provider
    for each in made:
        await each.close()

"""What the program's log is told of turns."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agno_shell.app.program_log_file import _listening, _open
from agno_shell.conversation.engine import Engine
from agno_shell.errors import StorageError
from agno_shell.events import (
    Failed,
    Finished,
    ProviderToolFinished,
    ProviderToolStarted,
    SpeakerChanged,
    UsageReported,
)
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.testing.turn_events import events_of
from agno_shell.types import Message, Session, ToolCall, Usage

CANARY = "c4n4ry"
BUSY = Failed("rate_limited", CANARY, temporary=True)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Callable[[], list[str]]]:
    """What each line so far says behind the process."""
    path = tmp_path / "some.log"

    def lines() -> list[str]:
        assert CANARY not in path.read_text()
        split = (each.split(" ", 4) for each in path.read_text().splitlines())
        told = [f"{level[0]} {said}" for _time, level, _logger, _pid, said in split]
        return [each for each in told if "plugin loaded" not in each]

    with _listening(_open(str(path))):
        yield lines


async def say(engine: Engine) -> None:
    await events_of(engine.turn(CANARY))


async def test_a_turn_is_told_from_the_request_to_its_end(
    log: Callable[[], list[str]], engine: Engine, provider: ScriptedProvider
) -> None:
    provider.scripts.append([CANARY, UsageReported(Usage(3, 2)), Finished()])
    await say(engine)
    opened, sent, ended = log()
    assert opened == "I session opened messages=0 waiting=0"
    assert sent == "I request sent provider=scripted model=model-x messages=1 tools=0 files=0"
    assert ended.startswith("I reply finished reason=stop first=0.")
    assert ended.endswith(" input=3 output=2")


async def test_tries_and_fallbacks_are_told(
    log: Callable[[], list[str]],
    make_engine: Callable[..., Engine],
    provider: ScriptedProvider,
) -> None:
    engine = make_engine(values={"provider.fallbacks": ["model-y"]})
    await engine.create("Test")
    provider.scripts.extend([[BUSY], [BUSY], [Failed("server", CANARY)]])
    await say(engine)
    _opened, first, down, second, again, third, ended = log()
    assert "model=model-x" in first
    assert down == "W model down kind=rate_limited model=model-x next=model-y"
    assert "model=model-y" in second
    assert again.startswith("W try failed kind=rate_limited next=2 of=3 wait=")
    assert "model=model-y" in third
    assert ended.startswith("W reply failed kind=server temporary=no seconds=")


async def test_a_provider_that_raises_is_told_with_the_place(
    log: Callable[[], list[str]], engine: Engine, provider: ScriptedProvider
) -> None:
    provider.scripts.append([RuntimeError(CANARY)])
    await say(engine)
    failed, ended = log()[-2:]
    assert failed.startswith("W provider failed provider=scripted error=RuntimeError at=")
    assert "scripted_provider.py:" in failed
    assert ended.startswith("W reply failed kind=other")


async def test_words_that_others_make_up_are_not_told(
    log: Callable[[], list[str]], engine: Engine, provider: ScriptedProvider
) -> None:
    provider.scripts.append([Finished(f"{CANARY} {CANARY}")])
    await say(engine)
    assert "reason=other" in log()[-1]


async def test_of_tools_of_the_provider_and_speakers_figures_are_told(
    log: Callable[[], list[str]], engine: Engine, provider: ScriptedProvider
) -> None:
    call = ToolCall("1", CANARY, CANARY)
    done = ProviderToolFinished(call, CANARY, "failed")
    speaks = SpeakerChanged(CANARY)
    provider.scripts.append([ProviderToolStarted(call), done, done, speaks, CANARY, Finished()])
    await say(engine)
    *_before, ended, again, changed, finished = log()
    assert ended.startswith("I provider tool ended status=failed characters=6 seconds=0.")
    assert again.startswith("I provider tool ended status=failed characters=6")
    assert changed == "I speaker changed"
    assert finished.startswith("I reply finished reason=stop first=0.")


class FullStorage(MemoryStorage):
    def append(self, session_id: str, message: Message) -> Session:
        raise StorageError(CANARY) from OSError(errno.ENOSPC, CANARY)


async def test_what_the_storage_cannot_do_is_told(
    log: Callable[[], list[str]], make_engine: Callable[..., Engine]
) -> None:
    engine = make_engine(FullStorage())
    await engine.create("Test")
    await say(engine)
    assert any(
        each.startswith("W storage error error=StorageError<OSError errno=ENOSPC") for each in log()
    )

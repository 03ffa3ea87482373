from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from agno_shell.config import Config
from agno_shell.contracts import Address, Line
from agno_shell.conversation.engine import Engine
from agno_shell.events import Emit, MessageSaved
from agno_shell.shell.status import OFFLINE_HINT, OFFLINE_WITH_BASE, TAKEN_BACK, Status
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.testing.turn_events import events_of
from agno_shell.types import Message, Usage, new_id, now


class Paper:
    width, queued, busy = 80, 0, False

    def __init__(self) -> None:
        self.toolbar: Line | None = None
        self.lines: list[Line] = []

    def set_toolbar(self, line: Line) -> None:
        self.toolbar = line

    def print_lines(self, lines: list[Line]) -> None:
        self.lines.extend(lines)


def status_of(engine: Engine, paper: Paper, said: list[str]) -> Status:
    presenter: Any = SimpleNamespace(
        notice=lambda text, style="": said.append(text), messages=lambda messages: None
    )
    return Status(engine, paper, presenter, Config())  # type: ignore[arg-type]


async def test_what_is_typed_before_a_session_is_open_finds_no_toolbar_to_draw(
    make_engine: Callable[..., Engine],
) -> None:
    paper, engine = Paper(), make_engine()
    status = status_of(engine, paper, [])
    status.toolbar()
    assert paper.toolbar is None
    await engine.create("Open now")
    status.toolbar()
    assert paper.toolbar is not None
    assert paper.toolbar[0][1] == "Open now"


@pytest.mark.parametrize("base", ["", "http://localhost:1/v1"])
async def test_without_a_model_the_greeting_says_how_to_set_one_up(
    make_engine: Callable[..., Engine], base: str
) -> None:
    paper, engine = Paper(), make_engine(default=None)
    await engine.create("New")
    await engine.editor.update(api_base=base)
    said: list[str] = []
    status_of(engine, paper, said).greet("Welcome.")
    assert said == ["Welcome.", OFFLINE_WITH_BASE if base else OFFLINE_HINT]
    # The address is named only where it is asked.
    assert "http" not in "".join(text for line in paper.lines for _style, text in line)


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        (None, " · model model-x"),
        (
            Address("https://far/v1", "OPENAI_BASE_URL"),
            "model-x at https://far/v1 (OPENAI_BASE_URL)",
        ),
        (Address("http://here:1/v1"), "model-x at http://here:1/v1"),
        (RuntimeError("a bug of a plugin"), " · model model-x"),
    ],
)
async def test_the_server_that_is_asked_is_in_the_heading_unless_it_is_the_services_own(
    address: Address | Exception | None,
    seen: str,
    engine: Engine,
    provider: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def where(_model: str, _api_base: str | None = None) -> Address | None:
        if isinstance(address, Exception):
            raise address
        return address

    monkeypatch.setattr(provider, "address", where)
    paper = Paper()
    status_of(engine, paper, []).session()
    heading = " ".join("".join(text for _style, text in line) for line in paper.lines)
    assert " ".join(heading.split()).endswith(seen.strip())


async def test_what_makes_every_request_less_safe_is_said_at_the_start(
    engine: Engine, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "cautions", lambda: ["Nobody looks at certificates."])
    said: list[str] = []
    status_of(engine, Paper(), said).greet("Welcome.")
    assert said == ["Welcome.", "Nobody looks at certificates.\n"]


async def test_a_session_of_which_all_was_taken_back_says_the_way_forward(
    engine: Engine,
) -> None:
    await events_of(engine.turn("one"))
    said: list[str] = []
    status = status_of(engine, Paper(), said)
    status.session()
    assert said == []
    await engine.editor.return_to(None)
    await engine.open(engine.session.session_id)
    status.session()
    assert said == [TAKEN_BACK]


async def test_a_turn_of_several_replies_has_one_line_of_sums(
    make_engine: Callable[..., Engine],
) -> None:
    class Replies:
        reply = None

        def stop(self) -> None:
            raise AssertionError

        async def run(self, emit: Emit) -> None:
            for tokens in (5, 6):
                usage = Usage(tokens, 1)
                emit(MessageSaved(Message(new_id(), "assistant", "x", now(), usage=usage)))

    paper, engine = Paper(), make_engine()
    await engine.create("Test")
    status = status_of(engine, paper, [])
    status.report()
    assert paper.lines == []
    assert engine.last_turn is None
    status.flags["metrics"] = True
    await engine.run(Replies())
    status.report()
    shown = ["".join(text for _style, text in line) for line in paper.lines]
    assert shown == ["2 replies · 11 tokens in · 2 out · 2 of unknown cost", ""]
    assert engine.last_turn is not None

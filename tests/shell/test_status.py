from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from agno_shell.config import Config
from agno_shell.contracts import Address, Line
from agno_shell.conversation.conversation import Conversation
from agno_shell.events import MessageSaved, TurnEvent
from agno_shell.shell.status import OFFLINE_HINT, OFFLINE_WITH_BASE, TAKEN_BACK, Status
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.types import Message, Usage, new_id, now


class Paper:
    width, queued = 80, 0

    def __init__(self) -> None:
        self.toolbar: Line | None = None
        self.lines: list[Line] = []

    def set_toolbar(self, line: Line) -> None:
        self.toolbar = line

    def print_lines(self, lines: list[Line]) -> None:
        self.lines.extend(lines)


def status_of(conversation: Conversation, paper: Paper, said: list[str]) -> Status:
    presenter: Any = SimpleNamespace(
        notice=lambda text, style="": said.append(text), messages=lambda messages: None
    )
    return Status(conversation, paper, presenter, Config())  # type: ignore[arg-type]


async def test_what_is_typed_before_a_session_is_open_finds_no_toolbar_to_draw(
    make_conversation: Callable[..., Conversation],
) -> None:
    paper, conversation = Paper(), make_conversation()
    status = status_of(conversation, paper, [])
    status.toolbar(busy=False)
    assert paper.toolbar is None
    await conversation.create("Open now")
    status.toolbar(busy=False)
    assert paper.toolbar is not None
    assert paper.toolbar[0][1] == "Open now"


@pytest.mark.parametrize("base", ["", "http://localhost:1/v1"])
async def test_without_a_model_the_greeting_says_how_to_set_one_up(
    make_conversation: Callable[..., Conversation], base: str
) -> None:
    paper, conversation = Paper(), make_conversation(default=None)
    await conversation.create("New")
    await conversation.update(api_base=base)
    said: list[str] = []
    status_of(conversation, paper, said).greet("Welcome.")
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
    conversation: Conversation,
    provider: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def where(_model: str, _api_base: str | None = None) -> Address | None:
        if isinstance(address, Exception):
            raise address
        return address

    monkeypatch.setattr(provider, "address", where)
    paper = Paper()
    status_of(conversation, paper, []).session()
    heading = " ".join("".join(text for _style, text in line) for line in paper.lines)
    assert " ".join(heading.split()).endswith(seen.strip())


async def test_what_makes_every_request_less_safe_is_said_at_the_start(
    conversation: Conversation, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "cautions", lambda: ["Nobody looks at certificates."])
    said: list[str] = []
    status_of(conversation, Paper(), said).greet("Welcome.")
    assert said == ["Welcome.", "Nobody looks at certificates.\n"]


async def test_a_session_of_which_all_was_taken_back_says_the_way_forward(
    conversation: Conversation,
) -> None:
    async for _event in conversation.turn("one").events():
        pass
    said: list[str] = []
    status = status_of(conversation, Paper(), said)
    status.session()
    assert said == []
    await conversation.return_to(None)
    await conversation.open(conversation.session.session_id)
    status.session()
    assert said == [TAKEN_BACK]


async def test_a_script_on_standard_input_agrees_to_no_cost(
    make_conversation: Callable[..., Conversation],
) -> None:
    class Pipe(Paper):
        has_person = False

        async def confirm(self, question: str) -> bool:
            raise AssertionError("the next line of the script would be the answer")

    status = status_of(make_conversation(), Pipe(), [])
    assert await status.may_spend("Let it cost more?") is False


async def test_a_turn_of_several_replies_has_one_line_of_sums(
    make_conversation: Callable[..., Conversation],
) -> None:
    paper = Paper()
    status = status_of(make_conversation(), paper, [])
    status.report()
    assert paper.lines == []
    assert status.last_turn is None
    status.flags["metrics"] = True

    async def events() -> AsyncGenerator[TurnEvent, None]:
        for tokens in (5, 6):
            usage = Usage(tokens, 1)
            yield MessageSaved(Message(new_id(), "assistant", "x", now(), usage=usage))

    async for _event in status.watch(events()):
        pass
    status.report()
    shown = ["".join(text for _style, text in line) for line in paper.lines]
    assert shown == ["2 replies · 11 tokens in · 2 out · 2 of unknown cost", ""]
    assert status.last_turn is not None

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Any

import pytest

from agno_shell.contracts import Line
from agno_shell.events import Finished, MessageSaved, NotSaved, TextDelta, TurnEvent
from agno_shell.plugins import Plugins
from agno_shell.shell.present import QUESTION_LINES, Presenter
from agno_shell.types import Message, now


class Paper:
    """A front that keeps what is printed, and how late it may be shown."""

    width = 0

    def __init__(self, *, echoes: bool = False) -> None:
        self.echoes = echoes
        self.lines: list[tuple[str, float]] = []

    def print_lines(self, lines: Iterable[Line], *, after: float = 0.0) -> None:
        for line in lines:
            self.lines.append(("".join(text for _style, text in line), after))

    def set_live(self, source: Callable[[], list[Line]] | None) -> None: ...

    def touch(self) -> None: ...

    def text(self) -> str:
        return "\n".join(text for text, _after in self.lines)


def presenter_on(paper: Paper) -> Presenter:
    renderer = Plugins(installed=False).renderers.get("plain").open(None)  # type: ignore[arg-type]
    return Presenter(paper, renderer)  # type: ignore[arg-type]


async def events(*given: TurnEvent) -> AsyncGenerator[TurnEvent, None]:
    for event in given:
        yield event


SAID = Message("q", "user", "Why?", now())
REPLY = Message("r", "assistant", "Because.", now())


async def test_a_question_may_wait_for_its_request_and_a_reply_may_not() -> None:
    paper = Paper()
    turn = events(MessageSaved(SAID), TextDelta("Because."), Finished(), MessageSaved(REPLY))
    await presenter_on(paper).show(turn, "m")
    late = {text: after for text, after in paper.lines if text}
    assert late["› Why?"] > 0
    assert late["Because."] == 0


@pytest.mark.parametrize("event", [MessageSaved(SAID), NotSaved(SAID, "The disk is full.")])
async def test_a_question_is_shown_once_and_not_where_it_stands_already(event: Any) -> None:
    for echoes in (False, True):
        paper = Paper(echoes=echoes)
        await presenter_on(paper).show(events(event, Finished()), "m")
        assert paper.text().count("› Why?") == (0 if echoes else 1)
        assert ("The disk is full." in paper.text()) == isinstance(event, NotSaved)


async def test_what_is_not_saved_is_said_with_the_next_step_and_once_in_full() -> None:
    paper = Paper()
    presenter = presenter_on(paper)
    why = "The message was not saved: /a folder/messages.json: No space left on device."
    turn = events(NotSaved(SAID, why), Finished(), NotSaved(REPLY, why))
    await presenter.show(turn, "m")
    assert presenter.not_saved == why
    said = [text for text, _after in paper.lines if "saved" in text]
    assert said[0].startswith(f"{why} What was said stays in this shell")
    assert said[0].endswith("/save PATH writes the conversation to a file.")
    assert said[1:] == ["The reply was not saved either."]
    other = events(MessageSaved(SAID), Finished(), NotSaved(REPLY, "Another reason."))
    await presenter.show(other, "m")
    assert "Another reason. What was said stays" in paper.text()


async def test_of_a_very_long_question_the_beginning_is_shown() -> None:
    paper = Paper()
    text = "\n".join(f"line {number}" for number in range(1000))
    long = SAID._replace(content=text)
    presenter = presenter_on(paper)
    await presenter.show(events(MessageSaved(long), Finished()), "m")
    assert len(paper.lines) == QUESTION_LINES + 3
    assert "more characters, all of them saved" in paper.text()
    await presenter.show(events(NotSaved(long, "The disk is full."), Finished()), "m")
    assert paper.text().count("more characters") == 2
    assert paper.text().count("all of them saved") == 1

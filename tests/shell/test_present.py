"""Turns as they are shown: events in, lines and the live line out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Any

import pytest

from agno_shell.contracts import Line
from agno_shell.events import (
    Failed,
    FellBack,
    Finished,
    Interrupted,
    MessageSaved,
    NotSaved,
    ProviderToolFinished,
    ProviderToolStarted,
    ReasoningDelta,
    Receipt,
    Request,
    RequestPrepared,
    Retrying,
    SpeakerChanged,
    TextDelta,
    ToolFinished,
    ToolStarted,
    TurnEvent,
)
from agno_shell.plugins.manager import Plugins
from agno_shell.shell import present
from agno_shell.shell.present import Presenter
from agno_shell.shell.stored import QUESTION_LINES
from agno_shell.types import Attachment, Message, ToolCall, now


class Paper:
    waiting = None

    """A front that keeps what is printed, how late it may be shown, and the live lines."""

    width = 0

    def __init__(self, *, echoes: bool = False) -> None:
        self.echoes = echoes
        self.lines: list[tuple[str, float]] = []
        self.source: Callable[[], list[Line]] | None = None
        self.touched = 0

    def print_lines(self, lines: Iterable[Line], *, after: float = 0.0) -> None:
        for line in lines:
            self.lines.append(("".join(text for _style, text in line), after))

    def print_error(self, lines: Iterable[Line]) -> None:
        self.print_lines(lines)

    def set_live(self, source: Callable[[], list[Line]] | None) -> None:
        self.source = source

    def touch(self) -> None:
        self.touched += 1

    def text(self) -> str:
        return "\n".join(text for text, _after in self.lines)

    def live(self) -> str:
        lines = self.source() if self.source else []
        return "\n".join("".join(text for _style, text in line) for line in lines)


class Clock:
    """The time, as a test sets it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def paper() -> Paper:
    return Paper()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def presenter(paper: Paper, clock: Clock) -> Presenter:
    return presenter_on(paper, clock)


def presenter_on(paper: Paper, clock: Callable[[], float]) -> Presenter:
    renderer = Plugins(installed=False).renderers.get("plain").open(None)  # type: ignore[arg-type]
    return Presenter(paper, renderer, clock)  # type: ignore[arg-type]


async def show(presenter: Presenter, turn: AsyncGenerator[TurnEvent, None], model: str) -> None:
    with presenter.showing(model):
        async for event in turn:
            presenter.take(event)


Step = TurnEvent | Callable[[], Any]


async def events(*given: Step) -> AsyncGenerator[TurnEvent, None]:
    """Events; what can be called is called between them, when all before is shown."""
    for each in given:
        if isinstance(each, _EVENTS):
            yield each
        else:
            each()  # type: ignore[operator]


_EVENTS = (
    Failed,
    FellBack,
    Finished,
    Interrupted,
    MessageSaved,
    NotSaved,
    ProviderToolFinished,
    ProviderToolStarted,
    ReasoningDelta,
    RequestPrepared,
    Retrying,
    SpeakerChanged,
    TextDelta,
    ToolCall,
    ToolFinished,
    ToolStarted,
)

SAID = Message("q", "user", "Why?", now())
REPLY = Message("r", "assistant", "Because.", now())
PREPARED = RequestPrepared(Request("m", ()), Receipt((), (), 0, 100, True, 10, True))
BUSY = Failed("rate_limited", "The server is busy.", temporary=True)
CALL = ToolCall("c1", "read_file", '{"path": "a.txt"}')


def result(content: str, status: Any = "complete") -> Message:
    return Message("t", "tool", content, now(), status=status, tool_call_id="c1")


# Questions --------------------------------------------------------------------------------


async def test_a_question_may_wait_for_its_request_and_a_reply_may_not(
    paper: Paper, presenter: Presenter
) -> None:
    turn = events(MessageSaved(SAID), TextDelta("Because."), Finished(), MessageSaved(REPLY))
    await show(presenter, turn, "m")
    late = {text: after for text, after in paper.lines if text}
    assert late["› Why?"] > 0
    assert late["Because."] == 0


@pytest.mark.parametrize("event", [MessageSaved(SAID), NotSaved(SAID, "The disk is full.")])
async def test_a_question_is_shown_once_and_not_where_it_stands_already(
    clock: Clock, event: Any
) -> None:
    for echoes in (False, True):
        paper = Paper(echoes=echoes)
        await show(presenter_on(paper, clock), events(event, Finished()), "m")
        assert paper.text().count("› Why?") == (0 if echoes else 1)
        assert ("The disk is full." in paper.text()) == isinstance(event, NotSaved)


async def test_attachments_stand_below_the_question(clock: Clock) -> None:
    files = (
        Attachment("a\x1b.txt", "text/plain", "0", 12_300),
        Attachment("b", "image/png", "1", 5),
    )
    said = SAID._replace(attachments=files)
    for echoes in (False, True):
        paper = Paper(echoes=echoes)
        await show(presenter_on(paper, clock), events(MessageSaved(said), Finished()), "m")
        shown = [text for text, _after in paper.lines]
        assert (
            shown[-4:-2]
            == ["  [attached: a␛.txt · text/plain · 12.3 kB]", "  [attached: b · image/png · 5 B]"]
            or echoes
        )
        assert paper.text().count("[attached:") == 2


async def test_what_is_not_saved_is_said_with_the_next_step_and_once_in_full(
    paper: Paper, presenter: Presenter
) -> None:
    why = "The message was not saved: /a folder/messages.json: No space left on device."
    turn = events(NotSaved(SAID, why), Finished(), NotSaved(REPLY, why))
    await show(presenter, turn, "m")
    assert presenter.not_saved == why
    said = [text for text, _after in paper.lines if "saved" in text]
    assert said[0].startswith(f"{why} What was said stays in this shell")
    assert said[0].endswith("/save PATH writes the conversation to a file.")
    assert said[1:] == ["The reply was not saved either."]
    other = events(MessageSaved(SAID), Finished(), NotSaved(REPLY, "Another reason."))
    await show(presenter, other, "m")
    assert "Another reason. What was said stays" in paper.text()


async def test_of_a_very_long_question_the_beginning_is_shown(
    paper: Paper, presenter: Presenter
) -> None:
    text = "\n".join(f"line {number}" for number in range(1000))
    long = SAID._replace(content=text)
    await show(presenter, events(MessageSaved(long), Finished()), "m")
    assert len(paper.lines) == QUESTION_LINES + 3
    assert "more characters, all of them saved" in paper.text()
    await show(presenter, events(NotSaved(long, "The disk is full."), Finished()), "m")
    assert paper.text().count("more characters") == 2
    assert paper.text().count("all of them saved") == 1


# Waiting, trying again, another model -----------------------------------------------------


async def test_waiting_is_seen_and_leaves_nothing_behind(
    paper: Paper, presenter: Presenter, clock: Clock
) -> None:
    seen = []

    def later(seconds: float) -> Callable[[], None]:
        def look() -> None:
            clock.now += seconds
            seen.append(paper.live())

        return look

    turn = events(PREPARED, later(0), later(1), later(2), TextDelta("Hi"), Finished())
    await show(presenter, turn, "m\x1b")
    assert seen == ["m␛ …", "m␛ … 1 s", "m␛ … 3 s  Ctrl-C stops"]
    assert paper.text() == "Hi\n"


async def test_a_retry_counts_down_and_is_forgotten_when_it_was_short(
    paper: Paper, presenter: Presenter, clock: Clock
) -> None:
    seen = []

    def later(seconds: float) -> Callable[[], None]:
        def look() -> None:
            clock.now += seconds
            seen.append(paper.live())

        return look

    turn = events(
        PREPARED,
        Retrying(BUSY, 3.0, 2, 3),
        later(0),
        later(1),
        later(3),
        TextDelta("Hi"),
        Finished(),
    )
    await show(presenter, turn, "m")
    assert seen == [
        "The server is busy. Trying again in 3 s (2 of 3) · Ctrl-C stops",
        "The server is busy. Trying again in 2 s (2 of 3) · Ctrl-C stops",
        "m (2 of 3) … 1 s",
    ]
    assert paper.text() == "Hi\n"


async def test_a_retry_that_took_long_is_told(
    paper: Paper, presenter: Presenter, clock: Clock
) -> None:
    def wait() -> None:
        clock.now += 10

    turn = events(PREPARED, Retrying(BUSY, 10.0, 2, 3), wait, TextDelta("Hi"), Finished())
    await show(presenter, turn, "m")
    assert paper.text() == "(The server is busy. Asked 2 times, for 10 s.)\nHi\n"


async def test_the_countdown_breaks_between_words(paper: Paper, presenter: Presenter) -> None:
    paper.width = 30
    seen: list[str] = []
    turn = events(
        PREPARED, Retrying(BUSY, 3.0, 2, 3), lambda: seen.append(paper.live()), Finished()
    )
    await show(presenter, turn, "m")
    assert seen == ["The server is busy. Trying\nagain in 3 s (2 of 3) · Ctrl-C\nstops"]


async def test_what_fails_after_all_says_how_often_it_was_tried(
    paper: Paper, presenter: Presenter
) -> None:
    turn = events(PREPARED, Retrying(BUSY, 1, 2, 3), Retrying(BUSY, 1, 3, 3), BUSY)
    await show(presenter, turn, "m")
    assert paper.text() == "The server is busy. It was tried 3 times. /retry asks again.\n"


async def test_another_model_that_answers_is_named_before_and_after(
    paper: Paper, presenter: Presenter
) -> None:
    seen: list[str] = []
    turn = events(
        PREPARED,
        FellBack(BUSY, "a\x1b", "b"),
        PREPARED,
        lambda: seen.append(paper.live()),
        FellBack(Failed("timeout", "It took too long."), "b", "c"),
        PREPARED,
        TextDelta("Hi"),
        Finished(),
        MessageSaved(REPLY),
    )
    await show(presenter, turn, "a")
    assert seen == ["b …"]
    assert paper.text() == (
        "a␛ is down (The server is busy); c answers.\n"
        "b is down (It took too long); c answers.\nHi\n(c answered.)\n"
    )


async def test_where_no_model_answers_nobody_is_said_to(paper: Paper, presenter: Presenter) -> None:
    turn = events(PREPARED, FellBack(BUSY, "a", "b"), PREPARED, Failed("timeout", "It took long."))
    await show(presenter, turn, "a")
    assert paper.text() == "a is down (The server is busy).\nIt took long. /retry asks again.\n"


# Reasoning --------------------------------------------------------------------------------


async def test_thoughts_are_live_and_become_one_line(
    paper: Paper, presenter: Presenter, clock: Clock
) -> None:
    seen = []

    def look() -> None:
        clock.now += 4
        seen.append(paper.live())

    turn = events(
        PREPARED,
        ReasoningDelta("first li"),
        ReasoningDelta("ne\nsec\x1bond "),
        look,
        TextDelta("So: "),
        ReasoningDelta("more"),
        look,
        TextDelta("done"),
        Finished(),
    )
    await show(presenter, turn, "m")
    assert seen[0] == "first line\nsec␛ond \nm thinks … 4 s  Ctrl-C stops"
    assert seen[1].startswith("So: \nmore\nm thinks")
    assert paper.text() == ("(thought for 4 s · 3 words)\n(thought for 4 s · 1 word)\nSo: done\n")


async def test_only_the_end_of_long_thoughts_is_seen(paper: Paper, presenter: Presenter) -> None:
    seen: list[str] = []
    thoughts = [ReasoningDelta(f"thought {number}\n") for number in range(1000)]
    turn = events(PREPARED, *thoughts, lambda: seen.append(paper.live()), Interrupted())
    await show(presenter, turn, "m")
    assert seen[0].split("\n")[:-1] == [f"thought {number}" for number in range(995, 1000)]
    assert paper.text() == (
        "(stopped while it was thinking, after 0 s · 2,000 words; /retry asks again)\n"
    )


# Endings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "with_text", "bare"),
    [
        (
            Interrupted(),
            "(stopped; what was shown is kept; /continue goes on, /retry asks again)",
            "(stopped before any of the reply had come; /retry asks again)",
        ),
        (
            Failed("server", "It broke.", "Wait."),
            "It broke. Wait. /continue goes on, /retry asks again.",
            "It broke. Wait. /retry asks again.",
        ),
        (Failed("server", "Empty.", "/retry asks again."), *["Empty. /retry asks again."] * 2),
        (
            Finished("length"),
            *[
                "(The reply reached its length limit and is not whole. "
                "/continue goes on, /retry asks again.)"
            ]
            * 2,
        ),
        (
            Finished("content_filter"),
            *["(The provider's content filter ended the reply. /retry asks again.)"] * 2,
        ),
    ],
)
async def test_an_early_end_says_once_what_to_do_next(
    paper: Paper, presenter: Presenter, ending: Any, with_text: str, bare: str
) -> None:
    await show(presenter, events(PREPARED, TextDelta("Hi"), ending), "m")
    assert paper.text() == f"Hi\n{with_text}\n"
    assert presenter.has_failed is not isinstance(ending, Finished)
    assert paper.source is None
    paper.lines.clear()
    await show(presenter, events(PREPARED, ending), "m")
    assert paper.text() == f"{bare}\n"


# Tools ------------------------------------------------------------------------------------


async def test_a_turn_with_tools_shows_each_call_once_and_each_reply(
    paper: Paper, presenter: Presenter, clock: Clock
) -> None:
    seen = []

    def work() -> None:
        clock.now += 2.5
        seen.append(paper.live())

    turn = events(
        MessageSaved(SAID),
        PREPARED,
        TextDelta("I look."),
        CALL,
        MessageSaved(REPLY),
        ToolStarted(CALL),
        work,
        ToolFinished(CALL, result("one\ntwo")),
        MessageSaved(result("one\ntwo")),
        PREPARED,
        TextDelta("It says two."),
        Finished(),
        MessageSaved(REPLY),
    )
    await show(presenter, turn, "m")
    assert seen == ["▷ read_file … 2 s  Ctrl-C stops"]
    assert paper.text() == (
        '› Why?\n\nI look.\n\n▷ read_file {"path": "a.txt"}\n  one\n  two\n  7 B · 2.5 s\n\n'
        "It says two.\n"
    )


async def test_what_kept_the_second_reply_of_a_turn_is_told_as_well(
    paper: Paper, presenter: Presenter
) -> None:
    turn = events(
        PREPARED,
        CALL,
        MessageSaved(REPLY),
        ToolFinished(CALL, result("x")),
        PREPARED,
        FellBack(BUSY, "a", "b"),
        PREPARED,
        TextDelta("Hi"),
        Finished(),
    )
    await show(presenter, turn, "a")
    assert paper.text().endswith(
        "\na is down (The server is busy); b answers.\nHi\n(b answered.)\n"
    )


async def test_a_call_that_never_ran_is_shown_with_its_refusal(
    paper: Paper, presenter: Presenter
) -> None:
    refused = result("There is no tool x.", "failed")
    turn = events(PREPARED, CALL, MessageSaved(REPLY), ToolFinished(CALL, refused), Interrupted())
    await show(presenter, turn, "m")
    assert paper.text() == (
        '▷ read_file {"path": "a.txt"}\n  There is no tool x.\n  failed · 19 B\n\n'
        "(stopped; what was shown is kept; /continue goes on, /retry asks again)\n"
    )


async def test_a_call_that_is_asked_about_is_shown_whole_and_once(
    paper: Paper, presenter: Presenter
) -> None:
    call = ToolCall("c", "write", json.dumps({"text": ["line"] * 3000}))
    seen: list[str] = []

    def ask() -> None:
        presenter.ask_about(call)
        seen.append(paper.live())
        presenter.asked()

    turn = events(
        PREPARED,
        call,
        MessageSaved(REPLY),
        ask,
        ToolStarted(call),
        ToolFinished(call, result("")),
        Finished(),
    )
    await show(presenter, turn, "m")
    assert seen == [""]
    assert paper.text().count("▷ write") == 1
    assert paper.text().count("line") == 3000
    assert "more" not in paper.text()


async def test_the_result_that_is_not_saved_is_named(paper: Paper, presenter: Presenter) -> None:
    turn = events(
        NotSaved(SAID, "Full."),
        PREPARED,
        ToolFinished(CALL, result("x")),
        NotSaved(result("x"), "Full."),
        Finished(),
    )
    await show(presenter, turn, "m")
    assert "The result of the tool was not saved either." in paper.text()


async def test_a_line_with_a_time_is_drawn_anew(
    paper: Paper, presenter: Presenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(present, "TICK_SECONDS", 0)

    async def waiting() -> AsyncGenerator[TurnEvent, None]:
        yield PREPARED
        before = paper.touched
        while paper.touched < before + 2:
            await asyncio.sleep(0)
        yield TextDelta("Hi")
        await asyncio.sleep(0)
        before = paper.touched
        for _turn in range(10):
            await asyncio.sleep(0)
        assert paper.touched == before  # what streams says itself when it has changed
        yield Finished()

    await asyncio.wait_for(show(presenter, waiting(), "m"), 5)


def test_how_far_a_command_has_come_is_shown_after_a_moment_and_gone_at_its_end(
    paper: Paper, presenter: Presenter, clock: Clock
) -> None:
    presenter.progress("1 of 9")
    assert paper.live() == ""
    clock.now += present.PROGRESS_SECONDS
    presenter.progress("5 of 9 \x1b[31m")
    assert paper.live() == "5 of 9 ␛[31m"
    presenter.progress("")
    assert paper.live() == ""
    presenter.progress("of another command")
    assert paper.live() == ""


# Speakers, and tools of the provider ---------------------------------------------------

SEARCH = ToolCall("s1", "search", '{"q": "tides"}')
UNTOLD = SEARCH._replace(arguments="")


async def test_a_tool_of_the_provider_is_marked_and_stands_between_the_text(
    presenter: Presenter, paper: Paper, clock: Clock
) -> None:
    def later() -> None:
        assert "▷ search …" in paper.live()
        clock.now += 1.5

    done = ProviderToolFinished(SEARCH, "Noon.\x1b[2J")
    given = events(
        TextDelta("I look."), ProviderToolStarted(SEARCH), later, done, TextDelta("It is noon."),
        Finished(), MessageSaved(REPLY),
    )  # fmt: skip
    await show(presenter, given, "m")
    assert paper.text() == (
        'I look.\n\n▷ search {"q": "tides"} · run by the provider\n  Noon.␛[2J\n'
        "  9 B · 1.5 s\n\nIt is noon.\n"
    )


async def test_a_call_is_shown_once_its_arguments_are_known(
    presenter: Presenter, paper: Paper
) -> None:
    def running() -> None:
        assert paper.text() == ""
        assert "▷ search …" in paper.live()

    done = ProviderToolFinished(SEARCH, "", "failed")
    given = events(ProviderToolStarted(UNTOLD), running, done, TextDelta("Hm."), Finished())
    await show(presenter, given, "m")
    shown = paper.text()
    assert shown.startswith(
        '▷ search {"q": "tides"} · run by the provider\n  failed · 0 B · 0.0 s\n'
    )


async def test_a_result_that_comes_late_is_shown_with_its_call(
    presenter: Presenter, paper: Paper
) -> None:
    other = ToolCall("s2", "run", "")
    given = events(
        ProviderToolStarted(SEARCH), ProviderToolStarted(other), SpeakerChanged("Ada\x07"),
        TextDelta("I say."), ProviderToolFinished(UNTOLD, "Noon."),
        ProviderToolFinished(other, "ran", "interrupted"), Interrupted(),
    )  # fmt: skip
    await show(presenter, given, "m")
    call = '▷ search {"q": "tides"} · run by the provider'
    assert [line for line in paper.text().split("\n") if line] == [
        call,
        "▷ run · run by the provider",
        "Ada␇:",
        "I say.",
        call,
        "  Noon.",
        "  5 B · 0.0 s",
        "▷ run · run by the provider",
        "  ran",
        "  stopped · 3 B · 0.0 s",
        "(stopped; what was shown is kept; /continue goes on, /retry asks again)",
    ]


async def test_each_speaker_stands_above_what_it_says(presenter: Presenter, paper: Paper) -> None:
    given = events(
        SpeakerChanged("Ada"), TextDelta("One."), MessageSaved(REPLY), SpeakerChanged("Ben"),
        ReasoningDelta("hm"), TextDelta("Two."), MessageSaved(REPLY), SpeakerChanged(),
        TextDelta("Three."), Finished(), MessageSaved(REPLY),
    )  # fmt: skip
    await show(presenter, given, "a-model")
    assert paper.text() == (
        "Ada:\nOne.\n\nBen:\n(thought for 0 s · 1 word)\nTwo.\n\na-model:\nThree.\n"
    )


async def test_a_tool_that_still_runs_at_the_end_is_shown(
    presenter: Presenter, paper: Paper
) -> None:
    await show(presenter, events(ProviderToolStarted(UNTOLD), Interrupted()), "m")
    assert paper.text().startswith("▷ search · run by the provider\n(stopped before")

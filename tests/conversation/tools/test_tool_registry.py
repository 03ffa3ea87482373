"""Tools: opened late, allowed by the person, run within limits."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from agno_shell.contracts import Permission, Tool, ToolBox, ToolFactory
from agno_shell.conversation.tools import open_tool_box, tool_registry
from agno_shell.conversation.tools.limits import limited
from agno_shell.conversation.tools.tool_registry import Answer, ToolRegistry, stopped
from agno_shell.errors import AgnoShellError, UsageError
from agno_shell.types import ToolCall, ToolSchema

PARAMETERS = {"type": "object", "properties": {}}


async def _echo(arguments: Mapping[str, Any]) -> str:
    return f"got {dict(arguments)}"


def tool(name: str, run: Callable[..., Any] = _echo, description: str = "What it does.") -> Tool:
    return Tool(ToolSchema(name, description, PARAMETERS), run)


class Box(ToolBox):
    """Has what it is given: tools, or an error; counts how often it was asked and closed."""

    def __init__(self, *tools: Any, error: BaseException | None = None) -> None:
        self.there: Sequence[Any] = tools
        self.error = error
        self.missing: Sequence[str] = ()
        self.gate: asyncio.Event | None = None
        self.asked = self.closed = 0

    async def tools(self) -> Sequence[Tool]:
        self.asked += 1
        if self.gate:
            await self.gate.wait()
        if self.error:
            raise self.error
        return self.there

    def problems(self) -> Sequence[str]:
        return self.missing

    async def close(self) -> None:
        self.closed += 1


class Belt(ToolRegistry):
    """A tool belt over boxes by name; remembers what was opened, reported and asked."""

    def __init__(
        self,
        boxes: Mapping[str, Box],
        *,
        on: Sequence[str] = (),
        answers: Sequence[Permission] = (),
        seconds: float = 10,
        output_bytes: int = 1000,
    ) -> None:
        self.opened: list[str] = []
        self.reports: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.answers = list(answers)
        self.registered = {
            name: ToolFactory(name, f"The box {name}.", lambda _options: None)  # type: ignore[arg-type,return-value]
            for name in boxes
        }

        def open_box(factory: ToolFactory) -> ToolBox:
            self.opened.append(factory.name)
            return boxes[factory.name]

        super().__init__(
            lambda: self.registered,
            open_box,
            on=on,
            seconds=seconds,
            output_bytes=output_bytes,
            report=self.reports.append,
        )
        self.approve = self._approve

    async def _approve(self, call: ToolCall, tool: Tool) -> Permission:
        self.asked.append((call.name, tool.source))
        return self.answers.pop(0)

    async def names(self) -> list[str]:
        return [schema.name for schema in await self.schemas()]


def call(name: str, arguments: str = "{}") -> ToolCall:
    return ToolCall("call-1", name, arguments)


async def running(belt: Belt, run: Callable[..., Any], arguments: str = "{}") -> Answer:
    return await belt.run(tool("it", run), call("it", arguments))


# What is on ---------------------------------------------------------------------------------


async def test_nothing_is_opened_that_is_not_switched_on() -> None:
    belt = Belt({"a": Box(tool("x"))})
    assert await belt.schemas() == ()
    assert belt.opened == []
    [state] = belt.states()
    assert (state.name, state.summary, state.on, state.tools) == ("a", "The box a.", False, ())


async def test_the_tools_of_a_box_that_is_on_come_in_a_fixed_order() -> None:
    first, second = Box(tool("z"), tool("b")), Box(tool("m"))
    belt = Belt({"a": first, "c": second}, on=["c", "a"])
    assert await belt.names() == ["b", "m", "z"]
    first.there = tuple(reversed(first.there))
    assert await belt.names() == ["b", "m", "z"]
    assert sorted(belt.opened) == ["a", "c"]
    assert first.asked == 2


async def test_single_tools_can_be_on() -> None:
    belt = Belt({"a": Box(tool("x"), tool("y"))}, on=["a.y"])
    assert await belt.names() == ["y"]
    [state] = belt.states()
    assert state.on
    assert [each.schema.name for each in state.tools] == ["x", "y"]
    assert state.off == ("x",)


async def test_tools_of_the_same_name_can_both_be_called() -> None:
    boxes = {
        "a": Box(tool("read", _returning("from a"))),
        "b": Box(tool("read", _returning("from b"))),
    }
    belt = Belt(boxes, on=["a", "b"], answers=["once", "once"])
    assert await belt.names() == ["a_read", "b_read"]
    chosen = await belt.decide(call("b_read"), "s")
    assert isinstance(chosen, Tool)
    assert (await belt.run(chosen, call("b_read"))).content == "from b"
    assert isinstance(await belt.decide(call("read"), "s"), Answer)
    # Switching one off does not rename the other.
    await belt.switch("a.read", on=False)
    assert await belt.names() == ["b_read"]


async def test_a_box_that_is_registered_later_is_found() -> None:
    belt = Belt({"a": Box(tool("x"))}, on=["a"])
    later, belt.registered = belt.registered, {}
    assert await belt.names() == []
    assert len(belt.reports) == 1
    assert "[tools] on names 'a'" in belt.reports[0]
    belt.registered = later
    assert await belt.names() == ["x"]


async def test_a_box_that_fails_is_reported_once_and_left_out() -> None:
    broken = Box(error=AgnoShellError("The server did not start.", hint="Install it."))
    belt = Belt({"a": broken, "b": Box(tool("x"))}, on=["a", "b"])
    assert await belt.names() == ["x"]
    assert await belt.names() == ["x"]
    assert belt.reports == ["Tool box 'a': The server did not start. Install it."]
    assert belt.states()[0].problem == "The server did not start. Install it."
    broken.error, broken.there = None, (tool("y"),)
    assert await belt.names() == ["x", "y"]
    assert belt.states()[0].problem == ""
    broken.error = AgnoShellError("The server did not start.", hint="Install it.")
    await belt.schemas()
    assert len(belt.reports) == 2


@pytest.mark.parametrize("error", [ValueError("a bug"), SystemExit(3), ImportError("no module x")])
async def test_a_bug_in_a_box_costs_its_tools_only(error: BaseException) -> None:
    belt = Belt({"a": Box(error=error)}, on=["a"])
    assert await belt.names() == []
    [line] = belt.reports
    assert type(error).__name__ in line
    assert str(error) in line


async def test_a_box_that_cannot_be_opened_is_tried_again() -> None:
    boxes: dict[str, Box] = {}
    belt = Belt(boxes, on=["a"])
    belt.registered = {"a": ToolFactory("a", "", lambda _options: Box())}
    assert await belt.names() == []
    assert "KeyError" in belt.reports[0]
    boxes["a"] = Box(tool("x"))
    assert await belt.names() == ["x"]


async def test_what_is_missing_of_a_box_is_reported_and_the_rest_is_used() -> None:
    box = Box(tool("x"))
    box.missing = ["The server 'files' has ended."]
    belt = Belt({"a": box}, on=["a"])
    assert await belt.names() == ["x"]
    assert belt.reports == ["Tool box 'a': The server 'files' has ended."]


async def test_a_slow_box_does_not_hold_up_the_turn_and_comes_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(open_tool_box, "OPENING_SECONDS", 0)
    slow = Box(tool("x"))
    slow.gate = asyncio.Event()
    belt = Belt({"a": slow}, on=["a"])
    assert await belt.names() == []
    assert await belt.names() == []
    [line] = belt.reports
    assert "not ready yet" in line
    slow.gate.set()
    while not (names := await belt.names()):
        await asyncio.sleep(0)
    assert names == ["x"]
    assert slow.asked == 1  # the first asking went on behind the turn
    assert belt.states()[0].problem == ""


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (ToolSchema("x", "", {"type": "string"}), "no JSON Schema of the type object"),
        (ToolSchema("x", "", {"type": "object", "default": {1, 2}}), "written as JSON"),
        (ToolSchema("x", "", {"type": "object", "minimum": float("nan")}), "written as JSON"),
        (ToolSchema("x", None, PARAMETERS), "must be text"),  # type: ignore[arg-type]
        (ToolSchema("good", "", PARAMETERS), "two tools called 'good'"),
        ("a word", "where a Tool must be"),
    ],
)
async def test_a_tool_that_would_spoil_every_request_is_left_out(wrong: Any, words: str) -> None:
    bad = Tool(wrong, _echo)
    belt = Belt({"a": Box(tool("good"), bad)}, on=["a"])
    assert await belt.names() == ["good"]
    assert words in belt.reports[0]


async def test_a_name_in_the_configuration_that_no_tool_has_is_reported() -> None:
    belt = Belt({"a": Box(tool("x"))}, on=["a.x", "a.gone"])
    assert await belt.names() == ["x"]
    assert belt.reports == ["Tool box 'a': It has no tool 'gone'."]


# Switching ----------------------------------------------------------------------------------


async def test_switching_opens_and_closes_the_box() -> None:
    box = Box(tool("x"))
    belt = Belt({"a": box})
    state = await belt.switch("a", on=True)
    assert state.on
    assert [each.schema.name for each in state.tools] == ["x"]
    assert await belt.names() == ["x"]
    state = await belt.switch("a", on=False)
    assert (state.on, state.tools, box.closed) == (False, (), 1)
    assert await belt.names() == []
    assert isinstance(await belt.decide(call("x"), "s"), Answer)


async def test_a_tool_that_was_just_switched_off_does_not_run() -> None:
    belt = Belt({"a": Box(tool("x"), tool("y"))}, on=["a"], answers=["once"])
    await belt.schemas()
    await belt.switch("a.x", on=False)
    assert isinstance(await belt.decide(call("x"), "s"), Answer)
    assert isinstance(await belt.decide(call("y"), "s"), Tool)


async def test_switching_by_a_name_that_is_not_there() -> None:
    box = Box(tool("x"))
    belt = Belt({"a": box})
    with pytest.raises(UsageError, match="no tool box 'b'") as raised:
        await belt.switch("b", on=True)
    assert raised.value.hint == "There are: a."
    with pytest.raises(UsageError, match="has no tool 'y'") as raised:
        await belt.switch("a.y", on=True)
    assert raised.value.hint == "It has: x."
    assert box.closed == 1  # it was opened only to look
    assert not belt.states()[0].on


# Permission ---------------------------------------------------------------------------------


async def test_nothing_is_allowed_where_nobody_can_be_asked() -> None:
    belt = ToolRegistry(
        lambda: {"a": ToolFactory("a", "", lambda _options: Box(tool("x")))},
        lambda _factory: Box(tool("x")),
        on=["a"],
        seconds=1,
        output_bytes=100,
        report=lambda _line: None,
    )
    await belt.schemas()
    answer = await belt.decide(call("x"), "s")
    assert answer == Answer("The user did not allow this call of x.", "failed")


async def test_each_call_is_asked_for() -> None:
    belt = Belt({"a": Box(tool("x"))}, on=["a"], answers=["once", "no", "once"])
    await belt.schemas()
    decided = [await belt.decide(call("x"), "s") for _ in range(3)]
    assert [type(each) for each in decided] == [Tool, Answer, Tool]
    assert belt.asked == [("x", "the tool box a")] * 3


@pytest.mark.parametrize(("said", "kind"), [("always", Tool), ("never", Answer)])
async def test_an_answer_for_the_session_is_remembered_for_it_alone(
    said: Permission, kind: type
) -> None:
    boxes = {"a": Box(tool("x"), tool("y"))}
    belt = Belt(boxes, on=["a"], answers=[said, "once", "once"])
    await belt.schemas()
    assert [type(await belt.decide(call("x"), "one")) for _ in range(3)] == [kind] * 3
    assert len(belt.asked) == 1
    await belt.decide(call("x"), "another session")
    await belt.decide(call("y"), "one")
    assert len(belt.asked) == 3


async def test_a_tool_that_has_become_another_is_asked_for_again() -> None:
    box = Box(tool("x"))
    belt = Belt({"a": box}, on=["a"], answers=["always", "no"])
    await belt.schemas()
    await belt.decide(call("x"), "s")
    box.there = (tool("x", description="Deletes everything."),)
    await belt.schemas()
    assert isinstance(await belt.decide(call("x"), "s"), Answer)
    assert len(belt.asked) == 2


async def test_the_question_says_what_has_changed_since_the_last_one() -> None:
    box, seen = Box(tool("x")), []

    async def approve(_call: ToolCall, asked: Tool) -> Permission:
        seen.append(asked.changed)
        return "always"

    belt = Belt({"a": box}, on=["a"])
    belt.approve = approve
    await belt.schemas()
    await belt.decide(call("x"), "s")
    box.there = (tool("x", description="What it does. Deletes everything."),)
    await belt.schemas()
    await belt.decide(call("x"), "s")
    await belt.decide(call("x"), "another session")
    assert seen == [
        (),
        (
            "Its description was: What it does.",
            "Its description is: What it does. Deletes everything.",
        ),
        (),
    ]


async def test_a_result_of_any_size_is_cut_to_what_is_kept() -> None:
    for text in ("x" * 30_000_000, "ü" * 3_000_000, " " * 2_000_000):
        answer = await running(Belt({}), _returning(text))
        assert len(answer.content.encode()) < 70_000
        assert "left out" in answer.content or "nothing" in answer.content


async def test_a_box_of_any_size_is_bounded() -> None:
    def large(size: int) -> dict[str, Any]:
        return {"type": "object", "properties": {"x": {"description": "y" * size}}}

    there = [
        tool("long", description="d" * 100_000),
        Tool(ToolSchema("n" * 10_000, "", PARAMETERS), _echo),
        Tool(ToolSchema("large", "", large(70_000)), _echo),
        *(Tool(ToolSchema(f"each{number:05}", "", large(30_000)), _echo) for number in range(100)),
        *(tool(f"tool{number:05}") for number in range(10_000)),
    ]
    belt = Belt({"a": Box(*there)}, on=["a"])
    schemas = await belt.schemas()
    assert len(schemas) == 512
    assert sum(len(each.description) + len(str(each.parameters)) for each in schemas) < 1_100_000
    [long] = [each for each in schemas if each.name == "long"]
    assert len(long.description) < 8_100
    [state] = belt.states()
    assert "its name has more than 256 characters" in state.problem
    assert "'large' cannot be used: the description of its parameters is longer" in state.problem
    assert "more are wrong" in state.problem
    assert len(state.problem) < 3_000


async def test_the_person_is_asked_one_question_at_a_time() -> None:
    belt = Belt({"a": Box(tool("x"))}, on=["a"])
    await belt.schemas()
    gate, open_questions, most = asyncio.Event(), 0, 0

    async def approve(_call: ToolCall, _tool: Tool) -> Permission:
        nonlocal open_questions, most
        open_questions += 1
        most = max(most, open_questions)
        await gate.wait()
        open_questions -= 1
        return "always"

    belt.approve = approve
    deciding = [asyncio.create_task(belt.decide(call("x"), "s")) for _ in range(3)]
    await asyncio.sleep(0)
    gate.set()
    assert [type(each) for each in await asyncio.gather(*deciding)] == [Tool] * 3
    assert most == 1


async def test_a_question_that_cannot_be_asked_is_a_no() -> None:
    async def approve(_call: ToolCall, _tool: Tool) -> Permission:
        raise AgnoShellError("There is no terminal.")

    belt = Belt({"a": Box(tool("x"))}, on=["a"])
    belt.approve = approve
    await belt.schemas()
    answer = await belt.decide(call("x"), "s")
    assert answer == Answer("x was not allowed: There is no terminal.", "failed")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("[1]", "not a JSON object, but a list"),
        ('"text"', "not a JSON object, but a str"),
        ('{"a": ', "not JSON"),
        ('{"a": NaN}', "NaN is no number"),
        ("[" * 100_000, "not JSON"),
    ],
)
async def test_arguments_that_are_no_object_never_reach_the_person(
    arguments: str, words: str
) -> None:
    belt = Belt({"a": Box(tool("x"))}, on=["a"])
    await belt.schemas()
    answer = await belt.decide(call("x", arguments), "s")
    assert isinstance(answer, Answer)
    assert answer.status == "failed"
    assert words in answer.content
    assert belt.asked == []


async def test_an_unknown_tool_is_answered_with_those_that_there_are() -> None:
    belt = Belt({"a": Box(*(tool(f"t{n:02}") for n in range(30)))}, on=["a"])
    answer = await belt.decide(call("x"), "s")
    assert answer == Answer("There is no tool called 'x': no tools are switched on.", "failed")
    await belt.schemas()
    answer = await belt.decide(call("x"), "s")
    assert isinstance(answer, Answer)
    assert "There are: t00, t01" in answer.content
    assert answer.content.endswith("t19 and 10 more.")


# Running ------------------------------------------------------------------------------------


def _returning(value: Any) -> Callable[..., Any]:
    async def run(_arguments: Mapping[str, Any]) -> Any:
        return value

    return run


def _raising(error: BaseException) -> Callable[..., Any]:
    async def run(_arguments: Mapping[str, Any]) -> str:
        raise error

    return run


async def test_a_tool_gets_its_arguments() -> None:
    answer = await running(Belt({}), _echo, '{"größe": [1, null]}')
    assert answer == Answer("got {'größe': [1, None]}", "complete")
    assert await running(Belt({}), _echo, " ") == Answer("got {}", "complete")


@pytest.mark.parametrize(
    ("run", "content"),
    [
        (_raising(ValueError("no such day")), "it failed: ValueError: no such day"),
        (_raising(AgnoShellError("Nobody.", hint="Call later.")), "Nobody. Call later."),
        (_raising(SystemExit("bye")), "it failed: SystemExit: bye"),
        (_raising(TimeoutError("its own")), "it failed: TimeoutError: its own"),
        (_raising(asyncio.CancelledError()), "it stopped by itself."),
        (
            _raising(ExceptionGroup("g", [OSError()])),
            "it failed: ExceptionGroup: g (1 sub-exception)",
        ),
        (_returning(7), "it failed: it returned int, not text."),
    ],
)
async def test_whatever_goes_wrong_is_an_answer(run: Callable[..., Any], content: str) -> None:
    assert await running(Belt({}), run) == Answer(content, "failed")


async def test_a_result_without_a_word_is_one_all_the_same() -> None:
    answer = await running(Belt({}), _returning("\n"))
    assert answer == Answer("it returned nothing.", "complete")


async def _until_cancelled(log: list[str]) -> str:
    try:
        await asyncio.Event().wait()
    finally:
        log.append("cleaned up")
    return ""


async def test_a_tool_that_takes_too_long_is_stopped() -> None:
    log: list[str] = []
    answer = await running(Belt({}, seconds=0.001), lambda _arguments: _until_cancelled(log))
    assert answer.status == "failed"
    assert answer.content == "it had no result after 0.001 seconds and was stopped."
    await asyncio.sleep(0)
    assert log == ["cleaned up"]


async def test_a_tool_that_does_not_let_itself_be_stopped_is_left_behind() -> None:
    gate = asyncio.Event()

    async def stubborn(_arguments: Mapping[str, Any]) -> str:
        while not gate.is_set():
            try:
                await gate.wait()
            except asyncio.CancelledError:
                continue
        return "done at last"

    belt = Belt({}, seconds=0.001)
    answer = await running(belt, stubborn)
    assert answer.status == "failed"
    gate.set()
    await belt.close()


async def test_cancelling_a_call_cancels_the_tool() -> None:
    log: list[str] = []
    task = asyncio.create_task(running(Belt({}), lambda _arguments: _until_cancelled(log)))
    while not log:
        await asyncio.sleep(0)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == ["cleaned up"]


def test_a_stopped_call_has_a_result() -> None:
    assert stopped(call("x")).status == "interrupted"
    assert "x" in stopped(call("x")).content


# How much -----------------------------------------------------------------------------------


async def test_a_long_result_is_cut_at_a_character_and_says_so() -> None:
    answer = await running(Belt({}, output_bytes=256), _returning("ß" * 1000 + "end"))
    text, _, remark = answer.content.partition("\n")
    assert text == "ß" * 128
    assert remark == "[Cut off here: 1.7 kB more were left out.]"


async def test_a_long_error_is_cut_as_well() -> None:
    answer = await running(Belt({}, output_bytes=256), _raising(ValueError("x" * 10_000)))
    assert len(answer.content) < 400
    assert answer.status == "failed"


@pytest.mark.parametrize("most", range(1, 12))
def test_no_character_is_ever_split(most: int) -> None:
    head = limited("a€😀b", most).partition("\n")[0]
    assert "a€😀b".startswith(head)
    assert len(head.encode()) <= most


def test_half_a_surrogate_pair_does_not_spoil_the_request() -> None:
    assert limited("a\ud83d", 100) == "a\ufffd"
    assert limited("\ud83d\ude00", 100) == "😀"


# The end ------------------------------------------------------------------------------------


async def test_closing_stops_calls_and_closes_every_box() -> None:
    boxes = {"a": Box(tool("x")), "b": Box(tool("y"))}
    belt = Belt(boxes, on=["a", "b"])
    await belt.schemas()
    log: list[str] = []
    task = asyncio.create_task(running(belt, lambda _arguments: _until_cancelled(log)))
    while not belt._running:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    await belt.close()
    assert (await task).status == "failed"
    assert log == ["cleaned up"]
    assert [box.closed for box in boxes.values()] == [1, 1]
    assert await belt.schemas() == ()
    assert [box.asked for box in boxes.values()] == [1, 1]


async def test_a_box_that_hangs_or_fails_while_closing_is_left_behind(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(open_tool_box, "CLOSING_SECONDS", 0.001)

    class Hanging(Box):
        async def close(self) -> None:
            await asyncio.Event().wait()

    class Failing(Box):
        async def close(self) -> None:
            raise ValueError("a bug")

    opening = Box(tool("z"))
    opening.gate = asyncio.Event()
    belt = Belt(
        {"a": Hanging(tool("x")), "b": Failing(tool("y")), "c": opening}, on=["a", "b", "c"]
    )
    asking = asyncio.create_task(belt.schemas())
    while not opening.asked:
        await asyncio.sleep(0)
    await belt.close()
    assert await asking == ()
    gc.collect()  # a task whose error nobody has seen would complain on the screen
    assert caplog.messages == []


def test_the_limits_are_where_they_are_looked_for() -> None:
    assert tool_registry.STOPPING_SECONDS < open_tool_box.CLOSING_SECONDS


async def test_an_endless_name_is_not_told_again() -> None:
    endless = ToolCall("id", "x" * 100_000, "{}")
    answer = await Belt({}).decide(endless, "session")
    assert isinstance(answer, Answer)
    assert len(answer.content) < 200
    assert len(stopped(endless).content) < 200

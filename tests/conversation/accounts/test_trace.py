from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from agno_shell.contracts import Step
from agno_shell.conversation.accounts.trace import Recorder
from agno_shell.events import (
    Failed,
    FellBack,
    Finished,
    Interrupted,
    LeftOut,
    MessageSaved,
    NotSaved,
    ProviderToolFinished,
    ProviderToolStarted,
    ReasoningDelta,
    Receipt,
    ReceiptRow,
    Request,
    RequestPrepared,
    Retrying,
    SpeakerChanged,
    TextDelta,
    ToolFinished,
    ToolStarted,
    TurnEvent,
    UsageReported,
)
from agno_shell.types import NEXT_SPEAKER, Message, ToolCall, ToolSchema, Usage, new_id, now

BUSY = Failed("rate_limited", "The server is busy.", temporary=True)
CALL = ToolCall("c1", "clock", "{}")


def message(role: str = "assistant", status: str = "complete", model: str | None = "m") -> Message:
    return Message(new_id(), role, "text", now(), status=status, model=model)  # type: ignore[arg-type]


def prepared(model: str = "m", **given: object) -> RequestPrepared:
    said = (message("user", model=None),)
    rows = tuple(ReceiptRow(each, 1_200, "question") for each in said)
    receipt = Receipt(rows, (), 0, 32_768, True, 100, False)
    return RequestPrepared(Request(model, said, **given), receipt)  # type: ignore[arg-type]


def record(*events: TurnEvent) -> Recorder:
    """One event a second, the first a second after the beginning."""
    seconds = iter(range(1000))
    recorder = Recorder(lambda: float(next(seconds)))
    for event in events:
        recorder.feed(event)
    return recorder


def outline(step: Step) -> list[str]:
    """Each step with the steps above it: ``request/retry try 2 …``."""
    lines = []
    for each in step.steps:
        lines.append(f"{each.name}: {each.detail}".removesuffix(": "))
        lines += [f"{each.name}/{below}" for below in outline(each)]
    return lines


def test_a_plain_turn() -> None:
    recorder = record(
        MessageSaved(message("user", model=None)),
        prepared(),
        TextDelta("Hel"),
        TextDelta("lo"),
        UsageReported(Usage(1200, 2, cached_tokens=1000, cost=0.5)),
        Finished(),
        MessageSaved(message()),
    )
    step = recorder.step
    assert outline(step) == [
        "saved: the question",
        "request: m: 1 message, 1,200 tokens of 32,768",
        "request/first token",
        "request/usage: 1,200 tokens in (1,000 cached) · 2 out · $0.5000",
        "request/finish: stop",
        "saved: the reply",
    ]
    assert (step.name, step.detail, step.began, step.took) == ("turn", "m, complete", 0.0, 6.0)
    request = step.steps[1]
    assert (request.began, request.took) == (2.0, 3.0)
    assert [each.began for each in request.steps] == [3.0, 4.0, 5.0]
    assert [each.status for each in recorder.replies] == ["complete"]


def test_a_piece_of_text_costs_no_look_at_the_clock() -> None:
    asked: list[int] = []
    recorder = Recorder(lambda: float(len(asked.append(1) or asked)))
    recorder.feed(prepared())
    recorder.feed(TextDelta("first"))
    before = len(asked)
    for _time in range(100):
        recorder.feed(TextDelta("more"))
    assert len(asked) == before


def test_reasoning_is_the_first_token_and_text_comes_later() -> None:
    step = record(
        prepared(), ReasoningDelta("hm"), ReasoningDelta("hm"), TextDelta("Yes"), Finished()
    ).step
    assert outline(step)[1:] == [
        "request/first token: of the reasoning",
        "request/first text: the reasoning is over",
        "request/finish: stop",
    ]


def test_tries_and_fallbacks() -> None:
    step = record(
        prepared("model-a"),
        Retrying(BUSY, 3.0, 2, 3),
        FellBack(BUSY, "model-a", "model-b"),
        prepared("model-b"),
        TextDelta("Yes"),
        Finished(),
        MessageSaved(message(model="model-b")),
    ).step
    assert outline(step) == [
        "request: model-a: 1 message, 1,200 tokens of 32,768",
        "request/retry: try 2 of 3 after 3.0 s: The server is busy.",
        "request/finish: failed (rate_limited)",
        "fallback: model-b is asked: The server is busy.",
        "request: model-b: 1 message, 1,200 tokens of 32,768",
        "request/first token",
        "request/finish: stop",
        "saved: the reply",
    ]
    assert step.steps[0].took == 2.0
    assert step.detail == "model-b, complete"


def test_tools() -> None:
    result = message("tool", model=None)
    step = record(
        prepared(tools=(ToolSchema("clock", "", {}),)),
        CALL,
        MessageSaved(message()),
        ToolStarted(CALL),
        ToolFinished(CALL, result),
        MessageSaved(result),
        prepared(),
        TextDelta("Noon."),
        Finished(),
        MessageSaved(message()),
    ).step
    assert outline(step) == [
        "request: m: 1 message, 1,200 tokens of 32,768, 1 tool",
        "request/first token: of a tool call",
        "request/tool call: clock",
        "request/finish: tool_calls",
        "saved: the reply",
        "tool: clock",
        "saved: the result",
        "request: m: 1 message, 1,200 tokens of 32,768",
        "request/first token",
        "request/finish: stop",
        "saved: the reply",
    ]
    assert next(each for each in step.steps if each.name == "tool").took == 1.0


def test_speakers_and_tools_of_the_provider_are_within_the_request() -> None:
    part = message()._replace(extra={"finish_reason": NEXT_SPEAKER})
    recorder = record(
        prepared(),
        SpeakerChanged("Ada"),
        ProviderToolStarted(CALL),
        ProviderToolFinished(CALL, "noon"),
        TextDelta("Noon."),
        MessageSaved(part),
        SpeakerChanged(),
        ProviderToolFinished(CALL, "", "failed"),
        Finished(),
        MessageSaved(message()),
    )
    assert outline(recorder.step) == [
        "request: m: 1 message, 1,200 tokens of 32,768",
        "request/speaker: Ada",
        "request/first token: of a tool of the provider",
        "request/provider tool: clock",
        "request/first text",
        "request/saved: the reply",
        "request/speaker: the model",
        "request/provider tool: clock: failed",
        "request/finish: stop",
        "saved: the reply",
    ]
    assert len(recorder.replies) == 1
    assert recorder.step.steps[0].steps[2].took == 1.0


def test_a_tool_that_was_not_allowed_and_one_that_failed() -> None:
    failed = message("tool", "failed", None)
    step = record(ToolFinished(CALL, failed), ToolStarted(CALL), ToolFinished(CALL, failed)).step
    assert outline(step) == ["tool: clock: not run", "tool: clock: failed"]
    assert [each.took for each in step.steps] == [None, 1.0]


def test_every_ending_is_named() -> None:
    def last(*events: TurnEvent) -> str:
        return outline(record(prepared(), *events).step)[-1]

    assert last(Interrupted()) == "request/finish: stopped by you"
    assert last(Failed("timeout", "Too slow.")) == "request/finish: failed (timeout): Too slow."
    assert last(Finished("length")) == "request/finish: length"


def test_a_turn_that_ends_before_anything_is_sent() -> None:
    step = record(Failed("refused", "Nothing was sent.")).step
    assert outline(step) == ["finish: failed (refused): Nothing was sent."]


def test_what_was_not_saved_is_said() -> None:
    step = record(NotSaved(message("user", model=None), "The disk is full.")).step
    assert outline(step) == ["not saved: the question: The disk is full."]


def test_a_reply_that_is_not_whole() -> None:
    recorder = record(prepared(), Interrupted(), MessageSaved(message(status="interrupted")))
    assert outline(recorder.step)[-1] == "saved: the reply, interrupted"
    assert recorder.step.detail == "m, interrupted"


def test_the_request_says_all_that_shapes_the_answer() -> None:
    event = prepared(
        api_base="http://localhost:1/v1",
        parameters={"temperature": 0.5},
        reasoning="low",
        files={"ab": b"x", "cd": b"y"},
    )
    receipt = event.receipt._replace(estimated=True, left_out=(LeftOut(1_000, "window"),))
    step = record(RequestPrepared(event.request, receipt)).step
    assert outline(step) == [
        "request: m at http://localhost:1/v1: 1 message, about 1,200 tokens of 32,768, "
        "1,000 earlier left out, 2 files, reasoning=low, temperature=0.5"
    ]


def test_a_request_of_which_nothing_was_counted_says_no_tokens() -> None:
    event = prepared()
    uncounted = event.receipt._replace(rows=())
    step = record(RequestPrepared(event.request, uncounted)).step
    assert outline(step) == ["request: m: 1 message"]


def test_where_nothing_is_saved_the_turn_still_names_its_model_and_no_window_is_made_up() -> None:
    event = prepared("model-a")
    step = record(RequestPrepared(event.request, event.receipt._replace(window=0)), Finished()).step
    assert outline(step)[0] == "request: model-a: 1 message, 1,200 tokens"
    assert step.detail == "model-a"


async def test_events_pass_unchanged_and_their_source_is_closed() -> None:
    closed: list[bool] = []
    given: Sequence[TurnEvent] = [prepared(), TextDelta("a"), TextDelta("b")]

    async def source() -> AsyncGenerator[TurnEvent, None]:
        try:
            for event in given:
                yield event
        finally:
            closed.append(True)

    recorder = Recorder()
    watched = recorder.watch(source())
    assert await anext(watched) is given[0]
    assert await anext(watched) is given[1]
    await watched.aclose()
    assert closed == [True]
    assert outline(recorder.step)[-1] == "request/first token"

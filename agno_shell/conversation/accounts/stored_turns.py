"""The turns of a stored conversation, as far as what was kept tells what happened in them."""

# Annotations are not left as text here (PEP 563): a named tuple would compile each of them.

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from agno_shell.contracts import Step
from agno_shell.toolkit.reports import dollars, usage_line
from agno_shell.types import Message, goes_on

SLACK = timedelta(seconds=1)
"""A question is saved a moment before its request is sent."""


class StoredTurn(NamedTuple):
    """A question and all that followed, up to the next question."""

    question: Message
    answers: tuple[Message, ...] = ()
    """Replies and the results of tools, in their order."""

    @property
    def id(self) -> str:
        """That of the question."""
        return self.question.id

    @property
    def asked(self) -> str:
        return self.question.content

    @property
    def replies(self) -> tuple[Message, ...]:
        return tuple(each for each in self.answers if each.role == "assistant")

    @property
    def status(self) -> str:
        """That of the last reply; ``unanswered`` where there is none."""
        return self.replies[-1].status if self.replies else "unanswered"

    @property
    def model(self) -> str:
        return next((each.model for each in reversed(self.replies) if each.model), "")


def turns_of(path: Iterable[Message]) -> list[StoredTurn]:
    """The turns on a path, oldest first. What stands before the first question, and what
    belongs to no turn, such as a summary, is left out."""
    turns: list[StoredTurn] = []
    for message in path:
        if message.role == "user":
            turns.append(StoredTurn(message))
        elif turns and message.role in ("assistant", "tool"):
            turns[-1] = turns[-1]._replace(answers=(*turns[-1].answers, message))
    return turns


def step_of(turn: StoredTurn) -> Step:
    """What happened in a stored turn, as a trace has it.

    When a request was sent is worked out from when its reply came and how long that took;
    tries that failed and what was sent are not kept.
    """
    began = [_sent(before, reply) for before, reply in _rounds(turn)]
    zero = began[0] if began else turn.question.created_at
    steps = []
    end = 0.0
    starts = iter(began)
    names = _call_names(turn)
    parts: list[Message] = []
    for message in turn.answers:
        if _is_part(message, turn):
            parts.append(message)
            continue
        if message.role == "assistant":
            start = next(starts)
            at = (start - zero).total_seconds()
            step = _request(message, at, _within(parts, message, start, at))
            parts.clear()
            end = max(end, at + (step.took or 0.0))
        else:
            at = max((message.created_at - zero).total_seconds(), 0.0)
            status = "" if message.status == "complete" else f": {message.status}"
            name = names.get(message.tool_call_id or "", "unknown")
            step = Step("tool", f"{name}{status}", at)
            end = max(end, at)
        steps.append(step)
    detail = ", ".join(filter(None, (turn.model, turn.status)))
    return Step("turn", detail, 0.0, end if steps else None, tuple(steps))


def _rounds(turn: StoredTurn) -> Iterator[tuple[Message, Message]]:
    """Each reply with the message before it; one of several messages by its last one."""
    before = turn.question
    for message in turn.answers:
        if _is_part(message, turn):
            continue
        if message.role == "assistant":
            yield before, message
        before = message


def _is_part(message: Message, turn: StoredTurn) -> bool:
    """Whether the reply goes on in a later message; after a crash there may be none."""
    return goes_on(message) and message is not turn.answers[-1]


def _within(parts: Sequence[Message], reply: Message, start: datetime, at: float) -> Iterator[Step]:
    """Who spoke in a reply, and what its provider ran itself; when, is known of each message
    alone."""
    for each in (*parts, reply):
        began = at + max((each.created_at - start).total_seconds(), 0.0)
        if each.speaker or parts:
            yield Step("speaker", each.speaker or "the model", began)
        for tool in each.provider_tools:
            status = "" if tool.status == "complete" else f": {tool.status}"
            yield Step("provider tool", f"{tool.name}{status}", began, tool.seconds)


def _sent(before: Message, reply: Message) -> datetime:
    """When the request was sent. A reply's own time is that of its first text, which comes
    between its first token and its end; what it answers was saved just before the request,
    unless it was asked again later."""
    first, total = reply.timing or (None, None)
    if total is None:
        return reply.created_at
    first = total if first is None else first
    try:
        earliest, latest = (reply.created_at - _span(total), reply.created_at - _span(first))
        fits = earliest - SLACK <= before.created_at <= latest + SLACK
    except OverflowError:  # a time of the year 1, by a hand edit
        return reply.created_at
    return before.created_at if fits else latest


def _request(reply: Message, at: float, within: Iterable[Step]) -> Step:
    timing = reply.timing
    total = timing.total if timing else None
    steps = []
    if timing and timing.first_token is not None:
        steps.append(Step("first token", "", at + timing.first_token))
    end = at + (total or 0.0)
    steps += within
    steps += [Step("tool call", call.name, end) for call in reply.tool_calls]
    if reply.usage is not None:
        cost = "" if reply.usage.cost is None else dollars(reply.usage.cost)
        used = " · ".join(filter(None, (usage_line(reply.usage), cost)))
        if used:
            steps.append(Step("usage", used, end))
    steps.append(Step("finish", _ending(reply), end))
    return Step("request", reply.model or "unknown model", at, total, tuple(steps))


def _ending(reply: Message) -> str:
    """Why it ended, in the words of a trace; see how the reply is stored."""
    error: Any = reply.extra.get("error")
    if isinstance(error, dict):
        return f"failed ({error.get('kind', 'other')}): {error.get('message', '')}"
    reason = reply.extra.get("finish_reason")
    if isinstance(reason, str):
        return reason
    if reply.tool_calls:
        return "tool_calls"
    return {"complete": "stop", "interrupted": "stopped by you"}.get(reply.status, reply.status)


def _call_names(turn: StoredTurn) -> dict[str, str]:
    return {call.id: call.name for reply in turn.replies for call in reply.tool_calls}


def _span(seconds: float) -> timedelta:
    """A time that a file says; the century is the most that is believed."""
    return timedelta(seconds=min(max(seconds, 0.0), 3e9)) if seconds == seconds else timedelta()


def duration(turn: StoredTurn) -> float | None:
    """Seconds from the first request to the end of the last reply; None where no time is
    known."""
    if not any(each.timing and each.timing.total is not None for each in turn.replies):
        return None
    return step_of(turn).took


def with_id(turns: Sequence[StoredTurn], beginning: str) -> list[StoredTurn]:
    """The turns of which the id, or that of one of their messages, begins like this."""
    return [
        turn
        for turn in turns
        if any(each.id.startswith(beginning) for each in (turn.question, *turn.answers))
    ]

"""What happened in a turn, and when, recorded from its events."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from agno_shell.contracts import Step
from agno_shell.events import (
    Ending,
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
    ToolFinished,
    ToolStarted,
    TurnEvent,
    UsageReported,
)
from agno_shell.toolkit.reports import dollars, seconds, usage_line
from agno_shell.toolkit.wording import count
from agno_shell.types import Message, ToolCall, Usage, goes_on

WHAT = {"user": "the question", "assistant": "the reply", "tool": "the result"}
"""What a message is called in a trace, by its role."""


class _Node:
    """A step that may not be over yet."""

    __slots__ = ("began", "detail", "name", "nodes", "took")

    def __init__(self, name: str, detail: str, began: float, took: float | None = None) -> None:
        self.name = name
        self.detail = detail
        self.began = began
        self.took = took
        self.nodes: list[_Node] = []

    def step(self) -> Step:
        steps = tuple(node.step() for node in self.nodes)
        return Step(self.name, self.detail, self.began, self.took, steps)


class Recorder:
    """Takes the events of one turn as they come; a step's time is when its event was fed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._zero = clock()
        self._turn = _Node("turn", "", 0.0)
        self._request: _Node | None = None
        """The request that is under way."""
        self._usage: _Node | None = None
        self._tools: dict[str, _Node] = {}
        """The tools that run, by the id of the call."""
        self._at_provider: dict[str, _Node] = {}
        """The same of those that the provider runs itself."""
        self._seen = ""
        """What has come of the reply that is under way: nothing, its reasoning, its text."""
        self.replies: list[Message] = []
        """The replies that were stored, or were to be."""

    @property
    def step(self) -> Step:
        """The turn as far as it has gone."""
        return self._turn.step()

    async def watch(
        self, events: AsyncGenerator[TurnEvent, None]
    ) -> AsyncGenerator[TurnEvent, None]:
        """The events, unchanged, each recorded before it is handed on."""
        async with aclosing(events):
            async for event in events:
                self.feed(event)
                yield event

    def feed(self, event: TurnEvent) -> None:
        """Record what an event tells. Costs next to nothing for a piece of text."""
        if isinstance(event, TextDelta):
            if self._seen != "text":
                self._came("text")
        elif isinstance(event, ReasoningDelta):
            if not self._seen:
                self._came("reasoning")
        else:
            self._take(event, self._clock() - self._zero)

    def _came(self, what: str) -> None:
        """The first piece of a reply's reasoning or of its text."""
        at = self._clock() - self._zero
        if not self._seen:
            self._within(_Node("first token", "of the reasoning" * (what == "reasoning"), at))
        elif what == "text":
            behind = "the reasoning is over" if self._seen == "reasoning" else ""
            self._within(_Node("first text", behind, at))
        self._seen = what

    def _take(self, event: TurnEvent, at: float) -> None:
        self._turn.took = at
        match event:
            case RequestPrepared():
                self._open(event, at)
            case Retrying(failure, pause, attempt, attempts):
                what = f"try {attempt} of {attempts} after {seconds(pause)}: {failure.message}"
                self._within(_Node("retry", what, at, pause))
                self._seen = ""
            case FellBack(failure, _model, to):
                self._close(f"failed ({failure.kind})", at)
                self._turn.nodes.append(_Node("fallback", f"{to} is asked: {failure.message}", at))
            case ToolCall():
                self._first_of("a tool call", at)
                self._within(_Node("tool call", event.name, at))
            case SpeakerChanged(name):
                self._within(_Node("speaker", name or "the model", at))
            case ProviderToolStarted(call):
                self._first_of("a tool of the provider", at)
                self._at_provider[call.id] = node = _Node("provider tool", call.name, at)
                self._within(node)
            case ProviderToolFinished():
                self._provider_tool_finished(event, at)
            case UsageReported(usage):
                self._used(usage, at)
            case Finished() | Failed() | Interrupted():
                self._end(event, at)
            case ToolStarted(call):
                self._tools[call.id] = node = _Node("tool", call.name, at)
                self._turn.nodes.append(node)
            case ToolFinished(call, result):
                self._tool_finished(call, result, at)
            case MessageSaved(message):
                self._stored(message, "saved", "", at)
            case NotSaved(message, reason):
                self._stored(message, "not saved", f": {reason}", at)

    def _first_of(self, what: str, at: float) -> None:
        if not self._seen:
            self._within(_Node("first token", f"of {what}", at))
            self._seen = "call"

    def _provider_tool_finished(self, event: ProviderToolFinished, at: float) -> None:
        call = event.call
        node = self._at_provider.pop(call.id, None)
        if node is None:
            self._first_of("a tool of the provider", at)
            self._within(node := _Node("provider tool", call.name, at))
        else:
            node.took = at - node.began
        if event.status != "complete":
            node.detail += f": {event.status}"

    def _within(self, node: _Node) -> None:
        """Add to the request that is under way, else to the turn."""
        (self._request or self._turn).nodes.append(node)

    def _open(self, event: RequestPrepared, at: float) -> None:
        self._request = _Node("request", _words(event), at)
        self._usage, self._seen = None, ""
        self._turn.nodes.append(self._request)
        self._turn.detail = event.request.model

    def _used(self, usage: Usage, at: float) -> None:
        """What was used; a later report takes the place of an earlier one."""
        cost = "" if usage.cost is None else dollars(usage.cost)
        detail = " · ".join(filter(None, (usage_line(usage), cost)))
        if self._usage is None:
            self._usage = _Node("usage", "", at)
            self._within(self._usage)
        self._usage.detail, self._usage.began = detail, at

    def _close(self, how: str, at: float) -> None:
        """The request under way is over."""
        self._within(_Node("finish", how, at))
        if self._request:
            self._request.took = at - self._request.began
        self._request = self._usage = None

    def _end(self, ending: Ending, at: float) -> None:
        if isinstance(ending, Finished):
            self._close(ending.reason, at)
        elif isinstance(ending, Failed):
            self._close(f"failed ({ending.kind}): {ending.message}", at)
        else:
            self._close("stopped by you", at)

    def _tool_finished(self, call: ToolCall, result: Message, at: float) -> None:
        node = self._tools.pop(call.id, None)
        if node is None:
            node = _Node("tool", f"{call.name}: not run", at)
            self._turn.nodes.append(node)
            return
        node.took = at - node.began
        if result.status != "complete":
            node.detail = f"{call.name}: {result.status}"

    def _stored(self, message: Message, name: str, why: str, at: float) -> None:
        if message.role == "assistant" and not goes_on(message):
            if self._request:  # a round that ends with tool calls has no ending of its own
                self._close("tool_calls", at)
            self.replies.append(message)
            self._turn.detail = ", ".join(filter(None, (message.model, message.status)))
        what = WHAT.get(message.role, f"the {message.role}")
        status = f", {message.status}" if message.status != "complete" else ""
        node = _Node(name, f"{what}{status}{why}", at)
        if goes_on(message):
            self._within(node)
        else:
            self._turn.nodes.append(node)


def _words(event: RequestPrepared) -> str:
    """What is sent, and where."""
    request, receipt = event.request, event.receipt
    where = f" at {request.api_base}" if request.api_base else ""
    parts = [f"{request.model}{where}: {count(len(request.messages), 'message')}"]
    if receipt.tokens:
        about = "about " if receipt.estimated else ""
        window = f" of {receipt.window:,}" if receipt.window else ""
        parts.append(f"{about}{receipt.tokens:,} tokens{window}")
    if left_out := sum(each.messages for each in receipt.left_out):
        parts.append(f"{left_out:,} earlier left out")
    if request.tools:
        parts.append(count(len(request.tools), "tool"))
    if request.files:
        parts.append(count(len(request.files), "file"))
    if request.reasoning:
        parts.append(f"reasoning={request.reasoning}")
    parts += [f"{name}={value}" for name, value in request.parameters.items()]
    return ", ".join(parts)

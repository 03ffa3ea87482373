"""What a turn cost and what it did, in words: metrics and trace. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from agno_shell.events import Ending, Failed, Finished, Request
from agno_shell.types import Message


class Totals:
    """Sums over the replies of one run of the shell."""

    def __init__(self) -> None:
        self.replies = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.cost: float | None = None

    def add(self, reply: Message) -> None:
        """Count a reply."""
        self.replies += 1
        if usage := reply.usage:
            self.input_tokens += usage.input_tokens or 0
            self.output_tokens += usage.output_tokens or 0
            if usage.cost is not None:
                self.cost = (self.cost or 0.0) + usage.cost

    def line(self) -> str:
        """One line; empty before the first reply."""
        if not self.replies:
            return ""
        replies = "1 reply" if self.replies == 1 else f"{self.replies} replies"
        parts = [replies, f"{self.input_tokens} tokens in", f"{self.output_tokens} out"]
        if self.cost is not None:
            parts.append(_dollars(self.cost))
        return " · ".join(parts)


def metrics_line(reply: Message) -> str:
    """Tokens in and out, time to the first token, tokens per second, cost if known."""
    parts = []
    if usage := reply.usage:
        if usage.input_tokens is not None:
            cached = f" ({usage.cached_tokens} cached)" if usage.cached_tokens else ""
            parts.append(f"{usage.input_tokens} tokens in{cached}")
        if usage.output_tokens is not None:
            thought = f" ({usage.reasoning_tokens} reasoning)" if usage.reasoning_tokens else ""
            parts.append(f"{usage.output_tokens} out{thought}")
    if (timing := reply.timing) and timing.first_token is not None:
        parts.append(f"first token {_seconds(timing.first_token)}")
        streamed = (timing.total or 0.0) - timing.first_token
        tokens = reply.usage.output_tokens if reply.usage else None
        if tokens and streamed > 0:
            parts.append(f"{tokens / streamed:.0f} tokens/s")
    if reply.usage and reply.usage.cost is not None:
        parts.append(_dollars(reply.usage.cost))
    return " · ".join(parts) or "The provider reported no figures."


def trace_lines(
    request: Request, omitted: int, tokens: Sequence[int], reply: Message, ending: Ending
) -> list[str]:
    """What was sent, when the first token came, and how the reply ended.

    ``tokens`` has one count for each message of the request.
    """
    total = sum(tokens)
    left_out = f", {omitted} earlier left out" if omitted else ""
    where = f" at {request.api_base}" if request.api_base else ""
    lines = [
        f"sent to {request.model}{where}: {len(request.messages)} messages, "
        f"{total} tokens{left_out}"
    ]
    lines.extend(
        f"  {number:>3} {message.role:<9} {count:>6}  {_excerpt(message.content)}"
        for number, (message, count) in enumerate(
            zip(request.messages, tokens, strict=True), start=1
        )
    )
    if request.parameters:
        lines.append("parameters: " + ", ".join(f"{k}={v}" for k, v in request.parameters.items()))
    timing = reply.timing
    if timing and timing.first_token is not None:
        lines.append(f"first token after {_seconds(timing.first_token)}")
    after = f" after {_seconds(timing.total)}" if timing and timing.total is not None else ""
    lines.append(f"{_ending(ending)}{after}, stored as {reply.status}")
    return lines


def _ending(ending: Ending) -> str:
    if isinstance(ending, Finished):
        return f"finish reason {ending.reason}"
    if isinstance(ending, Failed):
        return f"failed ({ending.kind})"
    return "stopped by you"


def _excerpt(text: str, width: int = 56) -> str:
    line = " ".join(text[: width * 4].split())
    return line if len(line) <= width else f"{line[: width - 1]}…"


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def _dollars(value: float) -> str:
    return f"${value:.2f}" if value >= 1 else f"${value:.4f}"

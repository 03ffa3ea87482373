"""What a turn did and what replies used, in words: for the shell, for one-shot commands and
for slash commands alike. What is not known is left out, and never a zero."""

# Annotations are not left as text here (PEP 563): see ``contracts.engine``.

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from agno_shell.contracts.engine import Figures, Step
from agno_shell.toolkit.durations import spoken
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.text_table import pad, shorten, text_width
from agno_shell.toolkit.wording import count
from agno_shell.types import Message, Usage

if TYPE_CHECKING:
    from agno_shell.contracts.provider import Address, Background

SEPARATOR = " · "

NO_FIGURES = "The provider reported no figures."

LONGEST_DETAIL = 400
"""Characters of what one line of a trace says, where the terminal does not limit it."""


# Numbers ----------------------------------------------------------------------------------


def address_words(address: "Address | None") -> str:
    """The server that is asked, on one line; empty where it is the model's own service."""
    if address is None:
        return ""
    by = f" ({clean_line(address.chosen_by)})" if address.chosen_by else ""
    return f"{clean_line(address.url)}{by}"


def background_in_words(process: "Background") -> str:
    """``litellm 1.110, pid 42, 12 min old, serving 2 shells; it ends 15 min after the last``."""
    named = f"{clean_line(process.about)}, pid {process.pid}"
    if process.starting:
        return f"{named}, not ready yet"
    serving = count(process.serving, "shell") if process.serving else "no shell"
    return (
        f"{named}, {spoken(process.age)} old, serving {serving};"
        f" it ends {spoken(process.keep)} after the last"
    )


def dollars(value: float) -> str:
    """``$1,234.50``, ``$0.0012``; a smaller amount is shown as less than that."""
    if value == 0:
        return "$0"
    if 0 < value < 0.0001:
        return "<$0.0001"
    return f"${value:,.2f}" if value >= 1 else f"${value:.4f}"


def seconds(value: float) -> str:
    """``250 ms``, ``1.5 s``."""
    return f"{value * 1000:.0f} ms" if value < 0.9995 else f"{value:,.1f} s"


def tokens_per_second(reply: Message) -> float | None:
    """How fast a reply came once it had begun; None where that is not known."""
    tokens = reply.usage.output_tokens if reply.usage else None
    if not tokens or reply.timing is None:
        return None
    first, total = reply.timing.first_token, reply.timing.total
    if first is None or total is None or total <= first:
        return None
    return tokens / (total - first)


# What replies used ------------------------------------------------------------------------


def usage_line(usage: Usage) -> str:
    """Tokens in and out; empty where the provider reported nothing."""
    return SEPARATOR.join(
        _token_parts(
            usage.input_tokens, usage.cached_tokens, usage.output_tokens, usage.reasoning_tokens
        )
    )


def reply_line(reply: Message) -> str:
    """Tokens in and out, time to the first token, tokens per second, cost if known."""
    parts = [usage_line(reply.usage)] if reply.usage else []
    if reply.timing and reply.timing.first_token is not None:
        parts.append(f"first token {seconds(reply.timing.first_token)}")
    if (speed := tokens_per_second(reply)) is not None:
        parts.append(f"{speed:,.0f} tokens/s")
    if reply.usage and reply.usage.cost is not None:
        parts.append(dollars(reply.usage.cost))
    return SEPARATOR.join(filter(None, parts)) or NO_FIGURES


def figures_line(figures: Figures) -> str:
    """The sums over several replies; empty before the first."""
    if not figures.replies:
        return ""
    parts = [
        count(figures.replies, "reply"),
        *_token_parts(
            figures.input_tokens,
            figures.cached_tokens,
            figures.output_tokens,
            figures.reasoning_tokens,
        ),
    ]
    if figures.cost is not None:
        parts.append(dollars(figures.cost))
    if figures.unpriced:
        parts.append(f"{figures.unpriced:,} of unknown cost")
    return SEPARATOR.join(parts)


def _token_parts(
    sent: int | None, cached: int | None, came: int | None, thought: int | None
) -> list[str]:
    parts = []
    if sent is not None:
        parts.append(f"{sent:,} tokens in" + (f" ({cached:,} cached)" if cached else ""))
    if came is not None:
        unit = "" if parts else " tokens"
        parts.append(f"{came:,}{unit} out" + (f" ({thought:,} reasoning)" if thought else ""))
    return parts


# What a turn did --------------------------------------------------------------------------


def trace_record(step: Step) -> dict[str, Any]:
    """A step and what happened within it, as JSON has it; times in seconds."""
    return {
        "name": step.name,
        "detail": step.detail,
        "began": round(step.began, 6),
        "took": None if step.took is None else round(step.took, 6),
        "steps": [trace_record(each) for each in step.steps],
    }


def trace_lines(step: Step, width: int = 0) -> list[str]:
    """A turn drawn as a tree, one step a line: when it began, how long it took, what it was.
    Cut to ``width`` columns; 0: lines of any length."""
    rows = list(_rows(step, "", ""))
    labels = [mark + clean_line(each.name) for mark, each in rows]
    began = [seconds(each.began) for _mark, each in rows]
    took = ["" if each.took is None else seconds(each.took) for _mark, each in rows]
    label_width, began_width, took_width = _widest(labels), _widest(began), _widest(took)
    lines = []
    for index, (_mark, each) in enumerate(rows):
        line = "  ".join(
            (
                pad(began[index], began_width, right=True),
                pad(took[index], took_width, right=True),
                pad(labels[index], label_width),
                clean_line(each.detail, LONGEST_DETAIL),
            )
        ).rstrip()
        lines.append(shorten(line, width) if width else line)
    return lines


def _rows(step: Step, mark: str, indent: str) -> Iterator[tuple[str, Step]]:
    """Each step with the branch that is drawn before its name."""
    yield mark, step
    for number, each in enumerate(step.steps, start=1):
        is_last = number == len(step.steps)
        branch, below = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
        yield from _rows(each, indent + branch, indent + below)


def _widest(cells: Sequence[str]) -> int:
    return max(map(text_width, cells))

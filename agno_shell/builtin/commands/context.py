"""Commands that show and change what is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from agno_shell.builtin.commands.numbers import excerpt, named
from agno_shell.contracts import Command, CommandContext, Completion
from agno_shell.errors import UsageError
from agno_shell.events import LeftOut, Receipt, ReceiptRow
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.text_table import Column
from agno_shell.toolkit.wording import count
from agno_shell.types import Message

FULL_FLAG = "--full"
UNDO_FLAG = "--undo"

FIRST, LAST = 8, 16
"""Rows that are shown of a long request."""

JOINED = "+ same"
"""Stands for the role of what is sent in one message with the row above."""

BAR = 24
"""Characters of the bar that shows how full the window is."""

OFFERED = 30
"""Messages that Tab offers for a pin, the newest ones."""

WHY_NOT = {
    "window": ("does not fit into the window", "do not fit into the window"),
    "summary": ("is in the summary", "are in the summary"),
    "empty": ("holds nothing to send", "hold nothing to send"),
    "refused": (
        "was refused, and is not sent again by itself: /retry or /edit brings it back",
        "were refused, and are not sent again by themselves: /retry or /edit brings them back",
    ),
}
"""Of one message, and of several."""

COLUMNS = (
    Column("No.", right=True),
    Column("Role"),
    Column("Tokens", right=True),
    Column("Why"),
    Column("Begins with", minimum=12),
)


async def show(context: CommandContext, text: str) -> None:
    """Show the receipt for the next request."""
    if text not in ("", FULL_FLAG):
        raise UsageError(
            f"/context takes {FULL_FLAG} or nothing.", hint=f"Usage: /context [{FULL_FLAG}]"
        )
    receipt: Receipt = await context.engine.receipt()
    places = await context.engine.messages.numbers({each.message.id for each in receipt.rows})
    for line in _head(context.engine.model, receipt):
        context.ui.print(line)
    context.ui.print()
    if receipt.rows:
        hidden = len(receipt.rows) - FIRST - LAST
        folds = hidden > 1 and not text
        rows = [_row(each, places) for each in receipt.rows]
        if folds:
            left = receipt.rows[FIRST:-LAST]
            tokens = sum(each.tokens for each in left)
            note = f"… {hidden:,} more messages; /context {FULL_FLAG} shows all"
            rows[FIRST:-LAST] = [("", "", f"{tokens:,}", "", note)]
        context.ui.table(COLUMNS, rows)
        context.ui.print()
    for line in _foot(receipt):
        context.ui.print(line)


def _head(model: str, receipt: Receipt) -> Iterable[str]:
    """How full the window is."""
    room = max(1, receipt.window - receipt.reserve)
    share = receipt.tokens / room
    filled = min(BAR, round(share * BAR)) or int(receipt.tokens > 0)
    about = "about " if receipt.estimated else ""
    messages = sum(not row.joined for row in receipt.rows)
    yield (
        f"The next request to {clean_line(model)} holds {count(messages, 'message')} with "
        f"{about}{receipt.tokens:,} tokens, beside your question."
    )
    yield f"{'█' * filled}{'░' * (BAR - filled)} {share:.0%} of {room:,} tokens"
    known = "" if receipt.window_known else ", as configured: the model's own is not known"
    yield f"The window has {receipt.window:,}{known}; {receipt.reserve:,} are kept for the reply."


def _row(row: ReceiptRow, places: Mapping[str, int]) -> tuple[str, ...]:
    place = places.get(row.message.id)
    text = excerpt(row.message)
    if row.message.tool_calls:
        names = ", ".join(call.name for call in row.message.tool_calls)
        text = f"{text} (calls {names})".strip()
    return (
        "" if place is None else f"{place:,}",
        JOINED if row.joined else row.message.role,
        f"{row.tokens:,}",
        row.why,
        text,
    )


def _foot(receipt: Receipt) -> Iterable[str]:
    if any(row.joined for row in receipt.rows):
        yield f"What has {JOINED!r} as its role goes in one message with the row above it."
    if receipt.tool_tokens:
        yield f"What describes the tools: {receipt.tool_tokens:,} tokens."
    if not receipt.left_out:
        yield "Nothing of the conversation is left out."
    for left in receipt.left_out:
        yield f"Not sent: {_left_out(left)}"
    if receipt.estimated:
        yield "The tokens are an estimate: how this model counts is not known here."


def _left_out(left: LeftOut) -> str:
    at_least = "at least " if left.at_least else ""
    one, several = WHY_NOT[left.why]
    why = one if left.messages == 1 else several
    return f"{at_least}{count(left.messages, 'message')} that {why}."


# Pins -------------------------------------------------------------------------------------


async def pin(context: CommandContext, text: str) -> None:
    """Always send a message, or list those that are."""
    if not text:
        await _list_pins(context)
        return
    number, message = await named(context, text, "Usage: /pin [N]")
    if message.role == "summary":
        raise UsageError(
            f"Message {number} is a summary, which is sent as long as it counts.",
            hint="/compact --undo sends what it stands for instead.",
        )
    if message.id in context.engine.session.pinned:
        context.ui.print(f"Message {number} is pinned already.")
        return
    await context.engine.pin(message.id)
    context.ui.print(
        f"Message {number} is always sent from now on, with its turn: {_words(message)}"
    )


async def unpin(context: CommandContext, text: str) -> None:
    """Send a message like any other again."""
    number, message = await named(context, text, "Usage: /unpin N")
    if message.id not in context.engine.session.pinned or message.role == "summary":
        raise UsageError(f"Message {number} is not pinned.", hint="/pin lists those that are.")
    await context.engine.pin(message.id, pinned=False)
    context.ui.print(f"Message {number} is no longer pinned: {_words(message)}")


async def _list_pins(context: CommandContext) -> None:
    pinned = await _pinned(context)
    if not pinned:
        context.ui.print("No message here is pinned. /pin N pins one; /history shows the numbers.")
        return
    context.ui.print("These messages are always sent, each with its turn:")
    for number, message in pinned:
        context.ui.print(f"{number:>6,}  {_words(message)}")


async def _pinned(context: CommandContext) -> Sequence[tuple[int, Message]]:
    """Those of this branch; summaries are kept among them, too."""
    numbers = await context.engine.messages.numbers(context.engine.session.pinned)
    found = []
    for number in sorted(numbers.values()):
        (message,) = await context.engine.messages.part(number - 1, number)
        if message.role != "summary":
            found.append((number, message))
    return found


def _words(message: Message) -> str:
    who = "you" if message.role == "user" else message.role
    return f"{who}: {excerpt(message)}"


async def _to_pin(context: CommandContext, _text: str) -> Iterable[Completion]:
    length = await context.engine.messages.length()
    path = await context.engine.messages.part(max(0, length - OFFERED), length)
    numbered = enumerate(path, length - len(path) + 1)
    offered = (each for each in numbered if each[1].role in ("user", "assistant"))
    pinned = context.engine.session.pinned
    return [
        Completion(str(number), _words(message))
        for number, message in offered
        if message.id not in pinned
    ][::-1]


async def _to_unpin(context: CommandContext, _text: str) -> Iterable[Completion]:
    return [Completion(str(number), _words(each)) for number, each in await _pinned(context)]


# Compaction -------------------------------------------------------------------------------


async def compact(context: CommandContext, text: str) -> None:
    """Let the model sum up the older turns, or take that back."""
    if text == UNDO_FLAG:
        await context.engine.uncompact()
        context.ui.print("What the last summary stood for is sent again. /context shows it.")
    elif text.startswith("--"):
        raise UsageError(
            f"/compact has no option {clean_line(text.split()[0], 40)}.",
            hint=f"Usage: /compact [INSTRUCTION] or /compact {UNDO_FLAG}",
        )
    else:
        # The shell shows how it goes, and what came of it.
        await context.engine.compact(text)


async def _undo_flag(_context: CommandContext, text: str) -> Iterable[Completion]:
    return [Completion(UNDO_FLAG, "send the originals again")] if text[:1] in ("", "-") else ()


async def _full_flag(_context: CommandContext, _text: str) -> Iterable[Completion]:
    return [Completion(FULL_FLAG, "every message")]


COMMANDS = (
    Command(
        "context",
        "Show exactly what the next request holds, and what it does not.",
        show,
        usage=f"[{FULL_FLAG}]",
        details=(
            "Each message that is sent, its tokens and why it goes; how full the model's window "
            f"is; and what of the conversation is left out. With {FULL_FLAG} every message of a "
            "long request is listed."
        ),
        complete=_full_flag,
    ),
    Command(
        "pin",
        "Always send message N with its turn, or list the pinned ones.",
        pin,
        usage="[N]",
        details="N is the number of a message, as /history and /context show it.",
        complete=_to_pin,
    ),
    Command(
        "unpin",
        "Send message N like any other again.",
        unpin,
        usage="N",
        complete=_to_unpin,
    ),
    Command(
        "compact",
        "Let the model sum up the older turns, to make room.",
        compact,
        usage=f"[INSTRUCTION | {UNDO_FLAG}]",
        details=(
            "The summary is shown as it comes, and sent in place of what it stands for; the "
            "originals stay in the session, and the last two turns are sent as they are. An "
            "INSTRUCTION says what matters beside names, numbers, decisions and open questions.\n"
            f"With {UNDO_FLAG} the originals are sent again.\n"
            "Example: /compact keep every measurement"
        ),
        complete=_undo_flag,
    ),
)

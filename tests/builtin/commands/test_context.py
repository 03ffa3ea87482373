from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agno_shell.errors import UsageError
from agno_shell.events import LeftOut, Receipt, ReceiptRow
from agno_shell.types import Message, Role, ToolCall, new_id, now


def message(role: Role, content: str, **fields: Any) -> Message:
    return Message(new_id(), role, content, now(), **fields)


def receipt(*rows: ReceiptRow, left_out: tuple[LeftOut, ...] = (), **changes: Any) -> Receipt:
    return Receipt(rows, left_out, 0, 1000, True, 200, False)._replace(**changes)


def rows(count: int) -> list[ReceiptRow]:
    return [
        ReceiptRow(message("user", f"text number {number}"), 10, "recent")
        for number in range(count)
    ]


@pytest.fixture
def path(context: Any, say: Any) -> Any:
    """Six messages, numbered from 1."""
    say(
        context, *(line for n in range(3) for line in (f"user: question {n}", f"assistant: re {n}"))
    )
    return context.engine.history


async def test_the_receipt_is_a_table_with_the_numbers_of_the_path(
    context: Any, type_line: Callable[..., Any], path: Any
) -> None:
    context.results["receipt"] = receipt(
        ReceiptRow(message("system", "Be exact."), 40, "instructions"),
        ReceiptRow(path[2], 60, "pinned"),
        ReceiptRow(
            path[5]._replace(content="", tool_calls=(ToolCall("1", "clock", "{}"),)), 300, "recent"
        ),
    )
    shown = await type_line(context, "/context")
    assert shown.split("\n") == [
        "The next request to fake-model holds 3 messages with 400 tokens, beside your question.",
        "████████████░░░░░░░░░░░░ 50% of 800 tokens",
        "The window has 1,000; 200 are kept for the reply.",
        "",
        "No.  Role       Tokens  Why           Begins with",
        "     system         40  instructions  Be exact.",
        "  3  user           60  pinned        question 1",
        "  6  assistant     300  recent        (calls clock)",
        "",
        "Nothing of the conversation is left out.",
    ]


async def test_what_goes_in_one_message_is_shown_part_by_part(
    context: Any, type_line: Callable[..., Any], path: Any
) -> None:
    context.results["receipt"] = receipt(
        ReceiptRow(path[0], 10, "recent"),
        ReceiptRow(path[2], 20, "recent", True),
        ReceiptRow(path[3], 30, "recent"),
    )
    shown = (await type_line(context, "/context")).split("\n")
    assert shown[0].startswith("The next request to fake-model holds 2 messages with 60 tokens")
    assert shown[4:8] == [
        "No.  Role       Tokens  Why     Begins with",
        "  1  user           10  recent  question 0",
        "  3  + same         20  recent  question 1",
        "  4  assistant      30  recent  re 1",
    ]
    assert shown[9] == "What has '+ same' as its role goes in one message with the row above it."


async def test_what_is_not_sent_is_said_with_the_reason(
    context: Any, type_line: Callable[..., Any]
) -> None:
    left_out = (
        LeftOut(1, "summary"),
        LeftOut(12, "window", True),
        LeftOut(1, "empty"),
        LeftOut(2, "refused"),
    )
    context.results["receipt"] = receipt(
        *rows(1), left_out=left_out, tool_tokens=90, window_known=False, estimated=True
    )
    shown = await type_line(context, "/context")
    assert "Not sent: 1 message that is in the summary." in shown
    assert "Not sent: at least 12 messages that do not fit into the window." in shown
    assert "Not sent: 1 message that holds nothing to send." in shown
    assert "Not sent: 2 messages that were refused, and are not sent again by them" in shown
    assert "Nothing of the conversation" not in shown
    assert "about 100 tokens" in shown
    assert "What describes the tools: 90 tokens." in shown
    assert "as configured: the model's own is not known" in shown
    assert "The tokens are an estimate" in shown


async def test_an_empty_request_has_no_table(context: Any, type_line: Callable[..., Any]) -> None:
    context.results["receipt"] = receipt()
    shown = await type_line(context, "/context")
    assert "holds 0 messages" in shown
    assert "No." not in shown
    assert "░" * 24 in shown


async def test_a_full_window_has_a_full_bar(context: Any, type_line: Callable[..., Any]) -> None:
    context.results["receipt"] = receipt(ReceiptRow(message("user", "x"), 1600, "recent"))
    assert "█" * 24 + " 200% of 800 tokens" in await type_line(context, "/context")


async def test_of_a_long_request_the_ends_are_shown(
    context: Any, type_line: Callable[..., Any]
) -> None:
    context.results["receipt"] = receipt(*rows(1000))
    lines = (await type_line(context, "/context")).split("\n")
    assert "            9,760          … 976 more messages; /context --full shows all" in lines
    assert sum("text number" in line for line in lines) == 24
    assert "text number 7" in lines[12]
    assert "text number 999" in lines[-3]
    whole = await type_line(context, "/context --full")
    assert whole.count("text number") == 1000
    assert "more;" not in whole


async def test_one_row_is_not_folded(context: Any, type_line: Callable[..., Any]) -> None:
    context.results["receipt"] = receipt(*rows(25))
    assert (await type_line(context, "/context")).count("text number") == 25


async def test_other_words_are_refused(context: Any, type_line: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match="takes --full or nothing"):
        await type_line(context, "/context all")


# Pins -------------------------------------------------------------------------------------


async def test_a_message_is_pinned_by_its_number(
    context: Any, type_line: Callable[..., Any], path: Any
) -> None:
    shown = await type_line(context, "/pin 3")
    assert shown == "Message 3 is always sent from now on, with its turn: you: question 1"
    assert context.engine.session.pinned == (path[2].id,)
    assert "pinned already" in await type_line(context, "/pin 3")
    await type_line(context, "/pin 6")
    assert (await type_line(context, "/pin")).split("\n") == [
        "These messages are always sent, each with its turn:",
        "     3  you: question 1",
        "     6  assistant: re 2",
    ]
    assert "no longer pinned" in await type_line(context, "/unpin 3")
    assert context.engine.session.pinned == (path[5].id,)


async def test_without_pins_it_is_said_how_to_pin(
    context: Any, type_line: Callable[..., Any], path: Any
) -> None:
    assert "/pin N pins one" in await type_line(context, "/pin")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/pin 9", "There is no message 9"),
        ("/pin x", "number is expected"),
        ("/pin 0", "There is no message 0"),
        ("/unpin", "number is expected"),
        ("/unpin 2", "Message 2 is not pinned"),
    ],
)
async def test_numbers_that_mean_nothing_are_refused(
    context: Any, type_line: Callable[..., Any], path: Any, line: str, said: Any
) -> None:
    with pytest.raises(UsageError, match=said):
        await type_line(context, line)
    assert context.engine.session.pinned == ()


async def test_a_summary_is_no_pin(context: Any, type_line: Callable[..., Any], path: Any) -> None:
    await context.engine.compact("")
    context.know(
        context.memory.update(
            context.engine.session.session_id, pinned=[context.engine.history[-1].id]
        )
    )
    assert "No message here is pinned" in await type_line(context, "/pin")
    with pytest.raises(UsageError, match="Message 7 is a summary"):
        await type_line(context, "/pin 7")
    with pytest.raises(UsageError, match="not pinned"):
        await type_line(context, "/unpin 7")


async def test_messages_are_offered_by_their_numbers(
    context: Any, type_line: Callable[..., Any], complete: Callable[..., Any], path: Any
) -> None:
    await type_line(context, "/pin 5")
    offered = await complete(context, "/pin ")
    assert [each.text for each in offered] == ["6", "4", "3", "2", "1"]
    assert offered[-1].meta == "you: question 0"
    assert [each.text for each in await complete(context, "/unpin ")] == ["5"]


# Compaction -------------------------------------------------------------------------------


async def test_compact_passes_the_instruction_on(
    context: Any, type_line: Callable[..., Any], path: Any
) -> None:
    assert "are summed up" in await type_line(context, "/compact keep every date")
    assert "keep every date" in context.provider.requests[-1].messages[-1].content
    assert context.calls[-1] == ("compact", "keep every date")


async def test_compact_is_taken_back(
    context: Any, type_line: Callable[..., Any], path: Any
) -> None:
    await type_line(context, "/compact")
    assert "is sent again" in await type_line(context, "/compact --undo")
    assert context.calls[-1] == ("uncompact",)


async def test_compact_refuses_other_options(
    context: Any, type_line: Callable[..., Any], path: Any
) -> None:
    with pytest.raises(UsageError, match="no option --redo"):
        await type_line(context, "/compact --redo")
    assert context.calls == []


async def test_flags_are_offered(context: Any, complete: Callable[..., Any]) -> None:
    assert [each.text for each in await complete(context, "/compact ")] == ["--undo"]
    assert await complete(context, "/compact keep") == []
    assert [each.text for each in await complete(context, "/context ")] == ["--full"]

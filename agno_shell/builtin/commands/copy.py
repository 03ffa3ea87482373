"""``/copy``: a reply, any message, or a block of code, on the clipboard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from agno_shell.builtin.commands import completions
from agno_shell.builtin.commands.numbers import backwards, named
from agno_shell.contracts import Command, CommandContext
from agno_shell.errors import UsageError
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.typed_numbers import whole_number
from agno_shell.toolkit.wording import count
from agno_shell.types import Message, goes_on

USAGE = "Usage: /copy [N|code [N]]"


class Code(NamedTuple):
    """A block of code between fences."""

    language: str
    """The first word behind the fence; may be empty."""
    text: str


async def copy(context: CommandContext, text: str) -> None:
    """Copy what was asked for, and say how much it is."""
    word, _, rest = text.partition(" ")
    if word.lower() == "code":
        await _copy_code(context, rest.strip())
        return
    if word:
        _number, message = await named(context, text, USAGE)
        copied, what = message.content, f"message {int(text)}"
    else:
        said = replies(context.engine.history) or await _earlier(context, lambda texts: bool(texts))
        if not said:
            raise UsageError("There is no reply to copy yet.")
        copied, what = said[-1], "the last reply"
    if not copied:
        raise UsageError(f"Nothing was copied: {what} has no text.")
    how = await context.ui.copy(copied)
    context.ui.print(f"Copied {what} ({_lines(copied)}) {how}.")


async def _copy_code(context: CommandContext, number: str) -> None:
    """The block of that number, counted from the last one."""
    wanted = _number_of_block(number)
    blocks = newest_blocks(replies(context.engine.history), wanted)
    if len(blocks) < wanted:
        texts = await _earlier(context, lambda texts: len(newest_blocks(texts, wanted)) >= wanted)
        blocks = newest_blocks(texts, wanted)
    if not blocks:
        raise UsageError("There is no block of code in this conversation.")
    if len(blocks) < wanted:
        raise UsageError(f"The conversation has {count(len(blocks), 'block')} of code.", hint=USAGE)
    block = blocks[wanted - 1]
    how = await context.ui.copy(block.text)
    language = f" ({clean_line(block.language, 30)})" if block.language else ""
    context.ui.print(f"Copied {_lines(block.text)} of code{language} {how}.")


async def _earlier(context: CommandContext, enough: Callable[[list[str]], bool]) -> list[str]:
    """The replies from further back, as many as are ``enough``, or all of them."""
    path: list[Message] = []
    async for _start, part in backwards(context):
        path[:0] = part
        if enough(replies(path)):
            break
    return replies(path)


def _number_of_block(word: str) -> int:
    """1 for the last block, 2 for the one before; nothing typed: the last."""
    if not word:
        return 1
    number = whole_number(word)
    if not number:
        raise UsageError(f"'{clean_line(word, 40)}' is not the number of a block.", hint=USAGE)
    return number


def replies(path: Sequence[Message]) -> list[str]:
    """The text of each reply that has any, oldest first; what went on with one that was
    stopped or cut off belongs to it, and so does what several have said in it."""
    texts: list[str] = []
    unfinished: str | None = None
    is_one_reply = False
    for message in path:
        was_one_reply, is_one_reply = is_one_reply, goes_on(message)
        if message.role != "assistant" or not message.content:
            continue
        if was_one_reply:
            texts[-1] += f"\n\n{message.content}"
        elif unfinished is not None and message.parent == unfinished:
            texts[-1] += message.content
        else:
            texts.append(message.content)
        unfinished = message.id if message.status != "complete" else None
    return texts


def newest_blocks(texts: Sequence[str], enough: int) -> list[Code]:
    """The blocks of code in texts, the last first; no more than ``enough`` are looked for."""
    found: list[Code] = []
    for text in reversed(texts):
        found += reversed(code(text))
        if len(found) >= enough:
            break
    return found


def code(text: str) -> list[Code]:
    """The blocks between fences, in their order; one that never ends goes to the end."""
    if "```" not in text and "~~~" not in text:
        return []
    from markdown_it import MarkdownIt  # 30 ms that no start-up should pay

    return [
        # A shell would run what ends with a newline as soon as it is pasted.
        Code(token.info.strip().partition(" ")[0], token.content.removesuffix("\n"))
        for token in MarkdownIt("commonmark").parse(text)
        if token.type == "fence" and token.content
    ]


def _lines(text: str) -> str:
    return count(text.rstrip("\n").count("\n") + 1, "line")


COMMANDS = (
    Command(
        "copy",
        "Copy the last reply, message N, or the last block of code to the clipboard.",
        copy,
        usage="[N|code [N]]",
        details=(
            "/copy 3 copies the message with that number, which /history shows. /copy code copies "
            "the last block of code between fences, /copy code 2 the one before. The clipboard "
            "is that of the desktop, or of the terminal where it lets programs write to it.\n"
            "Example: /copy code"
        ),
        complete=completions.words(("code", "the last block of code")),
    ),
)

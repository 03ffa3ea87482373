from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agno_shell.builtin.commands.copy import Code, code, replies
from agno_shell.errors import UsageError
from agno_shell.types import NEXT_SPEAKER, Message, new_id, now

TWO_BLOCKS = """Here:

```python
def f():
    return 1
```

and in a list:

- so

  ~~~
  plain
  ~~~
"""


async def test_the_last_reply_is_copied(
    context: Any, type_line: Callable[..., Any], say: Any
) -> None:
    say(context, "user: 1", "assistant: a", "user: 2", "assistant: b\x1b[2J\nc", "user: 3")
    assert await type_line(context, "/copy") == "Copied the last reply (2 lines) with xclip."
    assert context.ui.copied == ["b\x1b[2J\nc"]


async def test_a_message_is_copied_by_its_number(
    context: Any, type_line: Callable[..., Any], say: Any
) -> None:
    say(context, "user: 1", "assistant: a")
    assert await type_line(context, "/copy 1") == "Copied message 1 (1 line) with xclip."
    assert context.ui.copied == ["1"]


async def test_what_went_on_with_a_reply_belongs_to_it(
    context: Any, type_line: Callable[..., Any]
) -> None:
    said = [
        Message("q", "user", "question", now()),
        Message("a", "assistant", "The first ", now(), "q", status="interrupted"),
        Message("b", "assistant", "and the sec", now(), "a", status="incomplete"),
        Message("c", "assistant", "ond.", now(), "b"),
        Message("d", "assistant", "Another.", now(), "c"),
    ]
    assert replies(said) == ["The first and the second.", "Another."]
    # A reply that failed, and was asked for again, is no part of the new one.
    tried = [said[0], said[1]._replace(content=""), said[2]._replace(parent="q")]
    assert replies(tried) == ["and the sec"]
    several = [
        Message("a", "assistant", "One.", now(), "q", extra={"finish_reason": NEXT_SPEAKER}),
        Message("b", "assistant", "Two.", now(), "a", speaker="Ada"),
        Message("c", "assistant", "Another.", now(), "b"),
    ]
    assert replies(several) == ["One.\n\nTwo.", "Another."]
    for message in said[:4]:
        context.say(message)
    await type_line(context, "/copy")
    assert context.ui.copied == ["The first and the second."]


async def test_the_last_block_of_code_is_copied(
    context: Any, type_line: Callable[..., Any], say: Any
) -> None:
    say(context, f"assistant: {TWO_BLOCKS}", "user: ```not\nmine\n```", "assistant: no code")
    assert await type_line(context, "/copy code") == "Copied 1 line of code with xclip."
    printed = await type_line(context, "/copy code 2")
    assert printed == "Copied 2 lines of code (python) with xclip."
    assert context.ui.copied == ["plain", "def f():\n    return 1"]


def test_blocks_of_code_are_found_as_markdown_has_them() -> None:
    assert code(TWO_BLOCKS) == [Code("python", "def f():\n    return 1"), Code("", "plain")]
    assert code("```sh\nmake\nmake in") == [Code("sh", "make\nmake in")]
    assert code("````md\n```\ninside\n```\n````") == [Code("md", "```\ninside\n```")]
    assert code("say `x` and ``` y ```") == []
    assert code("```\n```") == []


async def test_code_is_looked_for_beyond_what_the_shell_holds(
    context: Any, type_line: Callable[..., Any], say: Any
) -> None:
    say(context, "assistant: ```\nold\n```", "user: 1", "assistant: no code")
    context.hold(list(context.engine.history)[1:])
    await type_line(context, "/copy code")
    assert context.ui.copied == ["old"]


async def test_a_language_is_foreign_text(
    context: Any, type_line: Callable[..., Any], say: Any
) -> None:
    say(context, "assistant: ```\x1b[2Jpy\nx\n```")
    assert "(␛[2Jpy)" in await type_line(context, "/copy code")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("/copy 9", "There is no message 9: the conversation has 3 messages"),
        ("/copy all", "A message's number is expected, not 'all'"),
        ("/copy 1 2", "A message's number is expected"),
        ("/copy 3", "message 3 has no text"),
        ("/copy code x", "'x' is not the number of a block"),
        ("/copy code 0", "'0' is not the number of a block"),
        ("/copy code 2", "The conversation has 1 block of code"),
    ],
)
async def test_what_cannot_be_copied(
    context: Any, type_line: Callable[..., Any], say: Any, line: str, complaint: Any
) -> None:
    say(context, "user: 1", "assistant: ```\nx\n```")
    parent = context.engine.history[-1].id
    empty = Message(new_id(), "assistant", "", now(), parent, status="failed")
    context.say(empty)
    with pytest.raises(UsageError, match=complaint):
        await type_line(context, line)
    assert context.ui.copied == []


async def test_where_nothing_was_said_there_is_nothing_to_copy(
    context: Any, type_line: Callable[..., Any]
) -> None:
    with pytest.raises(UsageError, match="no reply to copy"):
        await type_line(context, "/copy")
    with pytest.raises(UsageError, match="no block of code"):
        await type_line(context, "/copy code")
    with pytest.raises(UsageError, match="the conversation is empty"):
        await type_line(context, "/copy 1")


async def test_a_clipboard_that_cannot_be_reached_is_said(
    make_context: Callable[..., Any], type_line: Callable[..., Any], say: Any
) -> None:
    context = make_context(clipboard=None)
    say(context, "assistant: a")
    with pytest.raises(UsageError, match="no clipboard"):
        await type_line(context, "/copy")

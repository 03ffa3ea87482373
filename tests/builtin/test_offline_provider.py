"""The offline provider shows what was said, and never pretends to be a model."""

from __future__ import annotations

import pytest

from agno_shell.builtin.offline_provider import SET_UP, OfflineProvider, answer, register_providers
from agno_shell.contracts import ProviderOptions
from agno_shell.events import Finished, Request, TextDelta
from agno_shell.types import Attachment, Message, Role, new_id, now


def said(*turns: str) -> tuple[Message, ...]:
    """Messages of a conversation in which person and provider take turns."""
    roles: tuple[Role, Role] = ("user", "assistant")
    return tuple(
        Message(new_id(), roles[number % 2], text, now()) for number, text in enumerate(turns)
    )


async def reply(*turns: str) -> str:
    request = Request("offline", said(*turns))
    events = [event async for event in OfflineProvider().stream(request)]
    assert events[-1] == Finished("stop")
    pieces = [event.text for event in events if isinstance(event, TextDelta)]
    assert max(map(len, pieces)) < 40, "it streams in small pieces"
    return "".join(pieces)


async def test_an_answer_says_what_it_is_what_was_said_and_what_it_sees() -> None:
    text = await reply("My name is Robin.")
    assert "offline provider, not a model" in text
    assert "“My name is Robin.”" in text
    assert "1 message of" in text
    assert "5 messages" in await reply("a", "b", "c", "d", "e")


async def test_only_the_first_answer_says_how_to_set_up_a_model() -> None:
    assert SET_UP in await reply("Hello")
    assert SET_UP not in await reply("Hello", "Hello.", "How are you?")


@pytest.mark.parametrize("question", ["list", "List it, please.", "What did I say?"])
async def test_asked_to_list_it_lists_what_was_said_as_markdown(question: str) -> None:
    text = await reply("First thing", "An answer", question)
    assert "1. **you**: “First thing”" in text
    assert "2. **reply**: “An answer”" in text
    assert f"3. **you**: “{question}”" in text


async def test_words_that_only_contain_list_are_no_request_for_one() -> None:
    assert "1. **you**" not in await reply("Please listen.")


@pytest.mark.parametrize("question", ["repeat", "Say that again!"])
async def test_asked_to_repeat_it_repeats_the_message_before(question: str) -> None:
    assert "You said before: “Apples”" in await reply("Pears", "ok", "Apples", "ok", question)


async def test_there_is_nothing_to_repeat_at_first() -> None:
    assert "nothing to repeat" in await reply("repeat")


async def test_a_long_message_is_quoted_shortened_and_on_one_line() -> None:
    text = await reply("word\n" * 1000)
    quoted = text[text.index("“") : text.index("”")]
    assert len(quoted) < 220
    assert "\n" not in quoted
    assert quoted.endswith("…")


async def test_an_empty_conversation_is_answered() -> None:
    assert "0 messages" in await reply()


async def test_it_is_registered_under_its_name_and_is_no_default_model() -> None:
    (factory,) = register_providers()
    assert factory.name == "offline"
    assert factory.default_model({"OPENAI_API_KEY": "sk-fake-0000"}) is None
    assert await factory.open(ProviderOptions()).models() == ("offline",)


async def test_it_says_what_a_model_would_get_beside_the_words() -> None:
    (message,) = said("See it.")
    files = [Attachment(name, "image/png", "ab", 3) for name in ("cat.png", "dog.png")]
    message = message._replace(attachments=tuple(files))
    assert "A model would also get 2 attachments and 1 tool." in answer([message], tools=1)
    assert "A model would" not in answer(said("See it."))
    assert "1. **you**: “list”, with “cat.png”, “dog.png”" in answer(
        [message._replace(content="list")]
    )

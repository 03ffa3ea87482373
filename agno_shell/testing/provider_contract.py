"""What every provider must do, as tests that a plugin author runs with one class.

Needs pytest and pytest-asyncio::

    class TestMyProvider(ProviderContract):
        @pytest.fixture
        def make_provider(self) -> Callable[[], Provider]:
            return MyProvider

        @pytest.fixture
        def model(self) -> str:
            return "my-model"

The fixtures ``api_base``, ``expected_reply`` and ``failing_request`` may be given as
well. Each test opens a provider of its own. Where starting one takes long, give a
fixture ``provider`` of a wider scope instead; its loop is the session's, as that of the
tests: ``@pytest_asyncio.fixture(scope="session", loop_scope="session")``.
"""

# ruff: noqa: S101 - these are tests, although they live in the package

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from agno_shell.contracts import Address, Provider
from agno_shell.events import (
    FAILURES,
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    Request,
    TextDelta,
    UsageReported,
)
from agno_shell.types import (
    Attachment,
    Message,
    Reasoning,
    Role,
    ToolCall,
    ToolSchema,
    new_id,
    now,
)

QUESTION = "Say alpha, bravo and charlie."

TOOL = ToolSchema(
    "add",
    "Adds two numbers.",
    {
        "type": "object",
        "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
        "required": ["a", "b"],
    },
)
"""A tool that a model may call."""

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
"""The smallest image: one pixel."""

_PIXEL = Attachment("pixel.png", "image/png", hashlib.sha256(PNG).hexdigest(), len(PNG))

_PATIENCE = 30.0
"""Seconds after which a provider counts as hanging."""


async def collect(provider: Provider, request: Request) -> list[Event]:
    """Every event of one reply."""
    async with asyncio.timeout(_PATIENCE), aclosing(provider.stream(request)) as events:
        return [event async for event in events]


def text_of(events: list[Event]) -> str:
    """The text that events carry."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def ask(text: str, model: str, api_base: str | None = None) -> Request:
    """A request of one message."""
    return Request(model, (Message(new_id(), "user", text, now()),), api_base=api_base)


def history_with_everything() -> tuple[Message, ...]:
    """What a session may hold before the question: a summary, calls of tools with their
    results, an image, a reply that was cut off."""

    def say(role: Role, content: str, **fields: Any) -> Message:
        return Message(new_id(), role, content, now(), **fields)

    calls = (ToolCall("call_1", "add", '{"a": 1, "b": 2}'), ToolCall("call_2", "add", "not {json"))
    return (
        say("system", "Be brief."),
        say("summary", "They greeted each other."),
        say("user", "What is in it?", attachments=(_PIXEL,)),
        say("assistant", "A pix", status="incomplete"),
        say("user", "1 + 2?"),
        say("assistant", "", tool_calls=calls),
        say("tool", "3", tool_call_id="call_1"),
        say("tool", "That is no JSON.", tool_call_id="call_2"),
        say("assistant", "3", provider_data={"another-provider": {"reasoning": "One, two."}}),
    )


@pytest.mark.asyncio(loop_scope="session")
class ProviderContract:
    """Subclass it, with a name that begins with ``Test``."""

    @pytest.fixture
    def make_provider(self) -> Callable[[], Provider]:
        """Opens a provider; not started. To be given by the subclass."""
        raise NotImplementedError("give a fixture make_provider")

    @pytest.fixture
    def model(self) -> str:
        """A model that answers. To be given by the subclass."""
        raise NotImplementedError("give a fixture model")

    @pytest.fixture
    def api_base(self) -> str | None:
        """Where the model is, for providers that take an address."""
        return None

    @pytest.fixture
    def expected_reply(self) -> str | None:
        """The whole reply to ``QUESTION``, where it can be known."""
        return None

    @pytest.fixture
    def failing_request(self) -> Request | None:
        """A request that cannot be answered, where there is one."""
        return None

    @pytest_asyncio.fixture(loop_scope="session")
    async def provider(
        self, make_provider: Callable[[], Provider]
    ) -> AsyncGenerator[Provider, None]:
        provider = make_provider()
        await provider.start()
        yield provider
        await provider.close()
        await provider.close()

    @pytest.fixture
    def question(self, model: str, api_base: str | None) -> Request:
        return ask(QUESTION, model, api_base)

    async def test_it_has_a_name(self, provider: Provider) -> None:
        assert provider.name

    async def test_the_last_event_and_no_other_is_the_ending(
        self, provider: Provider, question: Request
    ) -> None:
        events = await collect(provider, question)
        endings = [event for event in events if isinstance(event, Finished | Failed)]
        assert events, "a reply has at least its ending"
        assert endings == events[-1:], "exactly one ending, and nothing behind it"
        assert isinstance(events[-1], Finished), "the question of the contract is answered"

    async def test_the_reply_has_text_in_pieces_that_are_not_empty(
        self, provider: Provider, question: Request
    ) -> None:
        events = await collect(provider, question)
        pieces = [event.text for event in events if isinstance(event, TextDelta | ReasoningDelta)]
        assert text_of(events).strip()
        assert all(isinstance(piece, str) and piece for piece in pieces)

    async def test_the_text_is_whole_and_in_order(
        self, provider: Provider, question: Request, expected_reply: str | None
    ) -> None:
        if expected_reply is None:
            pytest.skip("the reply of this provider cannot be foretold")
        assert text_of(await collect(provider, question)) == expected_reply

    async def test_the_finish_reason_is_one_of_four(
        self, provider: Provider, question: Request
    ) -> None:
        ending = (await collect(provider, question))[-1]
        assert isinstance(ending, Finished)
        assert ending.reason in ("stop", "length", "content_filter", "tool_calls")

    async def test_reported_usage_counts_tokens(
        self, provider: Provider, question: Request
    ) -> None:
        events = await collect(provider, question)
        reports = [event.usage for event in events if isinstance(event, UsageReported)]
        assert len(reports) <= 1
        for usage in reports:
            assert all(value is None or value >= 0 for value in usage)

    async def test_two_replies_at_once_do_not_mix(
        self, provider: Provider, question: Request
    ) -> None:
        both = await asyncio.gather(collect(provider, question), collect(provider, question))
        for events in both:
            assert [type(event) for event in events].count(Finished) == 1
            assert isinstance(events[-1], Finished)

    async def test_after_closing_a_reply_early_the_next_one_is_whole(
        self, provider: Provider, question: Request
    ) -> None:
        async with asyncio.timeout(_PATIENCE):
            events = provider.stream(question)
            await anext(events)
            await events.aclose()
            with pytest.raises(StopAsyncIteration):
                await anext(events)
        assert isinstance((await collect(provider, question))[-1], Finished)

    async def test_cancelling_the_reader_ends_it(
        self, provider: Provider, question: Request
    ) -> None:
        async def read_and_wait() -> None:
            async with aclosing(provider.stream(question)) as events:
                await anext(events)
                begun.set()
                await asyncio.Event().wait()

        begun = asyncio.Event()
        reader = asyncio.create_task(read_and_wait())
        async with asyncio.timeout(_PATIENCE):
            await begun.wait()
            reader.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reader
        assert isinstance((await collect(provider, question))[-1], Finished)

    async def test_a_failure_is_an_event_with_a_sentence(
        self, provider: Provider, failing_request: Request | None
    ) -> None:
        if failing_request is None:
            pytest.skip("no request is known to fail")
        events = await collect(provider, failing_request)
        failed = events[-1]
        assert isinstance(failed, Failed)
        assert failed.kind in FAILURES
        assert failed.message.strip()
        assert "\n" not in failed.sentence()

    async def test_tokens_are_counted_for_each_message(
        self, provider: Provider, model: str
    ) -> None:
        texts = ["", "Hello.", "Hello. " * 500]
        messages = [Message(new_id(), "user", text, now()) for text in texts]
        counted = await provider.count_tokens(model, messages)
        tokens = counted.tokens
        assert isinstance(counted.exact, bool)
        assert len(tokens) == len(messages)
        assert all(isinstance(count, int) and count >= 0 for count in tokens)
        assert tokens[0] <= tokens[1] < tokens[2]
        assert (await provider.count_tokens(model, [])).tokens == []

    async def test_tokens_are_counted_whatever_a_message_holds(
        self, provider: Provider, model: str
    ) -> None:
        messages = history_with_everything()
        counted = await provider.count_tokens(model, messages)
        assert len(counted.tokens) == len(messages)
        assert all(count >= 0 for count in counted.tokens)

    async def test_a_request_with_tools_is_answered(
        self, provider: Provider, question: Request
    ) -> None:
        events = await collect(provider, replace(question, tools=(TOOL,)))
        assert isinstance(events[-1], Finished)
        for event in events:
            if isinstance(event, ToolCall):
                assert event.id
                assert event.name

    async def test_a_history_with_everything_in_it_is_answered(
        self, provider: Provider, question: Request
    ) -> None:
        messages = (*history_with_everything(), *question.messages)
        request = replace(question, messages=messages, tools=(TOOL,), files={_PIXEL.sha256: PNG})
        assert isinstance((await collect(provider, request))[-1], Finished)

    @pytest.mark.parametrize("reasoning", ["off", "low", "medium", "high"])
    async def test_a_level_of_reasoning_breaks_nothing(
        self, provider: Provider, question: Request, reasoning: Reasoning
    ) -> None:
        events = await collect(provider, replace(question, reasoning=reasoning))
        assert isinstance(events[-1], Finished)

    async def test_private_fields_are_json(self, provider: Provider, question: Request) -> None:
        ending = (await collect(provider, question))[-1]
        assert isinstance(ending, Finished)
        kept = dict(ending.provider_data)
        assert json.loads(json.dumps(kept)) == kept
        assert isinstance(kept.get("reasoning", ""), str)

    async def test_abilities_are_known_or_not(self, provider: Provider, model: str) -> None:
        for ability in await provider.abilities(model):
            assert ability is None or isinstance(ability, bool)

    async def test_what_it_says_of_models_and_of_its_setup_is_well_formed(
        self, provider: Provider, model: str
    ) -> None:
        window = await provider.context_window(model)
        assert window is None or window > 0
        price = await provider.input_price(model)
        assert price is None or price >= 0
        assert all(isinstance(name, str) and name for name in await provider.models())
        for address in (provider.address(model), provider.address(model, "http://127.0.0.1:1/v1")):
            assert address is None or isinstance(address, Address)
        assert all(isinstance(line, str) and "\n" not in line for line in provider.cautions())
        problems = [*await provider.check(), *await provider.check(model)]
        assert all(isinstance(line, str) and "\n" not in line for line in problems)

    async def test_the_models_that_it_lists_are_well_formed(
        self, provider: Provider, model: str
    ) -> None:
        listed = await provider.list_models(model)
        assert isinstance(listed.note, str)
        assert "\n" not in listed.note
        names = [each.name for each in listed.models]
        assert all(isinstance(name, str) and name for name in names)
        assert len(names) == len(set(names)), "each model is listed once"
        for each in listed.models:
            assert all(size is None or size > 0 for size in (each.window, each.largest_window))
            assert all(
                price is None or price >= 0 for price in (each.input_price, each.output_price)
            )
        window = await provider.current_window(model)
        assert window is None or window > 0
        assert isinstance(provider.asked_at(model), str)

    async def test_one_that_was_never_started_can_be_closed_twice(
        self, make_provider: Callable[[], Provider]
    ) -> None:
        provider = make_provider()
        async with asyncio.timeout(_PATIENCE):
            await provider.close()
            await provider.close()

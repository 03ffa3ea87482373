"""The provider contract accepts what works and rejects what does not."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

import pytest

from agno_shell.builtin.offline_provider import OfflineProvider, answer
from agno_shell.contracts import Abilities, KnownModel, ModelList, Provider, TokenCounts
from agno_shell.events import Event, Failed, Finished, Request, TextDelta
from agno_shell.testing.provider_contract import QUESTION, ProviderContract, ask


class TestOfflineProvider(ProviderContract):
    @pytest.fixture
    def make_provider(self) -> Callable[[], Provider]:
        return OfflineProvider

    @pytest.fixture
    def model(self) -> str:
        return "offline"

    @pytest.fixture
    def expected_reply(self) -> str:
        return answer(ask(QUESTION, "offline").messages)


class Talkative(Provider):
    """Goes on after it has finished, and repeats its counts."""

    name = "talkative"

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        yield TextDelta("all")
        yield Finished()
        yield TextDelta("and more")

    async def count_tokens(self, model: str, messages: object) -> TokenCounts:
        return TokenCounts([1], exact=True)

    async def abilities(self, model: str) -> Abilities:
        return Abilities(images="perhaps")  # type: ignore[arg-type]  # that is what is wrong


class Silent(Provider):
    """Raises where it should yield Failed, and swallows that it is closed."""

    name = "silent"

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        if request.model == "unknown":
            yield Failed("no such kind", "two\nlines")
            return
        yield TextDelta("")


BROKEN = [Talkative(), Silent()]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda provider: provider.name)
async def test_a_wrong_ending_is_rejected(broken: Provider) -> None:
    contract = ProviderContract()
    question = ask(QUESTION, "m")
    with pytest.raises(AssertionError):
        await contract.test_the_last_event_and_no_other_is_the_ending(broken, question)
    with pytest.raises(AssertionError):
        await contract.test_after_closing_a_reply_early_the_next_one_is_whole(broken, question)


async def test_wrong_counts_are_rejected() -> None:
    contract = ProviderContract()
    with pytest.raises(AssertionError):
        await contract.test_tokens_are_counted_for_each_message(Talkative(), "m")
    with pytest.raises(AssertionError):
        await contract.test_tokens_are_counted_whatever_a_message_holds(Talkative(), "m")


async def test_abilities_that_are_no_answer_are_rejected() -> None:
    with pytest.raises(AssertionError):
        await ProviderContract().test_abilities_are_known_or_not(Talkative(), "m")


async def test_private_fields_that_cannot_be_kept_are_rejected() -> None:
    class Careless(Talkative):
        async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
            yield Finished(provider_data={"signature": b"bytes"})

    with pytest.raises(TypeError):
        await ProviderContract().test_private_fields_are_json(Careless(), ask(QUESTION, "m"))


async def test_one_that_chokes_on_something_new_is_rejected() -> None:
    class Choosy(Provider):
        name = "choosy"

        async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
            roles = {message.role for message in request.messages}
            if request.tools or request.reasoning or not roles <= {"user"}:
                yield Failed("other", "I do not know that.")
            else:
                yield Finished()

    contract, question = ProviderContract(), ask(QUESTION, "m")
    for case in (
        contract.test_a_request_with_tools_is_answered(Choosy(), question),
        contract.test_a_history_with_everything_in_it_is_answered(Choosy(), question),
        contract.test_a_level_of_reasoning_breaks_nothing(Choosy(), question, "low"),
    ):
        with pytest.raises(AssertionError):
            await case


async def test_empty_pieces_are_rejected() -> None:
    with pytest.raises(AssertionError):
        await ProviderContract().test_the_reply_has_text_in_pieces_that_are_not_empty(
            Silent(), ask(QUESTION, "m")
        )


async def test_an_unknown_kind_of_failure_is_rejected() -> None:
    with pytest.raises(AssertionError):
        await ProviderContract().test_a_failure_is_an_event_with_a_sentence(
            Silent(), ask(QUESTION, "unknown")
        )


async def test_another_text_than_the_expected_one_is_rejected() -> None:
    with pytest.raises(AssertionError):
        await ProviderContract().test_the_text_is_whole_and_in_order(
            OfflineProvider(), ask(QUESTION, "m"), "something else"
        )


@pytest.mark.parametrize(
    "listed",
    [
        ModelList([KnownModel("twice"), KnownModel("twice")]),
        ModelList([KnownModel("")]),
        ModelList([KnownModel("m", window=0)]),
        ModelList([KnownModel("m", input_price=-1.0)]),
        ModelList([], "two\nlines"),
    ],
)
async def test_a_list_of_models_that_cannot_be_shown_is_rejected(listed: ModelList) -> None:
    class Lister(Silent):
        async def list_models(self, model: str = "", api_base: str | None = None) -> ModelList:
            return listed

    with pytest.raises(AssertionError):
        await ProviderContract().test_the_models_that_it_lists_are_well_formed(Lister(), "m")

"""What a model gives goes back to it, and to nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from agno_shell.builtin.model_services import private_fields
from agno_shell.builtin.model_services.destination import Destination
from agno_shell.builtin.model_services.private_fields import LONGEST_REASONING
from agno_shell.builtin.model_services.target import Target

BLOCK = {"type": "thinking", "thinking": "Hm.", "signature": "s"}


def target(provider: str, name: str, api_base: str | None = None) -> Target:
    where = api_base.partition("//")[2] if api_base else provider
    return Target(Destination(f"{provider}/{name}", where, None, api_base), provider, name)


CLAUDE = target("anthropic", "claude-sonnet-4-5")


def kept(to: Target = CLAUDE, thinking: bool | None = True, **fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "reasoning": "",
        "blocks": (),
        "signatures": {},
        "items": (),
        "calls": False,
    }
    return private_fields.kept(to, thinking, **(found | fields))


def given(
    private: dict[str, Any], to: Target = CLAUDE, thinking: bool | None = True
) -> dict[str, Any]:
    return private_fields.given_by({"role": "assistant", "private": private}, to, thinking)


def test_a_reply_that_only_says_something_keeps_nothing() -> None:
    assert kept() == {}
    assert kept(calls=True) == {"origin": "anthropic/claude-sonnet-4-5", "thinking": True}


def test_thoughts_that_nobody_signed_are_not_kept_for_the_model() -> None:
    unsigned = BLOCK | {"signature": ""}
    redacted = {"type": "redacted_thinking", "data": "x"}
    assert kept(blocks=[unsigned, BLOCK, redacted])["thinking_blocks"] == [BLOCK, redacted]


def test_very_long_thoughts_are_kept_with_their_ends() -> None:
    said = "a" * LONGEST_REASONING + "b" * LONGEST_REASONING
    text = kept(reasoning=said)["reasoning"]
    assert len(text) < LONGEST_REASONING + 10
    assert text.startswith("a")
    assert text.endswith("b")
    assert kept(reasoning="a" * LONGEST_REASONING)["reasoning"] == "a" * LONGEST_REASONING


@pytest.mark.parametrize(
    "same",
    [
        target("anthropic", "claude-sonnet-4-5-20250929"),
        target("anthropic", "claude-sonnet-4-5@20250929"),
        target("anthropic", "claude-sonnet-4-5-20250929-v1:0"),
    ],
    ids=lambda target: target.name,
)
def test_another_date_is_the_same_model(same: Target) -> None:
    assert given(kept(blocks=[BLOCK]), same)["thinking_blocks"] == [BLOCK]


@pytest.mark.parametrize(
    "other",
    [
        target("anthropic", "claude-opus-4-5"),
        target("bedrock", "claude-sonnet-4-5"),
        target("anthropic", "claude-sonnet-4-5", "http://localhost:4000"),
    ],
    ids=lambda target: target.origin,
)
def test_another_model_service_or_server_gets_nothing(other: Target) -> None:
    assert given(kept(blocks=[BLOCK]), other) == {}


def test_one_servers_fields_do_not_reach_another_with_the_same_model() -> None:
    here, there = (target("openai", "qwen3", f"http://{host}/v1") for host in ("a", "b"))
    assert given(kept(here, calls=True), here)
    assert not given(kept(here, calls=True), there)


@pytest.mark.parametrize("private", [None, "text", {}, {"model": "claude-sonnet-4-5"}])
def test_what_an_earlier_version_or_a_hand_wrote_is_not_sent(private: Any) -> None:
    assert given(private) == {}


@pytest.mark.parametrize(
    ("before", "now", "goes"),
    [
        (True, True, True),
        (True, False, False),
        (True, None, False),  # Claude is not asked to think, so it takes no thoughts
        (None, None, True),  # it thinks by itself
        (None, True, True),
        (None, False, False),
    ],
)
def test_thoughts_go_back_while_claude_thinks(
    before: bool | None, now: bool | None, goes: bool
) -> None:
    assert bool(given(kept(thinking=before, blocks=[BLOCK]), thinking=now)) is goes


def test_google_gets_its_signatures_back_whether_it_was_asked_to_think_or_not() -> None:
    google = target("gemini", "gemini-3-pro")
    private = given(kept(google, signatures={"c": "s"}), google, None)
    field = {"provider_specific_fields": {"thought_signature": "s"}}
    assert private_fields.call_fields(private, "c") == field
    assert private_fields.call_fields(private, "other") == {}


def turn(*roles: str, private: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = [{"role": role, "content": "x"} for role in roles]
    for message in messages:
        if message["role"] == "assistant" and private:
            message["private"] = private
    return messages


def test_claude_may_think_at_the_beginning_of_a_turn_and_where_it_has_begun_to() -> None:
    can_think = private_fields.can_think
    assert can_think(turn("user", "assistant", "user"), CLAUDE)
    assert can_think(turn("user"), CLAUDE)
    began = kept(calls=True, blocks=[BLOCK])
    assert can_think(turn("user", "assistant", "tool", private=began), CLAUDE)
    assert not can_think(turn("user", "assistant", "tool"), CLAUDE)
    unasked = kept(calls=True, thinking=None)
    assert not can_think(turn("user", "assistant", "tool", private=unasked), CLAUDE)
    assert can_think(turn("user", "assistant", "tool"), target("openai", "o3"))

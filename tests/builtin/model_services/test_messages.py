"""What was said, in a form that every model takes."""

from __future__ import annotations

from typing import Any

import pytest

from agno_shell.builtin.model_services import messages
from agno_shell.builtin.model_services.destination import Destination
from agno_shell.builtin.model_services.messages import Manner, in_openai_form
from agno_shell.builtin.model_services.sendable import message_record
from agno_shell.builtin.model_services.target import Target
from agno_shell.types import Message, ToolCall, new_id, now

CALLS = (ToolCall("a", "add", "{}"), ToolCall("b", "sub", '{"x": 1}'))


def target(provider: str = "openai", name: str = "m") -> Target:
    return Target(Destination(f"{provider}/{name}", "here", None), provider, name)


def say(role: Any, content: str, **fields: Any) -> Message:
    return Message(new_id(), role, content, now(), **fields)


def sent(*said: Message, to: Target | None = None, **manner: Any) -> list[dict[str, Any]]:
    records = [message_record(message) for message in said]
    return in_openai_form(records, Manner(to or target(), **manner))


def test_plain_turns_stay_as_they_are() -> None:
    said = [say("system", "S"), say("user", "Q"), say("assistant", "A"), say("user", " ")]
    assert sent(*said) == [{"role": one.role, "content": one.content} for one in said]


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_reply_is_not_sent(text: str) -> None:
    assert sent(say("user", "Q"), say("assistant", text)) == [{"role": "user", "content": "Q"}]


def test_a_summary_says_what_it_is() -> None:
    (summary,) = sent(say("summary", "They met."))
    assert summary == {"role": "user", "content": f"{messages.SUMMARY}\n\nThey met."}


def test_a_role_that_nobody_knows_is_a_persons() -> None:
    assert sent(say("narrator", "Once.")) == [{"role": "user", "content": "Once."}]


def test_a_conversation_that_begins_with_a_reply_is_begun_for_it() -> None:
    roles = [one["role"] for one in sent(say("system", "S"), say("assistant", "A"))]
    assert roles == ["system", "user", "assistant"]
    assert [one["role"] for one in sent(say("system", "S"))] == ["system"]


def test_each_call_has_exactly_one_result_in_its_order() -> None:
    results = [say("tool", "of b", tool_call_id="b"), say("tool", "of a", tool_call_id="a")]
    asked, *answered = sent(say("user", "Q"), say("assistant", "", tool_calls=CALLS), *results)[1:]
    assert asked["content"] is None
    assert [call["id"] for call in asked["tool_calls"]] == ["a", "b"]
    assert [(one["tool_call_id"], one["content"]) for one in answered] == [
        ("a", "of a"),
        ("b", "of b"),
    ]


def test_a_call_without_a_result_gets_a_sentence() -> None:
    result = say("tool", "", tool_call_id="b")
    written = sent(say("user", "Q"), say("assistant", "Text", tool_calls=CALLS), result)
    assert written[1]["content"] == "Text"
    assert [one["content"] for one in written[2:]] == [messages.NO_RESULT, messages.NO_OUTPUT]


def test_a_result_without_its_call_is_told_as_text() -> None:
    stray = say("tool", "42", tool_call_id="gone")
    assert sent(say("user", "Q"), stray)[1] == {"role": "user", "content": "A tool said:\n\n42"}
    call = say("assistant", "", tool_calls=CALLS[:1])
    written = sent(say("user", "Q"), call, say("tool", "1", tool_call_id="a"), stray)
    assert [one["role"] for one in written] == ["user", "assistant", "tool", "user"]
    assert "42" in written[-1]["content"]


@pytest.mark.parametrize("name", ["mistral-small-latest", "Devstral-Small-2-24B", "mixtral"])
def test_mistral_gets_a_reply_behind_results(name: str) -> None:
    call = say("assistant", "", tool_calls=CALLS[:1])
    said = [say("user", "Q"), call, say("tool", "1", tool_call_id="a"), say("user", "Stop.")]
    roles = [one["role"] for one in sent(*said, to=target(name=name))]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]
    assert [one["role"] for one in sent(*said)] == ["user", "assistant", "tool", "user"]


def test_the_thoughts_of_a_model_that_goes_on_from_them_go_back_as_text() -> None:
    deepseek = target("deepseek", "deepseek-v4-flash")
    private = {"origin": deepseek.origin, "thinking": True, "reasoning": "Hm."}
    reply = say("assistant", "A", provider_data={"litellm": private})
    assert sent(say("user", "Q"), reply, to=deepseek, thinking=True)[1] == {
        "role": "assistant",
        "content": "A",
        "reasoning_content": "Hm.",
    }
    for other in (target("openai", "deepseek-v4-flash"), target("moonshot", "kimi")):
        assert "Hm." not in str(sent(say("user", "Q"), reply, to=other, thinking=True))
    assert "Hm." not in str(sent(say("user", "Q"), reply, to=deepseek, thinking=False))


def test_the_same_history_is_written_the_same_when_more_follows() -> None:
    history = [say("user", "Q"), say("assistant", "", tool_calls=CALLS)]
    history += [say("tool", "1", tool_call_id=call.id) for call in CALLS] * 2
    longer = [*history, say("assistant", "", tool_calls=CALLS), say("user", "Q")]
    assert sent(*longer)[: len(sent(*history))] == sent(*history)

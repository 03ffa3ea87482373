from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.toolkit import json_records
from agno_shell.types import (
    ROOT,
    Attachment,
    Memory,
    Message,
    ProviderTool,
    Session,
    Timing,
    ToolCall,
    Usage,
)

NOON = datetime(2026, 7, 20, 12, 0, 0, 5, UTC)


def again(message: Message) -> Message:
    raw = json_records.loads(json_records.message_line(message))
    return json_records.message_of(raw, raw["id"], raw["parent"], json_records.EPOCH)


def read(**raw: Any) -> Message:
    return json_records.message_of(raw, "i", None, NOON)


def test_a_plain_message_has_five_keys() -> None:
    line = json_records.message_line(Message("i", "user", "é\u2028", NOON))
    assert (
        line
        == (
            '{"id":"i","role":"user","content":"é\u2028",'
            '"created_at":"2026-07-20T12:00:00.000005+00:00","parent":null}'
        ).encode()
    )


def test_everything_comes_back() -> None:
    message = Message(
        "i",
        "tool",
        "text",
        NOON,
        "p",
        "interrupted",
        "m",
        Usage(1, None, 3, None, 0.5),
        Timing(0.1, None),
        (Attachment("n", "t", "s", 5),),
        {"a": {"b": [1]}},
        (ToolCall("1", "look", "{}"), ToolCall("2", "look", "no JSON \ud800")),
        "call",
        "Ada",
        (ProviderTool("1", "search", "{}", "found \ud800", "failed", 1.5, 3),),
        "covered",
        {"later": None},
    )
    assert again(message) == message


def test_tools_of_the_provider_as_they_are_written() -> None:
    tools = (ProviderTool("1", "search", "{}"), ProviderTool("", "", "", "x", "failed", 0.5, 2))
    message = Message("i", "assistant", "", NOON, speaker="Ada", provider_tools=tools)
    written = json.loads(json_records.message_line(message))
    assert written["speaker"] == "Ada"
    assert written["provider_tools"] == [
        {"id": "1", "name": "search", "arguments": "{}", "result": ""},
        {
            "id": "",
            "name": "",
            "arguments": "",
            "result": "x",
            "status": "failed",
            "seconds": 0.5,
            "at": 2,
        },
    ]
    assert again(message) == message
    endless = message._replace(provider_tools=(tools[0]._replace(seconds=float("inf")),))
    assert again(endless).provider_tools == (tools[0],)


@pytest.mark.parametrize(
    "odd",
    [
        {"speaker": 7},
        {"provider_tools": "x"},
        {"provider_tools": [1]},
        {"provider_tools": [{"id": "1", "name": "n", "arguments": "{}"}]},
        {"provider_tools": [{"id": "1", "name": 2, "arguments": "{}", "result": ""}]},
    ],
)
def test_what_is_no_speaker_and_no_tool_is_written_back_as_it_was(odd: dict[str, Any]) -> None:
    raw = {"id": "i", "role": "assistant", "content": "x", "created_at": NOON.isoformat()} | odd
    message = json_records.message_of(raw, "i", None, json_records.EPOCH)
    assert (message.speaker, message.provider_tools) == (None, ())
    assert json.loads(json_records.message_line(message)) | odd == json.loads(
        json_records.message_line(message)
    )


def test_what_a_later_version_says_of_a_tool_is_written_back() -> None:
    tool = {"id": "1", "name": "n", "arguments": "{}", "result": "", "status": "new", "cost": 1}
    raw = {"id": "i", "role": "assistant", "content": "x", "provider_tools": [tool]}
    message = json_records.message_of(raw, "i", None, json_records.EPOCH)
    assert message.provider_tools == (ProviderTool("1", "n", "{}"),)
    assert json.loads(json_records.message_line(message))["provider_tools"] == [tool]


def test_calls_results_and_summaries_as_they_are_written() -> None:
    calls = Message("i", "assistant", "", NOON, tool_calls=(ToolCall("1", "look", "{}"),))
    written = json.loads(json_records.message_line(calls))
    assert written["tool_calls"] == [{"id": "1", "name": "look", "arguments": "{}"}]
    result = Message("i", "tool", "x", NOON, tool_call_id="1")
    assert json.loads(json_records.message_line(result))["tool_call_id"] == "1"
    summary = Message("i", "summary", "x", NOON, covers="p")
    assert json.loads(json_records.message_line(summary))["covers"] == "p"
    for message in (calls, result, summary, summary._replace(covers=None)):
        assert again(message) == message


@given(st.text(st.characters(codec=None, categories=None)))
def test_any_text_comes_back_on_one_line(text: str) -> None:
    line = json_records.message_line(Message("i", "user", text, NOON))
    assert b"\n" not in line
    assert json_records.loads(line)["content"] == text


def test_only_lone_surrogates_make_a_line_ascii() -> None:
    assert json_records.dumps("é") == '"é"'.encode()
    assert json_records.dumps("é\ud800") == b'"\\u00e9\\ud800"'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(json_records.UnwritableError):
        json_records.dumps({"a": value})


def test_what_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(json_records.UnwritableError):
        json_records.dumps(loop)


def test_read_only_mappings_are_written() -> None:
    assert json_records.dumps({"a": MappingProxyType({"b": 1})}) == b'{"a":{"b":1}}'


anything = st.text(st.characters(codec=None, categories=None))
numbers = st.none() | st.integers() | st.floats()
messages = st.builds(
    Message,
    anything,
    st.sampled_from(sorted(json_records.ROLES)),
    anything,
    st.datetimes(min_value=datetime(1, 1, 2), timezones=st.just(UTC)),
    st.none() | anything,
    st.sampled_from(sorted(json_records.STATUSES)),
    st.none() | anything,
    st.none() | st.builds(Usage, numbers, numbers, numbers, numbers, numbers),
    st.none() | st.builds(Timing, numbers, numbers),
    st.just(()) | st.just((Attachment("n", "t", "s", 5),)),
    st.dictionaries(anything, numbers.filter(lambda value: not isinstance(value, float))),
    st.just(()) | st.builds(ToolCall, anything, anything, anything).map(lambda call: (call,)),
    st.none() | anything,
    st.none() | anything,
    st.just(()) | st.builds(ProviderTool, *[anything] * 4).map(lambda tool: (tool,)),
    st.none() | anything,
    st.dictionaries(st.just("later"), st.none()),
)


@given(messages)
def test_the_short_way_to_a_line_says_what_the_general_one_says(message: Message) -> None:
    line = json_records.message_line(message)
    assert line == json_records.dumps(json_records.message_fields(message))
    assert json_records.loads(line)["id"] == message.id


@pytest.mark.parametrize(
    "odd",
    [
        {"usage": Usage(True)},
        {"content": None},
        {"parent": 5},
        {"timing": Timing(0, 10**5000)},
        {"tool_call_id": 5},
        {"covers": ["x"]},
        {"speaker": 5},
    ],
)
def test_what_is_not_as_it_should_be_goes_the_general_way(odd: dict[str, Any]) -> None:
    message = Message("i", "user", "x", NOON)._replace(**odd)
    try:
        expected = json_records.dumps(json_records.message_fields(message))
    except (ValueError, OverflowError) as error:
        with pytest.raises(type(error)):
            json_records.message_line(message)
    else:
        assert json_records.message_line(message) == expected


@pytest.mark.parametrize("extra", [{}, {"later": 1}])
def test_a_price_that_is_no_number_is_left_out(extra: dict[str, int]) -> None:
    message = Message("i", "user", "x", NOON, usage=Usage(1, cost=float("nan")), extra=extra)
    assert again(message).usage == Usage(1)


@pytest.mark.parametrize("text", [' {"a": 1}', '{"a": 1}\n', "1", " [1] ", '"a"'])
def test_white_space_around_a_value_is_no_damage(text: str) -> None:
    assert json_records.loads(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    "text", ["", " ", '{"a":1}{"b":2}', '{"a":1},', "[1]]", "[1]\xa0", '{"a":1} x']
)
def test_more_or_less_than_one_value_is_damage(text: str) -> None:
    with pytest.raises(ValueError):
        json_records.loads(text.encode())


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_reading_is_strict(constant: str) -> None:
    with pytest.raises(ValueError):
        json_records.loads(f'{{"a":{constant}}}'.encode())


@pytest.mark.parametrize("text", ["9" * 5000, "[" * 100_000, '{"a":' * 100_000])
def test_numbers_and_nesting_without_end_are_damage(text: str) -> None:
    with pytest.raises(json_records.Damage):
        json_records.loads(text.encode())


@pytest.mark.parametrize(
    "raw",
    [
        {"role": "bot", "content": "x"},
        {"content": "x"},
        {"role": ["user"], "content": "x"},
        {"role": "user", "content": None},
        {"role": "user", "content": [{"type": "text", "text": "x"}]},
        {"role": "user", "content": {"a": 1}},
        {"role": "user", "content": "x", "created_at": "yesterday"},
        {"role": "user", "content": "x", "status": "odd", "model": 5, "usage": [1]},
        {"role": "user", "content": "x", "usage": {"input_tokens": 1, "other": 2}},
        {"role": "user", "content": "x", "attachments": [{"name": 1}], "timing": {"total": "1"}},
        {"role": "user", "content": "x", "provider_data": "x", "colour": "red"},
        {"role": "user", "content": "x", "status": "complete", "model": None},
        {"role": "user", "content": "x", "status": None},
        {"role": "user", "content": "x", "model": None},
        {"role": "user", "content": "x", "usage": None},
        {"role": "user", "content": "x", "usage": {}},
        {"role": "user", "content": "x", "usage": {"input_tokens": True}},
        {"role": "user", "content": "x", "usage": {"input_tokens": 1, "cost": None}},
        {"role": "user", "content": "x", "usage": {"cost": float("inf")}},
        {"role": "user", "content": "x", "timing": {"first_token": -float("inf")}},
        {"role": "user", "content": "x", "timing": {"first_token": 1, "third_token": 2}},
        {"role": "assistant", "content": "x", "tool_calls": "look"},
        {"role": "assistant", "content": "x", "tool_calls": []},
        {"role": "assistant", "content": "x", "tool_calls": [{"id": 1, "name": "n"}]},
        {
            "role": "assistant",
            "content": "x",
            "tool_calls": [{"id": "1", "name": "n", "arguments": "{}", "kind": "function"}],
        },
        {"role": "tool", "content": "x", "tool_call_id": 5},
        {"role": "tool", "content": "x", "tool_call_id": None},
        {"role": "summary", "content": "x", "covers": ["a"]},
    ],
)
@pytest.mark.parametrize("time", [{}, {"created_at": json_records.stamp(NOON)}], ids=["", "timed"])
def test_what_cannot_be_used_is_written_back(raw: dict[str, Any], time: dict[str, str]) -> None:
    raw = raw | time
    written = json_records.message_fields(json_records.message_of(raw, "i", None, NOON))
    assert {key: written[key] for key in raw} == raw


@pytest.mark.parametrize("digits", ["1e999", "-1e999", "1" * 400 + ".0"])
def test_a_number_that_no_float_holds_stays_as_it_is(digits: str) -> None:
    assert json_records.loads(f'{{"n":{digits}}}'.encode()) == {"n": digits}
    assert json_records.scan(digits, 0) == (digits, len(digits))


def test_a_truth_value_is_no_number() -> None:
    message = read(usage={"input_tokens": True, "cost": False}, timing={"total": True})
    assert (message.usage, message.timing) == (Usage(), Timing())


def test_of_a_call_with_more_keys_what_is_known_is_read() -> None:
    raw = {"id": "1", "name": "n", "arguments": "{}", "kind": "function"}
    assert read(role="assistant", content="", tool_calls=[raw]).tool_calls == (
        ToolCall("1", "n", "{}"),
    )


def test_content_in_parts_is_shown_as_text() -> None:
    assert (
        read(content=[{"type": "text", "text": "a"}, {"image": 1}, {"text": "b"}]).content == "ab"
    )


def test_an_old_timestamp_is_local_time() -> None:
    message = read(role="user", content="x", timestamp="2025-07-18T09:12:04.512334")
    assert message.created_at == datetime(2025, 7, 18, 9, 12, 4, 512334).astimezone(UTC)
    assert message.created_at.tzinfo is UTC
    assert message.extra == {}


def test_a_time_with_an_offset_becomes_utc() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    moment = datetime(2026, 1, 1, 3, 0, tzinfo=east)
    assert json_records.moment(moment.isoformat()) == moment
    assert json_records.stamp(moment) == "2025-12-31T21:30:00.000000+00:00"


@pytest.mark.parametrize(
    "value",
    [None, True, float("nan"), 10**400, [5], "", "x", "0001-01-01T00:00:00+23:00", "9" * 40],
)
def test_what_is_no_time(value: object) -> None:
    assert json_records.moment(value) is None


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)))
def test_a_stamp_is_always_32_characters(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    assert len(json_records.stamp(moment)) == 32
    assert json_records.moment(json_records.stamp(moment)) == moment


def test_a_session_comes_back() -> None:
    session = Session(
        "i",
        "n",
        NOON,
        NOON,
        description="d",
        head="h",
        model="m",
        api_base="http://127.0.0.1/v1",
        agent="a",
        tags=("t",),
        pinned=("p",),
        reasoning="low",
        extra={"colour": ["red"]},
    )
    raw = json.loads(json_records.dumps(json_records.session_fields(session)))
    assert json_records.session_of(raw, "i", json_records.EPOCH) == session


def test_a_session_before_its_first_message_comes_back() -> None:
    session = Session("i", "n", NOON, NOON, head=ROOT)
    raw = json.loads(json_records.dumps(json_records.session_fields(session)))
    assert raw["head"] == ""
    assert json_records.session_of(raw, "i", json_records.EPOCH) == session


def test_a_choice_of_a_later_version_is_kept_until_another_is_made() -> None:
    session = json_records.session_of({"name": "n", "reasoning": "utmost"}, "i", NOON)
    assert session.reasoning is None
    assert json_records.session_fields(session)["reasoning"] == "utmost"
    chosen = session._replace(reasoning="low")
    assert json_records.session_fields(chosen)["reasoning"] == "low"


@pytest.mark.parametrize(
    "memory",
    [
        Memory("i", "é \ud800\n", NOON),
        Memory("i", "", NOON, {"later": [1, None]}),
    ],
)
def test_a_memory_comes_back(memory: Memory) -> None:
    line = json_records.memory_line(memory)
    assert b"\n" not in line
    assert json_records.memory_of(json_records.loads(line), "i", json_records.EPOCH) == memory


@pytest.mark.parametrize(
    "raw", [{}, {"text": 5}, {"text": ["a"]}, {"text": "x", "created_at": "yesterday"}, {"a": 1}]
)
def test_what_cannot_be_used_of_a_memory_is_written_back(raw: dict[str, Any]) -> None:
    memory = json_records.memory_of(raw, "i", NOON)
    written = json_records.memory_fields(memory)
    assert {key: written[key] for key in raw} == raw
    assert memory.created_at == NOON


def test_a_session_of_nothing() -> None:
    session = json_records.session_of({"name": " ", "tags": "x", "message_count": -5}, "i", NOON)
    assert session.name == f"Session {NOON.astimezone():%Y-%m-%d %H:%M}"
    assert (session.created_at, session.updated_at, session.message_count) == (NOON, NOON, 0)


@pytest.mark.parametrize("value", [1_753_007_400, 1_753_007_400.0, 1_753_007_400_000])
def test_a_number_is_seconds_or_milliseconds_since_1970(value: float) -> None:
    assert json_records.moment(value) == datetime(2025, 7, 20, 10, 30, tzinfo=UTC)
    found = read(role="user", content="x", timestamp=value)
    assert found.created_at == datetime(2025, 7, 20, 10, 30, tzinfo=UTC)
    assert found.extra == {}

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agno_shell.conversation.compaction.transcript import (
    FEWEST_WORDS,
    LABEL_TOKENS,
    MOST_WORDS,
    MessageText,
    all_of,
    request,
    take,
    written,
)
from agno_shell.types import Attachment, Message, ToolCall, now


def test_who_said_what_is_told() -> None:
    picture = Attachment("plan.png", "image/png", "0", 1)
    asked = Message("1", "user", " Look. ", now(), attachments=(picture,))
    assert written(asked) == "[User]\nLook.\n(A file goes with this: plan.png)"
    call = ToolCall("c", "clock", '{"zone": "UTC"}')
    calling = Message("2", "assistant", "", now(), tool_calls=(call,))
    assert written(calling) == '[Model]\n(It calls the tool clock: {"zone": "UTC"})'
    assert written(Message("4", "assistant", "So.", now(), speaker="Ada")) == (
        "[Model, as Ada]\nSo."
    )
    assert written(Message("3", "tool", "noon", now())) == "[Result of a tool]\nnoon"
    assert all_of([asked], [7]) == [MessageText(written(asked), 7 + LABEL_TOKENS)]


def test_as_much_is_taken_as_fits() -> None:
    waiting = [MessageText("aa", 2), MessageText("bbb", 3), MessageText("c", 1)]
    assert take(waiting, 5) == ("aa\n\nbbb", [MessageText("c", 1)])
    assert take(waiting, 6) == ("aa\n\nbbb\n\nc", [])
    assert take([], 5) == ("", [])


def test_what_is_larger_than_the_room_is_cut() -> None:
    piece, rest = take([MessageText("x" * 100, 50), MessageText("y", 1)], 20)
    assert piece == "x" * 40
    assert rest == [MessageText("x" * 60, 30), MessageText("y", 1)]


@given(st.lists(st.tuples(st.text(min_size=1), st.integers(1, 50))), st.integers(-3, 60))
def test_everything_is_taken_in_the_end(said: list[tuple[str, int]], room: int) -> None:
    waiting = [MessageText(*each) for each in said]
    taken = []
    while waiting:
        piece, waiting = take(waiting, room)
        assert piece
        taken.append(piece)
        assert len(taken) <= sum(len(text) + tokens for text, tokens in said)
    assert "".join(taken).replace("\n\n", "") == "".join(text for text, _n in said).replace(
        "\n\n", ""
    )


def test_the_request_says_what_is_to_be_kept() -> None:
    asked = request("[User]\nHello", "", "", 32_768)
    for word in ("names", "numbers", "decisions", "open", "files", "language", "identifiers"):
        assert word in asked
    assert asked.endswith("<conversation>\n[User]\nHello\n</conversation>")
    assert "<summary>" not in asked
    assert "in particular" not in asked


def test_the_summary_before_is_carried_along() -> None:
    asked = request("new", "old", "keep every date", 32_768)
    assert "<summary>\nold\n</summary>" in asked
    assert "one summary that stands for both" in asked
    assert "The user asks for this in particular: keep every date" in asked


def test_a_summary_may_have_more_words_where_the_window_is_larger() -> None:
    assert f"at most {FEWEST_WORDS} words" in request("x", "", "", 500)
    assert "at most 819 words" in request("x", "", "", 32_768)
    assert f"at most {MOST_WORDS} words" in request("x", "", "", 1_000_000)

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agno_shell.conversation.request.window import Cost, fit


def costs(*tokens: int) -> list[Cost]:
    """Turns, the newest first; a turn is called by its place from the beginning."""
    return [Cost(str(len(tokens) - number), each) for number, each in enumerate(tokens)]


def test_everything_is_sent_where_it_fits() -> None:
    assert fit(costs(10, 20, 70), 100, None, is_all=True) == 3
    assert fit([], 100, None, is_all=True) == 0


def test_whether_everything_fits_is_not_known_of_a_part() -> None:
    assert fit(costs(10, 20), 100, None, is_all=False) is None


def test_a_full_window_is_cut_to_three_quarters() -> None:
    assert fit(costs(*[10] * 11), 100, None, is_all=True) == 7
    assert fit(costs(*[10] * 11), 100, None, is_all=False) == 7


def test_a_large_turn_is_kept_where_the_window_would_be_half_empty_without_it() -> None:
    assert fit(costs(5, 80, 30), 100, None, is_all=True) == 2
    assert fit(costs(50, 45, 30), 100, None, is_all=True) == 1
    assert fit(costs(5, 96, 30), 100, None, is_all=True) == 1


def test_a_turn_larger_than_the_room_does_not_fit() -> None:
    assert fit(costs(101), 100, None, is_all=True) == 0
    assert fit(costs(1), -5, None, is_all=False) == 0


def test_the_window_keeps_its_first_turn_until_it_is_full() -> None:
    assert fit(costs(20, 40, 30, 40), 100, "3", is_all=False) == 2
    assert fit(costs(10, 20, 65, 40), 100, "2", is_all=False) == 3
    # Full: three quarters again.
    assert fit(costs(50, 20, 65, 40), 100, "2", is_all=False) == 2


def test_a_window_that_became_nearly_empty_is_filled_again() -> None:
    assert fit(costs(10, 20, 30, 10, 60), 100, "5", is_all=False) == 4
    assert fit(costs(10, 20, 30), 100, "3", is_all=True) == 3
    # Not to the brim: the next turn would move it at once.
    assert fit(costs(60, 20, 15), 100, "2", is_all=True) == 2


def test_a_first_turn_that_is_on_another_branch_does_not_count() -> None:
    assert fit(costs(10, 20, 60), 100, "elsewhere", is_all=True) == 3


@given(st.lists(st.integers(0, 60), min_size=1, max_size=30), st.integers(1, 200), st.data())
def test_what_fits_fits(tokens: list[int], room: int, data: st.DataObject) -> None:
    turns = costs(*tokens)
    anchor = data.draw(st.sampled_from([None, "elsewhere", *(each.first for each in turns)]))
    taken = fit(turns, room, anchor, is_all=True)
    assert taken is not None
    assert sum(tokens[:taken]) <= room
    if taken < len(turns) and (anchor is None or taken != anchored(turns, anchor)):
        # It was moved: only as far as it has to be.
        assert sum(tokens[: taken + 1]) > room * 3 // 4
    # Asked again, it stays.
    if taken:
        assert fit(turns, room, turns[taken - 1].first, is_all=True) == taken


@given(st.lists(st.integers(0, 60), min_size=1, max_size=30), st.integers(1, 200), st.data())
def test_turns_from_further_back_change_nothing_once_it_is_known(
    tokens: list[int], room: int, data: st.DataObject
) -> None:
    turns = costs(*tokens)
    anchor = data.draw(st.sampled_from([None, *(each.first for each in turns)]))
    whole = fit(turns, room, anchor, is_all=True)
    for known in range(len(turns)):
        taken = fit(turns[:known], room, anchor, is_all=False)
        assert taken in (None, whole)


@given(st.lists(st.integers(1, 25), min_size=20, max_size=60))
def test_the_window_moves_once_in_a_quarter_of_the_room(said: list[int]) -> None:
    room, anchor, moved, spoken = 200, None, 0, 0
    for number in range(1, len(said) + 1):
        turns = costs(*reversed(said[:number]))
        taken = fit(turns, room, anchor, is_all=True)
        assert taken
        first = turns[taken - 1].first
        moved += first != (anchor or "1")
        anchor = None if taken == number else first
        spoken += said[number - 1]
    # Each time 50 are free at least, but for a turn that just did not fit any more.
    assert moved <= 1 + spoken // (room // 4 - 25)


def anchored(turns: list[Cost], anchor: str) -> int:
    return next((n for n, each in enumerate(turns, 1) if each.first == anchor), 0)

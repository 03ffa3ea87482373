from __future__ import annotations

from agno_shell.shell.paste import KEPT, LARGE, MANY_LINES, Pastes


def test_a_small_paste_is_shown_as_it_is() -> None:
    assert Pastes().take("a\r\nb\rc") == "a\nb\nc"


def test_a_large_paste_is_a_stand_in_until_it_is_said() -> None:
    pastes = Pastes()
    large = "x" * (LARGE + 1)
    shown = pastes.take(large)
    assert shown == f"[paste 1: {LARGE + 1:,} characters, 1 lines]"
    assert pastes.expand(f"before {shown} after") == f"before {large} after"


def test_many_lines_are_a_large_paste() -> None:
    pastes = Pastes()
    assert pastes.take("\n" * (MANY_LINES + 1)).startswith("[paste 1:")


def test_a_paste_that_quotes_a_stand_in_is_not_expanded_twice() -> None:
    pastes = Pastes()
    first = pastes.take("x" * (LARGE + 1))
    second = pastes.take(first * 200)
    assert pastes.expand(second) == first * 200


def test_the_newest_pastes_are_kept_for_what_comes_back_from_the_history() -> None:
    pastes = Pastes()
    shown = [pastes.take(f"{number}" * LARGE * 2) for number in range(KEPT + 1)]
    assert pastes.expand(shown[0]) == shown[0]
    assert pastes.expand(shown[1]) == "1" * LARGE * 2
    assert len(set(shown)) == KEPT + 1


def test_several_pasted_lines_are_known_again_also_with_more_behind_them() -> None:
    pastes = Pastes()
    pastes.note("/start: 1\r\n/stop: 2\r\n")
    assert pastes.begins("/start: 1\n/stop: 2")
    assert pastes.begins("/start: 1\n/stop: 3\nwhy?")
    assert not pastes.begins("/start: 1")
    assert not pastes.begins("/start: 10\n/stop: 2")
    pastes.note("/one line\n")
    assert not pastes.begins("/one line\nmore")

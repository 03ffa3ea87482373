from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from agno_shell.conversation.tools.names import LONGEST, distinct_names, valid_name

KEYS = st.lists(st.tuples(st.text(max_size=70), st.text(max_size=90)), unique=True, max_size=12)


def test_a_name_that_is_its_own_stays() -> None:
    names = distinct_names([("files", "read"), ("mail", "send-it_2")])
    assert names == {("files", "read"): "read", ("mail", "send-it_2"): "send-it_2"}


def test_tools_of_the_same_name_are_called_after_their_boxes() -> None:
    names = distinct_names([("b", "read"), ("a", "read"), ("a", "write")])
    assert names == {("a", "read"): "a_read", ("a", "write"): "write", ("b", "read"): "b_read"}


def test_a_tool_that_is_renamed_takes_nobody_elses_name() -> None:
    names = distinct_names([("a", "read"), ("b", "read"), ("c", "a_read")])
    assert names["c", "a_read"] == "a_read"
    assert names["b", "read"] == "b_read"
    assert re.fullmatch(r"a_read_[0-9a-f]{6}", names["a", "read"])


def test_characters_that_providers_refuse_are_replaced() -> None:
    assert valid_name("files.read/größe") == "files_read_gr__e"
    assert valid_name("") == "tool"


def test_long_names_that_begin_alike_stay_apart() -> None:
    one, other = valid_name("x" * 80 + "1"), valid_name("x" * 80 + "2")
    assert len(one) == len(other) == LONGEST
    assert one != other


@given(KEYS)
def test_names_are_valid_distinct_and_the_same_in_every_order(keys: list[tuple[str, str]]) -> None:
    names = distinct_names(keys)
    assert set(names) == set(keys)
    assert len(set(names.values())) == len(keys)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in names.values())
    assert distinct_names(reversed(keys)) == names

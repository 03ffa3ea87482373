from __future__ import annotations

import pytest

from agno_shell.errors import UsageError
from agno_shell.toolkit.session_names import (
    LONGEST,
    loose_key,
    name_key,
    required_name,
    session_name,
)


def test_a_name_is_one_line() -> None:
    assert session_name("  a\n\tb\u2028c ") == "a b c"
    assert session_name(" \n") == ""


def test_a_name_has_an_end() -> None:
    assert session_name("x" * LONGEST) == "x" * LONGEST
    with pytest.raises(UsageError, match="201"):
        session_name("x" * (LONGEST + 1))


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_name_that_must_be_given(text: str) -> None:
    assert required_name(" a ") == "a"
    with pytest.raises(UsageError, match="empty") as caught:
        required_name(text, "Type one.")
    assert caught.value.hint == "Type one."


def test_what_reads_the_same_has_the_same_key() -> None:
    assert name_key(" a  \u00e4") == name_key("a a\u0308 ") == "a \u00e4"
    assert name_key("A") != name_key("a")
    assert loose_key("\u00c4 STRASSE") == loose_key("a\u0308 stra\u00dfe")

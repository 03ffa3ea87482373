from __future__ import annotations

import pytest

from agno_shell.errors import UsageError
from agno_shell.session_names import LONGEST, session_name


def test_a_name_is_one_line() -> None:
    assert session_name("  a\n\tb\u2028c ") == "a b c"
    assert session_name(" \n") == ""


def test_a_name_has_an_end() -> None:
    assert session_name("x" * LONGEST) == "x" * LONGEST
    with pytest.raises(UsageError, match="201"):
        session_name("x" * (LONGEST + 1))

from __future__ import annotations

import pytest

from agno_shell.builtin.json_storage import folder
from agno_shell.testing.storage_contract import HOSTILE_IDS
from agno_shell.types import new_id


def test_a_new_id_is_one() -> None:
    assert folder.is_session_id(new_id())


@pytest.mark.parametrize("hostile", HOSTILE_IDS)
def test_nothing_else_is(hostile: str) -> None:
    assert not folder.is_session_id(hostile)


@pytest.mark.parametrize("other", [None, 5, [], b"x", "ABCDEF01-0000-4000-8000-000000000000"])
def test_other_kinds_are_not(other: object) -> None:
    assert not folder.is_session_id(other)

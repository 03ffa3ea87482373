from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agno_shell.builtin.commands import wording
from agno_shell.types import Session, now


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (3 * 3600, "3 hours ago"),
        (86400, "1 day ago"),
        (45 * 86400, "1 month ago"),
        (800 * 86400, "2 years ago"),
    ],
)
def test_age(seconds: Any, words: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 7, 20, 10, 30, tzinfo=UTC)
    monkeypatch.setattr(wording, "now", lambda: moment + timedelta(seconds=seconds))
    assert wording.age(moment) == words


def test_a_label_is_one_clean_line() -> None:
    session = Session("1a2b3c4d-0000-4000-8000-000000000000", "a\nb\x1b", now(), now())
    label = wording.label(session)
    assert label.endswith("(1a2b3c4d)")
    assert not {"\n", "\x1b"} & set(label)

"""Every test that the page on promises names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOMES = (ROOT, ROOT / "tests" / "builtin" / "json_storage")


def named_tests() -> list[str]:
    """What stands in the last column of the table of promises."""
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\|[^|]+\|[^|]+\|([^|]+)\|$", page, re.MULTILINE)
    return [name for row in rows[2:] for name in re.findall(r"`([^`]+)`", row)]


def test_the_tests_that_are_named_are_there() -> None:
    names = named_tests()
    assert len(names) > 20
    missing = [
        name
        for name in names
        if not any((home / name).is_dir() or (home / f"{name}.py").is_file() for home in HOMES)
    ]
    assert not missing
